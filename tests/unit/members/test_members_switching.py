"""When a service was off, as far as the last switchings say."""

from datetime import datetime, timedelta

import pytest

from chalicelib.members.switching import SWITCHES_MAX, Switch, was_off, with_switch
from chalicelib.network.programmes import Service
from tests.makers.members import ACCEPTED_AT

HOUR = timedelta(hours=1)
OFF_AT, ON_AT = ACCEPTED_AT + HOUR, ACCEPTED_AT + 2 * HOUR
PAUSE = (Switch(Service.STAMPS, OFF_AT, False), Switch(Service.STAMPS, ON_AT, True))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("at", "is_off"),
    [
        (OFF_AT - SECOND, False),
        (OFF_AT, True),
        (ON_AT - SECOND, True),
        (ON_AT, False),
    ],
)
def test_a_service_was_off_from_switching_it_off_until_switching_it_on(
    at: datetime, is_off: bool
) -> None:
    assert was_off(PAUSE, Service.STAMPS, at=at) is is_off
    assert not was_off(PAUSE, Service.OFFERS, at=at)


def test_before_the_first_switching_that_is_known_it_stood_the_other_way() -> None:
    switched_on = PAUSE[1:]

    assert was_off(switched_on, Service.STAMPS, at=ACCEPTED_AT)
    assert not was_off((), Service.STAMPS, at=ACCEPTED_AT)


def test_the_last_sixteen_of_each_service_are_kept() -> None:
    offers = Switch(Service.OFFERS, ACCEPTED_AT, True)
    switches: tuple[Switch, ...] = (offers,)
    every = [Switch(Service.STAMPS, OFF_AT + n * HOUR, n % 2 == 1) for n in range(18)]

    for one in every:
        switches = with_switch(switches, one)

    assert switches == (offers, *every[-SWITCHES_MAX:])
