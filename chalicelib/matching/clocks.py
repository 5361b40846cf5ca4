"""Till clocks: how far a till's clock stands off the bank's at a moment, and how surely.

What many payments say of a till, each with one vote, is kept in full where everything is at hand
(here), and in a few bytes where it is not (`kept_clocks`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import median
from typing import Protocol

from chalicelib.matching.scatter import Reading, Shape, Tail, learn_shape
from chalicelib.matching.till_votes import SPREAD_SECONDS, Nearby, TillVotes, Vote, middle

BETWEEN_TILLS_SECONDS = 75.0  # How far clocks of unknown tills stand apart.
FEW_VOTES = 5  # Below, a till's own votes are weighed against what tills are like in general.

TillKey = tuple[str, str | None]  # store, till


class Clocks(Protocol):
    """What the matcher asks of clocks."""

    @property
    def shape(self) -> Shape:
        """How differences scatter about a reading."""

    def readings(
        self, till: TillKey, at: float, *, without: str | None = None
    ) -> tuple[Reading, ...]:
        """Where the clock of `till` may stand at `at`, not asking the payment `without`."""

    def reaches(self, store: str) -> tuple[tuple[float, float], ...]:
        """Where receipts of `store` may lie: spans of till minus bank, in seconds, disjoint."""


REACH_SECONDS = 900.0  # To each side of where a clock stands; beyond it a tail is not worth a look.


@dataclass(frozen=True, slots=True)
class Belief:
    """What tills are like in general: how far apart they stand, and how they scatter."""

    between: float = BETWEEN_TILLS_SECONDS
    spread: float = SPREAD_SECONDS

    def of_unknown(self) -> tuple[Reading, ...]:
        """The readings of a till that nobody has voted on."""
        return (
            Reading(0.85, 0.0, hypot(self.between, self.spread)),
            Reading(0.15, 0.0, 4 * self.between),
        )


class VotedClocks:
    """Clocks by all votes at hand: near a moment, the votes about it count."""

    def __init__(self, votes: Mapping[TillKey, Iterable[Vote]], tail: Tail | None = None) -> None:
        """`tail`: of the shape, where it was learned."""
        self._tail = tail or Tail()
        self._tills = {till: TillVotes(given, self._tail) for till, given in votes.items()}
        self._settle()
        self._reaches: dict[str, tuple[tuple[float, float], ...]] = {}
        self._silent: dict[str, tuple[Reading, ...]] = {}

    @property
    def shape(self) -> Shape:
        """How the votes scatter, all tills together."""
        return self._shape

    def readings(
        self, till: TillKey, at: float, *, without: str | None = None
    ) -> tuple[Reading, ...]:
        """Where the clock of `till` may stand at `at`."""
        known = self._tills.get(till)
        if known is None or not known:
            return self._of_silent(till[0])
        found = known.nearby(at, without=without)
        if len(found) == 1 and found[0].place == known.main:
            return self._read(known, found[0]) or self._of_silent(till[0])
        main = self._read(known, known.at_main(at, without=without)) or self._of_silent(till[0])
        return self._of_several(known, found, main)

    def reaches(self, store: str) -> tuple[tuple[float, float], ...]:
        """About nought, and about wherever a till of the store stands by its votes."""
        if store not in self._reaches:
            spans = [(-REACH_SECONDS, REACH_SECONDS)]
            for (place, _), known in self._tills.items():
                if place == store:
                    spans += [(o - REACH_SECONDS, o + REACH_SECONDS) for o in known.row.offsets]
            self._reaches[store] = merged_spans(spans)
        return self._reaches[store]

    def standing(self, store: str, at: float) -> dict[str | None, tuple[float, float, int]]:
        """Offset, spread and votes of each till of `store` at `at`, where it stands at one place.

        For tills with enough votes of their own.
        """
        found = {}
        for (place, till), known in self._tills.items():
            if place == store and len(known) >= FEW_VOTES:
                readings = self.readings((place, till), at)
                if len(readings) == 1:
                    found[till] = (readings[0].offset, known.spread, len(known))
        return found

    def _read(self, known: TillVotes, near: Nearby) -> tuple[Reading, ...]:
        before, after = near.before, near.after
        votes = before + after
        if not votes:
            return ()
        if len(votes) < FEW_VOTES:
            return self._of_few(votes, known.spread)
        if len(before) >= 2 and len(after) >= 2:
            first, second = middle(before), middle(after)
            noise = known.spread * sqrt(1 / len(before) + 1 / len(after))
            if abs(first - second) > 4 * noise + 2:
                # The clock was set, or ran away, between them: it may stand at either place.
                return (Reading(0.5, first, known.spread), Reading(0.5, second, known.spread))
        return (Reading(1.0, middle(votes), known.spread * sqrt(1 + 1 / len(votes))),)

    def _of_several(
        self, known: TillVotes, found: Iterable[Nearby], main: tuple[Reading, ...]
    ) -> tuple[Reading, ...]:
        """The clock stood, or may have stood, elsewhere than mostly: as surely as votes say so."""
        elsewhere = [near for near in found if near.place != known.main]
        is_between = len(elsewhere) != len(tuple(found))
        readings = []
        for near in elsewhere:
            votes = near.before + near.after
            if votes:
                sure = 1 - 0.5 / len(votes) if len(votes) > 1 else 0.25
                weight = sure / (len(elsewhere) + is_between)
                spread = known.spread * sqrt(1 + 1 / len(votes))
                readings.append(Reading(weight, middle(votes), spread))
        left = 1 - sum(reading.weight for reading in readings)
        return (*readings, *(Reading(left * r.weight, r.offset, r.spread) for r in main))

    def _of_few(self, votes: list[float], spread: float) -> tuple[Reading, ...]:
        """Few votes against what tills are like: precision-weighted, unless they are far off."""
        middle, between = median(votes), self._belief.between
        own = len(votes) / (spread * spread)
        general = 1 / (between * between) if abs(middle) < 4 * between else 0.0
        offset = middle * own / (own + general)
        certain = Reading(0.9, offset, sqrt(spread * spread + 1 / (own + general)))
        return (certain, Reading(0.1, 0.0, 4 * between))

    def _of_silent(self, store: str) -> tuple[Reading, ...]:
        """A till without votes may stand where the others of its store stand."""
        others = [
            median(known.row.offsets)
            for (place, _), known in self._tills.items()
            if place == store and len(known) >= FEW_VOTES
        ]
        general = self._belief.of_unknown()
        if not others or abs(median(others)) < 2 * self._belief.between:
            return general
        shared = Reading(0.5, median(others), hypot(self._belief.between, self._belief.spread))
        return (shared, *(Reading(r.weight / 2, r.offset, r.spread) for r in general))

    def _settle(self) -> None:
        """What tills are like in general, and each till's spread by it; then the shape of all."""
        tills = self._tills.values()
        spreads = [known.spread for known in tills if len(known) >= 3 * FEW_VOTES]
        spread = median(spreads) if spreads else SPREAD_SECONDS
        offsets = [median(known.row.offsets) for known in tills if len(known) >= FEW_VOTES]
        between = BETWEEN_TILLS_SECONDS
        if len(offsets) >= 6:
            between = max(1.4826 * median(abs(offset) for offset in offsets), 10.0)
        self._belief = Belief(between, spread)
        for known in tills:
            n = len(known)
            own = known.spread * known.spread * n if n >= FEW_VOTES else 0.0
            counted = n if n >= FEW_VOTES else 0
            known.spread = sqrt((own + 10 * spread * spread) / (counted + 10))
        self._shape = learn_shape(list(self._residuals()), self._tail)

    def _residuals(self) -> Iterable[float]:
        for known in self._tills.values():
            if len(known) < FEW_VOTES + 1:
                continue
            for offset, found in known.residuals():
                readings = [reading for near in found for reading in self._read(known, near)]
                if readings:
                    nearest = min(readings, key=lambda r: abs(offset - r.offset))
                    yield (offset - nearest.offset) / nearest.spread


def merged_spans(spans: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """`spans` where those that touch are one, in order."""
    merged: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)
