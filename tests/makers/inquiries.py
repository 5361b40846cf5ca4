"""A purchase of which something is said to be missing, and an offer that gives it after all."""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.kernel.ids import PaymentId, receipt_id_of
from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.store import Holder
from chalicelib.network import service as network
from chalicelib.offers.participation import store as participations
from chalicelib.offers.participation.model import Gift, Participation, Redemption
from chalicelib.purchases.access import Own, find_own
from tests.makers.cards import EMPTY, after, worth
from tests.makers.network import BAKERY
from tests.makers.purchases import BANK, PAID_AT

SOON = PAID_AT + timedelta(minutes=2)


def start_rewards() -> None:
    """The bakery has a scheme or an offer now."""
    (bakery,) = [one for one in network.list_retailers(now=PAID_AT) if one.retailer_id == BAKERY]
    network.record_retailer(replace(bakery, rewards=True))
    network.forget()


def own(name: str = "t-1", *, now: datetime = SOON) -> Own:
    """The payment `name` as its bank asks about it."""
    found = find_own(BANK, name, of_user=None, now=now)
    assert found is not None
    return found


def stamp(name: str = "t-1", *, held: str = "", now: datetime = SOON) -> PaymentId:
    """The bakery's card has two stamps for the purchase `name`, or holds them."""
    of = own(name, now=now)
    payment_id = of.where.payment_id
    earned = worth(payment_id, 2, sold_at=PAID_AT, held=held)
    holder = Holder(of.member.member_id, f"{BAKERY}.coffee", of.key)
    before = cards.find_card(holder, now=now) or EMPTY
    assert cards.record_card(after(earned, card=before, at=now), holder)
    return payment_id


def redeem(name: str = "t-1", *, minor: int = 100, now: datetime = SOON) -> PaymentId:
    """An offer of the bakery gives `minor` for the purchase `name`."""
    of = own(name, now=now)
    payment_id = of.where.payment_id
    redemption = Redemption(
        payment_id,
        receipt_id_of(BAKERY, f"R-{name}"),
        receipt_version=1,
        sold_at=PAID_AT,
        available_at=PAID_AT + timedelta(days=30),
        shares=(),
        gifts=(Gift(lease=0, given_minor=minor),),
    )
    taken = Participation(
        "cake-week", BAKERY, "GBP", PAID_AT + timedelta(days=7), redemptions=(redemption,)
    )
    assert participations.record_participation(of.member.member_id, taken, key=of.key)
    return payment_id
