"""What a scheme paid is paid once, also when its block of the budget is forgotten."""

from datetime import timedelta

import pytest

from chalicelib.budgets import service as budgets
from chalicelib.loyalty import funding
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.store import find_card
from chalicelib.loyalty.claims import service as claims
from chalicelib.loyalty.expiring import tell_of_expiring
from chalicelib.loyalty.schemes import service as schemes
from tests.makers.network import BAKERY
from tests.makers.rewarding import (
    ADA,
    DAY,
    SCHEME,
    SETTLED_AT,
    buy,
    card,
    open_bakery,
    settle,
    write_scheme,
)
from tests.makers.scheme_budgets import LATER, has, rich

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
POINTS = f"{BAKERY}.points"
CASH = {
    "id": "cash",
    "title": "£1.50 back",
    "cost": 4,
    "reward": {"kind": "fixed_cashback", "amount_minor": 150},
}
FIVE_STAMPS = {"places": 5, "reward": {"kind": "fixed_cashback", "amount_minor": 300}}
FORGOTTEN = 402 * DAY  # A closed lease is kept for 400 days.


@pytest.mark.parametrize("budget", [1_000, 150], ids=["some_is_left", "used_up"])
def test_a_claim_that_is_asked_for_again_is_the_same(budget: int) -> None:
    open_bakery()
    of_points = {"unit": "points", "card": None, "catalogue": [CASH], "pending_days": 0}
    write_scheme("points", budget_minor=budget, **of_points)
    scheme = schemes.get_valid(POINTS, at=LATER, now=LATER)
    purse, ada, at = funding.purse_of(POINTS), rich(1, POINTS, 10), LATER + FORGOTTEN
    first = claims.reserve(ada, scheme, name="c-1", reward_id="cash", now=LATER)
    budgets.bring_back(purse, now=LATER + DAY)

    again = claims.reserve(ada, scheme, name="c-1", reward_id="cash", now=at)

    kept = find_card(ada, now=at)
    assert again.claim == first.claim
    assert kept is not None
    assert balance_at(kept, at).active == 6
    assert budgets.get_standing(purse, now=at).spent_minor == 150
    assert has(ada.member_id, now=at) == 150


def test_a_reward_that_waited_and_was_paid_is_not_paid_again() -> None:
    open_bakery(budget_minor=300)
    buy("t-1", 5)
    buy("t-2", 5)
    settle()
    write_scheme(card=FIVE_STAMPS, budget_minor=600, now=SETTLED_AT + DAY)
    tell_of_expiring(now=SETTLED_AT + 2 * DAY, has_time=lambda: True)
    purse, at = funding.purse_of(SCHEME), SETTLED_AT + 3 * DAY + FORGOTTEN
    budgets.bring_back(purse, now=SETTLED_AT + 3 * DAY)

    buy("t-3", 5, at=at)  # Another full card waits, so that somebody looks.
    settle(now=at)
    tell_of_expiring(now=at + timedelta(days=2), has_time=lambda: True)

    found = card(now=at)
    assert found is not None
    assert [one.waits for one in found.fills] == [False, False, True]
    assert budgets.get_standing(purse, now=at).spent_minor == 600
    assert has(ADA, now=at) == 600
