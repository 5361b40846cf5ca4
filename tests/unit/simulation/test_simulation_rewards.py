"""Histories about rewards end as they have to, on the days and in the mishaps that matter."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from infra.simulation import calendar_histories, claim_histories, mishaps
from infra.simulation.jobs import (
    Family,
    Job,
    do,
    find_schedule,
    history_by_name,
    names_in_both_orders,
)
from infra.simulation.living import a_world
from infra.simulation.playing import play, with_its_end
from infra.simulation.tables import SimTables
from infra.simulation.world import State, World


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[World, State]]:
    with a_world() as world:
        yield world, world.open()


def names_of(*groups: ModuleType) -> list[str]:
    made = [make().name for group in groups for make in group.HISTORIES]
    return list(names_in_both_orders(*made))


@pytest.mark.parametrize("name", names_of(calendar_histories))
def test_what_ends_with_a_local_day_ends_with_its_last_second(
    opened: tuple[World, State], name: str
) -> None:
    world, start = opened

    played = play(world, start, history_by_name()[name], ())

    assert played.broken == ()
    assert world.apps.heard["in_time"] == ("done",)
    assert world.apps.heard["too_late"] == ("INSUFFICIENT_POINTS",)


@pytest.mark.requirement("LOY-11")
@pytest.mark.parametrize("name", names_of(claim_histories))
def test_a_claim_ends_as_it_has_to(opened: tuple[World, State], name: str) -> None:
    world, start = opened

    assert play(world, start, history_by_name()[name], ()).broken == ()


@pytest.mark.parametrize("name", names_of(mishaps))
def test_what_was_broken_or_came_back_in_parts_ends_as_it_has_to(
    opened: tuple[World, State], name: str
) -> None:
    world, start = opened

    assert play(world, start, history_by_name()[name], ()).broken == ()


@pytest.mark.parametrize(
    ("name", "given_up"),
    [("rewards_redriven", 3), ("notices_redriven", 2), ("payouts_redriven", 3)],
)
def test_what_a_queue_gave_up_is_sent_again_days_later(
    opened: tuple[World, State], name: str, given_up: int
) -> None:
    world, start = opened
    before = world.aws.queues.redriven_count

    played = play(world, start, history_by_name()[name], ())

    assert played.broken == ()
    assert world.aws.queues.redriven_count - before == given_up


def test_a_drawn_history_with_rewards_ends_as_it_does_without_its_faults(
    opened: tuple[World, State],
) -> None:
    world, start = opened
    history, faults = find_schedule("rewards-1003")

    told = with_its_end(world, start, history)

    assert (history.ends_as_undisturbed, told.ends_as_undisturbed) == (True, False)
    assert play(world, start, told, faults).broken == ()


def test_another_end_than_without_faults_is_broken(opened: tuple[World, State]) -> None:
    world, start = opened
    history, _ = find_schedule("rewards-1003")
    told = with_its_end(world, start, history)
    earned = {name: minor + 1 for name, minor in (told.earned or {}).items()}

    played = play(world, start, replace(told, earned=earned), ())

    assert earned != {}
    assert played.broken[0][:20] == "I13 members earned {"


def test_a_sample_is_the_same_for_the_same_seed(opened: tuple[World, State]) -> None:
    world, start = opened

    one, same, other = (
        do(world, start, Job(Family.SAMPLED, "offered", 8, seed)) for seed in (1, 1, 2)
    )

    assert (one.violating, one.schedules) == (0, same.schedules)
    assert one.schedules[0] == 1
    assert 0 < one.schedules[2] < 100
    assert one.work.calls == same.work.calls != other.work.calls


def test_what_is_past_its_end_is_deleted_when_the_tables_are_told_to() -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    tables = SimTables(now=lambda: noon)
    tables.create("kept")
    for name, until in (("past", noon), ("coming", noon + timedelta(seconds=1))):
        ends_at = {"N": str(int(until.timestamp()))}
        item = {"pk": {"S": name}, "sk": {"S": "x"}, "expires_at": ends_at}
        tables.answer("PutItem", {"TableName": "kept", "Item": item})
    tables.answer(
        "PutItem", {"TableName": "kept", "Item": {"pk": {"S": "endless"}, "sk": {"S": "x"}}}
    )

    tables.expire()

    assert sorted(tables.items("kept")) == [("coming", "x"), ("endless", "x")]
