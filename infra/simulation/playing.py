"""Playing one schedule: a history and the faults put into it, from the beginning to the quiet."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from infra.simulation.cards import stamps_in
from infra.simulation.endings import broken_at_end, broken_when_quiet
from infra.simulation.faults import PAUSES, Call, Fault, Kind
from infra.simulation.history import History
from infra.simulation.invariants import broken_by_step
from infra.simulation.lambdas import SWEEP
from infra.simulation.money import books_in
from infra.simulation.money_endings import earned_in
from infra.simulation.standing import standing_in
from infra.simulation.world import Run, State, World

WITHOUT_END = 10**6  # More runs than there ever are.
FROZEN_MAX = timedelta(minutes=15)  # No function of Lambda lives longer.
PATIENCE_SECONDS = 30.0  # A frozen worker that does not come to rest is a bug of the simulation.


@dataclass(frozen=True, slots=True)
class Step:
    """One handler run of a schedule: on which queue, the calls it made, what it broke."""

    number: int
    queue: str
    messages_count: int
    failed_count: int
    has_died: bool
    calls: tuple[Call, ...]
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """A schedule that was played. `broken` is what did not hold, where it first did not."""

    name: str
    steps: tuple[Step, ...]
    broken: tuple[str, ...]


@dataclass(slots=True)
class _Frozen:
    """A worker that stands still in the middle of its run, and how many others run meanwhile."""

    thread: threading.Thread
    go_on: threading.Event
    runs_left: int
    since: datetime


@dataclass(slots=True)
class _Course:
    steps: list[Step] = field(default_factory=list)
    frozen: _Frozen | None = None


def name_of(history: History, faults: Sequence[Fault]) -> str:
    """The name by which a schedule can be played again."""
    return "@".join((history.name, "+".join(map(str, faults)) or "none"))


def play(world: World, start: State, history: History, faults: Sequence[Fault]) -> Played:
    """Play `history` from `start` with `faults`; it stops at the first thing that is broken."""
    world.begin(start, history)
    course = _Course()
    name = name_of(history, faults)
    plans = _plans(faults)
    for number in range(1, history.runs_max + 1):
        queue = world.next_queue(history)
        if queue in (SWEEP, None) and course.frozen is not None:
            _thaw(course)
            continue
        if course.frozen is not None and world.now() > course.frozen.since + FROZEN_MAX:
            _thaw(course)
        if queue is None:
            broken = broken_at_end(world, history, standing_in(world))
            return Played(name, tuple(course.steps), broken)
        step = _step(world, history, number, queue, plans.get(number, {}), course)
        if step.broken:
            if course.frozen is not None:
                _thaw(course)
            return Played(name, tuple(course.steps), step.broken)
    return Played(name, tuple(course.steps), ("I16 it never becomes quiet",))


def with_its_end(world: World, start: State, history: History) -> History:
    """`history`, told how it has to end where it does not say so: as it does if nothing goes wrong.
    Where even that breaks something, it stays as it is.
    """
    if not history.ends_as_undisturbed or play(world, start, history, ()).broken:
        return history
    return replace(
        history,
        ends_as_undisturbed=False,
        earned=earned_in(books_in(world)),
        stamps=stamps_in(standing_in(world).of("CardRow")),
        heard={name: said[-1] for name, said in world.apps.heard.items()},
    )


def _plans(faults: Sequence[Fault]) -> dict[int, dict[int, Kind]]:
    plans: dict[int, dict[int, Kind]] = {}
    for fault in faults:
        plans.setdefault(fault.run, {})[fault.call] = fault.kind
    return plans


def _step(
    world: World,
    history: History,
    number: int,
    queue: str,
    plan: Mapping[int, Kind],
    course: _Course,
) -> Step:
    pauses = [kind for kind in plan.values() if kind in PAUSES]
    if pauses:
        ran = _run_and_freeze(world, queue, plan, pauses[0], course)
    else:
        ran = world.run(queue, plan)
    calls = tuple(world.injector.calls)
    if course.frozen is not None and not pauses:
        course.frozen.runs_left -= 1
        if course.frozen.runs_left == 0:
            _thaw(course)
    broken = broken_by_run(world, history, queue)
    step = Step(number, queue, len(ran.messages), len(ran.failed), ran.has_died, calls, broken)
    course.steps.append(step)
    return step


def broken_by_run(world: World, history: History, queue: str) -> tuple[str, ...]:
    """What does not hold after a run; before the sweep, also what it may not be needed for."""
    standing = standing_in(world)
    broken = broken_by_step(world, history, standing)
    if broken or queue == SWEEP or not world.is_quiet(history):
        return broken
    return broken_when_quiet(world, history, standing)


def _run_and_freeze(
    world: World, queue: str, plan: Mapping[int, Kind], kind: Kind, course: _Course
) -> Run:
    """Run until the worker freezes. Its messages come again when their time is over."""
    frozen_now, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        world.injector.end()
        frozen_now.set()
        if not go_on.wait(PATIENCE_SECONDS):
            world.bugs.append("a frozen worker was never told to go on")

    taken = world.take(queue)
    everything = frozenset(message.message_id for message in taken)
    ran: list[Run] = []

    def work() -> None:
        ran.append(world.call(queue, taken, plan))
        frozen_now.set()

    world.injector.pause = pause
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    frozen_now.wait(PATIENCE_SECONDS)
    world.injector.pause = None
    if ran:  # It ended before the call at which it was to freeze.
        thread.join(PATIENCE_SECONDS)
        world.settle(ran[0], repeats=False)
        return ran[0]
    runs_left = {Kind.PAUSED: 1, Kind.PAUSED_TWICE: 2}.get(kind, WITHOUT_END)
    course.frozen = _Frozen(thread, go_on, runs_left, world.now())
    world.is_cold = True  # The next run is another process.
    return Run(queue, taken, everything, has_died=True)


def _thaw(course: _Course) -> None:
    """Let the frozen worker go on to its end. Nobody hears its answer any more."""
    frozen, course.frozen = course.frozen, None
    if frozen is not None:
        frozen.go_on.set()
        frozen.thread.join(PATIENCE_SECONDS)
        if frozen.thread.is_alive():
            raise TimeoutError("a frozen worker did not end")


def told(played: Played) -> Iterator[str]:
    """The schedule as lines for a person."""
    yield played.name
    for step in played.steps:
        ending = "died" if step.has_died else f"{step.failed_count} to come again"
        yield f"  run {step.number}: {step.queue}, {step.messages_count} messages, {ending}"
        for at, call in enumerate(step.calls, start=1):
            yield f"    {step.number}.{at} {call}"
        yield from (f"    BROKEN {one}" for one in step.broken)
    yield from (f"  BROKEN {one}" for one in played.broken) if played.broken else ("  holds",)
