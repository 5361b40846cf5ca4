"""Messages a purchase sends: to the bank it came from, and to itself for another look."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.banks.telling import NoteKind, is_told
from chalicelib.kernel.ids import PaymentId
from chalicelib.network import service as network
from chalicelib.purchases.messages import DeliveryMessage, LookAgainMessage, encode
from chalicelib.purchases.model import Purchase
from chalicelib.runtime import queues


def tell(
    purchase: Purchase, note: NoteKind, *, now: datetime, first_seen_at: datetime | None = None
) -> None:
    """Queue the delivery of `purchase` to its bank, if that bank is told at all.

    `first_seen_at` is when its payment was first seen, from which the delivery's lag is told.
    """
    payment = purchase.payment
    connection = network.get_connection(payment.connection_id, now=now)
    if not is_told(connection):
        return
    message = DeliveryMessage(
        payment.payment_id,
        note,
        purchase.version,
        member_id=purchase.member_id,
        anchored_at=payment.anchored_at,
        first_seen_at=first_seen_at,
    )
    queues.send(queues.DELIVERIES, [encode(message)])


def look_at_once(payment_ids: Iterable[PaymentId]) -> None:
    """Queue another look at each payment, now."""
    bodies = [encode(LookAgainMessage(payment_id)) for payment_id in payment_ids]
    if bodies:
        queues.send(queues.PAYMENTS, bodies)


def look_again(payment_id: PaymentId, *, delay: timedelta) -> None:
    """Queue another look after `delay`, where a queue can hold a message that long.

    For longer delays the schedule looks again.
    """
    seconds = int(delay.total_seconds()) + 1
    if seconds <= queues.DELAY_SECONDS_MAX:
        queues.send(queues.PAYMENTS, [encode(LookAgainMessage(payment_id))], delay_seconds=seconds)
