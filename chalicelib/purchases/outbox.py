"""Messages a purchase sends: to the bank it came from, to what rewards it, and to itself for
another look.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.banks.telling import NoteKind, is_told
from chalicelib.kernel.ids import PaymentId
from chalicelib.network import service as network
from chalicelib.purchases.messages import (
    DeliveryMessage,
    LookAgainMessage,
    RewardMessage,
    encode,
)
from chalicelib.purchases.model import Purchase
from chalicelib.runtime import queues


def tell(
    purchase: Purchase, note: NoteKind, *, now: datetime, first_seen_at: datetime | None = None
) -> None:
    """Queue the delivery of `purchase` to its bank and what it may earn, where there is either.

    `first_seen_at` is when its payment was first seen, from which the delivery's lag is told.
    """
    payment = purchase.payment
    connection = network.get_connection(payment.connection_id, now=now)
    if is_told(connection):
        message = DeliveryMessage(
            payment.payment_id,
            note,
            purchase.version,
            member_id=purchase.member_id,
            anchored_at=payment.anchored_at,
            first_seen_at=first_seen_at,
        )
        queues.send(queues.DELIVERIES, [encode(message)])
    if (connection.stamps or connection.offers) and _may_earn(purchase, now=now):
        reward = RewardMessage(
            payment.payment_id, purchase.member_id, payment.anchored_at, purchase.version
        )
        queues.send(queues.REWARDS, [encode(reward)])


def _may_earn(purchase: Purchase, *, now: datetime) -> bool:
    """Whether a version may change what was earned. Whose receipt was withdrawn is not known."""
    if purchase.receipt is None:
        return purchase.is_withdrawn
    return network.get_retailer(purchase.receipt.retailer_id, now=now).rewards


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
