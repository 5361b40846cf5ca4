"""When what an offer gave may be paid out: local days after the sale, whatever clocks do."""

from datetime import UTC, datetime

import pytest

from chalicelib.loyalty.cards.deadlines import active_at
from chalicelib.offers.paying import available_at
from tests.makers.offers import campaign

LATE = {"hour": 23, "minute": 30}


@pytest.mark.parametrize(
    ("sold_at", "payable_at"),
    [
        # Sold on 10 October by the clock of London: the thirtieth day is 9 November.
        (datetime(2026, 10, 9, **LATE, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)),
        # Sold on 20 March: the thirtieth day is 19 April, which ends at 23:00 UTC.
        (datetime(2026, 3, 20, **LATE, tzinfo=UTC), datetime(2026, 4, 19, 23, tzinfo=UTC)),
        (datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 23, tzinfo=UTC)),
    ],
    ids=["clocks_go_back", "clocks_go_forward", "no_change"],
)
def test_a_reward_is_payable_when_the_last_local_day_of_its_pending_time_is_over(
    sold_at: datetime, payable_at: datetime
) -> None:
    offer = campaign(pending_days=30)

    assert available_at(offer, sold_at, now=sold_at) == payable_at
    assert active_at(sold_at, pending_days=30, zone=offer.zone) == payable_at


def test_without_a_pending_time_it_is_payable_at_once() -> None:
    sold_at = datetime(2026, 6, 1, 12, tzinfo=UTC)

    assert available_at(campaign(pending_days=0), sold_at, now=sold_at) == sold_at
