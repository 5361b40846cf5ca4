"""Rewards by the real workers, each under its own role: given, told, taken back, seen to expire."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.loyalty.rules import Condition, FixedCashback
from chalicelib.members import service as members
from chalicelib.network.model import Provider
from chalicelib.network.programmes import Service
from chalicelib.offers.campaigns.model import Campaign, Limit, campaign_id_of
from chalicelib.runtime import clock, queues
from chalicelib.workers import rewards
from infra.local.lambda_events import scheduled_event
from tests.makers.members import user
from tests.makers.network import BAKERY, make_connection
from tests.makers.offers import campaign, run
from tests.makers.outside import context, run_worker
from tests.makers.purchases import OPENED_AT, PAID_AT, queued
from tests.makers.rewarding import (
    DAY,
    SCHEME,
    SETTLED_AT,
    bring_back,
    buy,
    card,
    money,
    open_bakery,
)

pytestmark = pytest.mark.stores
HALF_A_POUND = FixedCashback(50)
MANY = 12  # More than are believed within an hour, and than one page of a book holds.


@pytest.fixture(autouse=True)
def bakery(embedded_aws: None) -> None:
    """Three pounds for five coffees, half a pound for any purchase; Ada wants both."""
    clock.use(lambda: SETTLED_AT)
    open_bakery(expiry={"after": 20, "unit": "days"}, pending_days=0)
    run(_offer())
    bank = make_connection(provider=Provider.STANDARD, told_at_url="https://bank.test/receipts")
    members.change_services(user("ada"), {Service.OFFERS: True}, bank, now=OPENED_AT)


def _offer() -> Campaign:
    terms: Any = {"reward": HALF_A_POUND, "condition": Condition(), "limit": Limit(MANY)}
    made = campaign("coffee", retailer_id=BAKERY, **terms)
    return replace(made, campaign_id=campaign_id_of(BAKERY, "coffee"))


def settle() -> None:
    """The worker takes what is queued, and gives nothing back."""
    ran = run_worker(queues.REWARDS)
    assert ran.bodies
    assert ran.failed == ()


def told() -> list[tuple[str, str]]:
    """What is announced, of what kind and about what."""
    bodies = [json.loads(body) for body in queued(queues.NOTICES)]
    return [(one["kind"], one["subject"]) for one in bodies]


def wake(at: datetime) -> None:
    """The hourly schedule comes at `at`."""
    clock.use(lambda: at)
    event = scheduled_event("expiring", at=at, event_id="1", region="eu-west-2")
    rewards.tell_expiring(event, context("tell_expiring"))


@pytest.mark.requirement("LOY-01")
@pytest.mark.requirement("OFR-15")
def test_a_purchase_fills_a_card_redeems_an_offer_and_loses_both_when_it_comes_back() -> None:
    buy("t-1", 5)
    settle()
    given = money()
    bring_back("t-1", 5, reference="B-1", at=PAID_AT + DAY)
    clock.use(lambda: PAID_AT + DAY)
    settle()

    assert given == (Balances("GBP", pending=50, available=300),)
    assert money(now=PAID_AT + DAY) == ()  # Nothing is left in any currency.


def test_stamps_that_expire_soon_are_told_once_by_the_hour() -> None:
    buy("t-1", 2)
    settle()
    told()
    soon = PAID_AT + timedelta(days=8)

    wake(soon)
    wake(soon + timedelta(hours=1))

    held = card(now=soon)
    assert held is not None
    assert told() == [("expiring", SCHEME)]


def test_what_looks_wrong_waits_and_what_was_given_long_before_comes_back() -> None:
    for number in range(MANY):
        buy(f"t-{number}", at=PAID_AT + number * timedelta(minutes=1))
        settle()
    held = card()
    given = money()
    bring_back("t-0", 1, reference="B-0", at=PAID_AT + DAY)
    clock.use(lambda: PAID_AT + DAY)
    settle()

    assert held is not None
    assert [entry.held for entry in held.entries] == [""] * 6 + ["many_in_an_hour"] * (MANY - 6)
    assert given == (Balances("GBP", pending=50 * 6, available=300),)  # The offer's is held, too.
    assert money(now=PAID_AT + DAY) == (Balances("GBP", pending=50 * 5, available=300),)
