"""Schedules of faults: they break nothing, find what is planted, and play again alike."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.simulation import jobs, plans, reward_histories, simulate
from infra.simulation.exploring import Explorer, Work
from infra.simulation.faults import Call, Fault, Kind, kinds_at, paired_at, parse_fault
from infra.simulation.generated import generate
from infra.simulation.jobs import Family, Job, Outcome, find_schedule, history_by_name
from infra.simulation.living import a_world
from infra.simulation.planted import bugs
from infra.simulation.planting import Bug
from infra.simulation.playing import play, told
from infra.simulation.world import State, World

LONE = "lone-ada/auth-receipt"


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[World, State]]:
    with a_world() as world:
        yield world, world.open()


def bug_of(world: World, name: str) -> Bug:
    return next(bug for bug in bugs(world) if bug.name == name)


@pytest.mark.requirement("RCP-14")
@pytest.mark.parametrize("name", jobs.names_in_both_orders("lone-ada"))
def test_no_single_fault_breaks_anything(opened: tuple[World, State], name: str) -> None:
    world, start = opened
    explorer = Explorer(
        world, history_by_name()[name], kinds_at=paired_at, faults_max=1, work=Work()
    )

    tally = explorer.explore(start)

    assert (tally.violating, tally.samples) == (0, [])
    assert tally.schedules[0] == 1
    assert tally.schedules[1] > 100


@pytest.mark.requirement("RCP-14")
def test_drawn_histories_with_drawn_faults_break_nothing(opened: tuple[World, State]) -> None:
    world, start = opened

    played = [play(world, start, *generate(seed)) for seed in range(1000, 1012)]

    assert [(one.name, one.broken) for one in played if one.broken] == []
    assert sum(len(one.steps) for one in played) > 100


@pytest.mark.parametrize("name", plans.bug_names())
def test_finds_the_planted_bug(opened: tuple[World, State], name: str) -> None:
    world, start = opened
    outcome = Outcome(Job(Family.PLANTED, name))

    for played in jobs.hunt(world, start, bug_of(world, name), outcome):
        if played.broken:
            break

    assert outcome.violating == 1
    found, broken = outcome.broken[0]
    assert broken[0][:2] in ("I3", "I5", "I6", "I7", "I8", "I9", "I1")
    history, faults = find_schedule(found)
    assert play(world, start, history, faults).broken == ()  # Without the bug, nothing is wrong.


FOUND = (
    "cleared/auth-clearing-receipt@1.8.paused_long",  # an older reading undid the clearing
    "contradicted/auth-receipt-bela-clearing@2.8.crash_after",  # a claim nobody needed stood
    "contradicted/auth-receipt-bela-clearing@2.9.paused_twice",  # contradicted while it was joined
    "contradicted/auth-receipt-bela-clearing@2.11.crash_before",  # a delivery of no version
    "said_mine-ada/auth-receipt-mine@4.17.crash_before",  # joined by hand, and still waiting
    "return_then_refund/refund-return-receipt-auth@6.19.request_lost",  # a refund not woken
    "offer_returned@none",  # what was taken back was not told
    "offer_disowned@8.11.crash_after",  # what was taken back was not in the daybook
)


@pytest.mark.requirement("RCP-14")
@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_once_is_not_broken_again(opened: tuple[World, State], name: str) -> None:
    world, start = opened

    played = play(world, start, *find_schedule(name))

    assert played.broken == ()
    assert len(played.steps) > 4


@pytest.mark.requirement("RCP-14")
@pytest.mark.parametrize(
    "name",
    jobs.names_in_both_orders(
        "contradicted",
        "disowned-ada",
        "disowned-cleo",
        "passed_on",
        "said_mine-ada",
        "changed_mind",
        "return_then_refund",
        "refund_then_return",
        "refund_named_late",
    ),
)
def test_second_thoughts_end_as_they_have_to(opened: tuple[World, State], name: str) -> None:
    world, start = opened

    assert play(world, start, history_by_name()[name], ()).broken == ()


@pytest.mark.parametrize("history", [make().name for make in reward_histories.HISTORIES])
def test_rewards_end_as_they_have_to(opened: tuple[World, State], history: str) -> None:
    world, start = opened

    assert play(world, start, history_by_name()[history], ()).broken == ()


@pytest.mark.parametrize("kind", [Kind.CRASH_AFTER, Kind.REQUEST_LOST])
def test_no_fault_where_an_offer_is_given_breaks_anything(
    opened: tuple[World, State], kind: Kind
) -> None:
    world, start = opened
    history = history_by_name()["offered"]

    found = jobs.singles_of(world, start, history, (kind,), at="dynamodb.PutItem")
    played = [play(world, start, history, faults) for faults in found]

    assert [(one.name, one.broken) for one in played if one.broken] == []
    assert len(played) >= 4


def crashes_at(call: Call) -> tuple[Kind, ...]:
    return (Kind.CRASH_AFTER,) if kinds_at(call) else ()


def test_what_is_counted_without_being_played_ends_as_if_it_were(
    opened: tuple[World, State],
) -> None:
    world, start = opened
    history = history_by_name()["lone-ada/receipt-auth"]
    bug = bug_of(world, "told_after_written")
    world.plant(bug)
    try:
        tally = Explorer(world, history, kinds_at=crashes_at, faults_max=1, work=Work()).explore(
            start
        )
        steps = play(world, start, history, ()).steps
        alone = [
            play(world, start, history, (Fault(step.number, at, kind),))
            for step in steps
            for at, kind in (
                *((at, Kind.CRASH_AFTER) for at in range(1, len(step.calls) + 1)),
                (0, Kind.REPEATED),
            )
        ]
    finally:
        world.plant(None)

    assert tally.schedules[1] == len(alone)
    assert tally.violating == sum(1 for one in alone if one.broken) == 1


def test_the_same_schedule_plays_alike_again(opened: tuple[World, State]) -> None:
    world, start = opened
    history, faults = generate(1003)

    first = list(told(play(world, start, history, faults)))

    assert list(told(play(world, start, history, faults))) == first
    assert generate(1003) == (history, faults)


def test_a_worker_that_freezes_goes_on_after_another_has_run(opened: tuple[World, State]) -> None:
    world, start = opened
    history, faults = find_schedule(f"{LONE}@1.9.paused")

    played = play(world, start, history, faults)

    assert played.broken == ()
    assert [step.queue for step in played.steps if step.has_died] == ["payments"]
    assert [step.queue for step in played.steps].count("payments") == 2


@pytest.mark.parametrize("text", ["1.9.paused", "2.0.repeated", "12.3.answers_lost"])
def test_a_faults_name_says_all_of_it(text: str) -> None:
    assert str(parse_fault(text)) == text


def test_refuses_a_schedule_that_there_is_not() -> None:
    with pytest.raises(KeyError):
        find_schedule("no-such-history/auth@none")
    with pytest.raises(ValueError, match="sideways"):
        find_schedule(f"{LONE}@1.1.sideways")


def test_the_report_names_what_is_broken_and_what_was_not_found(
    opened: tuple[World, State], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = Outcome(Job(Family.SINGLES, LONE))
    good.schedules.update({0: 1, 1: 2})
    bad = Outcome(Job(Family.PAIRS, LONE), violating=1)
    bad.schedules.update({2: 3})
    bad.broken.append((f"{LONE}@1.1.crash_after", ("I7 two hold it",)))
    missed = Outcome(Job(Family.PLANTED, "version_added"))

    summary = simulate.summed_up([good, bad, missed], seed=1, seconds=0.0)

    assert summary["is_good"] is False
    assert (summary["schedules"], summary["violations"]) == (6, 1)
    assert summary["families"]["pairs"]["by_number_of_faults"] == {"2": 3}
    assert summary["broken"] == [
        {"schedule": f"{LONE}@1.1.crash_after", "broken": ("I7 two hold it",)}
    ]
    assert summary["planted"]["version_added"]["violations"] == 0
    assert json.loads(json.dumps(summary))["is_good"] is False
    assert (missed.is_bad, good.is_bad) == (True, False)
