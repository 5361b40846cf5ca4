"""Till clocks: how far a till's clock stands off the bank's at a moment, and how surely.

What many payments say of a till, each with one vote, is kept in full where everything is at hand
(here), and in a few bytes where it is not (`kept_clocks`).
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import hypot, sqrt
from statistics import median
from typing import NamedTuple, Protocol

from chalicelib.matching.scatter import Reading, Shape, Tail, learn_shape

SPREAD_SECONDS = 15.0  # Of a till that nobody knows.
SPREAD_SECONDS_MIN = 1.0  # Banks and tills write whole seconds.
BETWEEN_TILLS_SECONDS = 75.0  # How far clocks of unknown tills stand apart.
NEIGHBOURS = (8, 16, 32, 64)  # Votes about a moment: few follow a drift, many average a steady one.
FEW_VOTES = 5  # Below, a till's own votes are weighed against what tills are like in general.

TillKey = tuple[str, str | None]  # store, till


class Vote(NamedTuple):
    """One payment's word about a till: when, till minus bank in seconds, and whose."""

    at: float
    offset: float
    payment_id: str


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


@dataclass(slots=True)
class _Till:
    """The votes on one till, by time, and what they came to."""

    ats: list[float] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    voters: dict[str, float] = field(default_factory=dict)
    neighbours: int = NEIGHBOURS[0]
    spread: float = SPREAD_SECONDS


class VotedClocks:
    """Clocks by all votes at hand: near a moment, the votes about it count."""

    def __init__(self, votes: Mapping[TillKey, Iterable[Vote]], tail: Tail | None = None) -> None:
        """`tail`: of the shape, where it was learned."""
        self._tail = tail or Tail()
        self._tills = {till: _sorted(given) for till, given in votes.items()}
        self._settle()
        self._reaches: dict[str, tuple[tuple[float, float], ...]] = {}

    @property
    def shape(self) -> Shape:
        """How the votes scatter, all tills together."""
        return self._shape

    def readings(
        self, till: TillKey, at: float, *, without: str | None = None
    ) -> tuple[Reading, ...]:
        """Where the clock of `till` may stand at `at`."""
        known = self._tills.get(till)
        if known is None or not known.ats:
            return self._of_silent(till[0])
        own = known.voters.get(without) if without is not None else None
        before, after = _about(known, at, own)
        return self._read(known, before, after) or self._of_silent(till[0])

    def reaches(self, store: str) -> tuple[tuple[float, float], ...]:
        """About nought, and about wherever a till of the store stands by its votes."""
        if store not in self._reaches:
            spans = [(-REACH_SECONDS, REACH_SECONDS)]
            for (place, _), known in self._tills.items():
                if place == store:
                    spans += [(o - REACH_SECONDS, o + REACH_SECONDS) for o in known.offsets]
            self._reaches[store] = merged_spans(spans)
        return self._reaches[store]

    def standing(self, store: str, at: float) -> dict[str | None, tuple[float, float, int]]:
        """Offset, spread and votes of each till of `store` at `at`, where it stands at one place.

        For tills with enough votes of their own.
        """
        found = {}
        for (place, till), known in self._tills.items():
            if place == store and len(known.ats) >= FEW_VOTES:
                readings = self.readings((place, till), at)
                if len(readings) == 1:
                    found[till] = (readings[0].offset, known.spread, len(known.ats))
        return found

    def _read(self, known: _Till, before: list[float], after: list[float]) -> tuple[Reading, ...]:
        votes = before + after
        if not votes:
            return ()
        if len(votes) < FEW_VOTES:
            return self._of_few(votes, known.spread)
        if len(before) >= 2 and len(after) >= 2:
            first, second = _middle(before), _middle(after)
            noise = known.spread * sqrt(1 / len(before) + 1 / len(after))
            if abs(first - second) > 4 * noise + 2:
                # The clock was set, or ran away, between them: it may stand at either place.
                return (Reading(0.5, first, known.spread), Reading(0.5, second, known.spread))
        return (Reading(1.0, _middle(votes), known.spread * sqrt(1 + 1 / len(votes))),)

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
            median(known.offsets)
            for (place, _), known in self._tills.items()
            if place == store and len(known.offsets) >= FEW_VOTES
        ]
        general = self._belief.of_unknown()
        if not others or abs(median(others)) < 2 * self._belief.between:
            return general
        shared = Reading(0.5, median(others), hypot(self._belief.between, self._belief.spread))
        return (shared, *(Reading(r.weight / 2, r.offset, r.spread) for r in general))

    def _settle(self) -> None:
        """Choose each till's neighbourhood and spread; then the shape of all."""
        for known in self._tills.values():
            _choose_neighbours(known)
        spreads = [k.spread for k in self._tills.values() if len(k.ats) >= 3 * FEW_VOTES]
        spread = median(spreads) if spreads else SPREAD_SECONDS
        offsets = [median(k.offsets) for k in self._tills.values() if len(k.ats) >= FEW_VOTES]
        between = BETWEEN_TILLS_SECONDS
        if len(offsets) >= 6:
            between = max(1.4826 * median(abs(offset) for offset in offsets), 10.0)
        self._belief = Belief(between, spread)
        for known in self._tills.values():
            n = len(known.ats)
            own = known.spread * known.spread * n if n >= FEW_VOTES else 0.0
            counted = n if n >= FEW_VOTES else 0
            known.spread = sqrt((own + 10 * spread * spread) / (counted + 10))
        self._shape = learn_shape(list(self._residuals()), self._tail)

    def _residuals(self) -> Iterable[float]:
        for known in self._tills.values():
            if len(known.ats) < FEW_VOTES + 1:
                continue
            for place in range(len(known.ats)):
                offset = known.offsets[place]
                readings = self._read(known, *_neighbours(known, place, place + 1))
                nearest = min(readings, key=lambda r: abs(offset - r.offset))
                yield (offset - nearest.offset) / nearest.spread


def _sorted(votes: Iterable[Vote]) -> _Till:
    by_time = sorted(votes)
    return _Till(
        [vote.at for vote in by_time],
        [vote.offset for vote in by_time],
        {vote.payment_id: vote.at for vote in by_time},
    )


def _about(known: _Till, at: float, own: float | None) -> tuple[list[float], list[float]]:
    """The votes next to `at`, before and after it, leaving out the one given at `own`."""
    if own is None:
        place = bisect_left(known.ats, at)
        return _neighbours(known, place, place)
    place = bisect_left(known.ats, own)
    return _neighbours(known, place, place + 1)


def _neighbours(known: _Till, until: int, since: int) -> tuple[list[float], list[float]]:
    """The votes just before the place `until`, and those from the place `since` on."""
    half = known.neighbours // 2
    return known.offsets[max(until - half, 0) : until], known.offsets[since : since + half]


def _middle(votes: list[float]) -> float:
    """The mean of the middle half: nearly a mean's precision, and no stray moves it."""
    if len(votes) < 4:
        return median(votes)
    ordered = sorted(votes)
    quarter = len(ordered) // 4
    inner = ordered[quarter : len(ordered) - quarter]
    return sum(inner) / len(inner)


def _choose_neighbours(known: _Till) -> None:
    """The neighbourhood in which each vote is foretold best by the others."""
    best = None
    for size in NEIGHBOURS:
        known.neighbours = size
        misses = []
        for place in range(len(known.ats)):
            before, after = _neighbours(known, place, place + 1)
            if before or after:
                misses.append(abs(known.offsets[place] - _middle(before + after)))
        miss = 1.4826 * median(misses) if misses else SPREAD_SECONDS
        if best is None or miss < 0.97 * best[0]:
            best = (miss, size)
        if len(known.ats) <= size:
            break
    assert best is not None
    known.spread, known.neighbours = max(best[0], SPREAD_SECONDS_MIN), best[1]


def merged_spans(spans: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """`spans` where those that touch are one, in order."""
    merged: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)
