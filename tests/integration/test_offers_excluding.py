"""An offer that excludes schemes: its purchase keeps no stamps or points, whenever it gets it."""

import json
from datetime import datetime, timedelta

import pytest

from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.members.model import Member
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.purchases import store as purchases
from chalicelib.purchases.messages import RewardMessage
from chalicelib.purchases.model import Purchase
from chalicelib.rewards import service as rewards
from chalicelib.runtime import queues
from tests.makers.loyalty import SOLD_AT
from tests.makers.offers import (
    OPENED_AT,
    SETTLED_AT,
    award,
    bought,
    campaign,
    coffees,
    join,
    key_of,
    next_version,
    open_town,
    owed,
    returned,
    run,
)
from tests.makers.purchases import queued
from tests.makers.receipts import RETAILER, line, sale
from tests.makers.schemes import points, shape_of

POINTS = f"{RETAILER.retailer_id}.points"
HOUR = timedelta(hours=1)
pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town()
    schemes.forget()
    schemes.record_scheme(RETAILER.retailer_id, "points", shape_of(points()), now=OPENED_AT)


def card_of(member: Member, *, now: datetime = SETTLED_AT) -> Card | None:
    return cards.find_card(Holder(member.member_id, POINTS, key_of(member)), now=now)


def units_of(member: Member) -> int:
    card = card_of(member)
    return sum(one.lot.units for one in card.entries) if card else 0


def settle(one: Purchase, member: Member, *, now: datetime = SETTLED_AT) -> None:
    """Write the version, where it is new, and settle it as the worker does."""
    record = purchases.record_purchase if one.version == 1 else purchases.record_version
    record(one, key=key_of(member))
    payment = one.payment
    message = RewardMessage(payment.payment_id, member.member_id, payment.anchored_at, one.version)
    rewards.settle(message, now=now)


def use_up(member: Member) -> None:
    award(bought(coffees(350), member, "t-first"), member)


@pytest.mark.requirement("OFR-12")
@pytest.mark.parametrize("is_same", [False, True], ids=["a later version", "the same version"])
def test_points_are_back_when_the_offer_is_given_after_them(*, is_same: bool) -> None:
    ada, bela = join(), join("bela", 2)
    run(campaign("x", excludes_schemes=True, budget_minor=100))
    use_up(bela)
    first = bought(coffees(350), ada)
    settle(first, ada)
    before = (owed(ada.member_id), units_of(ada))
    campaigns.change_budget(RETAILER.retailer_id, "x", 1_000, now=SETTLED_AT)
    campaigns.forget()

    later = first if is_same else next_version(first)
    for _ in range(2):
        settle(later, ada, now=SETTLED_AT + HOUR)

    card = card_of(ada)
    assert card is not None
    (entry,) = card.entries
    assert before == (0, 3)
    assert (owed(ada.member_id), units_of(ada)) == (100, 0)
    assert (entry.changed, entry.reason, entry.is_visit) == (-3, "offer_instead", False)
    told = [json.loads(one) for one in queued(queues.NOTICES)]
    reasons = {one["units"]: one["reason"] for one in told if one.get("units", 0) < 0}
    assert reasons == {-3: "offer_instead"}


def test_what_is_left_earns_once_the_offer_was_taken_back() -> None:
    ada, bela = join(), join("bela", 2)
    run(campaign("x", excludes_schemes=True, budget_minor=100))
    use_up(bela)
    tea = line("2", amount=200, category=("Tea",))
    receipt = sale(line("1", amount=350, category=("Coffee",)), tea)
    first = bought(receipt, ada)
    settle(first, ada)
    campaigns.change_budget(RETAILER.retailer_id, "x", 1_000, now=SETTLED_AT)
    campaigns.forget()
    second = next_version(first)
    without_coffee = next_version(second, returns=(returned(receipt, "1"),))

    kept = [(owed(ada.member_id), units_of(ada))]
    for one in (second, without_coffee):
        settle(one, ada, now=SETTLED_AT + HOUR)
        kept.append((owed(ada.member_id), units_of(ada)))

    assert kept == [(0, 5), (100, 0), (0, 2)]


def test_an_offer_excludes_also_when_its_campaign_is_closed() -> None:
    ada = join()
    run(campaign("x", excludes_schemes=True, ends_at=SOLD_AT + HOUR))
    first = bought(coffees(350, 350), ada)
    settle(first, ada)
    late = SOLD_AT + timedelta(days=47)
    campaigns.tend(now=late)
    campaigns.forget()

    settle(next_version(first), ada, now=late)

    assert (owed(ada.member_id), card_of(ada, now=late)) == (100, None)
