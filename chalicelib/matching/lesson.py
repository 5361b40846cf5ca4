"""What one look at all charges teaches: of clocks, rates, late slips and members' digits."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from chalicelib.matching.astray import astray_votes
from chalicelib.matching.clocks import Clocks, TillKey, VotedClocks
from chalicelib.matching.devices import VERY_SURE
from chalicelib.matching.evidence import SeenWith
from chalicelib.matching.learning import RateTally
from chalicelib.matching.rates import Rates
from chalicelib.matching.scatter import TailCounts
from chalicelib.matching.shelf import Shelf
from chalicelib.matching.sides import Charge
from chalicelib.matching.till_votes import SPREAD_SECONDS, Vote
from chalicelib.matching.weighing import Pair

_COUNTS_FROM = 0.01  # A pair less probable than this says nothing of the tail.
_LIKELY = 0.5  # A pair less probable than this has not explained its charge.
_SURE = 0.9  # From here on a pair has a vote on its till's clock.


class Lesson:
    """Learns from one charge after the other, each with its pairs as they were weighed."""

    def __init__(self, shelf: Shelf, clocks: Clocks, rates: Rates, *, is_first: bool) -> None:
        """`clocks`, `rates`: by which the pairs are weighed. `is_first`: from nothing but piles."""
        self._shelf, self._shape, self._is_first = shelf, clocks.shape, is_first
        self._tally = RateTally(looks_for_tips=is_first, tips=rates.tips)
        self._tail = TailCounts()
        self._votes: dict[TillKey, list[Vote]] = defaultdict(list)
        self._spreads: list[float] = []
        self._left: list[Charge] = []
        self._taken: set[int] = set()
        self.seen_with = SeenWith()

    def add(self, charge: Charge, pairs: Sequence[Pair]) -> None:
        """Learn from `charge` and what may be its own."""
        total = 1.0 + sum(pair.weight for pair in pairs)
        self._tally.add(charge, pairs, total, self._shelf.slips)
        for pair in pairs:
            if pair.weight >= _COUNTS_FROM * total:
                far = self._shape.of_tail(pair.off_clock, pair.spread)
                self._tail = self._tail.plus(pair.weight / total, far, pair.off_clock)
        best = max(pairs, key=lambda pair: pair.weight, default=None)
        if best is None or best.weight < _LIKELY * total or not best.is_on_clock:
            self._left.append(charge)
        if best is not None and best.weight >= _SURE * total:
            self._add_sure(charge, best, is_very=best.weight >= VERY_SURE * total)

    def _add_sure(self, charge: Charge, best: Pair, *, is_very: bool) -> None:
        slip = self._shelf.slips[best.place]
        vote = Vote(charge.at, best.apart, charge.payment_id)
        self._votes[slip.store, slip.till].append(vote)
        self._spreads.append(best.spread)
        self._taken.add(best.place)
        if is_very and slip.last_four is not None:
            self.seen_with.add(charge, slip.last_four.digits)

    def clocks(self) -> VotedClocks:
        """The clocks by all votes, with the tail of what was counted.

        From the second look on, what is left over is asked for spells at tills set wrong for hours.
        """
        if not self._is_first:
            spread = median(self._spreads) if self._spreads else SPREAD_SECONDS
            found = astray_votes(self._left, self._shelf, self._taken, spread=spread)
            for till, given in found.items():
                voters = {vote.payment_id for vote in self._votes[till]}
                self._votes[till] += [vote for vote in given if vote.payment_id not in voters]
        return VotedClocks(self._votes, self._tail.tail())

    def rates(self) -> Rates:
        """The rates that what was counted makes probable."""
        return self._tally.rates()
