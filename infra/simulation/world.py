"""The world that a schedule plays in: AWS, the banks, the clock, and one process that is Lambda.

One step applies the next input or runs one handler on what is visible, as Lambda would: what it
names as failed, and everything when it dies, comes again. A process that died starts cold.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.privacy import leaving
from chalicelib.runtime import settings
from infra import resources
from infra.simulation import town
from infra.simulation.asking import ASKS, Apps
from infra.simulation.bank import BankState, SimBank
from infra.simulation.faults import Crash, Injector, Kind
from infra.simulation.history import History, Input
from infra.simulation.lambdas import SWEEP, WORKERS, context_of, event_of
from infra.simulation.master_key import set_up_keys
from infra.simulation.memory import forget_everything, forget_rewards
from infra.simulation.queues import Message
from infra.simulation.sim_aws import AwsState, SimAws, Twist

SWEEP_AFTER = timedelta(hours=15)


@dataclass(frozen=True, slots=True)
class State:
    """A world to come back to, between two runs."""

    aws: AwsState
    bank: BankState
    now: datetime
    inputs_done: int
    is_swept: bool
    is_cold: bool
    broken: frozenset[str]
    heard: Mapping[str, tuple[str, ...]]
    bugs: tuple[str, ...]
    versions: Mapping[tuple[str, int], str]
    entries: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Run:
    """One handler run: on what, and what it made of it. `failed` are ids; all, where it died."""

    queue: str
    messages: tuple[Message, ...]
    failed: frozenset[str]
    has_died: bool


class Planted(Twist, Protocol):
    """A planted bug. `acknowledges_early` and `hides_failures` are of the loop around a worker."""

    acknowledges_early: bool
    hides_failures: bool

    def key_sent(self, key: str, number: int, /) -> str:
        """The idempotency key under which the rail gets its `number`-th order."""

    def run_begins(self) -> None:
        """A handler run begins."""

    def run_ended(self) -> None:
        """A handler run has ended, and has not died."""


class World:
    """The world of one history. Made once per process; `restore` brings it to any state.

    `bugs` are failures that a worker met and did not expect; `versions` is what each version of
    each purchase said when it was first seen, `entries` what each entry of the journal did.
    `broken` are the queues whose workers fail at every call.
    """

    def __init__(self) -> None:
        self._now = town.OPENED_AT
        self.injector = Injector()
        self.aws = SimAws(now=self.now, injector=self.injector)
        self.bank = SimBank(self.injector, now=self.now)
        self.apps = Apps(self.aws.queues.postpone)
        self.broken: frozenset[str] = frozenset()
        self.bug: Planted | None = None
        self.inputs_done = 0
        self.is_swept = False
        self.is_cold = True
        self.bugs: list[str] = []
        self.versions: dict[tuple[str, int], str] = {}
        self.entries: dict[tuple[str, str], str] = {}
        self._opened: dict[object, State] = {}

    def now(self) -> datetime:
        """The time in this world."""
        return self._now

    @property
    def has_money(self) -> bool:
        """Whether this town has offers, schemes and cashback."""
        return bool(self.aws.tables.items(settings.table("money")))

    def plant(self, bug: Planted | None) -> None:
        """Let `bug` be in the platform from now on; None: none."""
        self.bug = self.aws.twist = bug
        self.bank.rail.key_sent = bug.key_sent if bug else None

    def open(self) -> State:
        """Make tables, keys and the town; returns that state."""
        for name in resources.TABLES:
            self.aws.tables.create(settings.table(name))
        forget_everything()
        set_up_keys(now=self._now)
        town.open_town()
        self.aws.tables.forget_writes()
        self._now = town.NOON + timedelta(seconds=20)
        return self.state()

    def begin(self, start: State, history: History) -> None:
        """Be where `history` begins: at `start`, with what the town has for it."""
        if history.opens is None:
            return self.restore(start)
        if history.opens not in self._opened:
            self.restore(start)
            self._now = town.OPENED_AT
            history.opens(self._now)
            self.aws.tables.forget_writes()
            self._now = start.now
            self._opened[history.opens] = self.state()
        return self.restore(self._opened[history.opens])

    def state(self) -> State:
        """Everything, to come back to."""
        return State(
            self.aws.state(),
            self.bank.state(),
            self._now,
            self.inputs_done,
            self.is_swept,
            self.is_cold,
            self.broken,
            dict(self.apps.heard),
            tuple(self.bugs),
            dict(self.versions),
            dict(self.entries),
        )

    def restore(self, state: State) -> None:
        """Be as it was at `state`."""
        self.aws.restore(state.aws)
        self.bank.restore(state.bank)
        self._now, self.inputs_done, self.is_swept = state.now, state.inputs_done, state.is_swept
        self.is_cold, self.broken = state.is_cold, state.broken
        self.apps.heard = dict(state.heard)
        self.bugs, self.versions = list(state.bugs), dict(state.versions)
        self.entries = dict(state.entries)

    def next_queue(self, history: History) -> str | None:
        """Apply the inputs that are due, and go to the time of the next run; the queue it is for.

        When all is quiet the schedule looks again, once it has got to its end. None: nothing is
        left to come or to do.
        """
        while True:
            message = self.aws.queues.next_visible()
            coming = history.inputs[self.inputs_done :]
            due = town.NOON + timedelta(seconds=coming[0].at_seconds) if coming else None
            if due is not None and (message is None or due <= message.visible_at):
                self._now = max(self._now, due)
                self.inputs_done += 1
                self._apply(coming[0])
            elif message is None and self.is_swept:
                return None
            elif message is None:
                self._now += SWEEP_AFTER
                return SWEEP
            else:
                self._now = max(self._now, message.visible_at)
                return message.queue

    def is_quiet(self, history: History) -> bool:
        """Whether nothing is on its way and nothing more comes."""
        return not self.aws.queues.waiting and self.inputs_done == len(history.inputs)

    def _apply(self, given: Input) -> None:
        if given.leaves is not None:
            leaving.switch_off(given.leaves, now=self._now)
        for body in given.bodies:
            self.aws.queues.put(given.queue, body)
        if given.forgets:
            self.aws.tables.expire()
        if given.redrives:
            self.aws.queues.redrive(given.redrives)
        self.broken = (self.broken | {given.breaks}) - {given.mends, ""}

    def run(self, queue: str, plan: Mapping[int, Kind]) -> Run:
        """Hand what is visible on `queue` to its worker; `plan` goes wrong meanwhile."""
        taken = self.take(queue)
        if not taken and queue != SWEEP:
            return Run(queue, (), frozenset(), has_died=False)
        ran = self.call(queue, taken, plan)
        self.settle(ran, repeats=plan.get(0) is Kind.REPEATED)
        self.is_swept &= not plan  # What met an obstacle is left to the next day.
        return ran

    def take(self, queue: str) -> tuple[Message, ...]:
        """What Lambda's poller receives now."""
        count_max = 1 if queue == ASKS else WORKERS[queue][1]
        return tuple(self.aws.queues.receive(queue, count_max)) if count_max else ()

    def call(self, queue: str, taken: tuple[Message, ...], plan: Mapping[int, Kind]) -> Run:
        """Call the worker of `queue` as Lambda does; nothing is acknowledged yet."""
        self._start_process()
        if self.bug is not None and self.bug.acknowledges_early:
            for message in taken:
                self.aws.queues.acknowledge(message)
        everything = frozenset(message.message_id for message in taken)
        handler = self.apps.answer if queue == ASKS else WORKERS[queue][0]
        event = event_of(queue, taken, now=self._now)
        if self.bug is not None:
            self.bug.run_begins()
        self.injector.begin(plan, otherwise=Kind.FAILED if queue in self.broken else None)
        try:
            answer = handler(event, context_of(queue)) or {"batchItemFailures": []}
        except Crash:
            self.is_cold = True
            return Run(queue, taken, everything, has_died=True)
        except Exception as error:  # noqa: BLE001 - whatever leaves a handler, Lambda goes on
            # A schedule that meets a passing obstacle is called again; queues have partial answers.
            is_passing = queue == SWEEP and isinstance(error, TryAgain)
            if not is_passing:
                self.bugs.append(f"{type(error).__name__} left the handler: {error}")
            return Run(queue, taken, everything, has_died=is_passing)
        finally:
            self.injector.end()
            self.aws.tables.lag_behind(None)
        named = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        if self.bug is not None:
            self.bug.run_ended()
            named = set() if self.bug.hides_failures else named
        return Run(queue, taken, frozenset(named), has_died=False)

    def settle(self, ran: Run, *, repeats: bool) -> None:
        """Acknowledge what is done. What failed, or died, is visible again when its time comes.

        With `repeats`, what is done comes once more: its deletion was lost.
        """
        self.is_swept |= ran.queue == SWEEP and not ran.has_died
        for message in ran.messages:
            if message.message_id not in ran.failed:
                self.aws.queues.acknowledge(message)
                if repeats:
                    self.aws.queues.repeat(message)

    def _start_process(self) -> None:
        """A new process knows nothing; one that lives has the configuration in memory."""
        random.seed(len(self.aws.queues.done))  # Back-off has jitter, and a replay has the same.
        if self.is_cold:
            forget_everything()
        else:
            town.remember_town(now=self._now)
            # What a process remembers of clocks depends on the runs before it, and those on which
            # branch was played: each run reads them anew, which is the harder case.
            timekeeping.forget()
            forget_rewards()
        self.is_cold = False
