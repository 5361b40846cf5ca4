"""What looks like abuse is held; what honest people do is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import PaymentId, StoreId
from chalicelib.loyalty.watching import (
    PASS,
    Earned,
    Hold,
    HoldReason,
    Limits,
    judge,
    place_of,
)

NINE = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # The night in which an hour comes twice.
TILL = place_of(StoreId("soho"), "till-1")
OTHER_TILL = place_of(StoreId("soho"), "till-2")


def bought(number: int, *, after: timedelta, place: str = "", back: int = 0) -> Earned:
    """A purchase of one stamp, `after` the first."""
    return Earned(PaymentId(f"payment-{number}"), NINE + after, 1, back, place)


def every(step: timedelta, times: int, *, place: str = "") -> list[Earned]:
    """`times` purchases, one each `step`."""
    return [bought(number, after=step * number, place=place) for number in range(times)]


def test_a_first_purchase_passes() -> None:
    assert judge([], bought(1, after=timedelta())) == PASS


@pytest.mark.parametrize(
    ("step", "times", "reason"),
    [
        (timedelta(minutes=9), 6, HoldReason.MANY_IN_AN_HOUR),
        (timedelta(minutes=119), 12, HoldReason.MANY_IN_A_DAY),
    ],
)
def test_the_purchase_over_the_limit_is_held_and_the_one_before_is_not(
    step: timedelta, times: int, reason: HoldReason
) -> None:
    *before, last, over = every(step, times + 1)

    assert judge(before, last) == PASS
    assert judge([*before, last], over) == Hold(reason)


def test_an_hour_is_over_after_an_hour() -> None:
    before = every(timedelta(), 6)

    assert judge(before, bought(9, after=timedelta(minutes=59))) == Hold(HoldReason.MANY_IN_AN_HOUR)
    assert judge(before, bought(9, after=timedelta(hours=1))) == PASS


def test_the_same_card_at_one_till_all_through_a_shift_is_held() -> None:
    before = every(timedelta(minutes=80), 5, place=TILL)
    sixth = bought(9, after=timedelta(minutes=400), place=TILL)

    assert judge(before, sixth) == Hold(HoldReason.SAME_TILL_IN_A_SHIFT)
    assert judge(before[:4], sixth) == PASS
    assert judge(before, replace(sixth, place=OTHER_TILL)) == PASS
    assert judge(before, replace(sixth, place="")) == PASS


def test_somebody_who_returns_most_of_what_they_buy_is_held() -> None:
    loops = [bought(number, after=timedelta(days=number), back=1) for number in range(3)]
    next_one = bought(9, after=timedelta(days=10))

    assert judge(loops, next_one) == Hold(HoldReason.BUYING_AND_RETURNING)
    assert judge(loops[:2], next_one) == PASS
    assert judge(loops, replace(next_one, sold_at=NINE + timedelta(days=61))) == PASS


def test_a_regular_who_returned_three_of_seven_is_not_held() -> None:
    returned = [bought(number, after=timedelta(days=number), back=1) for number in range(3)]
    kept = [bought(number, after=timedelta(days=number)) for number in range(3, 7)]

    assert judge(returned + kept, bought(9, after=timedelta(days=10))) == PASS


def test_a_part_that_came_back_is_no_loop() -> None:
    parts = [replace(bought(n, after=timedelta(days=n)), units=3, back=2) for n in range(3)]

    assert judge(parts, bought(9, after=timedelta(days=10))) == PASS


def test_what_a_person_released_does_not_count_against_the_next() -> None:
    before = [replace(one, is_released=True) for one in every(timedelta(minutes=5), 6)]

    assert judge(before, bought(9, after=timedelta(minutes=40))) == PASS


def test_much_at_once_is_held_where_the_scheme_says_how_much() -> None:
    limits = Limits(units_at_once=50)
    whole_office = replace(bought(1, after=timedelta()), units=51)

    assert judge([], whole_office, limits=limits) == Hold(HoldReason.MUCH_AT_ONCE)
    assert judge([], replace(whole_office, units=50), limits=limits) == PASS
    assert judge([], whole_office) == PASS


def test_a_limit_that_is_none_never_holds() -> None:
    never = Limits(per_hour=None, per_day=None, at_one_till=None, returned=None)
    before = [replace(one, back=1) for one in every(timedelta(minutes=1), 30, place=TILL)]

    assert judge(before, bought(99, after=timedelta(hours=1), place=TILL), limits=never) == PASS


@given(st.permutations(every(timedelta(minutes=13), 9, place=TILL)))
def test_neither_order_nor_repeats_change_the_verdict(shuffled: list[Earned]) -> None:
    in_order = every(timedelta(minutes=13), 9, place=TILL)

    for one in in_order:
        assert judge(shuffled + shuffled[:0] + [one], one) == judge(in_order, one)


def test_a_purchase_that_is_told_late_does_not_hold_itself_by_what_came_after_it() -> None:
    after = [bought(n, after=timedelta(hours=1, minutes=n)) for n in range(1, 20)]

    assert judge(after, bought(0, after=timedelta())) == PASS


def test_a_place_has_one_short_name_and_an_unknown_till_none() -> None:
    assert len(TILL) == 4
    assert place_of(StoreId("soho"), "till-1") == TILL
    assert place_of(StoreId("bank"), "till-1") != TILL
    assert place_of(StoreId("soho"), None) == ""
