"""The votes on one till: at which places it stood, and what the votes next to a moment say."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from chalicelib.matching.places import Place, places_of
from chalicelib.matching.scatter import Tail

SPREAD_SECONDS = 15.0  # Of a till that nobody knows.
SPREAD_SECONDS_MIN = 1.0  # Banks and tills write whole seconds.
NEIGHBOURS = (8, 16, 32, 64)  # Votes about a moment: few follow a drift, many average a steady one.


class Vote(NamedTuple):
    """One payment's word about a till: when, till minus bank in seconds, and whose."""

    at: float
    offset: float
    payment_id: str


class Nearby(NamedTuple):
    """What votes next to a moment say of one place: offsets before and after it, and how many
    votes the place has in all.
    """

    place: Place
    before: list[float]
    after: list[float]
    votes: int


@dataclass(slots=True)
class _Row:
    """Votes in order of time."""

    ats: list[float]
    offsets: list[float]

    def about(self, at: float, own: float | None, half: int) -> tuple[list[float], list[float]]:
        """The offsets just before and just after `at`, leaving out the vote given at `own`."""
        until = since = bisect_left(self.ats, at if own is None else own)
        if own is not None and since < len(self.ats) and self.ats[since] == own:
            since += 1
        return self.offsets[max(until - half, 0) : until], self.offsets[since : since + half]


class TillVotes:
    """The votes on one till. `spread` is of one vote, `neighbours` as how many say most."""

    __slots__ = (
        "_by_place",
        "_placed",
        "_placed_at",
        "main",
        "neighbours",
        "row",
        "spread",
        "voters",
    )

    def __init__(self, votes: Iterable[Vote], tail: Tail) -> None:
        by_time = sorted(votes)
        self.row = _Row([vote.at for vote in by_time], [vote.offset for vote in by_time])
        self.voters = {vote.payment_id: vote.at for vote in by_time}
        self.spread, self.neighbours = SPREAD_SECONDS, NEIGHBOURS[0]
        self._part([0] * len(by_time))
        self._choose_neighbours()
        self._part(places_of(self.row.ats, self.row.offsets, self.spread, tail))
        self._choose_neighbours()

    def __len__(self) -> int:
        return len(self.row.ats)

    def nearby(self, at: float, *, without: str | None) -> tuple[Nearby, ...]:
        """What the votes next to `at` say, not asking the payment `without`: of the place where
        the clock stood, of two where it stood elsewhere before than after; nothing without votes.
        """
        own = self.voters.get(without) if without is not None else None
        return self._nearby(at, own)

    def at_main(self, at: float, *, without: str | None) -> Nearby:
        """What the votes next to `at` say of the place where the till stands mostly."""
        own = self.voters.get(without) if without is not None else None
        return self._of_place(self.main, at, own)

    def residuals(self) -> Iterator[tuple[float, tuple[Nearby, ...]]]:
        """Each vote's offset, with what the others next to it say."""
        for at, offset in zip(self.row.ats, self.row.offsets, strict=True):
            yield offset, self._nearby(at, at)

    def _nearby(self, at: float, own: float | None) -> tuple[Nearby, ...]:
        if len(self._by_place) == 1:
            return (self._of_place(self.main, at, own),)
        before = bisect_left(self._placed_at, at if own is None else own)
        after = before
        if own is not None and after < len(self._placed_at) and self._placed_at[after] == own:
            after += 1
        places = [self._placed[before - 1]] if before else []
        places += self._placed[after : after + 1]
        return tuple(self._of_place(place, at, own) for place in dict.fromkeys(places))

    def _of_place(self, place: Place, at: float, own: float | None) -> Nearby:
        row = self._by_place[place]
        before, after = row.about(at, own, self.neighbours // 2)
        return Nearby(place, before, after, len(row.ats))

    def _part(self, places: list[Place | None]) -> None:
        placed = [place for place in places if place is not None]
        self._placed = placed
        self._placed_at = [
            at for at, place in zip(self.row.ats, places, strict=True) if place is not None
        ]
        self._by_place: dict[Place, _Row] = {place: _Row([], []) for place in {0, *placed}}
        for at, offset, place in zip(self.row.ats, self.row.offsets, places, strict=True):
            if place is not None:
                self._by_place[place].ats.append(at)
                self._by_place[place].offsets.append(offset)
        self.main = Counter(placed).most_common(1)[0][0] if placed else 0

    def _choose_neighbours(self) -> None:
        """The neighbourhood in which each vote is foretold best by the others at its place."""
        best = (SPREAD_SECONDS, NEIGHBOURS[0])
        longest = max(len(row.ats) for row in self._by_place.values())
        for size in NEIGHBOURS:
            misses = [miss for row in self._by_place.values() for miss in _misses(row, size // 2)]
            if not misses:
                break
            miss = 1.4826 * median(misses)
            if size == NEIGHBOURS[0] or miss < 0.97 * best[0]:
                best = (miss, size)
            if longest <= size:
                break
        self.spread, self.neighbours = max(best[0], SPREAD_SECONDS_MIN), best[1]


def middle(votes: list[float]) -> float:
    """The mean of the middle half: nearly a mean's precision, and no stray moves it."""
    if len(votes) < 4:
        return median(votes)
    ordered = sorted(votes)
    quarter = len(ordered) // 4
    inner = ordered[quarter : len(ordered) - quarter]
    return sum(inner) / len(inner)


def _misses(row: _Row, half: int) -> Iterator[float]:
    for place, offset in enumerate(row.offsets):
        others = row.offsets[max(place - half, 0) : place]
        others += row.offsets[place + 1 : place + 1 + half]
        if others:
            yield abs(offset - middle(others))
