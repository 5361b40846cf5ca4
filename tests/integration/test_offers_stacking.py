"""Stackable offers on one purchase: together no more than was paid, and than is still paid."""

import contextlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from chalicelib.budgets import service as budgets
from chalicelib.loyalty.rules import FixedCashback
from chalicelib.network import service as network
from chalicelib.offers.awarding import Won
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.deciding import NotWon
from tests.makers.calls import counting_dynamodb_calls
from tests.makers.dying import Died, dying
from tests.makers.offers import (
    ENDS_AT,
    FIVE_PERCENT,
    LATER,
    award,
    bought,
    campaign,
    coffees,
    join,
    next_version,
    open_town,
    owed,
    returned,
    run,
    spent,
)
from tests.makers.receipts import line, sale

THREE = FixedCashback(300)
DAY = timedelta(days=1)
pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town()


def two(
    first: FixedCashback = THREE, second: FixedCashback = THREE, *, name: str = "first"
) -> tuple[Campaign, ...]:
    """Two stackable offers, the second of which ends later."""
    return run(
        campaign(name, is_stackable=True, reward=first),
        campaign("second", is_stackable=True, reward=second, ends_at=ENDS_AT + timedelta(days=1)),
    )


def test_stackable_offers_are_given_together_where_that_is_more() -> None:
    ada = join()
    one, two, alone = run(
        campaign("one", is_stackable=True),
        campaign("two", is_stackable=True, reward=FIVE_PERCENT),
        campaign("alone", reward=FixedCashback(160)),
    )
    coffee = bought(coffees(2_000), ada)

    awarded = award(coffee, ada)
    again = award(coffee, ada)

    assert {(won.campaign_id, won.minor) for won in awarded.won} == {
        (one.campaign_id, 100),
        (two.campaign_id, 100),
    }
    assert [lost.campaign_id for lost in awarded.lost] == [alone.campaign_id]
    assert again.won == awarded.won
    assert owed(ada.member_id) == 200


@pytest.mark.requirement("OFR-12")
def test_two_offers_together_give_what_was_paid_and_say_what_they_withheld() -> None:
    ada, (first, second) = join(), two()
    coffee = bought(coffees(350), ada)

    awarded = award(coffee, ada)
    again = award(coffee, ada, now=LATER)

    given = [
        Won(first.campaign_id, 300, "GBP"),
        Won(second.campaign_id, 50, "GBP", withheld_minor=250),
    ]
    assert sorted(awarded.won, key=lambda one: -one.minor) == given
    assert again == awarded
    assert (owed(ada.member_id), spent(first), spent(second)) == (350, 300, 50)


def test_an_offer_that_nothing_is_left_for_is_lost_and_keeps_its_budget() -> None:
    ada, (first, second) = join(), two(FixedCashback(500))

    awarded = award(bought(coffees(350), ada), ada)

    assert awarded.won == (Won(first.campaign_id, 350, "GBP"),)
    assert awarded.lost == (NotWon(second.campaign_id, "nothing_left", by=first.campaign_id),)
    assert (owed(ada.member_id), spent(second)) == (350, 0)


@pytest.mark.requirement("OFR-09")
@pytest.mark.parametrize(("line_id", "other", "left"), [("2", "1", 200), ("1", "2", 150)])
def test_a_returned_line_takes_back_what_both_gave_of_it(
    line_id: str, other: str, left: int
) -> None:
    ada, (first, second) = join(), two()
    receipt = coffees(200, 150)
    whole = bought(receipt, ada)
    award(whole, ada)
    part = next_version(whole, returns=(returned(receipt, line_id),))
    rest = next_version(part, returns=(returned(receipt, line_id), returned(receipt, other)))

    kept = [owed(ada.member_id)]
    for one in (part, part, rest, rest):
        award(one, ada, now=LATER)
        kept.append(owed(ada.member_id))

    assert kept == [350, left, left, 0, 0]
    assert (spent(first), spent(second)) == (0, 0)


@pytest.mark.parametrize("is_late", [False, True], ids=["in order", "returns first"])
def test_what_two_offers_leave_of_a_part_is_no_more_than_is_still_paid(*, is_late: bool) -> None:
    ada, (first, second) = join(), two(FixedCashback(173), FixedCashback(173))
    pair = sale(line("1", amount=346, quantity=Decimal(2), category=("Coffee",)))
    whole = bought(pair, ada)
    back = returned(pair, "1")
    one_of_two = replace(back.lines[0], quantity=Decimal(1), amount_minor=173)
    half = replace(back, lines=(one_of_two,), total_minor=173, tenders=())
    if not is_late:
        award(whole, ada)

    kept = []
    for _ in range(2):
        award(next_version(whole, returns=(half,)), ada, now=LATER)
        kept.append((owed(ada.member_id), spent(first), spent(second)))

    assert kept == [(173, 87, 86)] * 2


@pytest.mark.parametrize(("name", "is_first_by_id"), [("first", True), ("foremost", False)])
def test_a_correction_is_counted_anew_beside_the_other_offer(
    name: str, *, is_first_by_id: bool
) -> None:
    ada, (first, second) = join(), two(name=name)
    assert (first.campaign_id < second.campaign_id) is is_first_by_id
    cheap = bought(coffees(350), ada)
    award(cheap, ada)
    dear = bought(coffees(500), ada)
    dearer = replace(dear, version=2, receipt=replace(coffees(500), version=2))
    cheaper = replace(cheap, version=3, receipt=replace(coffees(350), version=3))

    kept = []
    for one in (dearer, dearer, cheaper):
        award(one, ada, now=LATER)
        kept.append((owed(ada.member_id), spent(first), spent(second)))

    assert kept == [(500, 300, 200), (500, 300, 200), (350, 300, 50)]


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("is_heard", [True, False], ids=["answer lost", "not made"])
def test_a_run_that_dies_between_two_offers_gives_no_more_than_was_paid(
    nth: int, is_heard: bool
) -> None:
    ada, (first, second) = join(), two()
    coffee = bought(coffees(350), ada)

    with dying(nth, is_heard=is_heard), contextlib.suppress(Died):
        award(coffee, ada)
    network.forget()
    budgets.forget()
    award(coffee, ada, now=LATER)

    assert (owed(ada.member_id), spent(first), spent(second)) == (350, 300, 50)


def test_beside_an_offer_that_is_closed_by_now_no_other_is_given() -> None:
    ada, (first,) = join(), run(campaign("first", is_stackable=True, reward=THREE))
    coffee = bought(coffees(350), ada)
    award(coffee, ada)
    (second,) = run(campaign("second", is_stackable=True, ends_at=ENDS_AT + 60 * DAY))
    late = ENDS_AT + 50 * DAY
    campaigns.tend(now=late)
    campaigns.forget()

    awarded = award(next_version(coffee), ada, now=late)

    assert awarded.won == (Won(first.campaign_id, 300, "GBP"),)
    by = first.campaign_id
    assert awarded.lost == (NotWon(second.campaign_id, "other_offer_better", by=by),)
    assert (owed(ada.member_id, now=late), spent(second, now=late)) == (300, 0)


def test_small_offers_are_given_whole() -> None:
    ada = join()
    one, other = run(
        campaign("one", is_stackable=True),
        campaign("other", is_stackable=True, reward=FIVE_PERCENT),
    )

    awarded = award(bought(coffees(2_000), ada), ada)

    assert {(won.campaign_id, won.minor, won.withheld_minor) for won in awarded.won} == {
        (one.campaign_id, 100, 0),
        (other.campaign_id, 100, 0),
    }


@pytest.mark.requirement("OFR-09")
def test_where_one_of_a_set_cannot_be_paid_the_best_that_is_left_is_given() -> None:
    ada, bela = join(), join("bela", 2)
    alone, first, second = run(
        campaign("alone", reward=THREE),
        campaign("first", is_stackable=True, reward=FixedCashback(200), ends_at=ENDS_AT - DAY),
        campaign("second", is_stackable=True, reward=FixedCashback(150), budget_minor=150),
    )
    award(bought(coffees(1_000), bela, "t-0"), bela)

    awarded = award(bought(coffees(1_000), ada), ada)

    assert awarded.won == (Won(alone.campaign_id, 300, "GBP"),)
    by = alone.campaign_id
    assert sorted(awarded.lost, key=lambda one: one.why) == [
        NotWon(second.campaign_id, "no_budget"),
        NotWon(first.campaign_id, "other_offer_better", by=by),
    ]
    assert (owed(bela.member_id), owed(ada.member_id)) == (350, 300)
    assert (spent(alone), spent(first), spent(second)) == (300, 200, 150)


def test_looking_at_the_budgets_of_several_offers_first_writes_nothing() -> None:
    ada, bela = join(), join("bela", 2)
    run(campaign("alone", reward=FixedCashback(90)))
    with counting_dynamodb_calls() as one_offer:
        award(bought(coffees(1_000), bela, "t-0"), bela)
    two(FixedCashback(50), FixedCashback(50))
    with counting_dynamodb_calls() as two_offers:
        award(bought(coffees(1_000), ada), ada)

    writes = ("PutItem", "UpdateItem", "TransactWriteItems")
    assert len([one for one in two_offers if one in writes]) == 2 * len(
        [one for one in one_offer if one in writes]
    )
