"""What is left out early, because it takes long to look at, would never have counted."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.loyalty.standing import Past
from chalicelib.loyalty.streaks import near, step_of
from chalicelib.loyalty.terms import Per
from chalicelib.loyalty.windows import DateRule, Frequency, Window, is_open
from tests.makers.loyalty import SOLD_AT

ZONES = ("Europe/London", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe")
DAILY = DateRule(Frequency.DAILY, since=date(1970, 1, 1))
instants = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)).map(
    lambda made: made.replace(tzinfo=UTC)
)


@given(instants, st.integers(-40 * 24 * 60, 40 * 24 * 60), st.sampled_from(ZONES))
@example(datetime(2011, 12, 30, 9, 59, tzinfo=UTC), 1, "Pacific/Apia")  # The 30th never came.
@example(datetime(2010, 11, 7, 2, 30, tzinfo=UTC), 25 * 60, "America/St_Johns")
@pytest.mark.parametrize("per", list(Per))
def test_whatever_is_of_the_same_period_in_any_zone_is_near(
    per: Per, sold_at: datetime, minutes: int, zone: str
) -> None:
    other = Past(sold_at + timedelta(minutes=minutes))

    kept = near((other,), sold_at, per)

    is_same = step_of(per, sold_at, zone=zone) == step_of(per, other.sold_at, zone=zone)
    assert not is_same or list(kept) == [other]


def test_what_is_further_away_than_the_longest_period_is_not_looked_at() -> None:
    every = tuple(Past(SOLD_AT + timedelta(days=days)) for days in (-40, -8, -2, 0, 2, 8, 40))

    kept = {per: len(near(every, SOLD_AT, per)) for per in Per}

    assert kept == {Per.PURCHASE: 7, Per.DAY: 3, Per.WEEK: 5, Per.MONTH: 5, Per.EVER: 7}


@given(
    instants,
    st.times().map(lambda made: made.replace(microsecond=0)),
    st.integers(1, 4 * 24 * 60),
    st.sampled_from(ZONES),
)
@example(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), time(1, 30), 60, "Europe/London")
@example(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), time(1, 30), 1, "Europe/London")
def test_a_window_is_open_when_the_wall_clock_shows_less_than_its_length_after_its_beginning(
    at: datetime, opens_at: time, minutes: int, zone: str
) -> None:
    wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    found = is_open(Window(DAILY, opens_at, minutes), at, zone=zone)

    begun = [datetime.combine(wall.date() - timedelta(days=n), opens_at) for n in range(6)]
    assert found == any(one <= wall < one + timedelta(minutes=minutes) for one in begun)
