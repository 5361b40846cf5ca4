"""An older version of a purchase that comes after a newer one changes nothing of the card."""

import pytest

from chalicelib.loyalty.terms import RefundPolicy
from tests.makers.cards import FIVE_PLACES, LONG_AFTER, after, worth


@pytest.mark.parametrize("late", [1, 2, 3])
def test_an_older_version_or_the_same_again_leaves_the_very_card(late: int) -> None:
    newest = after(worth("p1", 4), worth("p1", 4, version=3, back=3), worth("p2", 2))

    again = after(worth("p1", 4, version=late), card=newest)

    assert again is newest


def test_an_older_version_fills_no_card_that_a_return_emptied() -> None:
    emptied = after(worth("p1", 5), worth("p1", 5, version=3, back=5), filling=FIVE_PLACES)

    again = after(worth("p1", 5, version=2), card=emptied, filling=FIVE_PLACES)

    assert again is emptied
    assert [bool(fill.undone_by) for fill in again.fills] == [True]


def test_what_a_policy_let_be_kept_is_not_given_again_when_less_is_demanded() -> None:
    policy = RefundPolicy.ONLY_PENDING
    earned = after(worth("p1", 4))

    left = after(worth("p1", 4, version=2, back=3), card=earned, policy=policy, at=LONG_AFTER)
    less = after(worth("p1", 4, version=3, back=1), card=left, policy=policy, at=LONG_AFTER)

    kept, given_again = left.find_entry("p1"), less.find_entry("p1")
    assert kept is not None
    assert given_again is not None
    assert (kept.lot.units, kept.kept) == (4, 3)
    assert (given_again.lot.units, given_again.kept) == (4, 1)
