"""The clocks of stores' tills as one process has them, and as its matches vote on them.

A process remembers what it read for an hour: clocks drift by seconds in that time, and a clock that
is set is seen by the votes of whoever looks. Votes gather in the process and are written where they
change something: when a store has four times as many as are kept, when a new till of an old store
becomes known, when a clock has moved or was set, and every sixty-four. What dies with a process is
a few votes of many. What is written twice, because an answer was lost, counts as one or two of
sixty-four. So neither has to be prevented.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Protocol

from chalicelib.kernel.ids import StoreId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching.clocks import FEW_VOTES, TillKey, VotedClocks
from chalicelib.matching.kept_clocks import NO_CLOCKS, StoreClocks
from chalicelib.matching.outcome import Matched
from chalicelib.matching.scatter import TailCounts
from chalicelib.matching.spells import Spells, spells_of
from chalicelib.matching.till_votes import Vote as TillVote
from chalicelib.matching.why import Why

READ_AGAIN_AFTER = timedelta(hours=1)
STORES_REMEMBERED_MAX = 5_000
VOTES_UNWRITTEN_MAX = 64
WRITES_MAX = 3  # Of one store's votes, against other processes that write theirs.
TILLS_MAX = 256  # Of one store; of more, those that were seen last. A name may be anything.
_FIRST_VOTES = 2  # Of a store: one alone says too little for a write.
_GROWS_BY = 4  # A store is written again when it has this many times the votes it was kept with.
_SURE = (Why.CARD_FACTS_AGREE, Why.TIME_AND_AMOUNT_AGREE)
FAR_OFF_SECONDS = 600.0  # No till drifts as far by itself: it was set wrong, or tells local time.


@dataclass(frozen=True, slots=True)
class Vote:
    """One sure match's word: the till was `offset` seconds ahead of the bank at UNIX time `at`."""

    till: str | None
    offset: float
    at: float


def vote_of(matched: Matched, made_at: datetime) -> Vote | None:
    """What the match of a payment made at `made_at` says of its till's clock, if it was sure."""
    if matched.why not in _SURE:
        return None
    receipt = matched.part.receipt
    return Vote(receipt.till, (receipt.issued_at - made_at).total_seconds(), made_at.timestamp())


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
    unwritten: list[Vote]
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
            known.unwritten.append(given)
            known.stand = with_votes(known.stand, [given])
            is_due = is_worth_writing(known.kept.clocks, known.stand, len(known.unwritten))
        if is_due:
            self._write(store_id, known, now=now)

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
            unwritten = known.unwritten if known is not None else []
            while len(self._stores) >= STORES_REMEMBERED_MAX:
                self._stores.pop(next(iter(self._stores)))
            stand = with_votes(kept.clocks, unwritten)
            spells = known.spells if known is not None else {}
            self._stores[store_id] = _Remembered(kept, now, unwritten, stand, spells)
            return self._stores[store_id]

    def _write(
        self,
        store_id: StoreId,
        known: _Remembered,
        *,
        now: datetime,
        learned: Callable[[StoreClocks], StoreClocks] = lambda clocks: clocks,
    ) -> None:
        """Write the votes that are unwritten, and what was learned, over whatever stands there."""
        with self._lock:
            votes, known.unwritten = known.unwritten, []
        base = known.kept

        def change(clocks: StoreClocks) -> StoreClocks:
            return learned(with_votes(clocks, votes))

        try:
            written = self._written(store_id, base, change, now=now)
        except TryAgain:
            written = None
        with self._lock:
            if written is None:
                known.unwritten = [*votes, *known.unwritten][:VOTES_UNWRITTEN_MAX]
            else:
                known.kept, known.read_at = written, now
                known.stand = with_votes(written.clocks, known.unwritten)
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


def with_votes(clocks: StoreClocks, votes: Iterable[Vote]) -> StoreClocks:
    """`clocks` after `votes`."""
    for one in votes:
        clocks = clocks.with_vote(one.till, one.offset, one.at)
    if len(clocks.tills) > TILLS_MAX:
        latest = sorted(clocks.tills.items(), key=lambda till: till[1].at)[-TILLS_MAX:]
        clocks = replace(clocks, tills=dict(latest))
    return clocks


def is_worth_writing(kept: StoreClocks, stand: StoreClocks, votes: int) -> bool:
    """Whether what a process knows differs enough from what is kept to cost a write."""
    grown = stand.matched >= max(_GROWS_BY * kept.matched, _FIRST_VOTES)
    if votes >= VOTES_UNWRITTEN_MAX or grown:
        return True
    for name, clock in stand.tills.items():
        before = kept.tills.get(name)
        is_known = clock.votes >= FEW_VOTES
        if before is None or before.votes < FEW_VOTES:
            if is_known and kept.matched >= VOTES_UNWRITTEN_MAX:
                return True
        elif not is_known or abs(clock.offset - before.offset_at(clock.at)) > before.spread / 2:
            return True
    return False


def newly_far_off(before: StoreClocks, stand: StoreClocks) -> Iterator[tuple[str, float]]:
    """The tills whose clocks turn out to be far off, and by how much, each as it is found out."""
    for name, clock in stand.tills.items():
        was = before.tills.get(name)
        was_told = was is not None and was.votes >= FEW_VOTES and _is_far(was.offset)
        if clock.votes >= FEW_VOTES and _is_far(clock.offset) and not was_told:
            yield name, clock.offset


def _is_far(offset: float) -> bool:
    return abs(offset) > FAR_OFF_SECONDS
