"""What a process has seen of a store: votes on its clocks, and what receipts came to. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.matching.clocks import FEW_VOTES
from chalicelib.matching.kept_clocks import StoreClocks
from chalicelib.matching.outcome import Matched
from chalicelib.matching.prices import Sum
from chalicelib.matching.why import Why

VOTES_UNWRITTEN_MAX = 64
SUMS_UNWRITTEN_MAX = 500
TILLS_MAX = 256  # Of one store; of more, those that were seen last. A name may be anything.
FAR_OFF_SECONDS = 600.0  # No till drifts as far by itself: it was set wrong, or tells local time.
_FIRST_VOTES = 2  # Of a store: one alone says too little for a write.
_FIRST_SUMS = 16  # A page or two of a quiet store, before its process ends.
_GROWS_BY = 4  # A store is written again when it has this many times what it was kept with.
_SURE = (Why.CARD_FACTS_AGREE, Why.TIME_AND_AMOUNT_AGREE)


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


@dataclass(slots=True)
class Unwritten:
    """What a process has seen of a store and not written: votes, and the sums of receipts."""

    votes: list[Vote] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.votes or self.sums)

    def before(self, later: "Unwritten") -> "Unwritten":
        """These, and the `later` ones as far as there is room."""
        votes = [*self.votes, *later.votes][:VOTES_UNWRITTEN_MAX]
        return Unwritten(votes, [*self.sums, *later.sums][:SUMS_UNWRITTEN_MAX])

    def onto(self, clocks: StoreClocks) -> StoreClocks:
        """`clocks` after all of these."""
        stand = with_votes(clocks, self.votes)
        return stand.with_sums(self.sums) if self.sums else stand


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
    if votes >= VOTES_UNWRITTEN_MAX or grown or _are_sums_due(kept, stand):
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


def _are_sums_due(kept: StoreClocks, stand: StoreClocks) -> bool:
    before, slips = kept.prices.slips, stand.prices.slips
    return slips - before >= min(max(before // 2, _FIRST_SUMS), SUMS_UNWRITTEN_MAX)


def newly_far_off(before: StoreClocks, stand: StoreClocks) -> Iterator[tuple[str, float]]:
    """The tills whose clocks turn out to be far off, and by how much, each as it is found out."""
    for name, clock in stand.tills.items():
        was = before.tills.get(name)
        was_told = was is not None and was.votes >= FEW_VOTES and _is_far(was.offset)
        if clock.votes >= FEW_VOTES and _is_far(clock.offset) and not was_told:
            yield name, clock.offset


def _is_far(offset: float) -> bool:
    return abs(offset) > FAR_OFF_SECONDS
