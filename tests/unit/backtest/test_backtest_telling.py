"""What a back-test tells: bounds of a catalogue that hold, and a curve that tells of no one."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty.rules import CatalogueReward, FixedCashback, FreeText
from infra.backtest.claiming import NOTHING_CLAIMABLE, Claimable, claimable
from infra.backtest.summing import Tally
from infra.backtest.telling import Claimed, Day, Outcome, outcome_of
from infra.backtest.trying import Given, Tried
from tests.makers.loyalty import scheme

BEGAN = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
MUG = CatalogueReward("mug", "A mug", 40, FreeText("A mug"))
POUND = CatalogueReward("pound", "A pound", 50, FixedCashback(100))
TENNER = CatalogueReward("tenner", "Ten pounds", 450, FixedCashback(1_000))


def tally_of(*tried: Tried) -> Tally:
    tally = Tally()
    for one in tried:
        tally.add(one)
    return tally


def won(day: int, minor: int, **more: object) -> Tried:
    return Tried((Given(BEGAN + timedelta(days=day), minor),), True, 1, **more)  # type: ignore[arg-type]


def told(tally: Tally, budget_minor: int | None = None, **more: object) -> Outcome:
    options = {"zone": "Europe/London", "threshold": 3, **more}
    return outcome_of(tally, budget_minor=budget_minor, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("units", "times", "minor"),
    [
        (39, {}, 0),
        (40, {"mug": 1}, 0),
        (99, {"mug": 2, "pound": 1}, 198),  # At two pence a unit, rounded down.
        (450, {"mug": 11, "pound": 9, "tenner": 1}, 1_000),
    ],
)
def test_units_are_enough_for_so_much(units: int, times: dict[str, int], minor: int) -> None:
    assert claimable(scheme(catalogue=(MUG, POUND, TENNER)), units) == Claimable(times, minor)


_rewards = st.tuples(st.integers(1, 30), st.integers(0, 500))


@given(st.lists(_rewards, max_size=3), st.integers(0, 60))
def test_no_choice_of_claims_costs_more_than_is_said(
    rewards: list[tuple[int, int]], units: int
) -> None:
    catalogue = tuple(
        CatalogueReward(str(at), "", cost, FixedCashback(minor))
        for at, (cost, minor) in enumerate(rewards)
    )

    most = claimable(scheme(catalogue=catalogue), units).most_minor

    ways = product(*(range(units // cost + 1) for cost, _ in rewards))
    for way in ways:
        if sum(n * cost for n, (cost, _) in zip(way, rewards, strict=True)) <= units:
            assert sum(n * minor for n, (_, minor) in zip(way, rewards, strict=True)) <= most


def test_a_catalogue_is_told_of_where_enough_members_could_claim() -> None:
    offered = scheme(catalogue=(MUG, POUND))
    rich, poor = claimable(offered, 100), claimable(offered, 45)
    few = tally_of(*[won(0, 0, claimable=one) for one in (rich, rich, poor)])
    none = tally_of(*[won(0, 0)] * 3)
    lone = tally_of(won(0, 0, claimable=rich), won(0, 0), won(0, 0))

    assert told(few, catalogue=offered.catalogue).claims_minor == 400
    assert told(few, catalogue=offered.catalogue).catalogue == (
        Claimed("A mug", 40, 3, 2 + 2 + 1),
        Claimed("A pound", 50, None, None),
    )
    assert told(none, catalogue=offered.catalogue).claims_minor == 0
    assert told(lone, catalogue=offered.catalogue).claims_minor is None
    assert claimable(scheme(), 1_000) == NOTHING_CLAIMABLE


def test_days_are_told_together_until_enough_people_stand_behind_them() -> None:
    days = (0, 0, 1, 2, 2, 2, 3)

    outcome = told(tally_of(*[won(day, 10) for day in days]), 100)

    assert outcome.days == (
        Day(date(2026, 10, 6), 30, 70, since=date(2026, 10, 5)),
        Day(date(2026, 10, 8), 40, 30, since=date(2026, 10, 7)),
    )


def test_one_person_who_wins_on_many_days_is_one_person() -> None:
    keen = Tried(tuple(Given(BEGAN + timedelta(days=day), 10) for day in range(5)), True, 5)

    outcome = told(tally_of(keen, won(4, 10), won(4, 10)))

    assert outcome.days == (Day(date(2026, 10, 9), 70, None, since=date(2026, 10, 5)),)


def test_money_that_fewer_got_is_not_told_where_more_won_stamps() -> None:
    stamped = Tried((Given(BEGAN, 0, units=1),), True, 1)

    outcome = told(tally_of(won(0, 300), stamped, stamped))

    assert (outcome.winners, outcome.units) == (3, 2)
    assert (outcome.cost_minor, outcome.rewards, outcome.days) == (None, None, ())


def test_purchases_of_too_few_buyers_are_not_counted_out() -> None:
    idle = Tried((), True, 0)

    outcome = told(tally_of(won(0, 10), won(1, 10), idle))

    assert (outcome.purchases, outcome.members) == (None, 3)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50), st.sampled_from("ab")), max_size=12),
    st.integers(0, 12),
    st.integers(0, 300) | st.none(),
)
def test_tallies_add_up_to_the_same_however_members_are_parted(
    members: list[tuple[int, int, str]], cut: int, budget: int | None
) -> None:
    every = [won(day, minor, age_band=band) for day, minor, band in members]
    whole, parted = tally_of(*every), tally_of(*every[:cut])
    parted.merge(tally_of(*every[cut:]))

    assert told(parted, budget) == told(whole, budget)
    assert parted.won_of_age == Counter(whole.won_of_age)


def test_winners_do_not_tell_how_large_a_group_is_that_is_hidden_beside_a_smaller_one() -> None:
    """All of the large one win, so it has that many at least, and the other at most the rest."""
    tally = tally_of(*(won(0, 100, area="LS") for _ in range(25)), Tried((), True, 1, area="YO"))

    areas = told(tally, threshold=20).areas

    assert [(one.name, one.audience, one.winners) for one in areas] == [
        ("LS", None, None),
        ("YO", None, None),
    ]
