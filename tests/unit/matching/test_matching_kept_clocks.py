"""Till clocks in a few bytes: followed, set anew, and the same after keeping."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.matching.clocks import Belief
from chalicelib.matching.kept_clocks import (
    NO_CLOCKS,
    KeptClocks,
    StoreClocks,
    Tally,
    far_offsets,
    from_bytes,
)
from chalicelib.matching.scatter import TailCounts
from chalicelib.matching.till_clock import TillClock, Unsure

MORNING = 1_790_000_000.0 // 60 * 60


def voted(*offsets: float, every: float = 600.0) -> StoreClocks:
    clocks = NO_CLOCKS
    for turn, offset in enumerate(offsets):
        clocks = clocks.with_vote("t1", offset, MORNING + turn * every)
    return clocks


def offset_of(clocks: StoreClocks) -> float:
    return clocks.tills["t1"].offset


def test_stands_where_its_votes_say() -> None:
    clocks = voted(40, 44, 42, 38, 41)

    assert (round(offset_of(clocks)), clocks.tills["t1"].votes, clocks.matched) == (41, 5, 5)


def test_one_stray_vote_moves_nothing() -> None:
    assert offset_of(voted(40, 41, 39, 40, 900)) == offset_of(voted(40, 41, 39, 40))


def test_three_votes_that_agree_mean_the_clock_was_set() -> None:
    before = voted(40, 41, 39, 40, 3_640, 3_641)
    after = voted(40, 41, 39, 40, 3_640, 3_641, 3_639)

    assert (round(offset_of(before)), round(offset_of(after))) == (40, 3_640)


def test_follows_a_clock_that_drifts() -> None:
    drifting = voted(*[turn * 0.5 for turn in range(400)])

    assert abs(offset_of(drifting) - 199.5) < 35


def test_learns_how_far_payments_scatter() -> None:
    steady = voted(*[40 + (turn % 3 - 1) for turn in range(60)])
    loose = voted(*[40 + 12 * (turn % 5 - 2) for turn in range(60)])

    assert steady.tills["t1"].spread < 5
    assert 12 < loose.tills["t1"].spread < 22


def test_is_less_sure_the_longer_nobody_looked() -> None:
    clock = voted(40, 41, 39, 40, 40, 41).tills["t1"]
    last = clock.at

    soon, late = (clock.readings(at, Belief())[0].spread for at in (last, last + 86_400))

    assert late > soon


def test_a_till_nobody_knows_may_stand_anywhere() -> None:
    readings = KeptClocks({}).readings(("s", "t9"), MORNING)

    assert sum(reading.weight for reading in readings) == pytest.approx(1.0)
    assert max(reading.spread for reading in readings) >= 300


def test_reaches_to_where_a_far_clock_stands() -> None:
    clocks = KeptClocks({"s": StoreClocks({"t1": TillClock(7_200.0, 5.0, 9, MORNING)})})

    assert clocks.reaches("s") == ((-1_800.0, 1_800.0), (5_400.0, 9_000.0))


def test_names_the_far_offsets_once_a_minute() -> None:
    tills = {
        "a": TillClock(3_601.0, 5.0, 9, MORNING),
        "b": TillClock(3_598.0, 5.0, 9, MORNING),
        "c": TillClock(12.0, 5.0, 9, MORNING),
    }

    assert far_offsets(StoreClocks(tills), 1_200.0) == [3_600.0]


def test_a_store_learns_how_often_receipts_never_come() -> None:
    poor = StoreClocks(tally=Tally(found=50, waited=60, absent=50.0))

    assert (NO_CLOCKS.missing(0.02), poor.missing(0.02)) == (0.02, 51 / 160)


def test_matches_that_count_at_once_lower_nothing_before_the_night_counts_what_waits() -> None:
    by_day = StoreClocks(matched=300)
    night = by_day.tally.with_night(by_day.matched, waited=100, absent=99.0, until=MORNING)

    assert by_day.missing(0.02) == 0.02
    assert night == Tally(300, 300, 100, 99.0, MORNING)
    assert replace(by_day, tally=night).missing(0.02) == 100 / 450


def test_a_night_counts_once() -> None:
    night = Tally().with_night(300, waited=100, absent=99.0, until=MORNING)

    assert night.with_night(310, waited=100, absent=99.0, until=MORNING) is night


def test_what_a_store_did_long_ago_counts_less() -> None:
    before = Tally(1_500, 1_500, 400, 300.0, MORNING)

    after = before.with_night(1_700, waited=10, absent=2.0, until=MORNING + 60)

    assert after == Tally(1_700, 850, 205, 151.0, MORNING + 60)


def test_reads_what_was_kept_before_nights_were_counted() -> None:
    kept = bytes([1, 0, 0, 0, 7, 0, 0, 0, 3])

    assert from_bytes(kept) == StoreClocks(matched=7, tally=Tally(matched=7))


def test_reads_a_till_that_was_kept_before_clocks_had_rates() -> None:
    kept = bytes.fromhex("01 00000009 00000000 02 7431 00000195 007f 09 01c7387f 00000000 00")

    till = from_bytes(kept).tills["t1"]

    assert (till.offset, till.spread, till.votes, till.rate) == (40.5, 12.7, 9, 0.0)
    assert till.unsure == Unsure(12.7**2 / 9, 0.0, 1.0)


def test_says_how_fast_a_clock_runs_and_where_it_stands_when_nobody_looked() -> None:
    gaining = voted(*[turn * 0.5 for turn in range(200)]).tills["t1"]  # Every ten minutes.
    night = gaining.at + 10 * 3_600

    assert gaining.rate == pytest.approx(3.0, rel=0.02)
    assert gaining.offset_at(night) == pytest.approx(99.5 + 30.0, abs=1.0)
    assert gaining.spread_at(night) < 8


def test_a_steady_clock_is_known_in_the_morning() -> None:
    steady = voted(*[40 + 6 * (turn % 3 - 1) for turn in range(64)]).tills["t1"]

    assert steady.spread_at(steady.at + 14 * 3_600) == pytest.approx(8.0, abs=0.1)


def test_that_a_clock_was_set_is_thought_of_the_more_the_longer_nobody_looked() -> None:
    clock = voted(*[40, 41, 39, 40, 40, 41] * 4).tills["t1"]

    soon, late = (clock.readings(clock.at + wait, Belief())[1].weight for wait in (0, 14 * 3_600))

    assert (soon, late) == (0.0005, pytest.approx(0.0075))


def test_learns_from_sure_matches_how_many_come_far_from_the_habit_of_their_till() -> None:
    regular = voted(*[40 + (turn % 3 - 1) for turn in range(105)])
    tabs = voted(*[40 + (turn % 3 - 1) + (600 if turn % 4 == 3 else 0) for turn in range(105)])

    assert regular.tail.tail().share < 0.011
    assert tabs.tail.pairs == 99
    assert tabs.tail.tail().share == pytest.approx(0.2, abs=0.01)
    assert tabs.tail.tail().late > 0.9


def test_what_waits_at_night_says_too_how_far_receipts_are_off() -> None:
    said = [TailCounts(0.75, 0.5, 0.5, 300.0), TailCounts()]

    night = StoreClocks(matched=3, tail=TailCounts(3.0, 0.25, 0.0, 20.0)).with_night(said, MORNING)

    assert night.tail == TailCounts(3.75, 0.75, 0.5, 320.0)
    assert night.tally == Tally(3, 3, 2, 1.25, MORNING)


def test_what_a_store_scattered_long_ago_counts_less() -> None:
    old = StoreClocks(tail=TailCounts(2_000.0, 100.0, 60.0, 9_000.0))

    assert old.with_night([TailCounts(1.0)], MORNING).tail == TailCounts(1_000.5, 50, 30, 4_500)


def test_stores_that_are_asked_for_together_scatter_as_all_of_them_do() -> None:
    few, many = TailCounts(1_000.0, 2.0, 1.0, 60.0), TailCounts(1_000.0, 398.0, 300.0, 60_000.0)

    both = KeptClocks({"a": StoreClocks(tail=few), "b": StoreClocks(tail=many)})

    assert both.shape.tail == TailCounts(2_000.0, 400.0, 301.0, 60_060.0).tail()
    assert KeptClocks({}).shape.tail.share == pytest.approx(0.03)


counts = st.integers(0, 2**32 - 1)
tenths = st.integers(-500_000, 500_000).map(lambda n: n / 10)
halves = st.floats(width=16, allow_nan=False, allow_infinity=False)
hundredths = counts.map(lambda n: n / 100)
tills = st.builds(
    TillClock,
    offset=tenths,
    spread=st.integers(10, 60_000).map(lambda n: n / 10),
    votes=st.integers(0, 64),
    at=st.integers(0, 2**31).map(lambda n: float(n // 60 * 60)),
    other_offset=tenths,
    other_votes=st.integers(0, 3),
    rate=halves,
    unsure=st.builds(Unsure, halves, halves, halves),
)


@given(
    st.builds(
        StoreClocks,
        st.dictionaries(st.text(max_size=20).filter(lambda t: len(t.encode()) < 99), tills),
        counts,
        st.builds(
            Tally,
            counts,
            counts,
            counts,
            hundredths,
            st.integers(0, 2**31).map(lambda n: float(n // 60 * 60)),
        ),
        st.builds(TailCounts, hundredths, hundredths, hundredths, hundredths),
    )
)
def test_is_the_same_after_keeping(clocks: StoreClocks) -> None:
    assert from_bytes(clocks.to_bytes()) == clocks


def test_keeps_a_till_in_few_bytes() -> None:
    assert len(voted(40, 41).to_bytes()) == 9 + 20 + 16 + 5 + 1 + 2 + 24


def test_refuses_what_a_later_version_wrote() -> None:
    with pytest.raises(ValueError, match="later version"):
        from_bytes(b"\x04" + bytes(8))
