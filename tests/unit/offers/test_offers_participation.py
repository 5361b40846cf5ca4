"""What is taken of which gift, and how many rewards a member may have."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kernel.ids import PaymentId, ReceiptId
from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.loyalty.terms import Per
from chalicelib.offers.campaigns.model import Limit
from chalicelib.offers.participation.model import (
    Gift,
    Kept,
    Redemption,
    is_at_limit,
    lessened,
    new_participation,
    with_redemption,
)
from tests.makers.offers import campaign

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_takes_from_the_last_gift_what_is_left_of_it_and_then_from_the_one_before() -> None:
    first, last = Gift(1, 50), Gift(2, 100, (60,))
    redemption = Redemption(
        PaymentId("p-1"), ReceiptId("r-1"), 1, AT, AT, (Kept("1", 150),), (first, last)
    )

    nothing = lessened(redemption, 0)
    a_little = lessened(redemption, 70)

    assert nothing.gifts == (Gift(1, 50, (50,)), Gift(2, 100, (60, 40)))
    assert a_little.gifts == (first, Gift(2, 100, (60, 20)))
    assert (nothing.kept_minor, a_little.kept_minor) == (0, 70)


def rewarded(number: int, *, back: int = 0) -> Redemption:
    gift = Gift(1, 50, (back,) if back else ())
    ids = PaymentId(f"p-{number}"), ReceiptId(f"r-{number}")
    return Redemption(*ids, 1, AT, AT, (Kept("1", 50),), (gift,))


def is_full(limit: Limit, *redemptions: Redemption, at: datetime = AT) -> bool:
    row = replace(new_participation(campaign(limit=limit)), redemptions=redemptions)
    return is_at_limit(row, limit, sold_at=at, zone="Europe/London", most=100)


@pytest.mark.parametrize(
    ("per", "after_a_day"), [(Per.DAY, False), (Per.WEEK, True), (Per.EVER, True)]
)
def test_a_limit_is_reached_with_the_last_reward_of_its_period(
    per: Per, *, after_a_day: bool
) -> None:
    limit = Limit(2, per)
    one, two, gone = rewarded(1), rewarded(2), rewarded(3, back=50)

    assert [is_full(limit), is_full(limit, one, gone), is_full(limit, one, two)] == [
        False,
        False,
        True,
    ]
    assert is_full(limit, one, two, at=AT + timedelta(days=1)) is after_a_day


def test_a_day_later_the_till_of_a_reward_is_forgotten_and_not_before() -> None:
    first = replace(rewarded(1), place="bcde")
    soon = replace(rewarded(2), place="bcde", sold_at=AT + timedelta(hours=23))
    later = replace(rewarded(3), place="fghi", sold_at=AT + timedelta(hours=24))

    row = new_participation(campaign())
    for one in (first, soon):
        row = with_redemption(row, one)
    before = [one.place for one in row.redemptions]
    row = with_redemption(row, later)

    assert before == ["bcde", "bcde"]
    assert [one.place for one in row.redemptions] == ["", "bcde", "fghi"]


def test_what_is_held_keeps_its_place_and_is_nobodys_and_what_is_refused_leaves_it() -> None:
    limit, held, refused = (
        Limit(1),
        replace(rewarded(1), held="many_in_an_hour"),
        replace(rewarded(1), held=REFUSED),
    )

    assert [is_full(limit, held), is_full(limit, refused)] == [True, False]
    assert (held.kept_minor, held.budgeted_minor, held.counted_minor) == (50, 50, 0)
    assert (refused.kept_minor, refused.budgeted_minor, refused.counted_minor) == (50, 0, 0)
    assert [held.is_waiting, refused.is_waiting] == [True, False]
    assert not lessened(held, 0).is_waiting
