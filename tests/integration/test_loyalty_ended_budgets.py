"""When a scheme is over, what was leased of its budget comes back, and the budget still holds."""

from datetime import timedelta

import pytest

from chalicelib.budgets import store as leases
from chalicelib.loyalty import funding
from chalicelib.loyalty.schemes import ending
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.runtime import clock
from chalicelib.workers.campaigns import tend_campaigns
from infra.local.lambda_events import scheduled_event
from tests.makers.outside import context
from tests.makers.rewarding import ADA, DAY, SCHEME, bring_back, buy, open_bakery, settle
from tests.makers.scheme_budgets import LATER, has, spent

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
CAP = 9_600
OVER = LATER + ending.LATE_DAYS * DAY


def leased() -> list[int]:
    budget = leases.find_budget(SCHEME, now=OVER)
    assert budget is not None
    assert not budget.is_closed
    return [one.size_minor for one in budget.leases.values()]


def end() -> None:
    """A card is full, which costs £3, and the scheme ends."""
    open_bakery(budget_minor=CAP)
    buy("t-1", 5)
    settle()
    schemes.end_scheme(SCHEME, at=LATER, now=LATER)


@pytest.mark.requirement("OFR-09")
def test_leases_return_once_no_receipt_can_be_late_any_more() -> None:
    end()
    before = leased()

    early = ending.bring_back_leases(now=OVER - timedelta(seconds=1))
    at_once = leased()
    returned = [ending.bring_back_leases(now=OVER) for _ in range(2)]

    assert (len(before), early, at_once) == (1, 0, before)
    assert (returned, leased(), spent(now=OVER)) == ([1, 0], [], 300)


def test_the_worker_that_tends_campaigns_brings_them_back() -> None:
    end()
    clock.use(lambda: OVER)
    event = scheduled_event("tend_campaigns", at=OVER, event_id="1", region="eu-west-2")

    tend_campaigns(event, context("tend_campaigns"))

    assert (leased(), spent(now=OVER)) == ([], 300)


def test_a_scheme_that_goes_on_keeps_its_leases() -> None:
    open_bakery(budget_minor=CAP)
    buy("t-1", 5)
    settle()

    assert (ending.bring_back_leases(now=OVER), len(leased())) == (0, 1)


def test_goods_that_come_back_late_give_back_to_a_budget_without_leases() -> None:
    end()
    ending.bring_back_leases(now=OVER)

    bring_back("t-1", 5, reference="B-1", at=OVER)
    settle(now=OVER)

    assert (spent(now=OVER), has(ADA, now=OVER), leased()) == (0, 0, [])


def test_what_is_paid_after_the_end_is_leased_anew_and_returns_again() -> None:
    end()
    ending.bring_back_leases(now=OVER)
    scheme = schemes.get_valid(SCHEME, at=OVER, now=OVER)

    number = funding.lease_for(scheme, ADA, 200, now=OVER)
    assert number is not None
    is_spent = funding.spend(SCHEME, ADA, number, "claim", 200, now=OVER)
    again = ending.bring_back_leases(now=OVER + DAY)

    assert (is_spent, again, spent(now=OVER), leased()) == (True, 1, 500, [])
