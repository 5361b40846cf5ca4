"""What rails and banks tell by themselves: webhooks, acknowledgements, report files.

Whoever tells is verified where it comes in; what is told becomes a message, and the worker records
it. A webhook that contradicts what is known is not believed: the rail is asked.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.refusals import Conflicting, NotFound
from chalicelib.payouts import messages, sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.messages import ReportMessage
from chalicelib.payouts.model import (
    Executed,
    Failed,
    Instruction,
    NoSuchPayout,
    Outcome,
    PayoutState,
    Reported,
    Returned,
    written_on,
)
from chalicelib.payouts.orders import store as orders
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails import iso_reports, pain001, tl_hooks
from chalicelib.payouts.rails.iso_reports import FileReported
from chalicelib.payouts.rails.model import PayingAccount, Rail
from chalicelib.payouts.rails.ports import said_after_executed
from chalicelib.payouts.reconciling import service as reconciling
from chalicelib.runtime import observability, queues

CLOCKS_DIFFER_BY = timedelta(minutes=5)  # How far a teller's clock may be before ours.


class NotTheBanksPayout(NotFound):
    """The caller's bank was asked for no such payout."""

    code = "no_such_payout"


class OtherPayment(Conflicting):
    """What is told of a payout names another payment than the one it became."""

    code = "other_payment"


def verify_hook(
    connection_id: str,
    *,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> None:
    """Check a webhook of TrueLayer that came for the paying account of `connection_id`.

    :raises NotFound: no members are paid through TrueLayer there.
    :raises SignatureMismatch: it does not verify. :raises TryAgain: its keys cannot be had now.
    """
    urls = {
        one.webhook_keys_url
        for one in paying.list_accounts(now=now)
        if one.rail is Rail.TRUELAYER and one.connection_id == connection_id
    }
    if not urls:
        raise NotFound("there is nothing here")
    tl_hooks.verify(sorted(urls)[0], method=method, path=path, headers=headers, body=body, now=now)


def take_hook(body: bytes, *, now: datetime) -> bool:
    """Queue what a verified webhook says; False where it is none of ours.

    :raises Malformed: it has not the documented shape. :raises TryAgain: the queue is away.
    """
    told = tl_hooks.read(body, now=now)
    if told is None or not told.payout_id:
        observability.count("payout_hooks_ignored", provider=Rail.TRUELAYER.value)
        return False
    report = messages.report_of(
        told.payout_id, told.event_id, told.outcome, provider_id=told.provider_id, now=now
    )
    queues.send(queues.PAYOUTS, [messages.encode(report)])
    return True


def acknowledge(
    payout_id: str, report: ReportMessage, connection_id: ConnectionId, *, now: datetime
) -> None:
    """Queue what a member's bank says of a payout that it was asked to make.

    :raises NotTheBanksPayout: it was asked for none of that id. :raises TryAgain: queue away.
    """
    instruction = payouts.get(payout_id, now=now)
    is_asked = instruction.connection_id == connection_id and instruction.rail == Rail.BANK.value
    if not is_asked:
        raise NotTheBanksPayout("there is no such payout")
    queues.send(queues.PAYOUTS, [messages.encode(report)])


def take_report(report: ReportMessage, *, now: datetime) -> Instruction:
    """Record what a rail or bank told of a payout, once per event.

    :raises NoSuchPayout: there is none. :raises OtherPayment: it tells of another payment.
    :raises TryAgain: the rail has to be asked first, and does not answer.
    """
    instruction = payouts.get(report.payout_id, now=now)
    if report.event_id in orders.list_events(report.payout_id, now=now):
        observability.count("payout_reports", status="repeated")
        return instruction
    if report.provider and instruction.provider_id not in ("", report.provider):
        raise OtherPayment("the report names another payment of the rail")
    outcome = messages.outcome_of(report)
    if instruction.rail == Rail.BANK.value:  # What a bank acknowledges is its report.
        reconciling.record_report(_reported_by_bank(report, instruction), now=now)
    if instruction.state is PayoutState.EXECUTED:
        outcome = said_after_executed(Rail(instruction.rail), outcome, now=now)
    if _contradicts(instruction, outcome) and instruction.rail == Rail.TRUELAYER.value:
        after = sending.ask_again(instruction, now=now)
    else:
        after = payouts.record_outcome(report.payout_id, outcome, now=now)
    orders.note_event(report.payout_id, report.event_id)
    observability.count("payout_reports", status=report.outcome)
    return after


def read_report(content: bytes, *, now: datetime) -> tuple[Reported, ...]:
    """What a bank's report file says, payout by payout; lines about a whole file are spread out.

    :raises Malformed: it is none that is known. :raises TooLarge: over 50 MB.
    """
    accounts = [one for one in paying.list_accounts(now=now) if one.rail is Rail.ISO20022]
    read: list[Reported] = []
    for line in iso_reports.read_report(content):
        read += _spread(line, accounts, now=now) if isinstance(line, FileReported) else [line]
    return tuple(read)


def take_reported(reported: Reported, *, now: datetime) -> Instruction | None:
    """Record one line of a report; None where it is about no payout of ours.

    What names a payout is kept for the night's reconciliation too, whatever it says: also where
    there is no such payout, or where its amount is another.

    :raises OtherPayment: the amount is not the payout's. :raises TryAgain: try this line again.
    """
    reconciling.record_report(reported, now=now)
    try:
        written_on(reported.payout_id)
    except NoSuchPayout:
        observability.count("payout_reports", status="not_ours")
        return None
    try:
        instruction = payouts.get(reported.payout_id, now=now)
    except NoSuchPayout:
        observability.count("payout_reports", status="not_ours")
        return None
    if instruction.rail != reported.rail:
        raise OtherPayment("the report is of another rail than the payout's")
    if reported.amount is not None and reported.amount != instruction.amount:
        raise OtherPayment("the report tells of another amount")
    after = payouts.record_outcome(reported.payout_id, reported.outcome, now=now)
    observability.count("payout_reports", status=type(reported.outcome).__name__.lower())
    return after


def _spread(
    line: FileReported, accounts: Sequence[PayingAccount], *, now: datetime
) -> list[Reported]:
    """A line about a whole file of ours, as one about each of its payments."""
    account = pain001.account_of(line.message_id, accounts)
    day: date | None = pain001.day_of(line.message_id)
    if account is None or day is None:
        observability.count("payout_reports", status="not_ours")
        return []
    entries = orders.list_in_file(account.connection_id, account.currency, day, now=now)
    return [
        Reported(line.report_id, iso_reports.RAIL, payout_id, line.outcome, None, line.at)
        for payout_id, _ in pain001.part_of(line.message_id, entries)
    ]


def _reported_by_bank(report: ReportMessage, instruction: Instruction) -> Reported:
    outcome = messages.outcome_of(report)
    return Reported(
        report.event_id,
        instruction.rail,
        report.payout_id,
        outcome,
        instruction.amount,
        report.at,
    )


def _contradicts(instruction: Instruction, outcome: Outcome) -> bool:
    """Whether `outcome` is not what should follow, so that a word may have overtaken another."""
    match instruction.state:
        case PayoutState.FAILED | PayoutState.RETURNED:
            return isinstance(outcome, Executed | Returned)
        case PayoutState.EXECUTED:
            return isinstance(outcome, Failed)
    return False
