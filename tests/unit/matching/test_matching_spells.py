"""Spells in which a till stood elsewhere: found in a night's votes, and believed for their time."""

import pytest

from chalicelib.matching.clocks import Belief
from chalicelib.matching.kept_clocks import KeptClocks, StoreClocks, from_bytes
from chalicelib.matching.spells import Spell, spells_of
from chalicelib.matching.till_clock import TillClock
from chalicelib.matching.till_votes import Vote

NOON = 1_790_000_000.0
HALF_HOUR = 1_800.0
KNOWN = TillClock(20.0, 5.0, 64, NOON + 7_200)


def votes(*told: tuple[float, float]) -> list[Vote]:
    """Votes by minutes after noon and offset."""
    return [Vote(NOON + 60 * minutes, offset, f"p{n}") for n, (minutes, offset) in enumerate(told)]


def test_three_votes_that_agree_are_a_spell_with_half_an_hour_to_each_side() -> None:
    given = votes((0, 600.0), (30, 604.0), (50, 602.0))

    found = spells_of({("s", "t1"): given}, "s")

    spread = pytest.approx(1.4826 * 2.0)
    assert found == {"t1": [Spell(602.0, spread, NOON - HALF_HOUR, NOON + 3_000 + HALF_HOUR)]}


@pytest.mark.parametrize(
    "given",
    [
        votes((0, 600.0), (30, 604.0)),
        votes((0, 600.0), (30, 700.0), (50, 800.0)),
        votes((0, 600.0), (30, 604.0), (30 + 12 * 60 + 1, 602.0)),
    ],
    ids=["two", "three_places", "one_is_of_another_day"],
)
def test_less_is_no_spell(given: list[Vote]) -> None:
    assert spells_of({("s", "t1"): given}, "s") == {}


def test_two_places_of_one_afternoon_are_two_spells() -> None:
    given = votes((0, 600.0), (5, -900.0), (30, 604.0), (40, -903.0), (50, 602.0), (55, -901.0))

    found = spells_of({("s", None): given, ("other", "t1"): given}, "s")

    assert {till: [spell.offset for spell in spells] for till, spells in found.items()} == {
        "": [602.0, -901.0]
    }


def test_within_a_spell_the_till_may_stand_there_and_outside_it_does_not() -> None:
    spell = Spell(620.0, 2.0, NOON, NOON + 3_600)

    during, after = (KNOWN.readings(at, Belief(), [spell]) for at in (NOON + 60, NOON + 3_601))

    assert during[-1] == (0.5, 620.0, 5.0)
    assert sum(reading.weight for reading in during) == pytest.approx(1.0)
    assert after == KNOWN.readings(NOON + 3_601, Belief())


def test_where_the_clock_stands_anyway_is_no_other_place() -> None:
    spell = Spell(24.0, 2.0, NOON, NOON + 3_600)

    assert KNOWN.readings(NOON, Belief(), [spell]) == KNOWN.readings(NOON, Belief())


def test_receipts_are_looked_for_where_the_till_stood_and_nothing_of_it_is_kept() -> None:
    clocks = StoreClocks({"t1": KNOWN}, spells={"t1": [Spell(7_200.0, 2.0, NOON, NOON)]})

    assert KeptClocks({"s": clocks}).reaches("s") == ((-1_800.0, 1_820.0), (7_080.0, 7_320.0))
    assert from_bytes(clocks.to_bytes()).spells == {}
