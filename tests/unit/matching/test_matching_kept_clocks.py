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
    TillClock,
    far_offsets,
    from_bytes,
)

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


counts = st.integers(0, 2**32 - 1)
tenths = st.integers(-500_000, 500_000).map(lambda n: n / 10)
tills = st.builds(
    TillClock,
    offset=tenths,
    spread=st.integers(10, 60_000).map(lambda n: n / 10),
    votes=st.integers(0, 64),
    at=st.integers(0, 2**31).map(lambda n: float(n // 60 * 60)),
    other_offset=tenths,
    other_votes=st.integers(0, 3),
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
            counts.map(lambda n: n / 100),
            st.integers(0, 2**31).map(lambda n: float(n // 60 * 60)),
        ),
    )
)
def test_is_the_same_after_keeping(clocks: StoreClocks) -> None:
    assert from_bytes(clocks.to_bytes()) == clocks


def test_keeps_a_till_in_few_bytes() -> None:
    assert len(voted(40, 41).to_bytes()) == 9 + 20 + 1 + 2 + 16


def test_refuses_what_a_later_version_wrote() -> None:
    with pytest.raises(ValueError, match="later version"):
        from_bytes(b"\x03" + bytes(8))
