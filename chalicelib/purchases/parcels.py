"""Parcels of one order: a web shop's receipt that lists several card payments, made days apart.

The order's receipt stands beside its first payment. A later parcel is charged when it leaves, long
after any look around the time of the payment would find the receipt. So, when a payment at a web
shop has found nothing near, its member's own orders are asked for a card payment of just that
amount that nobody holds yet. Whose order it is needs no guess: the member has it already.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.kernel.cards import NO_DIGITS, LastFour, LastFourKind
from chalicelib.kernel.ids import PaymentId, StoreId
from chalicelib.kernel.money import Money
from chalicelib.matching import service as matching
from chalicelib.matching.outcome import Agreement, Evidence, Matched
from chalicelib.matching.questions import Question
from chalicelib.matching.signals import Part, parts_of
from chalicelib.matching.why import Why
from chalicelib.network.model import Store
from chalicelib.purchases.model import KnownPayment, Purchase
from chalicelib.purchases.settling import join, signals_of
from chalicelib.purchases.store import list_purchases
from chalicelib.runtime import vault

LEAVES_WITHIN = timedelta(days=45)  # Furniture takes weeks; an authorisation lasts thirty days.
FIRST_ITS_OWN = timedelta(hours=1)  # An order of its own would have its receipt by then.


def join_parcel(
    known: KnownPayment,
    ended: Purchase | None,
    *,
    stores: Sequence[Store],
    key: vault.SealingKey,
    now: datetime,
) -> Matched | None:
    """Join a payment at a web shop to the order that it pays a part of, if exactly one can be it.

    :raises TryAgain: the purchase changed underneath.
    """
    payment = known.payment
    shops = {place.store_id for place in stores if place.online}
    if not shops or now < payment.made_at + FIRST_ITS_OWN:
        return None
    since = payment.made_at - LEAVES_WITHIN
    orders = list_purchases(known.member_id, since=since, until=payment.made_at, key=key, now=now)
    parts = _free_parts(known, [o for o in orders if _is_of(o, shops, payment.payment_id)])
    if len(parts) != 1:
        return None
    apart = round((parts[0].receipt.issued_at - payment.made_at).total_seconds())
    evidence = Evidence(frozenset({Agreement.AMOUNT}), frozenset(), apart)
    question = Question(signals_of(known, stores, NO_DIGITS), payment.anchored_at, tuple(stores))
    claimed = matching.claim_part(question, Matched(parts[0], evidence, Why.SAME_ORDER), now=now)
    if not isinstance(claimed, Matched):
        return None
    join(question, known, ended, claimed, key=key, now=now)
    return claimed


def _is_of(order: Purchase, shops: set[StoreId], own_id: PaymentId) -> bool:
    receipt = order.receipt
    return receipt is not None and receipt.store_id in shops and order.payment.payment_id != own_id


def _free_parts(known: KnownPayment, orders: Sequence[Purchase]) -> list[Part]:
    """The parts of the orders that the payment may be, of which the member holds none yet."""
    held = {(o.receipt.receipt_id, o.part) for o in orders if o.receipt is not None}
    parts = {
        (part.receipt_id, part.index): part
        for order in orders
        if order.receipt is not None
        for part in parts_of(order.receipt)
    }
    return [
        part
        for at, part in parts.items()
        if at not in held
        and Money(part.amount_minor, part.receipt.currency) in known.payment.amounts
        and not _contradict(known.payment.card.last_four, part.card.last_four)
    ]


def _contradict(ours: LastFour | None, theirs: LastFour | None) -> bool:
    """Digits of one known kind that differ."""
    if ours is None or theirs is None or ours.kind is LastFourKind.UNKNOWN:
        return False
    return ours.kind is theirs.kind and ours.digits != theirs.digits
