"""Offers follow purchases: given once and taken back by line, however often and late they come."""

import contextlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.budgets import service as budgets
from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.rules import Condition, Exclusions, FixedCashback, Matching
from chalicelib.members import service as members
from chalicelib.network import service as network
from chalicelib.network.programmes import Service
from chalicelib.offers.audiences.model import Audience, Lapsed, Nearby, New
from chalicelib.offers.awarding import Awarded, Won
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.store import record_campaign
from chalicelib.offers.deciding import NotWon
from chalicelib.offers.participation import store
from chalicelib.offers.participation.model import new_participation
from chalicelib.purchases import store as purchases
from chalicelib.purchases.model import Withdrawal
from chalicelib.runtime import queues
from tests.makers.calls import counting_dynamodb_calls
from tests.makers.dying import Died, dying
from tests.makers.loyalty import SOLD_AT
from tests.makers.members import user
from tests.makers.offers import (
    BANK,
    COFFEE,
    ENDS_AT,
    FIVE_PERCENT,
    LATER,
    SETTLED_AT,
    TWICE,
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
from tests.makers.outside import Counted
from tests.makers.purchases import queued

HOUR = timedelta(hours=1)
GIFT_CARDS = Exclusions(lines=Matching(categories=("Gift cards",)))
pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town()


@pytest.mark.requirement("OFR-15")
def test_gives_a_reward_once_however_often_the_purchase_comes() -> None:
    ada, (pound,) = join(), run(campaign())
    coffee = bought(coffees(350), ada)

    first = award(coffee, ada)
    again = award(coffee, ada, now=LATER)

    assert first == Awarded((Won(pound.campaign_id, 100, "GBP"),), ())
    assert again == first
    assert (owed(ada.member_id), spent(pound)) == (100, 100)
    assert len(set(queued(queues.NOTICES))) == 2  # The same notice, told at two times.


def test_costs_four_writes_the_first_time_and_none_when_it_comes_again() -> None:
    ada = join()
    run(campaign(limit=TWICE))
    award(bought(coffees(350), ada, "t-0"), ada)

    with counting_dynamodb_calls() as first:
        award(bought(coffees(350), ada), ada)
    with counting_dynamodb_calls() as again:
        award(bought(coffees(350), ada), ada)

    writes = ("PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem", "DeleteItem")
    assert [call for call in first if call in writes] == ["PutItem", "UpdateItem"] + ["PutItem"] * 2
    assert len([call for call in again if call in writes]) <= 2  # Both find themselves done.


@pytest.mark.requirement("OFR-09")
def test_takes_back_by_line_what_came_back_and_gives_the_budget_back() -> None:
    ada, (five,) = join(), run(campaign(reward=FIVE_PERCENT, limit=TWICE))
    receipt = coffees(2_000, 1_000)
    whole = bought(receipt, ada)
    award(whole, ada)
    part = next_version(whole, returns=(returned(receipt, "2"),))
    rest = next_version(part, returns=(returned(receipt, "2"), returned(receipt, "1")))

    kept = [owed(ada.member_id)]
    for one in (part, part, rest, rest):
        award(one, ada, now=LATER)
        kept.append(owed(ada.member_id))

    assert kept == [150, 100, 100, 0, 0]
    assert spent(five) == 0


def test_each_step_is_announced_again_as_it_was_the_first_time() -> None:
    ada, _ = join(), run(campaign(reward=FIVE_PERCENT))
    receipt = coffees(2_000, 1_000)
    whole = bought(receipt, ada)
    part = next_version(whole, returns=(returned(receipt, "2"),))
    disowned = next_version(
        part, receipt=None, returns=(), withdrawals=(Withdrawal(3, LATER, "not_mine"),)
    )
    for one in (whole, part, disowned):
        award(one, ada, now=LATER)

    said = [json.loads(one) for one in queued(queues.NOTICES)]

    told = [(one["kind"], one["minor"], one.get("reason", "")) for one in said]
    given, back = ("offer_redeemed", 150, ""), ("adjusted", -50, "returned")
    assert told == [given, given, back, given, back, ("adjusted", -100, "withdrawn")]
    assert len({one["notice_id"] for one in said}) == 3


def test_the_order_in_which_versions_come_changes_nothing() -> None:
    ada, bela = join(), join("bela", 2)
    run(campaign(reward=FIVE_PERCENT))
    receipt = coffees(2_000, 1_000)
    first = bought(receipt, ada)
    second = next_version(first, returns=(returned(receipt, "2"),))

    award(first, ada)
    award(second, ada, now=LATER)
    late = bought(receipt, bela, "t-2", returns=(returned(receipt, "2"),), version=2)
    award(late, bela, now=LATER)

    assert (owed(ada.member_id), owed(bela.member_id)) == (100, 100)


def test_a_correction_gives_more_or_takes_back_by_the_new_lines() -> None:
    ada, (five,) = join(), run(campaign(reward=FIVE_PERCENT))
    first = bought(coffees(2_000), ada)
    award(first, ada)
    dearer = next_version(first, receipt=replace(coffees(3_000), version=2))
    cheaper = next_version(dearer, receipt=replace(coffees(1_000), version=3))

    kept = []
    for one in (dearer, dearer, cheaper, cheaper):
        event = bought(coffees(3_000), ada).payment
        award(replace(one, payment=event), ada, now=LATER)
        kept.append(owed(ada.member_id))

    assert kept == [150, 150, 50, 50]
    assert spent(five) == 50


def test_a_receipt_that_was_a_strangers_takes_everything_back_and_another_is_decided_anew() -> None:
    ada, (five,) = join(), run(campaign(reward=FIVE_PERCENT))
    first = bought(coffees(2_000), ada)
    award(first, ada)
    gone = Withdrawal(2, LATER, "not_mine")
    lost = next_version(first, receipt=None, withdrawals=(gone,))
    found = next_version(lost, receipt=replace(coffees(1_000), reference="B-7"))

    award(lost, ada, now=LATER)
    without = owed(ada.member_id)
    award(found, ada, now=LATER)
    award(found, ada, now=LATER)

    assert (without, owed(ada.member_id), spent(five)) == (0, 50, 50)


@pytest.mark.requirement("OFR-12")
def test_the_best_for_the_member_wins_and_the_loser_is_named() -> None:
    ada = join()
    pound, five = run(campaign(), campaign("five", reward=FIVE_PERCENT, priority=0))
    awarded = award(bought(coffees(3_000), ada), ada)

    assert awarded.won == (Won(five.campaign_id, 150, "GBP"),)
    assert awarded.lost == (NotWon(pound.campaign_id, "other_offer_better", by=five.campaign_id),)
    assert owed(ada.member_id) == 150


@pytest.mark.requirement("OFR-12")
def test_of_two_that_give_the_same_the_one_that_ends_first_wins() -> None:
    ada = join()
    run(
        campaign("long", reward=FixedCashback(150)),
        campaign(
            "short",
            reward=FixedCashback(150),
            ends_at=ENDS_AT - timedelta(days=1),
            exclusions=GIFT_CARDS,
        ),
    )

    awarded = award(bought(coffees(3_000), ada), ada)

    assert [one.campaign_id for one in awarded.won] == [campaign("short").campaign_id]


def test_a_retailers_priority_goes_before_the_value() -> None:
    ada = join()
    first, _ = run(campaign(priority=5), campaign("five", reward=FIVE_PERCENT))

    awarded = award(bought(coffees(3_000), ada), ada)

    assert awarded.won == (Won(first.campaign_id, 100, "GBP"),)


def test_a_member_gets_as_many_as_the_limit_and_a_return_frees_a_place() -> None:
    ada, (pound,) = join(), run(campaign(limit=TWICE))
    receipt = coffees(350)
    purchases = [bought(receipt, ada, f"t-{n}", at=SOLD_AT + n * HOUR) for n in range(4)]

    won = [len(award(one, ada).won) for one in purchases[:3]]
    award(next_version(purchases[0], returns=(returned(receipt, "1"),)), ada, now=LATER)
    fourth = award(purchases[3], ada, now=LATER)

    assert won == [1, 1, 0]
    assert fourth.won == (Won(pound.campaign_id, 100, "GBP"),)
    assert (owed(ada.member_id), spent(pound)) == (200, 200)


@pytest.mark.requirement("OFR-05")
def test_only_an_activated_offer_counts_where_activation_is_needed() -> None:
    ada, (pound,) = join(), run(campaign(needs_activation=True))
    before = award(bought(coffees(350), ada), ada)
    key = key_of(ada)
    row = replace(new_participation(pound), activated_at=SOLD_AT + HOUR)
    store.record_participation(ada.member_id, row, key=key)

    earlier = award(bought(coffees(350), ada), ada)
    later = award(bought(coffees(350), ada, "t-2", at=SOLD_AT + HOUR), ada, now=LATER)

    assert before.lost == earlier.lost == (NotWon(pound.campaign_id, "not_activated"),)
    assert later.won == (Won(pound.campaign_id, 100, "GBP"),)


@pytest.mark.requirement("OFR-09")
def test_a_member_who_lapsed_wins_an_offer_for_those_who_lapsed() -> None:
    ada, bela = join(), join("bela", 2)
    run(campaign(audience=Audience((Lapsed(3),))))
    for member, days in ((ada, 10), (bela, 2)):
        before = bought(coffees(350), member, f"t-old-{days}", at=SOLD_AT - timedelta(days=days))
        assert purchases.record_purchase(before, key=key_of(member))

    back, regular = (award(bought(coffees(350), one), one) for one in (ada, bela))

    assert [one.minor for one in back.won] == [100]
    assert [one.why for one in regular.lost] == ["not_in_audience"]


def test_who_switched_an_offer_on_is_not_asked_again_whether_it_is_for_them() -> None:
    ada, (for_new,) = join(), run(campaign(needs_activation=True, audience=Audience((New(30),))))
    row = replace(new_participation(for_new), activated_at=SOLD_AT - 2 * HOUR)
    store.record_participation(ada.member_id, row, key=key_of(ada))
    before = bought(coffees(350), ada, "t-0", at=SOLD_AT - 3 * HOUR)
    assert purchases.record_purchase(before, key=key_of(ada))

    awarded = award(bought(coffees(350), ada), ada)

    assert awarded.won == (Won(for_new.campaign_id, 100, "GBP"),)


def test_a_purchase_does_not_say_that_its_member_was_nearby() -> None:
    ada = join()
    (near,) = run(campaign(needs_activation=True, audience=Audience((Nearby(1),))))
    from_before = replace(near, needs_activation=False, version=near.version + 1)  # Once allowed.
    assert record_campaign(from_before, after_version=near.version, is_open=True)
    campaigns.forget()

    awarded = award(bought(coffees(350), ada), ada)

    assert awarded == Awarded(lost=(NotWon(near.campaign_id, "not_in_audience"),))
    assert owed(ada.member_id) == 0


@pytest.mark.requirement("OFR-09")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"starts_at": SOLD_AT + HOUR}, "not_started"),
        ({"ends_at": SOLD_AT}, "ended"),
        ({"currency": "EUR"}, "other_currency"),
        ({"condition": Condition(lines=COFFEE, min_spend_minor=351)}, "below_minimum"),
        ({"condition": Condition(lines=Matching(categories=("Tea",)))}, "no_such_lines"),
    ],
)
def test_gives_nothing_outside_what_the_campaign_says(changes: dict[str, Any], why: str) -> None:
    ada, (one,) = join(), run(campaign(**changes))

    awarded = award(bought(coffees(350), ada), ada)

    assert [(lost.campaign_id, lost.why) for lost in awarded.lost] == [(one.campaign_id, why)]
    assert store.list_participations(ada.member_id, None, key=key_of(ada), now=LATER) == {}
    assert (awarded.won, owed(ada.member_id), spent(one)) == ((), 0, 0)


def test_gives_nothing_for_sales_of_a_pause_and_again_after_it() -> None:
    ada, (one,) = join(), run(campaign(limit=TWICE))
    campaigns.pause(one.retailer_id, one.reference, now=SOLD_AT)
    campaigns.resume(one.retailer_id, one.reference, now=SOLD_AT + HOUR)

    during = award(bought(coffees(350), ada), ada, now=LATER)
    after = award(bought(coffees(350), ada, "t-2", at=SOLD_AT + HOUR), ada, now=LATER)

    assert during.lost == (NotWon(one.campaign_id, "paused"),)
    assert len(after.won) == 1


@pytest.mark.requirement("OFR-09")
def test_an_offer_without_budget_gives_nothing_and_the_next_best_is_given() -> None:
    ada, bela = join(), join("bela", 2)
    five, pound = run(campaign("five", reward=FIVE_PERCENT, budget_minor=500), campaign())
    award(bought(coffees(8_000), bela, "t-0"), bela)

    awarded = award(bought(coffees(3_000), ada), ada)

    assert awarded.won == (Won(pound.campaign_id, 100, "GBP"),)
    assert awarded.lost == (NotWon(five.campaign_id, "no_budget"),)
    assert (spent(five), spent(pound)) == (400, 100)


@pytest.mark.requirement("OFR-01")
def test_nobody_is_given_or_judged_who_has_not_switched_offers_on(counted: Counted) -> None:
    ada = join(wants_offers=False)
    run(campaign(audience=Audience((New(30),))))

    awarded = award(bought(coffees(350), ada), ada)

    assert awarded == Awarded()
    assert (counted["audiences_computed"], owed(ada.member_id)) == (0, 0)


def test_what_was_given_is_taken_back_of_a_member_who_switched_offers_off() -> None:
    ada, (pound,) = join(), run(campaign())
    receipt = coffees(350)
    coffee = bought(receipt, ada)
    award(coffee, ada)
    off = members.change_services(user("ada"), {Service.OFFERS: False}, BANK, now=SETTLED_AT)

    award(next_version(coffee, returns=(returned(receipt, "1"),)), off, now=LATER)

    assert (owed(ada.member_id), spent(pound)) == (0, 0)


def test_what_was_bought_while_offers_were_off_wins_nothing_once_they_are_on() -> None:
    ada = join(wants_offers=False)
    run(campaign())
    missed = bought(coffees(350), ada)
    award(missed, ada)
    on = members.change_services(user("ada"), {Service.OFFERS: True}, BANK, now=SETTLED_AT)

    later = award(next_version(missed), on, now=LATER)
    award(bought(coffees(350), on, "t-2", at=SETTLED_AT), on, now=LATER)

    assert later == Awarded()
    assert owed(ada.member_id) == 100


def test_a_purchase_from_before_joining_earns_nothing() -> None:
    ada = join()
    run(campaign())

    awarded = award(bought(coffees(350), ada), replace(ada, activated_at=SETTLED_AT))

    assert awarded == Awarded()


def test_a_purchase_that_another_source_told_of_wins_nothing() -> None:
    ada = join()
    run(campaign())

    awarded = award(bought(coffees(350), ada, same_as=PaymentId("t-0")), ada)

    assert awarded == Awarded()


def test_gives_never_more_than_was_paid() -> None:
    ada, (large,) = join(), run(campaign(reward=FixedCashback(500)))

    awarded = award(bought(coffees(120, 80), ada), ada)

    assert awarded.won == (Won(large.campaign_id, 200, "GBP"),)


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("is_heard", [True, False], ids=["answer lost", "not made"])
def test_a_run_that_dies_at_any_write_is_finished_by_the_next(nth: int, is_heard: bool) -> None:
    ada, (five,) = join(), run(campaign(reward=FIVE_PERCENT))
    receipt = coffees(2_000, 1_000)
    whole = bought(receipt, ada)
    part = next_version(whole, returns=(returned(receipt, "2"),))

    with dying(nth, is_heard=is_heard), contextlib.suppress(Died):
        award(whole, ada)
        award(part, ada, now=LATER)
    network.forget()
    budgets.forget()
    award(part, ada, now=LATER)

    assert (owed(ada.member_id), spent(five)) == (100, 100)
    award(part, ada, now=LATER)
    assert (owed(ada.member_id), spent(five)) == (100, 100)
