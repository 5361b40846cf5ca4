"""Rewards that look like abuse wait for a person, take budget meanwhile, and are nobody's money."""

import contextlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.loyalty.holding import service as holding
from chalicelib.loyalty.holding import store as holds
from chalicelib.loyalty.holding.model import REFUSED, Held, HoldOutcome
from chalicelib.loyalty.rules import Condition
from chalicelib.loyalty.watching import HoldReason
from chalicelib.members import service as members
from chalicelib.members.model import Member
from chalicelib.offers.campaigns.model import Campaign, Limit
from chalicelib.offers.deciding import NotWon, OfferWhy
from chalicelib.offers.participation import store
from chalicelib.offers.participation.model import Participation, Redemption
from chalicelib.purchases.messages import RewardMessage
from chalicelib.purchases.model import Purchase
from chalicelib.rewards import service as rewards
from chalicelib.runtime import queues
from tests.makers.dying import Died, dying_at_call
from tests.makers.holds import ensure_queue, settled
from tests.makers.loyalty import SOLD_AT
from tests.makers.members import user
from tests.makers.offers import (
    COFFEE,
    LATER,
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
    spent,
)
from tests.makers.purchases import queued

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]
BELIEVED = 6  # In an hour.
MINUTES = timedelta(minutes=4)
MANY = Limit(times=40)
# moto answers one call after the other, so that there fewer threads show as much.
WORKERS = 16 if os.environ.get("COUNTERFOIL_REAL_DYNAMODB") else 4


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town()
    for name in (queues.REWARDS, queues.NOTICES):
        ensure_queue(name)


def coffee(member: Member, number: int, *, minor: tuple[int, ...] = (350,)) -> Purchase:
    """The coffee of that number within an hour."""
    return bought(coffees(*minor), member, f"t-{number}", at=SOLD_AT + number * MINUTES)


def busy(member: Member) -> Purchase:
    """As many as are believed were rewarded; the next, which nobody has heard of."""
    for number in range(BELIEVED):
        award(coffee(member, number), member)
    queued(queues.NOTICES)
    return coffee(member, BELIEVED)


def waiting(*, now: datetime = SETTLED_AT) -> list[Held]:
    return holds.list_open(now=now)


def decide(outcome: HoldOutcome) -> None:
    """Somebody decides what waits, which is one."""
    (held,) = waiting()
    holding.decide_hold(held.hold_id, outcome, now=SETTLED_AT)
    assert settled() == [(held.purchase_id, 1)]


def stored(member: Member, of: Campaign) -> Participation:
    row = store.find_participation(
        member.member_id, of.retailer_id, of.campaign_id, key=key_of(member), now=LATER
    )
    assert row is not None
    return row


def redemption(one: Purchase, member: Member, of: Campaign) -> Redemption:
    (found,) = stored(member, of).of_purchase(one.payment.payment_id)
    return found


def told() -> list[tuple[str, str]]:
    bodies = [json.loads(body) for body in queued(queues.NOTICES)]
    return sorted((one["kind"], one.get("reason", "")) for one in bodies)


def back(one: Purchase, *lines: str) -> Purchase:
    assert one.receipt is not None
    return next_version(one, returns=(returned(one.receipt, *lines),))


def test_one_more_than_is_believed_takes_budget_and_is_nobodys_money() -> None:
    ada, (of,) = join(), run(campaign(limit=MANY))
    seventh = busy(ada)

    for _ in range(2):
        awarded = award(seventh, ada)

    assert [one.minor for one in awarded.won] == [0]
    assert (owed(ada.member_id), spent(of), told()) == (600, 700, [])
    assert waiting() == [
        Held(
            subject=of.campaign_id,
            purchase_id=seventh.payment.payment_id,
            member_id=ada.member_id,
            reason=HoldReason.MANY_IN_AN_HOUR,
            units=100,
            since=seventh.payment.made_at,
            anchored_at=seventh.payment.anchored_at,
            version=1,
            held_at=SETTLED_AT,
            currency="GBP",
        )
    ]
    assert redemption(seventh, ada, of).held == "many_in_an_hour"


def test_who_goes_from_one_offer_to_the_next_is_held_like_who_stays_with_one() -> None:
    ada = join()
    wants = [Condition(lines=COFFEE, min_spend_minor=number) for number in range(BELIEVED + 1)]
    run(*(campaign(f"offer-{n}", condition=one) for n, one in enumerate(wants)))  # Each gives once.

    for number in range(BELIEVED + 1):
        award(coffee(ada, number), ada)

    assert owed(ada.member_id) == 600
    assert [one.reason for one in waiting()] == [HoldReason.MANY_IN_AN_HOUR]


@pytest.mark.parametrize(("times", "held"), [(6, [HoldReason.SAME_TILL_IN_A_SHIFT]), (5, [])])
def test_the_sixth_at_one_till_of_a_shift_is_held(times: int, held: list[HoldReason]) -> None:
    """Of an offer that may be had as often; one that may not remembers no tills."""
    ada, (of,) = join(), run(campaign(limit=Limit(times)))
    receipt = replace(coffees(350), till="3")

    for number in range(6):
        last = bought(receipt, ada, f"t-{number}", at=SOLD_AT + number * timedelta(hours=1))
        award(last, ada)

    assert [one.reason for one in waiting()] == held
    assert owed(ada.member_id) == 500
    assert {len(one.place) for one in stored(ada, of).redemptions} == {4 if held else 0}


def test_what_is_released_is_given_once_as_if_it_had_never_been_held() -> None:
    ada, bela, (of,) = join(), join("bela", 2), run(campaign(limit=MANY))
    seventh = busy(ada)
    award(seventh, ada)
    given = coffee(bela, BELIEVED)
    award(given, bela)
    queued(queues.NOTICES)
    decide(HoldOutcome.RELEASED)

    for _ in range(2):
        awarded = award(seventh, ada, now=SETTLED_AT + timedelta(days=20))

    assert [one.minor for one in awarded.won] == [100]
    assert (owed(ada.member_id), spent(of), waiting()) == (700, 800, [])
    assert told() == [("offer_redeemed", "")] * 2  # Of one name: it is told once.
    released = redemption(seventh, ada, of)
    assert released.available_at == redemption(given, bela, of).available_at
    assert (released.held, released.is_released) == ("", True)


def test_what_was_released_does_not_count_against_the_next() -> None:
    ada = join()
    run(campaign(limit=MANY))
    seventh = busy(ada)
    award(seventh, ada)
    decide(HoldOutcome.RELEASED)
    award(seventh, ada)

    award(coffee(ada, BELIEVED + 10), ada)  # Four of the six were within the hour before it.

    assert (owed(ada.member_id), waiting()) == (800, [])


def test_what_is_refused_gives_the_budget_and_the_place_back_and_stays_refused() -> None:
    ada, (of,) = join(), run(campaign(limit=Limit(times=BELIEVED + 1)))
    seventh = busy(ada)
    award(seventh, ada)
    full = award(bought(coffees(350), ada, "t-x", at=SOLD_AT + timedelta(hours=9)), ada)
    decide(HoldOutcome.REFUSED)

    for one in (seventh, seventh, next_version(seventh)):
        awarded = award(one, ada)
    free = award(bought(coffees(350), ada, "t-y", at=SOLD_AT + timedelta(hours=9)), ada)

    assert full.lost == (NotWon(of.campaign_id, OfferWhy.LIMIT_REACHED.value),)
    assert [one.minor for one in awarded.won] == [0]
    assert [one.minor for one in free.won] == [100]
    assert (owed(ada.member_id), spent(of), waiting()) == (700, 700, [])
    assert redemption(seventh, ada, of).held == REFUSED


@pytest.mark.parametrize(("is_refused", "minor"), [(False, 700), (True, 600)])
def test_a_corrected_receipt_raises_what_is_held_and_never_what_was_refused(
    *, is_refused: bool, minor: int
) -> None:
    ada, (of,) = join(), run(campaign(limit=MANY))
    small = replace(busy(ada), receipt=coffees(40))
    award(small, ada)
    before = spent(of)
    if is_refused:
        decide(HoldOutcome.REFUSED)

    for _ in range(2):
        award(next_version(small, receipt=replace(coffees(350), version=2)), ada)

    assert before == 640
    assert (owed(ada.member_id), spent(of)) == (600, minor)
    assert [one.units for one in waiting()] == ([] if is_refused else [40])
    assert redemption(small, ada, of).kept_minor == (40 if is_refused else 100)


def test_goods_that_come_back_while_they_are_held_are_taken_off_exactly() -> None:
    ada, (of,) = join(), run(campaign(limit=MANY))
    busy(ada)
    two = coffee(ada, BELIEVED, minor=(200, 200))
    award(two, ada)
    half = back(two, "1")
    award(half, ada)
    held = (owed(ada.member_id), spent(of))
    decide(HoldOutcome.RELEASED)

    award(half, ada)

    assert held == (600, 650)
    assert (owed(ada.member_id), spent(of)) == (650, 650)
    assert told() == [("adjusted", "returned"), ("offer_redeemed", "")]


@pytest.mark.parametrize("changes", ["returned", "withdrawn"])
def test_nobody_has_to_look_at_what_is_no_more(changes: str) -> None:
    ada, (of,) = join(), run(campaign(limit=MANY))
    seventh = busy(ada)
    award(seventh, ada)
    newest = back(seventh, "1") if changes == "returned" else next_version(seventh, receipt=None)

    for _ in range(2):
        award(newest, ada)

    assert (owed(ada.member_id), spent(of), waiting(), told()) == (600, 600, [], [])


def test_what_is_refused_leaves_its_receipts_other_offers_to_others() -> None:
    """Neither another offer nor stamps of that purchase make up for it; the choice was made."""
    ada = join()
    second = Condition(lines=COFFEE, min_spend_minor=1)
    run(campaign(limit=MANY, priority=1), campaign("second", limit=MANY, condition=second))
    seventh = busy(ada)
    award(seventh, ada)
    decide(HoldOutcome.REFUSED)

    award(seventh, ada)

    assert owed(ada.member_id) == 600


def test_while_it_is_held_no_stamps_are_earned_instead_and_once_refused_they_are() -> None:
    ada = join()
    run(campaign(limit=MANY, excludes_schemes=True))
    seventh = busy(ada)
    held = award(seventh, ada)
    decide(HoldOutcome.REFUSED)
    refused = award(seventh, ada)

    assert (held.excludes_schemes, refused.excludes_schemes) == (True, False)


def test_where_no_budget_is_left_nothing_is_held() -> None:
    ada, (of,) = join(), run(campaign(limit=MANY, budget_minor=100 * BELIEVED))
    seventh = busy(ada)

    awarded = award(seventh, ada)

    assert awarded.lost == (NotWon(of.campaign_id, OfferWhy.NO_BUDGET.value),)
    assert waiting() == []


def test_what_a_person_refused_of_a_purchase_is_not_given_for_its_next_receipt() -> None:
    ada, (of,) = join(), run(campaign(limit=MANY))
    seventh = busy(ada)
    award(seventh, ada)
    decide(HoldOutcome.REFUSED)
    other = next_version(seventh, receipt=replace(coffees(350), reference="B-7"))

    for _ in range(2):
        awarded = award(other, ada)

    assert awarded.lost == (NotWon(of.campaign_id, OfferWhy.REFUSED.value),)
    assert (owed(ada.member_id), spent(of), waiting()) == (600, 600, [])


def test_what_nobody_decides_in_thirty_days_is_released_and_given() -> None:
    ada, (of,) = join(), run(campaign(limit=MANY))
    seventh = busy(ada)
    award(seventh, ada)
    in_a_month = SETTLED_AT + timedelta(days=30)

    assert holding.end_old_holds(now=in_a_month) == 1
    assert settled() == [(seventh.payment.payment_id, 1)]
    award(seventh, ada, now=in_a_month)

    assert (owed(ada.member_id, now=in_a_month), spent(of, now=in_a_month)) == (700, 700)


@pytest.mark.parametrize("outcome", HoldOutcome)
def test_whoever_left_gets_nothing_of_what_was_held_and_the_budget_does(
    outcome: HoldOutcome,
) -> None:
    ada, (of,) = join(), run(campaign(limit=MANY))
    seventh = busy(ada)
    award(seventh, ada)
    assert members.leave(user("ada"), now=SETTLED_AT) is not None
    row = stored(ada, of)
    decide(outcome)

    payment = seventh.payment
    message = RewardMessage(payment.payment_id, ada.member_id, payment.anchored_at, 1)
    for _ in range(2):
        rewards.settle(message, now=SETTLED_AT)

    assert (owed(ada.member_id), spent(of), waiting(), told()) == (600, 600, [], [])
    assert stored(ada, of) == row


@pytest.mark.parametrize("is_heard", [False, True])
@pytest.mark.parametrize("outcome", [None, *HoldOutcome])
def test_a_run_that_dies_at_any_call_is_finished_by_the_next(
    outcome: HoldOutcome | None, *, is_heard: bool
) -> None:
    ada, (of,) = join(), run(campaign(limit=Limit(times=60)))
    seventh = busy(ada)
    for nth in range(1, 30):
        one = replace_number(seventh, ada, nth)
        if outcome is not None:
            award(one, ada)
            decide(outcome)
        with contextlib.suppress(Died), dying_at_call(nth, is_heard=is_heard) as calls:
            award(one, ada)
        award(one, ada)
        if outcome is None:
            assert len(waiting()) == 1
            decide(HoldOutcome.REFUSED)
            award(one, ada)
        if len(calls.made) < nth:
            break

    released = nth if outcome is HoldOutcome.RELEASED else 0
    assert nth > 5
    assert (owed(ada.member_id), spent(of)) == (600 + 100 * released,) * 2


def replace_number(one: Purchase, member: Member, number: int) -> Purchase:
    """Another one at that very moment."""
    return bought(coffees(350), member, f"n-{number}", at=one.payment.made_at)


def test_at_once_and_twice_what_is_given_and_what_is_held_is_all_that_was_spent() -> None:
    ada, (of,) = join(), run(campaign(limit=MANY))
    made = [coffee(ada, number) for number in range(12)]

    def settle(one: Purchase) -> None:
        for _ in range(100):
            with contextlib.suppress(TryAgain):
                award(one, ada)
                return
        raise AssertionError("a purchase was not settled in a hundred attempts")

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(settle, [*made, *made]))

    given = [one for one in made if not redemption(one, ada, of).held]
    assert (owed(ada.member_id), spent(of)) == (100 * len(given), 1_200)
    assert {one.purchase_id for one in waiting()} == {
        one.payment.payment_id for one in made if one not in given
    }
