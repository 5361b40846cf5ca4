"""An older version of a purchase that comes after a newer one changes nothing of the card."""

from dataclasses import replace

import pytest

from chalicelib.loyalty.terms import RefundPolicy
from tests.makers.cards import ACTIVE_AT, FIVE_PLACES, LONG_AFTER, after, worth


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


def test_a_receipt_that_was_somebody_elses_takes_what_a_policy_let_be_kept_too() -> None:
    policy = RefundPolicy.ONLY_PENDING
    left = after(worth("p1", 4), worth("p1", 4, version=2, back=3), policy=policy, at=LONG_AFTER)

    gone = worth("p1", 4, version=3, back=4, is_withdrawn=True)
    card = after(gone, card=left, policy=policy, at=LONG_AFTER)

    entry = card.find_entry("p1")
    assert entry is not None
    assert (entry.lot.units, entry.kept) == (0, 0)


def test_stamps_whose_time_is_over_fill_no_card() -> None:
    expired = after(worth("p1", 4, expires_at=ACTIVE_AT))

    card = after(worth("p2", 1), card=expired, filling=FIVE_PLACES, at=LONG_AFTER)

    assert card.fills == ()


def test_the_first_change_is_remembered_as_such_however_many_follow() -> None:
    """It is told as earned, and whatever follows as an adjustment, also where it gives more."""
    versions = [worth("p1", 7), worth("p1", 7, version=2, back=7)]
    versions += [worth("p1", 7, version=n, back=n - 3) for n in (3, 4, 5)]

    card = after(*versions, filling=replace(FIVE_PLACES, places=100))
    entry = card.find_entry("p1")

    assert entry is not None
    remembered = [(one.version, one.units) for one in entry.earlier]
    assert (remembered, entry.changed) == ([(1, 7), (3, 7), (4, -1)], -1)


def test_a_full_card_keeps_the_reason_for_which_it_was_emptied_first() -> None:
    emptied = after(worth("p1", 5), worth("p1", 5, version=2, back=1), filling=FIVE_PLACES)

    disowned = replace(worth("p1", 5, version=3, back=5), is_withdrawn=True)
    card = after(disowned, card=emptied, filling=FIVE_PLACES)

    assert [one.undone_why for one in (*emptied.fills, *card.fills)] == ["returned", "returned"]
    assert [one.reason for one in card.entries] == ["withdrawn"]
