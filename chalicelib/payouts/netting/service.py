"""Paying members what they have available: one order a night, currency and member.

In this order: the money is set aside in the journal, the order is written, the queue is told. Who
dies in between is followed by a run that finds what is written: the same night gives the same order
under the same id and the same amount.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger import moving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.accounts import Holding, member_account, member_owner
from chalicelib.ledger.model import Balances, Entry, EntryKind
from chalicelib.ledger.moving import Payout
from chalicelib.members import service as members
from chalicelib.members.model import Member, MemberStatus
from chalicelib.network import programmes
from chalicelib.network.programmes import Programme
from chalicelib.payouts import parting
from chalicelib.payouts import store as instructions
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.leavers import service as leavers
from chalicelib.payouts.messages import SendPayoutMessage, encode
from chalicelib.payouts.model import Instruction, new_instruction, payout_id_of, written_on
from chalicelib.payouts.netting import store
from chalicelib.payouts.netting.deciding import (
    FAILURES_MAX,
    TRIED_AGAIN_AFTER,
    Decision,
    GiveUp,
    Nothing,
    Pay,
    Payee,
    Wait,
    Why,
    decide,
)
from chalicelib.payouts.netting.store import Unpaid
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails.model import NEEDS_DESTINATION, Rail
from chalicelib.runtime import observability, queues

_NOBODY = Payee(is_known=False, is_suspended=False, minor_min=1, rail=None, needs_destination=False)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """From how much on a member is paid, what is missing to that, and why not tonight (None: they
    are, or have nothing). Minor units.
    """

    minor_min: int
    missing_minor: int
    why: Why | None


def net_members(member_ids: Iterable[MemberId], *, on: date, now: datetime) -> int:
    """Pay each of the members what they may be paid on the night of `on`; returns how many orders.

    :raises TryAgain: a queue or DynamoDB did not answer, or a book was changed all the time; what
        was done is done, and the same again goes on.
    """
    return sum(len(net_member(member_id, on=on, now=now)) for member_id in member_ids)


def net_member(member_id: MemberId, *, on: date, now: datetime) -> tuple[Instruction, ...]:
    """Pay one member; returns the orders, one for each currency in which there is anything.

    The account of somebody who left, and to whom nothing is owed any more, is deleted.
    """
    ordered = []
    held = ledger.balances_of(member_id, now=now)
    for balances in held:
        instruction = _net(member_id, balances, on=on, now=now)
        if instruction is not None:
            ordered.append(instruction)
    if not any(parting.is_owed(balances) for balances in held):
        parting.forget_account_when_paid(member_id, now=now)
    return tuple(ordered)


def expect_leaver(member_id: MemberId, *, now: datetime) -> None:
    """Have the next night look at somebody who left: what they have is paid, however little."""
    for balances in ledger.balances_of(member_id, now=now):
        unpaid = store.find(member_id, balances.currency, now=now)
        if unpaid is not None and unpaid.why is Why.BELOW_MINIMUM:
            store.record(replace(unpaid, has_left=True), now=now)


def foresee(member: Member, balances: Balances, *, now: datetime) -> Foreseen:
    """What would become of what `member` has in one currency, if the night were now.

    It reads what the night reads, and changes nothing.
    """
    programme = programmes.get_programme(member.programme)
    minimum = programme.payout_minimum(balances.currency)
    unpaid = store.find(member.member_id, balances.currency, now=now)
    decided = _decide(member, balances, unpaid, now=now)
    return Foreseen(
        minor_min=minimum,
        missing_minor=max(minimum - balances.available, 0),
        why=decided.why if isinstance(decided, Wait) else None,
    )


def _net(member_id: MemberId, balances: Balances, *, on: date, now: datetime) -> Instruction | None:
    currency = balances.currency
    payout_id = payout_id_of(member_id, currency, on)
    member = members.find_member(member_id, now=now)
    if balances.in_payment and (begun := find_set_aside(member_id, payout_id, now=now)):
        return order(begun, member_id, payout_id, now=now)
    unpaid = store.find(member_id, currency, now=now)
    match _decide(member, balances, unpaid, now=now):
        case Pay(rail=rail):
            return _pay(member_id, balances, payout_id, rail, unpaid, now=now)
        case Wait(why=why):
            since = unpaid.since if unpaid and unpaid.why is why else on
            waits = Unpaid(member_id, currency, balances.available, why, since)
            if waits != unpaid:
                store.record(waits, now=now)
        case GiveUp():
            _give_up(unpaid, now=now)
        case Nothing():
            _drop(unpaid)
    return None


def find_set_aside(member_id: MemberId, payout_id: str, *, now: datetime) -> Entry | None:
    """What was set aside for a payout by a run that died before it wrote the order, or None."""
    if instructions.find(payout_id, now=now) is not None:
        return None
    day = datetime.combine(written_on(payout_id), time(), UTC)
    book = ledger.list_postings(member_owner(member_id), since=day, now=now)
    by_key = {posting.entry.key: posting.entry for posting in book}
    if moving.payout_key(payout_id, EntryKind.PAYOUT_FAILED) in by_key:
        return None
    return by_key.get(moving.payout_key(payout_id, EntryKind.PAYOUT_WRITTEN))


def order(
    set_aside: Entry, member_id: MemberId, payout_id: str, *, rail: str | None = None, now: datetime
) -> Instruction | None:
    """Write the order to pay what was set aside, and tell the queue.

    None: nobody can pay it any more, and it is available again.
    """
    member = members.find_member(member_id, now=now)
    rail = rail or (_rail_of(member, set_aside.currency, now=now) if member else None)
    minor = set_aside.minor_on(member_account(member_id, Holding.IN_PAYMENT))
    payout = Payout(payout_id, member_id, Money(minor, set_aside.currency), set_aside.at)
    if member is None or rail is None:
        failed = moving.payout_entry(
            payout, EntryKind.PAYOUT_FAILED, at=now, reason="nobody_pays_there"
        )
        ledger.record(failed, originated_at=set_aside.at, now=now)
        return None
    instruction = new_instruction(
        payout_id,
        member_id=member_id,
        connection_id=member.connection_id,
        amount=payout.amount,
        rail=rail,
        now=set_aside.at,
    )
    written = instructions.record_new(instruction, now=now)
    queues.send(queues.PAYOUTS, [encode(SendPayoutMessage(payout_id))])
    return written


def _pay(
    member_id: MemberId,
    balances: Balances,
    payout_id: str,
    rail: str,
    unpaid: Unpaid | None,
    *,
    now: datetime,
) -> Instruction | None:
    posted = moving.instruct(
        member_id,
        balances.currency,
        payout_id,
        minor_min=1,
        originated_at=datetime.combine(written_on(payout_id), time(), UTC),
        now=now,
    )
    if posted is None:  # Something was taken back meanwhile.
        return None
    ordered = order(posted.entry, member_id, payout_id, rail=rail, now=now)
    _drop(unpaid)
    return ordered


def _give_up(unpaid: Unpaid | None, *, now: datetime) -> None:
    if unpaid is None:
        return
    since = datetime.combine(unpaid.since, time(), UTC)
    key = f"written_off:{unpaid.currency}:{unpaid.since}"
    posted = moving.write_off(
        unpaid.member_id, unpaid.currency, key=key, originated_at=since, now=now
    )
    if posted is not None:
        observability.count("debts_written_off")
    _drop(unpaid)


def _drop(unpaid: Unpaid | None) -> None:
    if unpaid is not None:
        store.drop(unpaid.member_id, unpaid.currency)


def _decide(
    member: Member | None,
    balances: Balances,
    unpaid: Unpaid | None,
    *,
    now: datetime,
) -> Decision:
    owes_since = unpaid.since if unpaid and unpaid.why is Why.OWES else None
    programme = programmes.get_programme(member.programme) if member else programmes.FLUX
    payee = _NOBODY
    if member is not None and balances.available > 0:
        payee = _payee(member, programme, balances.currency, now=now)
    return decide(
        balances.available,
        payee,
        owes_since=owes_since,
        debts_kept=timedelta(days=programme.debts_kept_days),
        now=now,
    )


def _payee(member: Member, programme: Programme, currency: str, *, now: datetime) -> Payee:
    rail = _rail_of(member, currency, now=now)
    held = destinations.find_held(member.member_id, now=now)
    has_left = member.status is MemberStatus.LEFT
    needs_destination, usable_from = _needs_destination(rail), held.usable_from if held else None
    if has_left and rail == Rail.BANK.value:
        # The bank's own name of somebody who left is kept as their account is, or is not known.
        needs_destination = True
        usable_from = member.left_at if leavers.has_name(member, now=now) else None
    return Payee(
        is_known=True,
        is_suspended=member.status is MemberStatus.REVOKED,
        # Whoever leaves is paid what is theirs, however little it is.
        minor_min=1 if has_left else programme.payout_minimum(currency),
        rail=rail,
        needs_destination=needs_destination,
        destination_at=held.changed_at if held else None,
        destination_from=usable_from,
        takes_currency=held is None or held.takes(currency),
        refused_at=_refused_at(member.member_id, currency, now=now),
    )


def _refused_at(member_id: MemberId, currency: str, *, now: datetime) -> datetime | None:
    """When the last payment in `currency` came back, or the third in a row failed; None: since then
    one went.
    """
    postings = ledger.list_postings(member_owner(member_id), since=now - TRIED_AGAIN_AFTER, now=now)
    refused_at, failures = None, 0
    for posting in (one for one in postings if one.entry.currency == currency):
        match posting.entry.kind:
            case EntryKind.PAYOUT_SETTLED:
                refused_at, failures = None, 0
            case EntryKind.PAYOUT_RETURNED:
                refused_at = posting.recorded_at
            case EntryKind.PAYOUT_FAILED:
                failures += 1
                refused_at = posting.recorded_at if failures >= FAILURES_MAX else refused_at
    return refused_at


def _needs_destination(rail: str | None) -> bool:
    return rail is not None and Rail(rail) in NEEDS_DESTINATION


def _rail_of(member: Member, currency: str, *, now: datetime) -> str | None:
    account = paying.find_account(member.connection_id, currency, now=now)
    return account.rail.value if account else None
