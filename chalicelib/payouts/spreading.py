"""What a bank says of a whole payment file of ours, as said of each payment for which it holds.

A refusal holds for every payment of the file. A debit holds for those that it paid: none that had
failed before, none that never stood in the file, and only where its amount is their very sum.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.members import service as members
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import Executed, Instruction, PayoutState, Reported
from chalicelib.payouts.orders import store as orders
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails import iso_reports, pain001
from chalicelib.payouts.rails.iso_reports import FileReported
from chalicelib.payouts.rails.model import PayingAccount, Rail
from chalicelib.runtime import observability


def spread(line: FileReported, *, now: datetime) -> list[Reported]:
    """`line` as one about each payment.

    A debit that is not the sum of a file's payments, or is of a file that is not ours, stays one
    line under the file's own id: it pays nothing, and a person has to look.
    """
    found = find_file(line.message_id, now=now)
    entries = _entries_of(line.message_id, *found, now=now) if found else ()
    if isinstance(line.outcome, Executed):
        paid = _paid(line.amount, entries, now=now)
        return [_of(line, one.payout_id, one.amount) for one in paid] or [
            _of(line, line.message_id, line.amount)
        ]
    if found is None:
        observability.count("payout_reports", status="not_ours")
    return [_of(line, payout_id) for payout_id, _ in entries if payout_id not in line.named]


def find_file(message_id: str, *, now: datetime) -> tuple[PayingAccount, date] | None:
    """From which account the file of this id pays, and of which day it is; None: it is not ours."""
    day = pain001.day_of(message_id)
    if day is None:
        return None
    account = pain001.account_of(message_id, paying.list_accounts_of(Rail.ISO20022, now=now))
    return None if account is None else (account, day)


def _entries_of(
    message_id: str, account: PayingAccount, day: date, *, now: datetime
) -> Sequence[tuple[str, MemberId]]:
    entries = orders.list_in_file(account.connection_id, account.currency, day, now=now)
    return pain001.part_of(message_id, entries)


def _paid(
    debited: Money | None, entries: Sequence[tuple[str, MemberId]], *, now: datetime
) -> list[Instruction]:
    """The payments that a debit of a whole file paid; none where it is not their sum.

    Whether the order of somebody who was forgotten stood in the file only the amount can say: it
    did if they were forgotten after it was made.
    """
    stood = [
        (one, member_id)
        for payout_id, member_id in entries
        if (one := payouts.get(payout_id, now=now)).state is not PayoutState.FAILED
    ]
    for may_be in _readings(stood, now=now):
        if may_be and debited == _sum(may_be):
            return may_be
    return []


def _readings(
    stood: Sequence[tuple[Instruction, MemberId]], *, now: datetime
) -> Iterator[list[Instruction]]:
    yield [one for one, _ in stood]
    yield [one for one, who in stood if members.member_key_of(who, now=now) is not None]


def _sum(paid: Sequence[Instruction]) -> Money:
    return Money(sum(one.amount.minor for one in paid), paid[0].amount.currency)


def _of(line: FileReported, payout_id: str, amount: Money | None = None) -> Reported:
    """Under a report id of its own: the same report may speak of the payment by itself, too."""
    report_id = f"{line.report_id}/{line.message_id}"
    said = Reported(report_id, iso_reports.RAIL, payout_id, line.outcome, amount, line.at)
    return replace(said, booking=report_id if line.booking == line.report_id else line.booking)
