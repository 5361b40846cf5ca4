"""What rails and banks tell by themselves: webhooks, acknowledgements, report files.

Whoever tells is verified where it comes in; what is told becomes a message, and the worker records
it. A webhook that contradicts what is known is not believed: the rail is asked.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.refusals import Conflicting, NotAllowed, NotFound
from chalicelib.payouts import messages, sending, spreading
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
from chalicelib.payouts.rails import iso_reports, tl_hooks
from chalicelib.payouts.rails.iso_reports import FileReported, Unread
from chalicelib.payouts.rails.model import Rail
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


class WithoutAmount(NotAllowed):
    """An entry is of several payments, and does not say how much of it this one is."""

    code = "without_amount"


class OtherWord(Conflicting):
    """The teller said something else of a payout before, under the same name."""

    code = "other_word"


class BeforeTheOrder(NotAllowed):
    """What is told of a payout happened before it was ordered."""

    code = "before_the_order"


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

    The account is the one of now; without one, the one that paid through TrueLayer before.

    :raises NotFound: no members are paid through TrueLayer there, nor were.
    :raises SignatureMismatch: it does not verify. :raises TryAgain: its keys cannot be had now.
    """
    urls = [
        one.webhook_keys_url
        for one in paying.list_accounts_of(Rail.TRUELAYER, now=now)
        if one.connection_id == connection_id
    ]
    if not urls:
        raise NotFound("there is nothing here")
    tl_hooks.verify(urls[0], method=method, path=path, headers=headers, body=body, now=now)


def take_hook(connection_id: str, body: bytes, *, now: datetime) -> bool:
    """Queue what a verified webhook of a connection's account says; False where it is none of ours.

    :raises Malformed: it has not the documented shape. :raises TryAgain: the queue is away.
    """
    told = tl_hooks.read(body, now=now)
    if told is None or not told.payout_id:
        observability.count("payout_hooks_ignored", provider=Rail.TRUELAYER.value)
        return False
    report = messages.report_of(
        told.payout_id, told.event_id, told.outcome, provider_id=told.provider_id, now=now
    )
    report = messages.spoken_for(report, rail=Rail.TRUELAYER.value, connection=connection_id)
    queues.send(queues.PAYOUTS, [messages.encode(report)])
    return True


def acknowledge(
    payout_id: str, report: ReportMessage, connection_id: ConnectionId, *, now: datetime
) -> None:
    """Queue what a member's bank says of a payout that it was asked to make.

    :raises NotTheBanksPayout: it was asked for none of that id. :raises TryAgain: queue away.
    :raises BeforeTheOrder: that was not yet written then. :raises OtherWord: it said otherwise
        before under the same id.
    """
    instruction = payouts.get(payout_id, now=now)
    is_asked = instruction.connection_id == connection_id and instruction.rail == Rail.BANK.value
    if not is_asked:
        raise NotTheBanksPayout("there is no such payout")
    if report.at < instruction.written_at - CLOCKS_DIFFER_BY:
        raise BeforeTheOrder("the time is before the payout was ordered", field="at")
    if _was_said_otherwise(report, orders.list_events(payout_id, now=now)):
        observability.count("conflicts", code=OtherWord.code)
        raise OtherWord("this acknowledgement said something else before", field="status")
    queues.send(queues.PAYOUTS, [messages.encode(report)])


def take_report(report: ReportMessage, *, now: datetime) -> Instruction:
    """Record what a rail or bank told of a payout, once per event.

    :raises NoSuchPayout: there is none. :raises OtherPayment: it tells of another payment, or of
        one that is not the teller's. :raises OtherWord: it said otherwise before.
    :raises TryAgain: the rail has to be asked first, and does not answer.
    """
    instruction = payouts.get(report.payout_id, now=now)
    for said, is_so in (
        (report.rail, instruction.rail),
        (report.connection, instruction.connection_id),
    ):
        if said not in ("", is_so):
            raise OtherPayment("the report is of another rail or connection than the payout's")
    heard = orders.list_events(report.payout_id, now=now)
    if heard & {report.event_id, _event(report)}:
        observability.count("payout_reports", status="repeated")
        return instruction
    if _was_said_otherwise(report, heard):
        raise OtherWord("the report said something else before")
    if instruction.rail == Rail.BANK.value:  # What a bank acknowledges is its report.
        reconciling.record_report(_reported_by_bank(report, instruction), now=now)
    if _names_other(report, instruction):
        raise OtherPayment("the report names another payment of the rail")
    outcome = messages.outcome_of(report)
    if instruction.state is PayoutState.EXECUTED:
        outcome = said_after_executed(Rail(instruction.rail), outcome, now=now)
    if _contradicts(instruction, outcome) and instruction.rail == Rail.TRUELAYER.value:
        after = sending.ask_again(instruction, report.provider, now=now)
    else:
        after = payouts.record_outcome(report.payout_id, outcome, now=now)
    orders.note_event(report.payout_id, _event(report))
    observability.count("payout_reports", status=report.outcome)
    return after


def _event(report: ReportMessage) -> str:
    """What was heard: the word as well, so that another under the same name is not the same."""
    return f"{report.outcome}:{report.event_id}"


def _was_said_otherwise(report: ReportMessage, heard: Collection[str]) -> bool:
    words = ("accepted", "executed", "failed", "returned")
    others = {f"{word}:{report.event_id}" for word in words if word != report.outcome}
    return not others.isdisjoint(heard)


def _names_other(report: ReportMessage, instruction: Instruction) -> bool:
    """Our own id stands for the payment of a bank until the bank names it."""
    no_name = ("", instruction.payout_id)
    known = instruction.provider_id
    return report.provider not in (*no_name, known) and known not in no_name


def read_report(content: bytes, *, now: datetime) -> tuple[Reported | Unread, ...]:
    """What a bank's report file says, payout by payout; lines about a whole file are spread out.

    What cannot be read of it is told as such; the rest is worth no less.

    :raises Malformed: it is none that is known. :raises TooLarge: over 50 MB.
    """
    read: list[Reported | Unread] = []
    for line in iso_reports.read_report(content):
        read += spreading.spread(line, now=now) if isinstance(line, FileReported) else [line]
    return tuple(read)


def take_reported(reported: Reported, *, now: datetime) -> Instruction | None:
    """Record one line of a report; None where it is about no payout of ours.

    What names a payout is kept for the night's reconciliation too, whatever it says: also where
    there is no such payout, or where its amount is another. What comes back of a payment that left
    twice is not believed to be the payment: it is paid still.

    :raises OtherPayment: the amount is not the payout's, or not the sum of a file's payments.
    :raises WithoutAmount: money moved, and it is not said how much of it for this payout.
    :raises TryAgain: try this line again.
    """
    reconciling.record_report(reported, now=now)
    if spreading.find_file(reported.payout_id, now=now) is not None:
        raise OtherPayment("the debit of a whole file is not the sum of what it paid")
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
    if reported.booking and reported.amount is None:
        raise WithoutAmount("the entry does not say how much of it this payment is")
    if reported.amount not in (None, instruction.amount):
        raise OtherPayment("the report tells of another amount")
    if isinstance(reported.outcome, Returned) and reconciling.is_paid_still(
        reported.payout_id, now=now
    ):
        observability.count("payout_reports", status="came_back_once_of_twice")
        return instruction
    after = payouts.record_outcome(reported.payout_id, reported.outcome, now=now)
    observability.count("payout_reports", status=type(reported.outcome).__name__.lower())
    return after


def _reported_by_bank(report: ReportMessage, instruction: Instruction) -> Reported:
    outcome = messages.outcome_of(report)
    booking = "" if report.provider == report.payout_id else report.provider
    return Reported(
        report.event_id,
        instruction.rail,
        report.payout_id,
        outcome,
        instruction.amount,
        report.at,
        # A return is one, whatever the bank calls it.
        booking=report.outcome if isinstance(outcome, Returned) else booking,
    )


def _contradicts(instruction: Instruction, outcome: Outcome) -> bool:
    """Whether `outcome` is not what should follow, so that a word may have overtaken another."""
    match instruction.state:
        case PayoutState.FAILED | PayoutState.RETURNED:
            return isinstance(outcome, Executed | Returned)
        case PayoutState.EXECUTED:
            return isinstance(outcome, Failed)
    return False
