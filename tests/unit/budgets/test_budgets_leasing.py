"""The arithmetic of budgets: blocks, slots, and what is free."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.budgets.leasing import (
    SLOTS,
    SPENDS_MAX,
    AskAll,
    Budget,
    CapTooLow,
    Exhausted,
    Lease,
    OpenLease,
    Reopen,
    Use,
    decide_lease,
    given_back,
    leased,
    settled,
    slot_of,
    with_cap,
)
from chalicelib.kernel.ids import MemberId

BUDGET = Budget("autumn", "GBP", cap_minor=6_400)


def lease(number: int = 1, *, size: int = 100, spent: int = 0, entries: int = 0) -> Lease:
    spends = {f"e{n}": 0 for n in range(entries)} | ({"x": spent} if spent else {})
    return Lease("autumn", number, size, size - spent, spends)


def opened(budget: Budget, slot: int, wanted: int) -> Budget:
    after = leased(budget, slot, wanted)
    assert after is not None
    return after


def test_leases_a_sixty_fourth_of_the_cap_or_what_is_wanted_or_what_is_left() -> None:
    small = opened(BUDGET, 0, 30)
    large = opened(BUDGET, 0, 2_000)
    last = opened(replace(BUDGET, spent_minor=6_350), 0, 30)

    assert small.leases == {0: OpenLease(1, 100)}
    assert large.leases == {0: OpenLease(1, 2_000)}
    assert last.leases == {0: OpenLease(1, 50)}
    assert (small.free_minor, small.leased_minor, small.next_number) == (6_300, 100, 2)


def test_leases_nothing_that_is_not_free_nor_of_a_closed_budget() -> None:
    assert leased(replace(BUDGET, spent_minor=6_371), 0, 30) is None
    assert leased(replace(BUDGET, is_closed=True), 0, 30) is None


def test_settles_what_was_spent_and_frees_the_rest() -> None:
    before = opened(BUDGET, 2, 30)

    after = settled(before, 2, replace(lease(spent=70), is_closed=True))

    assert (after.spent_minor, after.leases, after.free_minor) == (70, {}, 6_330)
    assert given_back(after, 70).free_minor == 6_400


def test_a_cap_is_never_below_what_is_spent_and_leased() -> None:
    budget = opened(replace(BUDGET, spent_minor=500), 0, 30)

    assert with_cap(budget, 600).free_minor == 0
    with pytest.raises(CapTooLow):
        with_cap(budget, 599)


def test_uses_the_slots_own_lease_while_it_has_room() -> None:
    budget = replace(BUDGET, leases={1: OpenLease(7, 100)})

    assert decide_lease(budget, 1, 40, {1: lease(7, spent=60)}) == Use(7)
    assert decide_lease(budget, 1, 41, {1: lease(7, spent=60)}) == Reopen((1,))
    assert decide_lease(budget, 1, 1, {1: lease(7, entries=SPENDS_MAX)}) == Reopen((1,))
    assert decide_lease(budget, 0, 40, {}) == Reopen(())


def test_shares_anothers_lease_at_the_end_and_gathers_what_is_left_at_last() -> None:
    end = replace(BUDGET, spent_minor=6_200, leases={0: OpenLease(8, 100), 1: OpenLease(9, 100)})
    left = {0: lease(8, spent=70), 1: lease(9, spent=60)}

    assert decide_lease(end, 0, 40, {0: left[0]}) == AskAll()
    assert decide_lease(end, 0, 40, left) == Use(9)
    assert decide_lease(end, 0, 70, left) == Reopen((0, 1))
    assert decide_lease(end, 0, 71, left) == Exhausted()
    assert decide_lease(replace(BUDGET, spent_minor=6_400), 0, 1, {}) == Exhausted()


def test_spreads_members_over_all_slots() -> None:
    slots = [slot_of(MemberId(f"member-{n}")) for n in range(400)]

    assert {slot: slots.count(slot) > 60 for slot in range(SLOTS)} == dict.fromkeys(
        range(SLOTS), True
    )


@given(
    cap=st.integers(1, 10_000),
    steps=st.lists(st.tuples(st.integers(0, SLOTS - 1), st.integers(1, 900)), max_size=60),
)
def test_spent_and_leased_never_exceed_the_cap_and_everything_can_be_spent(
    cap: int, steps: list[tuple[int, int]]
) -> None:
    budget, open_leases = Budget("autumn", "GBP", cap), dict[int, Lease]()
    given_out = 0
    for slot, wanted in steps:
        for _ in range(3):
            decided = decide_lease(budget, slot, wanted, open_leases)
            if not isinstance(decided, Reopen):
                break
            for at in decided.closing:
                budget = settled(budget, at, replace(open_leases.pop(at), is_closed=True))
            budget = opened(budget, slot, wanted)
            new = budget.leases[slot]
            open_leases[slot] = Lease("autumn", new.number, new.size_minor, new.size_minor, {})
        if isinstance(decided, Use):
            at = next(s for s, one in open_leases.items() if one.number == decided.number)
            one = open_leases[at]
            spends = {**one.spends, f"e{len(one.spends)}": wanted}
            open_leases[at] = replace(one, room_minor=one.room_minor - wanted, spends=spends)
            given_out += wanted
        else:
            assert decided == Exhausted()
            assert given_out + wanted > cap
        assert budget.spent_minor + budget.leased_minor <= cap
        assert all(one.room_minor >= 0 for one in open_leases.values())
        assert given_out == budget.spent_minor + sum(o.spent_minor for o in open_leases.values())
