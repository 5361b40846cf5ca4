"""How the purchase stands that somebody inquires about: its receipt, and what it earned."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.kernel.ids import RetailerId
from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.model import Entry
from chalicelib.loyalty.cards.past import in_chain
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.matching.payment import Payment, PaymentState
from chalicelib.network import service as network
from chalicelib.offers.participation import store as participations
from chalicelib.purchases import store as purchases
from chalicelib.purchases.access import WAITS, Own
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.reading import waits
from chalicelib.rewards.inquiries.model import Situation

AROUND = timedelta(days=1)  # A sale is dated by its payment, give or take what clocks are off.


def situation_of(own: Own, *, now: datetime) -> Situation | None:
    """How it stands; None where nothing was bought: a refund, or a payment that was reversed."""
    purchase = purchases.find_purchase(own.where, key=own.key, now=now)
    payment = purchase.payment if purchase else _payment(own, now=now)
    if payment is None or payment.state in (PaymentState.REVERSED, PaymentState.REFUND_ONLY):
        return None
    receipt = purchase.receipt if purchase else None
    retailers = (
        {receipt.retailer_id}
        if receipt
        else {store.retailer_id for store in network.find_stores(payment.merchant, now=now)}
    )
    has_earned, is_held = _earned(own, now=now)
    return Situation(
        takes_part=any(_takes_part(one, now=now) for one in retailers),
        has_earned=has_earned,
        is_held=is_held,
        has_receipt=receipt is not None,
        waits=_waits(purchase, own, now=now),
    )


def _waits(purchase: Purchase | None, own: Own, *, now: datetime) -> bool:
    is_over = now >= own.first_seen_at + WAITS
    return not is_over and waits(own, purchase, now=now)


def _payment(own: Own, *, now: datetime) -> Payment | None:
    known = payments.find_payment(own.where.payment_id, key=own.key, now=now)
    return known.payment if known else None


def _takes_part(retailer_id: RetailerId, *, now: datetime) -> bool:
    return network.get_retailer(retailer_id, now=now).rewards


def _earned(own: Own, *, now: datetime) -> tuple[bool, bool]:
    """Whether some offer or card gave something for the purchase, and whether all of it is held."""
    payment_id = own.where.payment_id
    member_id = own.where.member_id
    rows = participations.list_participations(member_id, None, key=own.key, now=now)
    redemptions = [one for row in rows.values() for one in row.of_purchase(payment_id)]
    entries = list(_entries(own, now=now))
    counts = any(not one.held and any(line.units for line in one.given) for one in entries)
    waits = any(one.held and one.held != REFUSED for one in entries)
    waits = waits or any(one.is_waiting for one in redemptions)
    has_earned = counts or any(one.counted_minor > 0 for one in redemptions)
    return has_earned or waits, waits and not has_earned


def _entries(own: Own, *, now: datetime) -> Iterator[Entry]:
    """What the purchase has on the member's cards, where it moved to their history, too."""
    member_id, payment_id = own.where.member_id, own.where.payment_id
    for scheme_id, card in cards.list_cards(member_id, key=own.key, now=now).items():
        entry = card.find_entry(payment_id)
        if entry is None and card.watermark and card.watermark >= own.where.anchored_at - AROUND:
            holder = Holder(member_id, scheme_id, own.key)
            past = in_chain(cards.list_past(holder, now=now), card.last_past)
            every = (one for part in reversed(past) for one in part.entries)
            entry = next((one for one in every if one.payment_id == payment_id), None)
        if entry is not None:
            yield entry
