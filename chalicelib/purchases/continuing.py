"""Recording an event on the payment it belongs to, under whichever id the bank tells it.

A bank may change a payment's id between pending and booked. Where it names the first id, that is
the payment. Where its provider is known for it and does not, the payment is looked for among the
member's own; only for events that may be such, so that others pay nothing for it. Either way the
other id is written down as a further name before anything else happens under it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.matching import store as matching_store
from chalicelib.matching.continuing import SAME_CODE, find_continued
from chalicelib.matching.payment import Payment, named_alone
from chalicelib.network.habits import habits_of
from chalicelib.network.model import Connection, Store
from chalicelib.purchases import facts, store
from chalicelib.purchases.model import KnownPayment
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import vault

# A pending entry that is told sooner than this cannot have been booked before.
SOON = timedelta(minutes=10)


def record_told(
    event: PaymentEvent,
    member_id: MemberId,
    connection: Connection,
    stores: Sequence[Store],
    *,
    key: vault.SealingKey,
    now: datetime,
) -> KnownPayment:
    """Record `event`, which `connection` told of `member_id` at one of `stores`, on its payment.

    :raises ConflictingPayment: the event came before with other content.
    :raises TryAgain: the payment changed underneath.
    """
    if event.continues is not None:
        known = payments.record_event(member_id, event, key=key, now=now)
        if known.member_id == member_id:
            _name(event, known, how="told", key=key, now=now)
        return known
    if _may_continue(event, connection, now=now):
        pending = _find_continued(event, member_id, stores, key=key, now=now)
        if pending is not None:
            _name(event, pending, how="inferred", key=key, now=now)
    return payments.record_event(member_id, event, key=key, now=now)


def _may_continue(event: PaymentEvent, connection: Connection, *, now: datetime) -> bool:
    """Whether it may be another id's payment: a late pending entry may come after its booking."""
    if not habits_of(connection).renames:
        return False
    is_late = now - event.made_at > SOON
    return event.kind is PaymentEventKind.CLEARED or (
        event.kind is PaymentEventKind.AUTHORISED and is_late
    )


def _find_continued(
    event: PaymentEvent,
    member_id: MemberId,
    stores: Sequence[Store],
    *,
    key: vault.SealingKey,
    now: datetime,
) -> KnownPayment | None:
    """The payment that `event` continues; None also where its own id is known already."""
    if payments.find_whereabouts(event.payment_id, now=now) is not None:
        return None
    near = list(_payments_near(event, member_id, stores, key=key, now=now))
    found = find_continued(event, near)
    return payments.find_payment(found.payment_id, key=key, now=now) if found else None


def _payments_near(
    event: PaymentEvent,
    member_id: MemberId,
    stores: Sequence[Store],
    *,
    key: vault.SealingKey,
    now: datetime,
) -> Iterator[Payment]:
    """The member's payments of that time: those that have ended or a receipt, and that wait."""
    since, until = event.made_at - SAME_CODE, event.made_at + SAME_CODE
    seen: set[PaymentId] = set()
    for purchase in store.list_purchases(member_id, key=key, now=now, since=since, until=until):
        seen.add(purchase.payment.payment_id)
        yield purchase.payment
    for place in stores:
        for waiting in matching_store.list_waiting_between(
            place.store_id, since, until, now=now, consistent=True
        ):
            payment_id = waiting.signals.payment_id
            if waiting.signals.member_id != member_id or payment_id in seen:
                continue
            seen.add(payment_id)
            known = payments.find_payment(payment_id, key=key, now=now)
            if known is not None:
                yield known.payment


def _name(
    event: PaymentEvent,
    known: KnownPayment,
    *,
    how: str,
    key: vault.SealingKey,
    now: datetime,
) -> None:
    """Let `known` be found by the event's own id. Where that is taken, both stay as they are."""
    if known.payment.payment_id == named_alone(event).payment_id:
        return
    is_named = payments.record_name(event, known, key=key, now=now)
    facts.renamed(known.payment.payment_id, how if is_named else "taken")
