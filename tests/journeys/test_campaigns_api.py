"""Retailers make campaigns over HTTP: drafts, their life, and every refusal with its place."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.budgets import service as budgets
from chalicelib.budgets import store as budgets_store
from chalicelib.kernel.ids import RetailerId
from chalicelib.network import service as network
from chalicelib.network.model import ClientKind, Retailer
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.runtime import clock
from chalicelib.workers.campaigns import tend_campaigns
from infra.local.lambda_events import scheduled_event
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.offers import open_town
from tests.makers.outside import context
from tests.makers.receipts import RETAILER

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("shops")]

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FIRST_DAY = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
OTHER = Retailer(RetailerId("other-brand"), "Other Brand")
SCHEDULED = scheduled_event("tend_campaigns", at=NOW, event_id="1", region="eu-west-2")
EVENT = json.loads((Path(__file__).parents[2] / "events" / "campaign_put.json").read_text())


@pytest.fixture
def shops(embedded_aws: None) -> None:
    clock.use(lambda: NOW)
    open_town()
    network.record_retailer(OTHER)
    for retailer in (RETAILER, OTHER):
        make_client(retailer.retailer_id, retailer.retailer_id, ClientKind.RETAILER)


def at(moment: datetime) -> None:
    clock.use(lambda: moment)


def put(body: object = EVENT, name: str = "coffee", who: str = RETAILER.retailer_id) -> Said:
    return call("PUT", f"/v1/campaigns/{name}", token=token_of(who), body=body)


def step(what: str, name: str = "coffee", who: str = RETAILER.retailer_id) -> Said:
    return call("POST", f"/v1/campaigns/{name}/{what}", token=token_of(who))


def get(name: str = "coffee", who: str = RETAILER.retailer_id) -> Said:
    return call("GET", f"/v1/campaigns/{name}", token=token_of(who))


def changed(path: str, value: object) -> dict[str, Any]:
    """The campaign with another value at `path` (`reward.max_minor`)."""
    body = deepcopy(EVENT)
    *parents, last = path.split(".")
    place = body
    for parent in parents:
        place = place[parent]
    place[last] = value
    return body  # type: ignore[no-any-return]


@pytest.mark.requirement("OFR-09")
def test_a_draft_is_told_as_it_was_written_and_the_same_again_changes_nothing() -> None:
    first, again, read = put(), put(), get()

    assert (first.status, first.body["stage"], first.body["version"]) == (201, "draft", 1)
    assert first.body["campaign"] == EVENT
    assert (again.status, again.body) == (200, first.body)
    assert read.body == first.body | {
        "standing": {
            "cap_minor": 250_000,
            "spent_minor": 0,
            "left_minor": 250_000,
            "redemptions": 0,
        }
    }


def test_a_draft_may_be_changed_and_a_scheduled_campaign_may_not() -> None:
    put()
    other = changed("limit", {"times": 3, "per": "week"})
    redrafted = put(other)
    scheduled = step("schedule")

    refused = put(EVENT)

    assert (redrafted.status, redrafted.body["version"]) == (200, 2)
    assert (scheduled.status, scheduled.body["stage"]) == (200, "scheduled")
    assert (refused.status, refused.body["code"]) == (409, "not_a_draft")
    assert get().body["campaign"]["limit"] == {"times": 3, "per": "week"}


def test_the_same_document_again_changes_nothing_at_any_stage() -> None:
    put()
    seen = []
    for what, moment in (
        ("schedule", NOW),
        ("pause", FIRST_DAY),
        ("resume", FIRST_DAY),
        ("end", FIRST_DAY),
    ):
        at(moment)
        stepped, again = step(what), put()
        seen.append((again.status, again.body == stepped.body, again.body["stage"]))

    assert seen == [
        (200, True, "scheduled"),
        (200, True, "paused"),
        (200, True, "live"),
        (200, True, "ended"),
    ]


def test_with_another_budget_than_it_has_now_it_is_another_document() -> None:
    put()
    step("schedule")
    put_budget(300_000)

    old, new = put(), put(changed("budget.amount_minor", 300_000))

    assert (old.status, old.body["code"]) == (409, "not_a_draft")
    assert (new.status, new.body["stage"]) == (200, "scheduled")


def test_scheduling_makes_the_budget_and_has_purchases_announced() -> None:
    put()
    before = network.get_retailer(RETAILER.retailer_id, now=NOW).rewards
    first, again = step("schedule"), step("schedule")

    campaign = campaigns.get_campaign(RETAILER.retailer_id, "coffee", now=NOW)
    budget = budgets_store.find_budget(campaign.campaign_id, now=NOW)
    assert budget is not None
    assert (budget.cap_minor, budget.currency) == (250_000, "GBP")
    assert (before, network.get_retailer(RETAILER.retailer_id, now=NOW).rewards) == (False, True)
    assert first.body == again.body


def test_lives_by_the_clock_and_by_what_its_retailer_says() -> None:
    put()
    step("schedule")
    stages = [get().body["stage"]]
    at(FIRST_DAY)
    stages.append(get().body["stage"])
    for what in ("pause", "pause", "resume", "resume", "end", "end"):
        stages.append(step(what).body["stage"])

    assert stages == ["scheduled", "live", "paused", "paused", "live", "live", "ended", "ended"]
    assert get().body["ended_at"] == "2026-12-01T09:00:00Z"
    refused = [step(what) for what in ("pause", "resume", "schedule")]
    assert [(one.status, one.body["code"]) for one in refused] == [(409, "wrong_stage")] * 3


def test_ends_by_itself_when_its_window_does() -> None:
    put()
    step("schedule")
    at(datetime(2026, 12, 24, tzinfo=UTC))

    assert get().body["stage"] == "ended"


def put_budget(minor: int, currency: str = "GBP") -> Said:
    body = {"amount_minor": minor, "currency": currency}
    path = "/v1/campaigns/coffee/budget"
    return call("PUT", path, token=token_of(RETAILER.retailer_id), body=body)


def test_the_budget_may_grow() -> None:
    put()
    step("schedule")

    grown = put_budget(300_000)

    assert grown.body["campaign"]["budget"]["amount_minor"] == 300_000
    assert get().body["standing"]["cap_minor"] == 300_000


@pytest.mark.parametrize(
    ("minor", "currency", "code", "field"),
    [
        (0, "GBP", "no_budget", "amount_minor"),
        (-1, "GBP", "amount_out_of_range", "amount_minor"),
        (10**12 + 1, "GBP", "amount_out_of_range", "amount_minor"),
        (499, "GBP", "budget_too_small", "amount_minor"),
        (500, "GBP", "budget_cap_too_low", "amount_minor"),
        (300_000, "EUR", "currency_differs", "currency"),
    ],
)
def test_a_budget_that_cannot_be_is_refused_with_the_reason_and_the_place(
    minor: int, currency: str, code: str, field: str
) -> None:
    put()
    step("schedule")
    campaign = campaigns.get_campaign(RETAILER.retailer_id, "coffee", now=NOW)
    budgets.lease_for(campaigns.purse_of(campaign), slot=0, wanted_minor=501, now=NOW)

    refused = put_budget(minor, currency)

    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, code, field)
    assert get().body["standing"]["cap_minor"] == 250_000


def test_an_offer_that_was_used_up_is_shown_again_once_its_budget_is_raised() -> None:
    put(changed("budget.amount_minor", 500))
    step("schedule")
    campaign = campaigns.get_campaign(RETAILER.retailer_id, "coffee", now=NOW)
    purse = campaigns.purse_of(campaign)
    number = budgets.lease_for(purse, slot=0, wanted_minor=1, now=NOW)
    assert number is not None
    budgets.spend(purse, number, "p", 1, slot=0, now=NOW)
    tend_campaigns(SCHEDULED, context("tend_campaigns"))

    seen = [get()]
    for minor in (999, 1_001):
        seen.append(put_budget(minor))

    assert [one.body.get("is_exhausted", False) for one in seen] == [True, False, False]
    (listed,) = campaigns.list_open(None, now=NOW)
    assert not listed.is_exhausted


def test_refuses_a_second_campaign_that_offers_the_same() -> None:
    put()
    step("schedule")
    put(name="coffee-again")

    refused = step("schedule", "coffee-again")

    assert (refused.status, refused.body["code"]) == (409, "campaigns_overlap")
    assert get("coffee-again").body["stage"] == "draft"


def test_a_retailer_sees_its_own_campaigns_only() -> None:
    put()
    other = OTHER.retailer_id

    assert get(who=other).status == 404
    assert step("schedule", who=other).status == 404
    assert call("GET", "/v1/campaigns", token=token_of(other)).body == {"campaigns": []}
    own = call("GET", "/v1/campaigns", token=token_of(RETAILER.retailer_id))
    assert [one["reference"] for one in own.body["campaigns"]] == ["coffee"]


REFUSED = [
    ("ends_at", "2026-12-01T00:00:00Z", "ends_before_start", "ends_at"),
    ("starts_at", "2026-11-19T00:00:00Z", "starts_in_the_past", "starts_at"),
    ("ends_at", "2028-12-24T00:00:00Z", "lasts_too_long", "ends_at"),
    ("zone", "Europe/Lundon", "unknown_zone", "zone"),
    ("currency", "XXX", "currency_differs", "budget.currency"),
    ("budget.currency", "EUR", "currency_differs", "budget.currency"),
    ("budget.amount_minor", 0, "no_budget", "budget.amount_minor"),
    ("budget.amount_minor", 499, "budget_too_small", "budget.amount_minor"),
    ("budget.amount_minor", 10**12 + 1, "amount_out_of_range", "budget.amount_minor"),
    ("budget.amount_minor", -1, "amount_out_of_range", "budget.amount_minor"),
    ("reward.max_minor", 0, "amount_out_of_range", "reward.max_minor"),
    ("reward.percent", "101", "share_out_of_range", "reward.percent"),
    ("reward", {"kind": "free_text", "text": "A hug"}, "reward_is_no_money", "reward.kind"),
    (
        "reward",
        {"kind": "fixed_cashback", "amount_minor": -1},
        "amount_out_of_range",
        "reward.amount_minor",
    ),
    ("limit", {"times": -1, "per": "week"}, "limit_out_of_range", "limit.times"),
    ("limit", {"times": 1, "per": "purchase"}, "limit_per_purchase", "limit.per"),
    ("condition.min_spend_minor", -1, "amount_out_of_range", "condition.min_spend_minor"),
    ("condition.min_items", 1_000_001, "amount_out_of_range", "condition.min_items"),
    ("condition.stores", ["0043"], "unknown_store", "condition.stores[0]"),
    ("condition.lines.gtins", ["latte"], "gtin", "condition.lines.gtins[0]"),
    ("name", " ", "blank", "name"),
    ("terms", ["Once a week", " "], "blank", "terms[1]"),
    ("condition.tiers", ["gold"], "tiers_are_of_schemes", "condition.tiers"),
    (
        "condition.windows",
        [{"days": "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1"}],
        "never_met",
        "condition.windows[0]",
    ),
    ("condition.windows", [{"days": "FREQ=HOURLY"}], "window", "condition.windows[0].days"),
    ("condition.without", {"categories": ["coffee"]}, "never_met", "condition.without"),
    ("exclusions.lines", {"categories": ["Coffee"]}, "never_met", "exclusions.lines"),
    ("audience", [{"kind": "lapsed", "days": 0}], "amount_out_of_range", "audience[0].days"),
    (
        "audience",
        [{"kind": "category", "category": "Pharmacy", "visits": 1, "days": 9}],
        "sensitive_category",
        "audience[0].category",
    ),
    (
        "audience",
        [{"kind": "spend", "days": 9, "min_minor": 5, "max_minor": 4}],
        "amount_out_of_range",
        "audience[0].max_minor",
    ),
    ("pending_days", -1, "days_out_of_range", "pending_days"),
    ("priority", -1, "priority_out_of_range", "priority"),
]


@pytest.mark.parametrize(("path", "value", "code", "field"), REFUSED)
def test_refuses_what_could_never_run_with_the_reason_and_the_place(
    path: str, value: object, code: str, field: str
) -> None:
    refused = put(changed(path, value))

    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, code, field)
    assert get().status == 404


def test_an_offer_for_who_is_nearby_has_to_be_switched_on() -> None:
    nearby = changed("audience", [{"kind": "nearby", "kilometres": 1}])

    refused = put(nearby | {"needs_activation": False})

    assert (refused.status, refused.body["code"]) == (422, "never_met")
    assert refused.body["field"] == "needs_activation"
    assert put(nearby).status == 201


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("conditions", {"min_spend_minor": 2_000}, "conditions"),
        ("condition.min_spend", 2_000, "condition.min_spend"),
        ("condition.windows", [{"days": "FREQ=DAILY", "to": "9"}], "condition.windows[0].to"),
        ("reward.max", 5, "reward.max"),
        ("exclusions.line", {}, "exclusions.line"),
        ("audience", [{"kind": "new", "day": 30}], "audience[0].day"),
        ("limit", {"times": 1, "per": "week", "from": "MO"}, "limit.from"),
        ("budget.max_minor", 5, "budget.max_minor"),
    ],
)
def test_a_field_that_nobody_knows_is_a_mistake(path: str, value: object, field: str) -> None:
    refused = put(changed(path, value))

    assert (refused.status, refused.body["code"], refused.body["field"]) == (
        422,
        "unknown_field",
        field,
    )
    assert get().status == 404


def test_hides_what_is_used_up_and_closes_what_is_over() -> None:
    put(changed("budget.amount_minor", 500))
    step("schedule")
    campaign = campaigns.get_campaign(RETAILER.retailer_id, "coffee", now=NOW)
    purse = campaigns.purse_of(campaign)
    number = budgets.lease_for(purse, slot=0, wanted_minor=1, now=NOW)
    assert number is not None
    budgets.spend(purse, number, "p", 1, slot=0, now=NOW)

    seen = []
    for moment in (FIRST_DAY, campaign.ends_at + timedelta(days=46)):
        at(moment)
        tend_campaigns(SCHEDULED, context("tend_campaigns"))
        seen.append((get().body.get("is_exhausted", False), get().body["standing"]["left_minor"]))

    budget = budgets_store.find_budget(campaign.campaign_id, now=NOW)
    assert budget is not None
    assert seen == [(True, 499), (True, 499)]
    assert (budget.is_closed, budget.leases) == (True, {})
    assert campaigns.list_open(None, now=FIRST_DAY + timedelta(days=90)) == ()
