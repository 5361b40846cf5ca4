"""The first and the last day of the calendar."""

import pytest

from chalicelib.kernel.refusals import Malformed
from chalicelib.kernel.times import parse_instant, parse_local


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_refuses_an_instant_that_leaves_the_calendar_in_utc(text: str) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_instant(text, field="at")
    assert (refusal.value.code, refusal.value.field) == ("time", "at")


def test_refuses_local_time_that_leaves_the_calendar_in_utc() -> None:
    with pytest.raises(Malformed) as refusal:
        parse_local("0001-01-01T00:00:00", "Asia/Tokyo", field="at")
    assert (refusal.value.code, refusal.value.field) == ("time", "at")
