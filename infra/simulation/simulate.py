"""Playing the schedules in several processes, and telling what came of them."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from infra.simulation.jobs import Family, Job, Outcome, do, find_schedule
from infra.simulation.living import a_world
from infra.simulation.playing import play, told, with_its_end
from infra.simulation.world import State, World

_after = ExitStack()
_here: list[tuple[World, State]] = []


def _open_here() -> None:
    """Open the one world of this process."""
    world = _after.enter_context(a_world())
    _here.append((world, world.open()))


def _do_here(job: Job) -> Outcome:
    world, start = _here[0]
    return do(world, start, job)


def play_all(jobs: Sequence[Job], *, processes: int) -> Iterator[Outcome]:
    """Do `jobs`, each outcome as soon as it is there."""
    with ProcessPoolExecutor(processes, initializer=_open_here) as pool:
        for done in as_completed([pool.submit(_do_here, job) for job in jobs]):
            yield done.result()


def simulate(jobs: Sequence[Job], *, processes: int, seed: int, into: Path) -> bool:
    """Play `jobs`, print what comes of each, write it to `into`; whether all is as it should be."""
    began = time.monotonic()
    outcomes = []
    for outcome in play_all(jobs, processes=processes):
        outcomes.append(outcome)
        print(_line(outcome), flush=True)
    summary = summed_up(outcomes, seed=seed, seconds=time.monotonic() - began)
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text(json.dumps(summary, indent=1) + "\n")
    print(*_lines(summary), sep="\n")
    print(f"written to {into}")
    return bool(summary["is_good"])


def replay(name: str) -> bool:
    """Play the schedule of that name and print it step by step; whether nothing is broken."""
    history, faults = find_schedule(name)
    with a_world() as world:
        start = world.open()
        played = play(world, start, with_its_end(world, start, history), faults)
    print(*told(played), sep="\n")
    return not played.broken


def summed_up(outcomes: Iterable[Outcome], *, seed: int, seconds: float) -> dict[str, Any]:
    """The outcomes as `build/simulate.json` has them."""
    done = sorted(outcomes, key=lambda o: (o.job.family.value, o.job.subject))
    proof = [o for o in done if o.job.family is not Family.PLANTED]
    by_family = {
        family.value: _family([o for o in proof if o.job.family is family])
        for family in Family
        if family is not Family.PLANTED
    }
    return {
        "is_good": not any(o.is_bad for o in done),
        "seed": seed,
        "seconds": round(seconds, 1),
        "schedules": sum(family["schedules"] for family in by_family.values()),
        "violations": sum(o.violating for o in proof),
        "families": by_family,
        "faults_by_kind": _added(o.work.kinds for o in proof),
        "faults_by_call": _added(o.work.calls for o in proof),
        "broken": [{"schedule": n, "broken": b} for o in proof for n, b in o.broken],
        "planted": {
            o.job.subject: {
                "schedules": sum(o.schedules.values()),
                "violations": o.violating,
                "found_by": o.broken[0][0] if o.broken else None,
                "broken": o.broken[0][1] if o.broken else [],
            }
            for o in done
            if o.job.family is Family.PLANTED
        },
    }


def _family(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    by_faults = _added(o.schedules for o in outcomes)
    return {
        "histories": len(outcomes) if not any(o.job.count for o in outcomes) else None,
        "schedules": sum(by_faults.values()),
        "by_number_of_faults": by_faults,
        "runs_played": sum(o.work.runs for o in outcomes),
        "worlds_met_again": sum(o.work.worlds_met_again for o in outcomes),
        "violations": sum(o.violating for o in outcomes),
        "processor_seconds": round(sum(o.seconds for o in outcomes), 1),
    }


def _added(counters: Iterable[Counter[Any]]) -> dict[str, int]:
    total: Counter[Any] = sum(counters, Counter())
    return {str(name): total[name] for name in sorted(total)}


def _line(outcome: Outcome) -> str:
    schedules = sum(outcome.schedules.values())
    verdict = "WRONG" if outcome.is_bad else "as it should"
    found = f"{outcome.violating} broken" if outcome.violating else "none broken"
    return (
        f"{outcome.job!s:50} {schedules:7} schedules {outcome.work.runs:7} runs "
        f"{outcome.seconds:6.1f} s  {found}, {verdict}"
    )


def _lines(summary: dict[str, Any]) -> Iterator[str]:
    yield ""
    for name, family in summary["families"].items():
        yield (
            f"{name:8} {family['schedules']:8} schedules, {family['runs_played']:7} runs played, "
            f"{family['violations']} violations, by faults {family['by_number_of_faults']}"
        )
    yield "faults met, by kind: " + _listed(summary["faults_by_kind"])
    yield "faults met, by call: " + _listed(summary["faults_by_call"])
    for one in summary["broken"]:
        yield f"BROKEN {one['schedule']}: {'; '.join(one['broken'])}"
    for name, bug in summary["planted"].items():
        found = f"found {bug['violations']} times in {bug['schedules']} schedules"
        yield f"planted {name}: {found if bug['violations'] else 'NOT FOUND'}"
    yield (
        f"{summary['schedules']} schedules, {summary['violations']} violations, "
        f"{summary['seconds']} seconds"
    )


def _listed(counts: dict[str, int]) -> str:
    order = sorted(counts.items(), key=lambda one: -one[1])
    return ", ".join(f"{name} {count}" for name, count in order)
