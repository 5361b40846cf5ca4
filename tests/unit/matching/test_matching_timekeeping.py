"""When votes on a store's clocks are worth a write, and what they come to."""

from dataclasses import replace

import pytest

from chalicelib.matching.kept_clocks import NO_CLOCKS, StoreClocks
from chalicelib.matching.timekeeping.votes import (
    TILLS_MAX,
    Vote,
    is_worth_writing,
    with_votes,
)

MONDAY = 1_795_000_000.0


def votes(
    count: int, *, offset: float = 20.0, till: str | None = "T1", first: int = 0
) -> list[Vote]:
    return [Vote(till, offset, MONDAY + 60 * (first + minute)) for minute in range(count)]


def voted(count: int, *, offset: float = 20.0) -> StoreClocks:
    return with_votes(NO_CLOCKS, votes(count, offset=offset))


def test_writes_a_store_at_two_votes_and_at_four_times_as_many() -> None:
    kept, written = NO_CLOCKS, []
    stand = NO_CLOCKS
    for count, vote in enumerate(votes(70), start=1):
        stand = with_votes(stand, [vote])
        if is_worth_writing(kept, stand, votes=1):
            written.append(count)
            kept = stand

    assert written == [2, 8, 32]


@pytest.mark.parametrize(("store_matched", "is_worth"), [(63, False), (64, True)])
def test_writes_a_new_till_of_an_old_store_when_it_is_known(
    store_matched: int, is_worth: bool
) -> None:
    kept = StoreClocks(voted(40).tills, matched=store_matched)

    four = with_votes(kept, votes(4, till="T2"))
    five = with_votes(kept, votes(5, till="T2"))

    assert not is_worth_writing(kept, four, votes=4)
    assert is_worth_writing(kept, five, votes=5) is is_worth


def test_writes_the_sixty_fourth_vote_whatever_it_says() -> None:
    kept = voted(40)

    assert not is_worth_writing(kept, kept, votes=63)
    assert is_worth_writing(kept, kept, votes=64)


@pytest.mark.parametrize(("moved_by", "is_worth"), [(7.0, False), (8.0, True)])
def test_writes_when_a_known_clock_has_moved_by_half_its_spread(
    moved_by: float, is_worth: bool
) -> None:
    kept = voted(40)
    clock = replace(kept.tills["T1"], spread=15.0)
    kept = StoreClocks({"T1": clock}, matched=40)
    stand = StoreClocks({"T1": replace(clock, offset=clock.offset + moved_by)}, matched=41)

    assert is_worth_writing(kept, stand, votes=1) is is_worth


def test_writes_when_a_clock_was_set() -> None:
    kept = voted(40)
    stand = with_votes(kept, votes(3, offset=3_600.0, first=40))

    assert (stand.tills["T1"].offset, stand.tills["T1"].votes) == (3_600.0, 3)
    assert is_worth_writing(kept, stand, votes=3)


def test_votes_of_a_spell_that_is_over_move_no_clock_and_are_no_tail() -> None:
    kept = voted(40)

    stand = with_votes(kept, votes(3, offset=3_600.0))

    assert stand.tills == kept.tills
    assert (stand.matched, stand.tail) == (43, kept.tail)


def test_a_till_without_a_name_has_a_clock_too() -> None:
    after = with_votes(NO_CLOCKS, votes(2, till=None))

    assert after.tills[""].votes == 2


def test_a_store_whose_tills_have_ever_new_names_keeps_the_last_seen() -> None:
    names = [f"sale-{number}" for number in range(TILLS_MAX + 10)]

    clocks = NO_CLOCKS
    for number, name in enumerate(names):
        clocks = with_votes(clocks, [Vote(name, 5.0, MONDAY + number)])

    assert sorted(clocks.tills) == sorted(names[-TILLS_MAX:])


def test_one_vote_lost_or_doubled_moves_a_known_clock_by_less_than_a_second() -> None:
    all_votes = [replace(one, offset=20.0 + n % 7) for n, one in enumerate(votes(60))]
    whole = with_votes(NO_CLOCKS, all_votes).tills["T1"]

    lost = with_votes(NO_CLOCKS, all_votes[:-1]).tills["T1"]
    doubled = with_votes(NO_CLOCKS, [*all_votes, all_votes[-1]]).tills["T1"]

    assert abs(lost.offset - whole.offset) < 1
    assert abs(doubled.offset - whole.offset) < 1
    assert abs(lost.spread - whole.spread) < 1
    assert abs(doubled.spread - whole.spread) < 1
