"""Campaigns that give for months: rewards move to the history, and everything stays exact."""

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.loyalty.terms import Per
from chalicelib.members.model import Member
from chalicelib.offers.campaigns.model import Campaign, Limit
from chalicelib.offers.deciding import NotWon, OfferWhy
from chalicelib.offers.participation import store
from chalicelib.offers.participation.archiving import KEPT_MAX, MOVED
from chalicelib.offers.participation.model import Participation
from chalicelib.purchases.model import Purchase
from tests.makers.calls import counting_dynamodb_calls
from tests.makers.dying import Died, dying
from tests.makers.loyalty import SOLD_AT
from tests.makers.offers import (
    ENDS_AT,
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
    spent,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]
DAILY = Limit(times=1, per=Per.DAY)
LATER = SOLD_AT + timedelta(days=60)
# moto answers one call after the other, so that there fewer threads show as much.
WORKERS = 16 if os.environ.get("COUNTERFOIL_REAL_DYNAMODB") else 4


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town()


def long_one(limit: Limit = DAILY) -> Campaign:
    (made,) = run(campaign(ends_at=ENDS_AT + timedelta(days=60), limit=limit))
    return made


def day(member: Member, number: int, name: str = "") -> Purchase:
    at = SOLD_AT + timedelta(days=number)
    return bought(coffees(350), member, f"t-{number}{name}", at=at)


def given_back(purchase: Purchase) -> Purchase:
    assert purchase.receipt is not None
    return next_version(purchase, returns=(returned(purchase.receipt, "1"),))


def row_of(member: Member, one: Campaign) -> Participation:
    found = store.find_participation(
        member.member_id, one.retailer_id, one.campaign_id, key=key_of(member), now=LATER
    )
    assert found is not None
    return found


@pytest.mark.requirement("OFR-09")
def test_a_reward_a_day_goes_on_and_the_row_stays_small() -> None:
    ada, daily = join(), long_one()
    made = [day(ada, number) for number in range(25)]
    for one in made:
        award(one, ada, now=LATER)

    Random(3).shuffle(made)
    for one in made:  # Everything comes again, in another order.
        award(one, ada, now=LATER)

    row = row_of(ada, daily)
    assert (owed(ada.member_id, now=LATER), spent(daily, now=LATER)) == (2_500, 2_500)
    assert len(row.redemptions) <= KEPT_MAX + 1
    assert (row.history.pages, row.history.redemptions) == (2, 2 * MOVED)
    assert (row.kept_minor, row.gifted) == (2_500, 25)


def test_a_late_return_is_found_in_the_history_and_taken_back_once() -> None:
    ada, daily = join(), long_one()
    made = [day(ada, number) for number in range(14)]
    for one in made:
        award(one, ada, now=LATER)
    first = given_back(made[0])

    for one in (first, first, made[0]):  # An older version that comes after changes nothing.
        award(replace(one, returns=first.returns), ada, now=LATER)

    row = row_of(ada, daily)
    assert (owed(ada.member_id, now=LATER), spent(daily, now=LATER)) == (1_300, 1_300)
    assert row.kept_minor == 1_300
    assert row.history.redemptions == MOVED - 1  # It is back on the row.


def test_a_late_sale_of_a_day_that_had_its_reward_gets_none_and_of_another_day_does() -> None:
    ada, daily = join(), long_one()
    for number in (*range(5), *range(6, 16)):
        award(day(ada, number), ada, now=LATER)
    assert row_of(ada, daily).history.pages == 1

    again = award(day(ada, 2, "b"), ada, now=LATER)
    missed = award(day(ada, 5), ada, now=LATER)

    assert again.lost == (NotWon(daily.campaign_id, OfferWhy.LIMIT_REACHED.value),)
    assert [one.minor for one in missed.won] == [100]
    assert owed(ada.member_id, now=LATER) == 1_600


def test_a_return_from_the_history_frees_a_place_of_a_limit_for_ever() -> None:
    ada, twenty = join(), long_one(limit=Limit(times=20))
    made = [day(ada, number) for number in range(20)]
    for one in made:
        award(one, ada, now=LATER)
    full = award(day(ada, 21), ada, now=LATER)
    award(given_back(made[1]), ada, now=LATER)

    free = award(day(ada, 22), ada, now=LATER)
    full_again = award(day(ada, 23), ada, now=LATER)

    assert [one.why for one in (*full.lost, *full_again.lost)] == ["limit_reached"] * 2
    assert [one.minor for one in free.won] == [100]
    assert (owed(ada.member_id, now=LATER), spent(twenty, now=LATER)) == (2_000, 2_000)


def test_a_sale_of_now_never_reads_the_history() -> None:
    ada = join()
    long_one()
    for number in range(15):
        award(day(ada, number), ada, now=LATER)

    with counting_dynamodb_calls() as calls:
        award(day(ada, 16), ada, now=LATER)
    with counting_dynamodb_calls() as late:
        award(day(ada, 1), ada, now=LATER)

    assert late.count("Query") - calls.count("Query") == 1


@pytest.mark.parametrize("nth", range(1, 6))
def test_a_run_that_dies_while_it_moves_is_finished_by_the_next(nth: int) -> None:
    ada, daily = join(), long_one()
    for number in range(KEPT_MAX + 1):
        award(day(ada, number), ada, now=LATER)
    last = day(ada, 20)

    with contextlib.suppress(Died), dying(nth, is_heard=True):
        award(last, ada, now=LATER)
    award(last, ada, now=LATER)

    total = 100 * (KEPT_MAX + 2)
    assert (owed(ada.member_id, now=LATER), spent(daily, now=LATER)) == (total, total)
    assert row_of(ada, daily).history.pages == 1


def test_at_once_and_twice_everything_is_given_once_however_rewards_move() -> None:
    ada, daily = join(), long_one()
    made = [day(ada, number) for number in range(24)]
    steps = [*made, *(given_back(one) for one in made[::3]), *made[:5]]
    newest = {one.payment.payment_id: one for one in made} | {
        one.payment.payment_id: given_back(one) for one in made[::3]
    }
    steps = [newest[one.payment.payment_id] for one in steps]

    def settle(one: Purchase) -> None:
        for _ in range(100):
            with contextlib.suppress(TryAgain):
                award(one, ada, now=LATER)
                return
        raise AssertionError("a purchase was not settled in a hundred attempts")

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(settle, steps))

    assert (owed(ada.member_id, now=LATER), spent(daily, now=LATER)) == (1_600, 1_600)
    assert row_of(ada, daily).kept_minor == 1_600


def test_the_history_of_a_member_who_left_is_put_on_its_last_clock() -> None:
    ada, daily = join(), long_one()
    for number in range(14):
        award(day(ada, number), ada, now=LATER)
    row = row_of(ada, daily)

    changed = store.end_retention(ada.member_id, left_at=LATER, now=LATER)

    much_later = LATER + timedelta(days=31)
    assert changed == 2
    assert len(store.list_pages(ada.member_id, row, key=key_of(ada), now=LATER)) == 1
    assert store.list_pages(ada.member_id, row, key=key_of(ada), now=much_later) == ()
