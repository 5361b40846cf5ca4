"""Where a till's clock stood from vote to vote, and what that says of a moment."""

from math import isclose

import pytest

from chalicelib.matching.clocks import VotedClocks
from chalicelib.matching.places import places_of
from chalicelib.matching.scatter import Tail
from chalicelib.matching.till_votes import Vote

MORNING = 1_795_000_000.0
HALF_HOUR = 1_800.0
TILL = ("shop", "t0")
THIN = Tail(share=0.005, seconds=300.0)
WIDE = Tail(share=0.5, late=0.98, seconds=500.0)
NOISE = (0.0, 3.0, -4.0, 1.0, -2.0, 5.0, -1.0)


def placed(levels: list[float], *, tail: Tail = THIN) -> list[int | None]:
    """The places of votes half an hour apart that scatter a little about `levels`."""
    ats = [MORNING + HALF_HOUR * n for n in range(len(levels))]
    offsets = [level + NOISE[n % len(NOISE)] for n, level in enumerate(levels)]
    return places_of(ats, offsets, 4.0, tail)


def votes(levels: list[float]) -> list[Vote]:
    return [
        Vote(MORNING + HALF_HOUR * n, level + NOISE[n % len(NOISE)], f"p{n}")
        for n, level in enumerate(levels)
    ]


def test_a_steady_clock_stands_at_one_place() -> None:
    assert placed([20.0] * 30) == [0] * 30


def test_a_clock_that_is_set_wrong_and_right_again_stands_at_two() -> None:
    levels = [20.0] * 12 + [-580.0] * 4 + [20.0] * 12

    assert placed(levels) == [0] * 12 + [1] * 4 + [0] * 12


def test_a_clock_that_is_set_for_good_stands_elsewhere_from_then_on() -> None:
    assert placed([3_600.0] * 20 + [0.0] * 20) == [0] * 20 + [1] * 20


def test_a_file_that_begins_in_a_spell_begins_elsewhere() -> None:
    assert placed([900.0] * 3 + [20.0] * 20) == [1] * 3 + [0] * 20


def test_one_late_slip_is_a_stray() -> None:
    assert placed([20.0] * 10 + [400.0] + [20.0] * 10) == [0] * 10 + [None] + [0] * 10


def test_two_that_agree_are_a_spell_where_few_slips_are_late_and_strays_where_many_are() -> None:
    levels = [20.0] * 10 + [400.0] * 2 + [20.0] * 10

    assert placed(levels, tail=THIN)[10:12] == [1, 1]
    assert placed(levels, tail=WIDE)[10:12] == [None, None]


@pytest.mark.parametrize("seconds_a_day", [80.0, -120.0])
def test_a_clock_that_drifts_stands_at_one_place(seconds_a_day: float) -> None:
    levels = [seconds_a_day * n * HALF_HOUR / 86_400 for n in range(200)]

    assert set(placed(levels)) == {0}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_votes_are_one_place(count: int) -> None:
    assert placed([20.0, 900.0][:count]) == [0] * count


def test_reads_a_spell_from_its_own_votes_and_the_rest_from_the_others() -> None:
    clocks = VotedClocks({TILL: votes([20.0] * 12 + [-580.0] * 5 + [20.0] * 12)}, THIN)

    within = clocks.readings(TILL, MORNING + 14.5 * HALF_HOUR)
    outside = clocks.readings(TILL, MORNING + 5.5 * HALF_HOUR)

    assert (len(outside), round(outside[0].offset)) == (1, 20)
    assert [round(reading.offset, -1) for reading in within] == [-580, 20]
    assert within[0].weight == pytest.approx(0.9)


def test_between_two_places_a_clock_may_stand_at_either() -> None:
    clocks = VotedClocks({TILL: votes([20.0] * 12 + [-580.0] * 5 + [20.0] * 12)}, THIN)

    between = clocks.readings(TILL, MORNING + 11.5 * HALF_HOUR)

    assert [round(reading.offset, -1) for reading in between] == [-580, 20]
    assert [round(reading.weight, 2) for reading in between] == [0.45, 0.55]


def test_a_payment_does_not_vouch_for_its_own_spell() -> None:
    given = votes([20.0] * 12 + [-580.0] * 2 + [20.0] * 12)
    clocks = VotedClocks({TILL: given}, THIN)

    alone = clocks.readings(TILL, given[12].at, without="p12")

    elsewhere = [reading for reading in alone if reading.offset < -500]
    assert sum(reading.weight for reading in elsewhere) == pytest.approx(0.125)
    assert isclose(sum(reading.weight for reading in alone), 1.0)
