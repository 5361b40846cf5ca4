"""What is taken of which gift, and how many rewards a member may have."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kernel.ids import PaymentId, ReceiptId
from chalicelib.loyalty.terms import Per
from chalicelib.offers.campaigns.model import Limit
from chalicelib.offers.participation.model import (
    Gift,
    Kept,
    Redemption,
    is_at_limit,
    lessened,
    new_participation,
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
