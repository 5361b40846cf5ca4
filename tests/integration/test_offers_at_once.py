"""One member's purchases settled by many workers at once, and every one of them twice."""

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.loyalty.rules import FixedCashback
from chalicelib.offers.campaigns.model import Limit
from chalicelib.purchases.model import Purchase
from tests.makers.loyalty import SOLD_AT
from tests.makers.offers import (
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

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

THREE_HOURS = timedelta(hours=3)  # More than a dozen in a day are held.
# moto answers one call after the other, so that there fewer threads show as much.
WORKERS, PURCHASES = (16, 24) if os.environ.get("COUNTERFOIL_REAL_DYNAMODB") else (4, 6)


@pytest.mark.requirement("OFR-09")
def test_at_once_and_twice_a_members_purchases_get_what_limit_and_budget_allow() -> None:
    """Every purchase is settled by two workers; twenty are allowed, and a third comes back."""
    open_town()
    ada, (five,) = join(), run(campaign(limit=Limit(times=20), reward=FixedCashback(30)))
    receipt = coffees(350)
    steps = []
    for n in range(PURCHASES):
        whole = bought(receipt, ada, f"t-{n}", at=SOLD_AT + n * THREE_HOURS)
        newest = next_version(whole, returns=(returned(receipt, "1"),)) if n % 3 == 0 else whole
        steps += [newest, newest]

    def settle(one: Purchase) -> None:
        for _ in range(100):
            with contextlib.suppress(TryAgain):
                award(one, ada, now=LATER)
                return
        raise AssertionError("a purchase was not settled in a hundred attempts")

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(settle, steps))

    kept = min(PURCHASES - len(range(0, PURCHASES, 3)), 20)
    assert (owed(ada.member_id), spent(five)) == (30 * kept, 30 * kept)
