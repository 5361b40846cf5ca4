"""A history as a value: what comes, in which orders, and how it has to end."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import permutations

from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.lots import Balance
from chalicelib.members.model import Reference

RUNS_MAX = 150  # The longest history without an end takes a third of it, but those of months.
RUNS_PER_INPUT_MAX = 4


@dataclass(frozen=True, slots=True)
class Input:
    """What comes at `at_seconds` after noon: messages on `queue`, or a member who `leaves`.

    Or a queue whose worker `breaks`: from then on every call that it makes fails, until it is
    `mended`; or what that queue gave up is sent again (`redrives`), as a person does. Or DynamoDB
    `forgets` what is past its end.
    """

    at_seconds: int
    name: str
    queue: str = ""
    bodies: tuple[str, ...] = ()
    leaves: Reference | None = None
    breaks: str = ""
    mends: str = ""
    redrives: str = ""
    forgets: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """What has to stand of one payment at the end.

    - `receipt`: the reference of the receipt it holds, None for none.
    - `version`: of that receipt. `events`: what the bank told, by kind. `returns`: how many.
    - `refunded_minor`: what came back of what was paid, each refund once, in minor units.
    - `ended`: why it ended without a receipt; None where that is not asked about.
    """

    receipt: str | None
    events: tuple[str, ...] = ("authorised",)
    version: int = 1
    returns: int = 0
    refunded_minor: int = 0
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A history. `endings` is by transaction; where it `may_differ`, what ends there depends on
    who comes first, and only what may never be is checked.

    `quarantined` are the reasons for which messages of it belong into quarantine. Where it
    `may_settle_late`, it may end so only after the daily look.

    Of a history about rewards, `opens` is what the town has for it beside its receipts (given the
    time), and `owned` what members have in the journal at the end, by name (or `earned` only what
    they earned in all, where it depends on nights in which sums it was paid), `stamps` what nothing
    took of their cards (`extra` of those of the other scheme), and `holding` what their cards hold
    then (asked of those named). `heard` is
    what apps and tills heard last, by what they asked, and `told` how many notices of a kind banks
    heard, of the kinds named. Faults come to the workers of the queues `disturbed` alone (none
    named: to all), and where it `is_ordered`, its inputs come in the given order only. Where
    `owners_differ`, who comes first has it. One that
    `ends_as_undisturbed` does not say how: whatever goes wrong, it ends as it does without.
    """

    name: str
    inputs: tuple[Input, ...]
    endings: Mapping[str, Ending]
    quarantined: frozenset[str] = frozenset()
    may_differ: bool = False
    may_settle_late: bool = False
    opens: Callable[[datetime], None] | None = None
    owned: Mapping[str, Balances] = field(default_factory=dict)
    earned: Mapping[str, int] | None = None
    stamps: Mapping[str, int] = field(default_factory=dict)
    extra: Mapping[str, int] = field(default_factory=dict)
    holding: Mapping[str, Balance] = field(default_factory=dict)
    heard: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, int] = field(default_factory=dict)
    disturbed: frozenset[str] = frozenset()
    is_ordered: bool = False
    ends_as_undisturbed: bool = False
    owners_differ: bool = False

    def is_disturbed(self, queue: str) -> bool:
        """Whether the worker of `queue` may meet faults."""
        return not self.disturbed or queue in self.disturbed

    @property
    def leavers(self) -> frozenset[str]:
        """How the banks call those who leave."""
        return frozenset(one.leaves.value for one in self.inputs if one.leaves is not None)

    @property
    def runs_max(self) -> int:
        """More handler runs than it ever takes, whatever goes wrong."""
        return RUNS_MAX + RUNS_PER_INPUT_MAX * len(self.inputs)


def in_order(history: History, order: Sequence[int]) -> History:
    """`history` with its inputs in another order, at the same times."""
    times = [given.at_seconds for given in history.inputs]
    moved = (replace(history.inputs[i], at_seconds=at) for i, at in zip(order, times, strict=True))
    name = "-".join(history.inputs[i].name for i in order)
    return replace(history, name=f"{history.name}/{name}", inputs=tuple(moved))


def orders(history: History) -> Iterator[History]:
    """`history` in every order of its inputs, the order as given first."""
    if history.is_ordered:
        yield history
        return
    for order in permutations(range(len(history.inputs))):
        yield in_order(history, order)


def both_orders(history: History) -> Iterator[History]:
    """`history` as given, and the other way round."""
    if history.is_ordered:
        yield history
        return
    count = len(history.inputs)
    yield in_order(history, range(count))
    yield in_order(history, range(count - 1, -1, -1))
