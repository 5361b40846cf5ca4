"""Whether a purchase may earn at all, by who takes part since when, and by the clock."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.loyalty.cards.eligibility import AHEAD_MAX, Barred, Taker, find_bar
from chalicelib.loyalty.cards.model import Basis, Membership
from chalicelib.members.switching import Switch
from chalicelib.network.programmes import Service
from tests.makers.cards import JOINED_AT

SECOND = timedelta(seconds=1)
NOW = JOINED_AT + timedelta(days=90)
JOINED = Membership(Basis.EXPLICIT, JOINED_AT)
ADA = Taker(has_stamps=True, joined=None)


@pytest.mark.parametrize(
    ("sold_at", "barred"),
    [
        (JOINED_AT - SECOND, Barred.BEFORE_JOINING),
        (JOINED_AT, None),
        (NOW + AHEAD_MAX, None),
        (NOW + AHEAD_MAX + SECOND, Barred.IN_THE_FUTURE),
    ],
)
def test_earns_from_joining_on_and_not_ahead_of_the_clock(
    sold_at: datetime, barred: Barred | None
) -> None:
    assert find_bar(JOINED, ADA, sold_at=sold_at, now=NOW) is barred


@pytest.mark.parametrize(
    ("sold_at", "barred"), [(NOW - SECOND, Barred.STAMPS_WERE_OFF), (NOW, None)]
)
def test_what_was_bought_while_stamps_were_off_earns_nothing_when_they_are_on_again(
    sold_at: datetime, barred: Barred | None
) -> None:
    taker = replace(ADA, switches=(Switch(Service.STAMPS, NOW, True),))

    assert find_bar(JOINED, taker, sold_at=sold_at, now=NOW) is barred


@pytest.mark.parametrize(
    ("membership", "taker", "barred"),
    [
        (JOINED, replace(ADA, has_stamps=False), Barred.STAMPS_OFF),
        (None, ADA, Barred.NOT_JOINED),
        (replace(JOINED, left_at=NOW), ADA, Barred.LEFT_SCHEME),
    ],
)
def test_who_does_not_take_part_earns_nothing_whenever_it_was_bought(
    membership: Membership | None, taker: Taker, barred: Barred
) -> None:
    assert find_bar(membership, taker, sold_at=JOINED_AT, now=NOW) is barred
