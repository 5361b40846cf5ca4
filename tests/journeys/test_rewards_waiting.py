"""A reward that waited for a budget is given by the hourly worker, under its own role."""

from datetime import timedelta

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.runtime import clock
from chalicelib.workers import rewards
from infra.local.lambda_events import scheduled_event
from tests.makers.ledger import fill_pages
from tests.makers.outside import context
from tests.makers.rewarding import (
    ADA,
    DAY,
    SETTLED_AT,
    buy,
    card,
    money,
    open_bakery,
    settle,
    write_scheme,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
CARD = {"places": 5, "reward": {"kind": "fixed_cashback", "amount_minor": 300}}
RAISED_AT = SETTLED_AT + 2 * DAY


def wake(hours: int) -> None:
    """The schedule comes, so many hours after the budget was raised."""
    at = RAISED_AT + DAY + timedelta(hours=hours)
    clock.use(lambda: at)
    event = scheduled_event("expiring", at=at, event_id="1", region="eu-west-2")
    rewards.tell_expiring(event, context("tell_expiring"))


@pytest.mark.requirement("LOY-02")
def test_a_reward_is_given_once_when_the_budget_is_raised_whatever_the_book_holds() -> None:
    open_bakery(budget_minor=350)
    buy("t-1", 5)
    buy("t-2", 5)
    settle()
    write_scheme(card=CARD, budget_minor=650, now=RAISED_AT)
    pennies = money(now=RAISED_AT)[0].pending
    fill_pages(ADA, now=RAISED_AT)
    (before,) = money(now=RAISED_AT)

    for hour in range(3):
        wake(hour)

    (after,) = money(now=RAISED_AT + DAY)
    assert pennies == 300
    assert after == Balances("GBP", pending=before.pending + 300, available=before.available)
    found = card(now=RAISED_AT + DAY)
    assert found is not None
    assert [fill.waits for fill in found.fills] == [False, False]
