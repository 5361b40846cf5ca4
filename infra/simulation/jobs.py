"""The families of schedules, as pieces of work that can be done in any order, in any process."""

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from infra.simulation import (
    calendar_histories,
    claim_histories,
    generated,
    generated_rewards,
    histories,
    mishaps,
    months,
    reward_histories,
    second_thoughts,
)
from infra.simulation.exploring import SAMPLES_MAX, Explorer, Tally, Work
from infra.simulation.faults import (
    PAIRED,
    PAUSES,
    Call,
    Fault,
    Kind,
    kinds_at,
    paired_at,
    parse_fault,
)
from infra.simulation.history import History, both_orders, orders
from infra.simulation.lambdas import SWEEP
from infra.simulation.planted import bugs
from infra.simulation.planting import Bug
from infra.simulation.playing import Played, name_of, play, with_its_end
from infra.simulation.town import CLEO
from infra.simulation.world import State, World


class Family(Enum):
    """What a piece of work plays."""

    PAIRS = "pairs"  # every schedule of one history with up to two faults of those that are paired
    SAMPLED = "sampled"  # so many of the schedules with one or two faults, drawn
    SINGLES = "singles"  # every schedule of one history with one fault of any kind
    PLAIN = "plain"  # every schedule of one history with one fault of those that are paired
    CALM = "calm"  # one history in which nothing goes wrong
    PAUSES = "pauses"  # a worker freezes at each call in turn while others run
    SEEDED = "seeded"  # drawn histories with drawn faults
    REWARDED = "rewarded"  # the same with rewards: each ends as it does without its faults
    PLANTED = "planted"  # a planted bug, which has to be found


@dataclass(frozen=True, slots=True)
class Job:
    """`subject` is a history's name, a bug's, or the first seed; `count` the number of seeds, or
    about how many pairs are drawn from `seed`.
    """

    family: Family
    subject: str
    count: int = 0
    seed: int = 0

    def __str__(self) -> str:
        if self.family is Family.SAMPLED:
            return f"{self.family.value} {self.subject} from {self.seed}"
        many = f" to {int(self.subject) + self.count - 1}" if self.count else ""
        return f"{self.family.value} {self.subject}{many}"


@dataclass(slots=True)
class Outcome:
    """What came of a job. `schedules` is by number of faults, `broken` a few that broke something.

    Of a planted bug, `broken` is what it was found by, and none is bad.
    """

    job: Job
    schedules: Counter[int] = field(default_factory=Counter)
    violating: int = 0
    broken: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    work: Work = field(default_factory=Work)
    seconds: float = 0.0

    @property
    def is_bad(self) -> bool:
        """Whether something is wrong: the platform, or a simulation that does not find a bug."""
        return (self.violating == 0) == (self.job.family is Family.PLANTED)


CORE: Sequence[Callable[[], History]] = (
    histories.lone,
    lambda: histories.lone(CLEO),
    histories.batch,
    histories.weak,
    histories.cleared,
    histories.corrected,
    lambda: histories.corrected(CLEO),
    histories.returned,
    second_thoughts.refunded,
    histories.reversed_soon,
    histories.leaving,
    lambda: histories.leaving(CLEO),
    histories.busy,
    histories.repeated,
    histories.rivals,
    histories.conflicting,
    histories.two,
    second_thoughts.contradicted,
    second_thoughts.disowned,
    lambda: second_thoughts.disowned(CLEO),
    second_thoughts.passed_on,
    second_thoughts.said_mine,
    second_thoughts.changed_mind,
    lambda: second_thoughts.given_back(is_return_first=True),
    lambda: second_thoughts.given_back(is_return_first=False),
    second_thoughts.refund_named_late,
    *reward_histories.HISTORIES,
    *calendar_histories.HISTORIES,
    *claim_histories.HISTORIES,
    *mishaps.HISTORIES,
    *months.HISTORIES,
)


@cache
def history_by_name() -> dict[str, History]:
    """Every history in every order."""
    return {one.name: one for make in CORE for one in orders(make())}


def names_in_both_orders(*wanted: str) -> tuple[str, ...]:
    """The names of the `wanted` histories (all, where none is named), as given and reversed."""
    made = [make() for make in CORE]
    return tuple(
        one.name for each in made if not wanted or each.name in wanted for one in both_orders(each)
    )


def find_schedule(name: str) -> tuple[History, tuple[Fault, ...]]:
    """The history and the faults of a schedule's name.

    :raises KeyError: there is no such history. :raises ValueError: a fault is malformed.
    """
    subject, _, text = name.partition("@")
    if subject.startswith(generated.PREFIX):
        history, drawn = generated.generate(int(subject.removeprefix(generated.PREFIX)))
    elif subject.startswith(generated_rewards.PREFIX):
        seed = int(subject.removeprefix(generated_rewards.PREFIX))
        history, drawn = generated_rewards.generate(seed)
    else:
        history, drawn = history_by_name()[subject], ()
    if not text:
        return history, drawn
    named = () if text == "none" else tuple(parse_fault(one) for one in text.split("+"))
    return history, named


def do(world: World, start: State, job: Job) -> Outcome:
    """Do `job`."""
    began = time.process_time()
    outcome = Outcome(job)
    match job.family:
        case Family.PAIRS:
            _explore(world, start, outcome, paired_at, faults_max=2)
        case Family.SAMPLED:
            _sample(world, start, outcome)
        case Family.SINGLES:
            _explore(world, start, outcome, kinds_at, faults_max=1)
        case Family.PLAIN:
            _explore(world, start, outcome, paired_at, faults_max=1)
        case Family.CALM:
            history = history_by_name()[job.subject]
            note(outcome, play(world, start, history, ()), ())
        case Family.PAUSES:
            history = history_by_name()[job.subject]
            for faults in singles_of(world, start, history, _pauses_of(history)):
                note(outcome, play(world, start, history, faults), faults)
        case Family.SEEDED:
            for seed in range(int(job.subject), int(job.subject) + job.count):
                history, faults = generated.generate(seed)
                note(outcome, play(world, start, history, faults), faults)
        case Family.REWARDED:
            for seed in range(int(job.subject), int(job.subject) + job.count):
                history, faults = generated_rewards.generate(seed)
                history = with_its_end(world, start, history)
                note(outcome, play(world, start, history, faults), faults)
        case Family.PLANTED:
            bug = next(one for one in bugs(world) if one.name == job.subject)
            for _ in hunt(world, start, bug, outcome):
                continue
    outcome.seconds = time.process_time() - began
    return outcome


def _pauses_of(history: History) -> Sequence[Kind]:
    """Whoever leaves is swept up after once more a quarter of an hour later, when every worker that
    had begun before has ended. One that freezes for longer does not exist. So it is with a payment
    that somebody names a receipt for: whoever lets it wait after that has frozen for too long.
    """
    given = history.inputs
    leaves = any(one.leaves is not None for one in given)
    names = any("say_this_is_mine" in body for one in given for body in one.bodies)
    return PAUSES[:2] if leaves or names else PAUSES


def hunt(world: World, start: State, bug: Bug, outcome: Outcome) -> Iterator[Played]:
    """Play the schedules that are to show `bug`, noted in `outcome`; each is given as it is played.

    Whoever stops asking stops the hunt.
    """
    world.plant(bug)
    try:
        for name in names_in_both_orders(bug.shows_in):
            history = history_by_name()[name]
            found = singles_of(world, start, history, bug.shows_by, at=bug.shows_at)
            for faults in ((), *found):
                played = play(world, start, history, faults)
                note(outcome, played, faults)
                yield played
    finally:
        world.plant(None)


def singles_of(
    world: World, start: State, history: History, kinds: Sequence[Kind], *, at: str = ""
) -> list[tuple[Fault, ...]]:
    """Each of `kinds` at each call of the history's undisturbed course where it can go wrong.

    `at` narrows that to calls whose name begins so.
    """
    course = play(world, start, history, ())
    return [
        (Fault(step.number, number, kind),)
        for step in course.steps
        if step.queue != SWEEP and history.is_disturbed(step.queue)
        for number, call in enumerate(step.calls, start=1)
        if str(call).startswith(at)
        for kind in kinds
        if kind in kinds_at(call)
    ]


def _explore(
    world: World,
    start: State,
    outcome: Outcome,
    kinds: Callable[[Call], Sequence[Kind]],
    *,
    faults_max: int,
) -> None:
    history = history_by_name()[outcome.job.subject]
    explorer = Explorer(world, history, kinds_at=kinds, faults_max=faults_max, work=outcome.work)
    _tell(outcome, history, explorer.explore(start))


def _sample(world: World, start: State, outcome: Outcome) -> None:
    """About `count` pairs, and the single faults that they begin with."""
    history = history_by_name()[outcome.job.subject]
    every = len(singles_of(world, start, history, PAIRED))
    share = min(1.0, math.sqrt(2 * outcome.job.count) / every) if every else 1.0
    explorer = Explorer(
        world,
        history,
        kinds_at=paired_at,
        faults_max=2,
        work=outcome.work,
        share=share,
        chance=random.Random(outcome.job.seed),
    )
    _tell(outcome, history, explorer.explore(start))


def _tell(outcome: Outcome, history: History, tally: Tally) -> None:
    outcome.schedules, outcome.violating = tally.schedules, tally.violating
    outcome.broken = [(name_of(history, faults), broken) for faults, broken in tally.samples]


def note(outcome: Outcome, played: Played, faults: Sequence[Fault]) -> None:
    """Count one schedule that was played."""
    met = [
        (fault, step.calls[fault.call - 1])
        for step in played.steps
        for fault in faults
        if fault.run == step.number and fault.call <= len(step.calls)
    ]
    outcome.schedules[len(met)] += 1
    outcome.work.runs += len(played.steps)
    for fault, call in met:
        outcome.work.kinds[fault.kind.value] += 1
        outcome.work.calls[str(call)] += 1
    if played.broken:
        outcome.violating += 1
        if len(outcome.broken) < SAMPLES_MAX:
            outcome.broken.append((played.name, played.broken))
