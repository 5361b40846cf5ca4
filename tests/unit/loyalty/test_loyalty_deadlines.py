"""What expires is good until the end of a local day, on awkward days too."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.loyalty.cards.deadlines import active_at, expires_at
from chalicelib.loyalty.rules import Expiry
from chalicelib.loyalty.terms import ExpiryUnit

LONDON = "Europe/London"
CASES = [
    (datetime(2027, 1, 31, 12, tzinfo=UTC), Expiry(1), datetime(2027, 3, 1, tzinfo=UTC)),
    (datetime(2028, 1, 31, 12, tzinfo=UTC), Expiry(1), datetime(2028, 3, 1, tzinfo=UTC)),
    (datetime(2028, 2, 29, 12, tzinfo=UTC), Expiry(12), datetime(2029, 3, 1, tzinfo=UTC)),
    (
        datetime(2026, 3, 28, 12, tzinfo=UTC),
        Expiry(1, ExpiryUnit.DAYS),
        datetime(2026, 3, 29, 23, tzinfo=UTC),
    ),
    (
        datetime(2026, 10, 24, 12, tzinfo=UTC),
        Expiry(1, ExpiryUnit.DAYS),
        datetime(2026, 10, 26, tzinfo=UTC),
    ),
]


@pytest.mark.parametrize(("sold_at", "expiry", "ends_at"), CASES)
def test_units_end_with_the_local_day(sold_at: datetime, expiry: Expiry, ends_at: datetime) -> None:
    assert expires_at(sold_at, expiry=expiry, zone=LONDON) == ends_at


def test_a_pending_window_over_the_night_of_the_clocks_ends_at_local_midnight() -> None:
    sold_at = datetime(2026, 3, 28, 12, tzinfo=UTC)

    assert active_at(sold_at, pending_days=1, zone=LONDON) == sold_at + timedelta(hours=35)
