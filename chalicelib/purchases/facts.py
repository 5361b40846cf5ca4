"""What operators are told of a payment: one line for each step, counted, with how long it took.

Every line has the payment's id and nothing of the person, so a payment is followed by its id. The
first line of a payment also names the trace, which leads back to the request that told of it. Lines
are paid for by the byte: a look that finds nothing new has none, and of a payment that is none of
ours only the count is kept.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.banks.payments import PaymentEvent
from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.ids import PaymentId
from chalicelib.matching.outcome import Ambiguous, Matched, NothingNear, NotYet
from chalicelib.matching.suspects import Suspect
from chalicelib.network.model import Connection
from chalicelib.purchases.model import Ending, KnownPayment, Purchase, WithdrawnWhy
from chalicelib.runtime import observability, tracing
from chalicelib.runtime.emf import Unit

CLOCK_SKEW_BOUND_SECONDS = 60  # No queue at a till takes that long between paying and printing.
_OF_STRANGERS = ("not_in_network", "receipts_off", "not_a_member", "joint_holder")


def taken_up(event: PaymentEvent, *, received_at: datetime, receives: int) -> None:
    """The worker took up, for the `receives`th time, what a bank told at `received_at`.

    Here and not at the hook, because a batch of messages shares one line of the log.
    """
    if receives > 1:
        return
    observability.count("connection_events", connection=event.connection_id, outcome="taken")
    lag = max((received_at - event.occurred_at).total_seconds(), 0)
    observability.observe(
        "connection_lag_seconds", lag, Unit.SECONDS, connection=event.connection_id
    )


def dropped(payment_id: PaymentId, reason: str) -> None:
    """Nothing is kept of the event; a stranger's is not even named."""
    observability.count("payments_dropped", reason=reason)
    if reason not in _OF_STRANGERS:
        trace = tracing.current()
        observability.log("payment dropped", payment=payment_id, reason=reason, trace=trace)


def renamed(payment_id: PaymentId, how: str) -> None:
    """The bank tells of a payment under a further id, as it said (`told`) or as we found out."""
    observability.count("payments_renamed", reason=how)
    observability.log("payment has a further name", payment=payment_id)


def waits(known: KnownPayment, decision: Ambiguous | NotYet | NothingNear) -> None:
    """A look found no receipt. Only the first has a line; `infra.cli trace` says how it stands."""
    why = decision.why.value
    observability.count("payments_waiting", reason=why)
    if known.is_new:
        trace = tracing.current()
        observability.log(
            "payment waits", payment=known.payment.payment_id, reason=why, trace=trace
        )


def matched(known: KnownPayment, found: Matched, *, now: datetime) -> None:
    """The payment has its receipt; a till whose clock is far off is named."""
    receipt, skew = found.part.receipt, found.evidence.seconds_apart
    observability.count("matched", why=found.why.value)
    lag = (now - known.first_seen_at).total_seconds()
    observability.observe("match_lag_seconds", lag, Unit.SECONDS)
    observability.observe("clock_skew_seconds", skew, Unit.SECONDS, retailer=receipt.retailer_id)
    if abs(skew) > CLOCK_SKEW_BOUND_SECONDS:
        observability.warn(
            "a till's clock is off", store=receipt.store_id, till=receipt.till, seconds=skew
        )
    payment_id = known.payment.payment_id
    if known.is_new:
        observability.log("payment matched", payment=payment_id, trace=tracing.current())
    else:
        observability.log("payment matched", payment=payment_id)


def doubted(suspects: Iterable[Suspect]) -> None:
    """Receipts that just came cannot be quite right; their till is named."""
    for suspect in suspects:
        reason = suspect.doubt.value
        observability.count("tills_suspect", reason=reason)
        observability.warn(
            "a till's receipts are doubtful",
            store=suspect.store_id,
            till=suspect.till,
            reason=reason,
        )


def updated(payment_id: PaymentId, cause: str, *, version: int) -> None:
    """A purchase has a new version."""
    observability.count("purchases_updated", cause=cause)
    observability.log("purchase updated", payment=payment_id, cause=cause, version=version)


def withdrawn(payment_id: PaymentId, why: WithdrawnWhy, *, version: int) -> None:
    """A receipt was taken away again: somebody may have been shown what is not theirs."""
    observability.count("receipts_withdrawn", reason=why.value)
    observability.warn(
        "a receipt was withdrawn", payment=payment_id, reason=why.value, version=version
    )


def refund_waits(known: KnownPayment, why: str) -> None:
    """A look found no purchase that a refund gives back."""
    observability.count("refunds_waiting", reason=why)
    if known.is_new:
        trace = tracing.current()
        observability.log("refund waits", payment=known.payment.payment_id, reason=why, trace=trace)


def refund_linked(known: KnownPayment, why: str) -> None:
    """A refund was found to be of a purchase."""
    observability.count("refunds_linked", why=why)
    observability.log("refund linked", payment=known.payment.payment_id, why=why)


def ended(payment_id: PaymentId, ending: Ending) -> None:
    """The payment ended without a receipt."""
    observability.count("payments_ended", reason=ending.value)
    observability.log("payment ended", payment=payment_id, reason=ending.value)


def told(purchase: Purchase, connection: Connection, kind: NoteKind, *, lag: timedelta) -> None:
    """The bank took the receipt, `lag` after we first saw the payment."""
    observability.count("delivered", provider=connection.provider.value, kind=kind.value)
    observability.count("connection_events", connection=connection.connection_id, outcome="told")
    if kind is NoteKind.MATCHED:  # A later version says nothing about how long the first took.
        observability.observe(
            "delivery_lag_seconds",
            lag.total_seconds(),
            Unit.SECONDS,
            provider=connection.provider.value,
        )
    observability.log("bank told", payment=purchase.payment.payment_id, kind=kind.value)
