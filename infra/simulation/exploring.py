"""Every schedule with up to so many faults, each counted, none played twice.

After a run, the world is compared with those seen before: where everything that stands, waits, is
shown and is still to come means the same, the future is the same, so it is counted and not played
again. What a world means leaves out only what nothing reads: nonces, and the ids of messages.
"""

import hashlib
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from infra.simulation.endings import broken_at_end
from infra.simulation.faults import PAUSES, Call, Fault, Kind
from infra.simulation.history import History
from infra.simulation.playing import broken_by_run
from infra.simulation.standing import Standing, standing_in
from infra.simulation.world import State, World

SAMPLES_MAX = 5
_FRAMES_EACH_RUN = 4  # Two, and one more for each fault.
_DRAWN = re.compile(r"_[a-z2-7]{28}\b")
Placed = tuple[Fault, ...]


@dataclass(slots=True)
class Tally:
    """What became of the schedules from some state on. Faults' runs count from that state.

    `schedules` is by number of faults; `violating` counts those that broke something; `samples`
    are a few of these, with what they broke first.
    """

    schedules: Counter[int] = field(default_factory=Counter)
    violating: int = 0
    samples: list[tuple[Placed, tuple[str, ...]]] = field(default_factory=list)

    def add(self, other: "Tally", placed: Placed) -> None:
        """Add what follows one run that met `placed`."""
        for faults_count, count in other.schedules.items():
            self.schedules[faults_count + len(placed)] += count
        self.violating += other.violating
        for faults, broken in other.samples:
            if len(self.samples) < SAMPLES_MAX:
                later = tuple(Fault(f.run + 1, f.call, f.kind) for f in faults)
                self.samples.append(((*placed, *later), broken))


@dataclass(slots=True)
class Work:
    """What was really done: runs played, runs saved, faults met by kind and by call."""

    runs: int = 0
    worlds_met_again: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)


class Explorer:
    """Explores one history. `kinds_at` says what may go wrong, `faults_max` how often.

    A worker that freezes is not explored here: a world with one in it cannot be put aside. Where
    there are too many, `share` of the faults is followed at each place, as `chance` draws them.
    """

    def __init__(
        self,
        world: World,
        history: History,
        *,
        kinds_at: Callable[[Call], Sequence[Kind]],
        faults_max: int,
        work: Work,
        share: float = 1.0,
        chance: random.Random | None = None,
    ) -> None:
        self._world = world
        self._history = history
        self._kinds_at = kinds_at
        self._faults_max = faults_max
        self._known: dict[bytes, Tally] = {}
        self._work = work
        self._share = share
        self._chance = chance or random.Random(0)

    def explore(self, start: State) -> Tally:
        """Every schedule from `start` on."""
        self._world.begin(start, self._history)
        usual = sys.getrecursionlimit()
        # It goes one call deeper with every run, and a history may have hundreds.
        sys.setrecursionlimit(usual + _FRAMES_EACH_RUN * self._history.runs_max)
        try:
            return self._from_here(self._faults_max, depth=0)
        finally:
            sys.setrecursionlimit(usual)

    def _from_here(self, faults_left: int, *, depth: int) -> Tally:
        """Every schedule from the world as it is now."""
        world = self._world
        name = _meaning_of(world, faults_left, standing_in(world))
        if name in self._known:
            self._work.worlds_met_again += 1
            return self._known[name]
        tally = Tally()
        queue = world.next_queue(self._history)
        if queue is None:
            broken = broken_at_end(world, self._history, standing_in(world))
            self._count(tally, (), broken)
        elif depth > self._history.runs_max:
            self._count(tally, (), ("I16 it never becomes quiet",))
        else:
            self._every_run(tally, world.state(), queue, {}, faults_left, depth)
        self._known[name] = tally
        return tally

    def _every_run(
        self,
        tally: Tally,
        before: State,
        queue: str,
        plan: Mapping[int, Kind],
        faults_left: int,
        depth: int,
    ) -> None:
        """The run on `queue` with `plan`, and with everything more that may go wrong in it."""
        world = self._world
        world.restore(before)
        ran = world.run(queue, plan)
        self._work.runs += 1
        calls = tuple(world.injector.calls)
        placed = tuple(Fault(1, call, kind) for call, kind in plan.items())
        self._note(plan, calls)
        broken = broken_by_run(world, self._history, queue)
        if broken:
            self._count(tally, placed, broken)
        else:
            tally.add(self._from_here(faults_left, depth=depth + 1), placed)
        is_disturbed = self._history.is_disturbed(queue) and queue not in world.broken
        if faults_left == 0 or ran.has_died or not is_disturbed:
            return
        for call, kind in self._what_may_follow(calls, plan):
            more = {**plan, call: kind}
            self._every_run(tally, before, queue, more, faults_left - 1, depth)

    def _what_may_follow(
        self, calls: tuple[Call, ...], plan: Mapping[int, Kind]
    ) -> list[tuple[int, Kind]]:
        """The faults behind those of `plan`. What is repeated comes last, so it ends a plan."""
        if 0 in plan:
            return []
        last = max(plan, default=0)
        places = [
            (at, kind)
            for at, call in enumerate(calls, start=1)
            if at > last
            for kind in self._kinds_at(call)
            if kind not in PAUSES
        ]
        places.append((0, Kind.REPEATED))
        if self._share >= 1:
            return places
        return [one for one in places if self._chance.random() < self._share]

    def _note(self, plan: Mapping[int, Kind], calls: tuple[Call, ...]) -> None:
        for call, kind in plan.items():
            self._work.kinds[kind.value] += 1
            self._work.calls[str(calls[call - 1]) if call else "acknowledgement"] += 1

    def _count(self, tally: Tally, placed: Placed, broken: tuple[str, ...]) -> None:
        tally.schedules[len(placed)] += 1
        if broken:
            tally.violating += 1
            if len(tally.samples) < SAMPLES_MAX:
                tally.samples.append((placed, broken))


def _meaning_of(world: World, faults_left: int, standing: Standing) -> bytes:
    """The same for two worlds that have the same future."""
    waiting = sorted(
        world.aws.queues.waiting.values(), key=lambda m: (m.visible_at, int(m.message_id[1:]))
    )
    bank = world.bank.state()
    said = (
        faults_left,
        world.now(),
        world.inputs_done,
        world.is_swept,
        world.is_cold,
        sorted(world.broken),
        sorted(world.apps.heard.items()),
        [_unnamed(row.text) for row in standing.everything],
        [(m.queue, _unnamed(m.body), m.receives, m.visible_at) for m in waiting],
        sorted((m.queue, _unnamed(m.body)) for m in world.aws.queues.done),
        sorted((m.queue, _unnamed(m.body)) for m in world.aws.queues.dead),
        sorted((name, repr(shown)) for name, shown in bank.shown.items()),
        sorted(bank.bodies.items()),
        sorted(bank.rail[0].items()),
        bank.rail[2],
        sorted(world.versions.items()),
        sorted(world.entries),
    )
    return hashlib.blake2b(repr(said).encode(), digest_size=20).digest()


def _unnamed(text: str) -> str:
    """`text` without the drawn names of pages of a bank's log."""
    return _DRAWN.sub("_drawn", text)
