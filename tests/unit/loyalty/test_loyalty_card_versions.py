"""An older version of a purchase that comes after a newer one changes nothing of the card."""

import pytest

from tests.makers.cards import FIVE_PLACES, after, worth


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
