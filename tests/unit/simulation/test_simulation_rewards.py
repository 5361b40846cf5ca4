"""Histories about rewards end as they have to, on the days and in the mishaps that matter."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from infra.simulation import calendar_histories, claim_histories, mishaps
from infra.simulation.jobs import history_by_name, names_in_both_orders
from infra.simulation.living import a_world
from infra.simulation.playing import play
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
