"""The clocks of stores' tills as one process has them, and as its matches vote on them.

A process remembers what it read for an hour: clocks drift by seconds in that time, and a clock that
is set is seen by the votes of whoever looks. Votes, and the sums of receipts, gather in the process
and are written where they change something: when a store has four times the votes that are kept, or
half the sums again, when a new till of an old store becomes known, when a clock has moved or was
set, and every sixty-four votes or five hundred sums. What dies with a process is a few of many.
What is written twice, because an answer was lost, counts as one or two of sixty-four. So neither
has to be prevented.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Protocol

from chalicelib.kernel.ids import StoreId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching.clocks import TillKey, VotedClocks
from chalicelib.matching.kept_clocks import NO_CLOCKS, StoreClocks
from chalicelib.matching.prices import Sum
from chalicelib.matching.scatter import TailCounts
from chalicelib.matching.spells import Spells, spells_of
from chalicelib.matching.till_votes import Vote as TillVote
from chalicelib.matching.timekeeping.votes import (
    Unwritten,
    Vote,
    is_worth_writing,
    newly_far_off,
    with_votes,
)

READ_AGAIN_AFTER = timedelta(hours=1)
STORES_REMEMBERED_MAX = 5_000
WRITES_MAX = 3  # Of one store's votes, against other processes that write theirs.


@dataclass(frozen=True, slots=True)
class KeptClocksOf:
    """A store's clocks as they are kept; `revision` is 0 where none are."""

    clocks: StoreClocks
    revision: int


NOTHING_KEPT = KeptClocksOf(NO_CLOCKS, 0)


@dataclass(slots=True)
class _Remembered:
    """What a process knows of one store: what is kept, and where it stands with its own votes.

    `spells` are those that it learned itself of the last days.
    """

    kept: KeptClocksOf
    read_at: datetime
    unwritten: Unwritten
    stand: StoreClocks
    spells: Spells = field(default_factory=dict)


Votes = Mapping[TillKey, Sequence[TillVote]]  # Learned at once; `Vote` is one match's word.
TellFarOff = Callable[[StoreId, str, float], None]  # Store, till, and by how many seconds.


class ClocksTable(Protocol):
    """Where the clocks of stores are kept between processes."""

    def find_clocks(self, store_id: StoreId, *, now: datetime, consistent: bool) -> KeptClocksOf:
        """The clocks of the store; not `consistent`, perhaps a revision before."""

    def record_clocks(
        self, store_id: StoreId, clocks: StoreClocks, *, after_revision: int, now: datetime
    ) -> bool:
        """Write the clocks over those of `after_revision`; False where others stand there."""


class Timekeeper:
    """What one process knows of the clocks that `kept` has, with the votes of its own matches."""

    def __init__(self, kept: ClocksTable, *, tell_far_off: TellFarOff) -> None:
        """`tell_far_off` is called once for each till that turns out to be far off."""
        self._kept, self._tell_far_off = kept, tell_far_off
        self._stores: dict[StoreId, _Remembered] = {}
        self._lock = Lock()

    def forget(self) -> None:
        """Remember nothing, unwritten votes included. For tests and simulated processes."""
        with self._lock:
            self._stores.clear()

    def store_clocks(self, store_id: StoreId, *, now: datetime) -> StoreClocks:
        """The clocks of one store, with the votes of this process."""
        known = self._remembered(store_id, now=now)
        return replace(known.stand, spells=known.spells) if known.spells else known.stand

    def vote(self, store_id: StoreId, given: Vote, *, now: datetime) -> None:
        """Count `given`; it is written with others when they change something.

        An obstacle on the way to the table fails nothing: the vote stays for the next one's write,
        or is lost.
        """
        try:
            known = self._remembered(store_id, now=now)
        except TryAgain:
            return
        with self._lock:
            known.unwritten.votes.append(given)
            known.stand = with_votes(known.stand, [given])
        self._write_if_due(store_id, known, now=now)

    def count_sums(self, store_id: StoreId, sums: Sequence[Sum], *, now: datetime) -> None:
        """Count what receipts of a store came to, each once; as lightly as votes."""
        if not sums:
            return
        try:
            known = self._remembered(store_id, now=now)
        except TryAgain:
            return
        with self._lock:
            known.unwritten.sums += sums
            known.stand = known.stand.with_sums(sums)
        self._write_if_due(store_id, known, now=now)

    def write_out(self, *, now: datetime) -> None:
        """Write whatever is unwritten: for jobs that end with their process."""
        with self._lock:
            waiting = [(one, known) for one, known in self._stores.items() if known.unwritten]
        for store_id, known in waiting:
            self._write(store_id, known, now=now)

    def learn(self, store_id: StoreId, votes: Votes, *, at: datetime, now: datetime) -> None:
        """Keep where `votes`, learned at once from much that is at hand, say tills stood at `at`.

        A till with more votes of its own keeps what it has. Where it stood elsewhere for a while is
        remembered by this process for whatever it looks at next.
        """
        known = self._remembered(store_id, now=now)
        voted = VotedClocks(votes)
        learned = partial(StoreClocks.learned, voted=voted, store=store_id, at=at.timestamp())
        self._write(store_id, known, now=now, learned=learned)
        known.spells = spells_of(votes, store_id)

    def count_unmatched(
        self,
        store_id: StoreId,
        waiting: Iterable[tuple[datetime, TailCounts]],
        *,
        until: datetime,
        now: datetime,
    ) -> None:
        """Count the payments made until `until`, when all their receipts should have come.

        `waiting` are those that wait nevertheless: when each was made, and what the receipts at
        hand say of its own (`Ambiguous.near`). Whatever was counted before is not counted again. An
        obstacle leaves it to the next one.
        """
        try:
            known = self._remembered(store_id, now=now)
        except TryAgain:
            return
        stand = known.stand
        after, last = stand.tally.until, until.timestamp()
        said = [near for made_at, near in waiting if after < made_at.timestamp() <= last]
        if said or stand.matched != stand.tally.matched:
            counted = partial(_counted, after=after, unmatched=said, until=last)
            self._write(store_id, known, now=now, learned=counted)

    def _remembered(self, store_id: StoreId, *, now: datetime) -> _Remembered:
        known = self._stores.get(store_id)
        if known is not None and timedelta(0) <= now - known.read_at < READ_AGAIN_AFTER:
            return known
        kept = self._kept.find_clocks(store_id, now=now, consistent=False)
        with self._lock:
            unwritten = known.unwritten if known is not None else Unwritten()
            while len(self._stores) >= STORES_REMEMBERED_MAX:
                self._stores.pop(next(iter(self._stores)))
            stand = unwritten.onto(kept.clocks)
            spells = known.spells if known is not None else {}
            self._stores[store_id] = _Remembered(kept, now, unwritten, stand, spells)
            return self._stores[store_id]

    def _write_if_due(self, store_id: StoreId, known: _Remembered, *, now: datetime) -> None:
        if is_worth_writing(known.kept.clocks, known.stand, len(known.unwritten.votes)):
            self._write(store_id, known, now=now)

    def _write(
        self,
        store_id: StoreId,
        known: _Remembered,
        *,
        now: datetime,
        learned: Callable[[StoreClocks], StoreClocks] = lambda clocks: clocks,
    ) -> None:
        """Write whatever is unwritten, and what was learned, over whatever stands there."""
        with self._lock:
            taken, known.unwritten = known.unwritten, Unwritten()
        base = known.kept

        def change(clocks: StoreClocks) -> StoreClocks:
            changed = learned(taken.onto(clocks))
            return replace(changed, prices=changed.prices.thinned())

        try:
            written = self._written(store_id, base, change, now=now)
        except TryAgain:
            written = None
        with self._lock:
            if written is None:
                known.unwritten = taken.before(known.unwritten)
            else:
                known.kept, known.read_at = written, now
                known.stand = known.unwritten.onto(written.clocks)
        if written is not None:
            for till, offset in newly_far_off(base.clocks, written.clocks):
                self._tell_far_off(store_id, till, offset)

    def _written(
        self,
        store_id: StoreId,
        base: KeptClocksOf,
        change: Callable[[StoreClocks], StoreClocks],
        *,
        now: datetime,
    ) -> KeptClocksOf | None:
        for _ in range(WRITES_MAX):
            clocks = change(base.clocks)
            if self._kept.record_clocks(store_id, clocks, after_revision=base.revision, now=now):
                return KeptClocksOf(clocks, base.revision + 1)
            base = self._kept.find_clocks(store_id, now=now, consistent=True)
        return None


def _counted(
    clocks: StoreClocks, *, after: float, unmatched: Sequence[TailCounts], until: float
) -> StoreClocks:
    """`clocks` with the counts; as they are where somebody else has counted since `after`."""
    if clocks.tally.until != after:
        return clocks
    return clocks.with_night(unmatched, until)
