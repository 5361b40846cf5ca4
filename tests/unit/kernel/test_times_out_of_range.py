"""The first and the last hours of the calendar have no equal in UTC."""

import pytest

from chalicelib.kernel.refusals import Malformed
from chalicelib.kernel.times import parse_instant, parse_local


def test_refuses_an_instant_outside_the_calendar() -> None:
    with pytest.raises(Malformed) as caught:
        parse_instant("0001-01-01T00:00:00+14:00", field="at")
    assert (caught.value.code, caught.value.field) == ("time", "at")


def test_refuses_a_local_time_outside_the_calendar() -> None:
    with pytest.raises(Malformed) as caught:
        parse_local("9999-12-31T23:59:59", "America/New_York", field="at")
    assert (caught.value.code, caught.value.field) == ("time", "at")
