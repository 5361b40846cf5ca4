"""Rewards of offers that look like abuse are held; what honest people do is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import PaymentId, ReceiptId
from chalicelib.loyalty.watching import HoldReason, place_of
from chalicelib.offers.participation.model import Gift, Kept, Redemption, Refused, lessened
from chalicelib.offers.watching import find_doubt
from tests.makers.loyalty import SOLD_AT
from tests.makers.receipts import STORE

TILL = place_of(STORE.store_id, "till-1")


def redeemed(number: int, *, after: timedelta, place: str = "") -> Redemption:
    """A pound for purchase `number`, which was made `after` the first."""
    at = SOLD_AT + after
    return Redemption(
        purchase_id=PaymentId(f"p-{number}"),
        receipt_id=ReceiptId(f"r-{number}"),
        receipt_version=1,
        sold_at=at,
        available_at=at,
        shares=(Kept("1", 100),),
        gifts=(Gift(1, 100),),
        place=place,
    )


def every(step: timedelta, times: int, *, place: str = "") -> list[Redemption]:
    """`times` of them, one each `step`, and the last of them about to be given."""
    *before, last = (redeemed(n, after=step * n, place=place) for n in range(times))
    return [*before, replace(last, gifts=())]


@pytest.mark.parametrize(
    ("step", "most", "reason"),
    [
        (timedelta(minutes=9), 6, HoldReason.MANY_IN_AN_HOUR),
        (timedelta(minutes=119), 12, HoldReason.MANY_IN_A_DAY),
    ],
)
def test_one_more_than_the_limit_is_held(step: timedelta, most: int, reason: HoldReason) -> None:
    *before, over = every(step, most + 1)

    assert find_doubt(over, before) is reason
    assert find_doubt(over, before[1:]) is None


def test_the_sixth_at_one_till_within_a_shift_is_held() -> None:
    *before, sixth = every(timedelta(minutes=90), 6, place=TILL)

    assert find_doubt(sixth, before) is HoldReason.SAME_TILL_IN_A_SHIFT
    assert find_doubt(replace(sixth, place="else"), before) is None


def test_a_purchase_that_got_two_offers_counts_once() -> None:
    *before, last = every(timedelta(minutes=9), 6)

    assert find_doubt(last, [*before, *before]) is None
    assert find_doubt(
        last, [*before, replace(last, purchase_id=PaymentId("x"), gifts=(Gift(1, 9),))]
    )


def test_what_a_person_released_does_not_count_against_the_next() -> None:
    *before, last = every(timedelta(minutes=9), 7)
    released = [replace(before[0], is_released=True), *before[1:]]

    assert find_doubt(last, released) is None


def test_who_brought_most_of_it_back_is_held_and_by_any_one_offer_alone_is_not() -> None:
    loops = [lessened(redeemed(n, after=timedelta(days=n)), 0) for n in range(3)]
    last = replace(redeemed(4, after=timedelta(days=4)), gifts=())
    beside = [redeemed(n, after=timedelta(days=n)) for n in range(3)]  # Of another offer, kept.

    assert find_doubt(last, loops) is HoldReason.BUYING_AND_RETURNING
    assert find_doubt(last, loops[1:]) is None
    assert find_doubt(last, [*loops, *beside]) is None


def test_somebody_elses_receipt_and_what_no_budget_paid_are_no_purchases() -> None:
    *before, last = every(timedelta(minutes=9), 7)
    elses = lessened(before[0], 0, is_withdrawn=True)
    unpaid = replace(before[0], gifts=(), refused=Refused.NO_BUDGET)

    assert find_doubt(last, [elses, *before[1:]]) is None
    assert find_doubt(last, [unpaid, *before[1:]]) is None


def test_what_was_refused_counts_and_did_not_come_back() -> None:
    refused = [replace(redeemed(n, after=timedelta(days=n)), held="refused") for n in range(4)]
    last = replace(redeemed(5, after=timedelta(days=5)), gifts=())

    assert find_doubt(last, refused) is None
