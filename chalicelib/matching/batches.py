"""Everything is at hand, a file or a store's day: learn from it, and decide all payments jointly.

Nothing is told about clocks or rates. Till clocks are learned from piles of unmatched pairs first,
then from what matches surely, over and over, as are the shares of what agrees; then all charges
and slips are explained together, one to one, with "none" on both sides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.matching.clock_learning import first_votes
from chalicelib.matching.clocks import Clocks, VotedClocks
from chalicelib.matching.decision import THRESHOLD
from chalicelib.matching.evidence import Said, SeenWith
from chalicelib.matching.lesson import Lesson
from chalicelib.matching.posterior import Shares, explain
from chalicelib.matching.rates import AT_FIRST, Rates
from chalicelib.matching.reasons import best_of, why_accepted, why_not
from chalicelib.matching.shelf import Shelf
from chalicelib.matching.sides import Charge, ChargeKind, Slip
from chalicelib.matching.weighing import Pair, Scales
from chalicelib.matching.why import Why

_ROUNDS_MIN = 3  # Clocks and rates hardly move after the third...
_ROUNDS_MAX = 8  # ...but where half of all slips come late, what is late is learned slowly.
_MOVED, _MOVED_LITTLE = 0.05, 0.002  # Of itself, and in all: less is worth no further round.


@dataclass(frozen=True, slots=True)
class Known:
    """What is known and need not be learned."""

    rates: Rates
    clocks: Clocks


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one charge.

    `probability` is the best slip's, also where it was not accepted; `runner_up` the next one's.
    `best_receipt_id` is the best slip's receipt, accepted or not: a lower threshold would take it.
    """

    payment_id: str
    receipt_id: str | None
    part: int
    probability: float
    why: Why
    runner_up: float = 0.0
    best_receipt_id: str | None = None


def match_jointly(
    charges: Sequence[Charge],
    slips: Sequence[Slip],
    *,
    threshold: float = THRESHOLD,
    known: Known | None = None,
) -> list[Outcome]:
    """Decide what each of `charges` paid for; one outcome each, in their order.

    Charges and slips may be of any number of stores; what is learned of the trade is shared by all,
    what is learned of a clock by the till. Refunds are set against returns, after the sales.
    """
    sales = _Batch([s for s in slips if not s.is_return], known)
    refunds = [c for c in charges if c.kind is ChargeKind.REFUND]
    bought = [c for c in charges if c.kind is not ChargeKind.REFUND]
    outcomes = {o.payment_id: o for o in sales.decide(bought, threshold=threshold)}
    if refunds:
        owners = {c.payment_id: c.member_id for c in bought}
        sold_to = {
            o.receipt_id: owners[o.payment_id]
            for o in outcomes.values()
            if o.receipt_id is not None
        }
        known_now = known or Known(sales.rates, sales.clocks)
        returns = _Batch([s for s in slips if s.is_return], known_now, sold_to=sold_to)
        outcomes |= {o.payment_id: o for o in returns.decide(refunds, threshold=threshold)}
    return [outcomes[charge.payment_id] for charge in charges]


class _Batch:
    """Charges and slips of one kind, and what has been learned from them so far."""

    def __init__(
        self,
        slips: Sequence[Slip],
        known: Known | None,
        *,
        sold_to: Mapping[str, str] | None = None,
    ) -> None:
        self.shelf = Shelf(slips)
        self.said = Said(self.shelf.slips)
        self.is_told = known is not None
        self.rates = known.rates if known else AT_FIRST
        self.clocks: Clocks = known.clocks if known else VotedClocks({})
        self.seen_with = SeenWith()
        self.sold_to = sold_to
        self._taken: set[int] = set()

    def decide(self, charges: Sequence[Charge], *, threshold: float) -> list[Outcome]:
        """Learn, then explain all of `charges` together."""
        merged, same_as = _merge_same_payments(charges)
        ordered = sorted(merged, key=lambda charge: (charge.at, charge.payment_id))
        if not self.is_told:
            self.clocks = VotedClocks(first_votes(ordered, self.shelf))
            for turn in range(_ROUNDS_MAX):
                before = self._learned()
                self._learn(ordered, is_first=turn == 0)
                if turn + 1 >= _ROUNDS_MIN and not _has_moved(before, self._learned()):
                    break
        scales = self._scales()
        pairs = [scales.weigh(charge) for charge in ordered]
        shares = explain([{pair.place: pair.weight for pair in given} for given in pairs])
        found = {
            charge.payment_id: self._outcome(charge, given, share, threshold)
            for charge, given, share in zip(ordered, pairs, shares, strict=True)
        }
        for payment_id, other in same_as.items():
            outcome = found[other]
            found[payment_id] = Outcome(
                payment_id,
                outcome.receipt_id,
                outcome.part,
                outcome.probability,
                Why.SAME_PURCHASE if outcome.receipt_id else outcome.why,
                outcome.runner_up,
                outcome.best_receipt_id,
            )
        return [found[charge.payment_id] for charge in charges]

    def _scales(self, *, is_learning: bool = False) -> Scales:
        known = (self.shelf, self.said, self.clocks, self.rates, self.seen_with, self.sold_to)
        return Scales(*known, is_learning=is_learning)

    def _learned(self) -> tuple[float, float]:
        """What settles last: how many receipts are missing, and how many come late."""
        return self.rates.missing, self.clocks.shape.tail.share

    def _learn(self, ordered: Sequence[Charge], *, is_first: bool) -> None:
        """One round: what matches surely votes on clocks, and counts for what agrees."""
        scales = self._scales(is_learning=True)
        lesson = Lesson(self.shelf, self.clocks, self.rates, is_first=is_first)
        for charge in ordered:
            lesson.add(charge, scales.weigh(charge))
        self.clocks = lesson.clocks()
        self.rates = lesson.rates()
        self.seen_with = lesson.seen_with

    def _outcome(
        self, charge: Charge, pairs: list[Pair], shares: Shares, threshold: float
    ) -> Outcome:
        slips = self.shelf.slips
        if not pairs:
            return Outcome(charge.payment_id, None, 0, 0.0, Why.NO_RECEIPT_YET)
        best, share, runner_up = best_of(pairs, shares, slips)
        slip = slips[best.place]
        if share >= threshold:
            part = self._part(slip, pairs, shares)
            if part is not None:
                why, taken = why_accepted(best), slip.receipt_id
                return Outcome(charge.payment_id, taken, part, share, why, runner_up, taken)
        readings = self.clocks.readings((slip.store, slip.till), charge.at)
        spread = max(readings, key=lambda reading: reading.weight).spread
        alone = max((p.weight for p in pairs), default=0.0) / (1 + sum(p.weight for p in pairs))
        why = why_not(pairs, shares, slips, alone=alone, spread=spread, threshold=threshold)
        return Outcome(charge.payment_id, None, 0, share, why, runner_up, slip.receipt_id)

    def _part(self, slip: Slip, pairs: list[Pair], shares: Shares) -> int | None:
        """The likeliest part of the receipt of `slip` that no other charge has."""
        slips = self.shelf.slips
        free = [
            pair
            for pair in pairs
            if slips[pair.place].receipt_id == slip.receipt_id and pair.place not in self._taken
        ]
        if not free:
            return None
        chosen = max(free, key=lambda pair: (shares.get(pair.place, 0.0), -pair.place)).place
        self._taken.add(chosen)
        return slips[chosen].part


def _has_moved(before: tuple[float, float], after: tuple[float, float]) -> bool:
    moved = zip(before, after, strict=True)
    return any(abs(now - then) > _MOVED * then + _MOVED_LITTLE for then, now in moved)


def _merge_same_payments(
    charges: Sequence[Charge],
) -> tuple[list[Charge], dict[str, str]]:
    """An auth and a clearing that tell of one payment under two names are one charge.

    They are of one member and store, of one second and amount, one of each kind, and do not
    contradict each other's auth code.
    """
    auths: dict[tuple[object, ...], Charge] = {}
    same_as: dict[str, str] = {}
    for charge in charges:
        if charge.kind is ChargeKind.AUTH:
            auths.setdefault(_told_of(charge), charge)
    merged = []
    taken: set[str] = set()
    for charge in charges:
        if charge.kind is ChargeKind.CLEARING:
            auth = auths.get(_told_of(charge))
            codes = {c.auth_code for c in (auth, charge) if c is not None and c.auth_code}
            if auth is not None and auth.payment_id not in taken and len(codes) < 2:
                taken.add(auth.payment_id)
                same_as[charge.payment_id] = auth.payment_id
                continue
        merged.append(charge)
    return merged, same_as


def _told_of(charge: Charge) -> tuple[object, ...]:
    return (charge.member_id, charge.stores, int(charge.at), charge.amounts[0])
