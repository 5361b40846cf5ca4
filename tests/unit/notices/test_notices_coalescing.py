"""What is undone before it was told is not told; everything else is, once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.members.announcing import Announcement, NoticeKind
from chalicelib.notices.coalescing import Waiting, coalesce
from tests.makers.notices import make_announcement

ADA = MemberId("ada")
EARNED = make_announcement(ADA)  # two stamps
BACK = make_announcement(ADA, NoticeKind.ADJUSTED, units=-2)
CASHBACK = make_announcement(
    ADA, NoticeKind.OFFER_REDEEMED, subject="c", units=0, amount=Money(300, "GBP")
)
CASH_BACK = make_announcement(
    ADA, NoticeKind.ADJUSTED, subject="c", units=0, amount=Money(-100, "GBP")
)


def first(*announcements: Announcement) -> list[Waiting]:
    return [Waiting(one, is_first=True) for one in announcements]


@pytest.mark.parametrize("order", [(EARNED, BACK), (BACK, EARNED)])
def test_what_is_taken_back_whole_is_no_news_in_either_order(
    order: tuple[Announcement, ...],
) -> None:
    assert coalesce(first(*order)) == []


def test_what_is_taken_back_in_part_leaves_the_rest_under_its_own_id() -> None:
    part = replace(BACK, units=-1)

    assert coalesce(first(EARNED, part)) == [replace(EARNED, units=1)]
    assert coalesce(first(CASHBACK, CASH_BACK)) == [replace(CASHBACK, amount=Money(200, "GBP"))]


def test_two_parts_taken_back_are_both_taken_off() -> None:
    parts = [replace(BACK, units=-1, notice_id=name) for name in ("a", "b")]

    assert coalesce(first(EARNED, *parts)) == []


def test_what_was_tried_before_may_have_been_heard_and_is_told_with_what_came_after() -> None:
    tried = [Waiting(EARNED, is_first=False), Waiting(BACK, is_first=True)]

    assert coalesce(tried) == [EARNED, BACK]


@pytest.mark.parametrize(
    "other",
    [
        replace(BACK, subject="another-card"),
        replace(BACK, payment_id="payment-2"),
        replace(BACK, member_id=MemberId("ben")),
        replace(BACK, units=-3),
        replace(BACK, units=1),
        replace(BACK, units=0),
        replace(BACK, amount=Money(-5, "GBP")),
    ],
)
def test_an_adjustment_of_something_else_is_told(other: Announcement) -> None:
    assert coalesce(first(EARNED, other)) == [EARNED, other]


def test_another_currency_is_another_matter() -> None:
    euros = replace(CASH_BACK, amount=Money(-100, "EUR"))

    assert coalesce(first(CASHBACK, euros)) == [CASHBACK, euros]


def test_a_full_card_of_nothing_is_told_although_it_counts_no_units() -> None:
    full = make_announcement(ADA, NoticeKind.CARD_COMPLETE, units=0)

    assert coalesce(first(full, full)) == [full]


@given(st.lists(st.integers(0, 5), max_size=12), st.permutations(range(6)))
def test_repeats_change_nothing_and_units_are_never_lost(
    repeats: list[int], order: list[int]
) -> None:
    whole = [
        EARNED,
        replace(BACK, units=-1),
        CASHBACK,
        CASH_BACK,
        make_announcement(ADA, cause="p-9", units=5),
        make_announcement(ADA, NoticeKind.ADJUSTED, cause="p-8", units=-4),
    ]
    shuffled = [whole[place] for place in order]

    told = coalesce(first(*shuffled, *(shuffled[place] for place in repeats)))

    assert sum(one.units for one in told) == sum(one.units for one in whole)
    assert sum(one.amount.minor for one in told if one.amount) == 200
    assert len({one.notice_id for one in told}) == len(told)
