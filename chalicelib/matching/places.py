"""Where a till's clock stood from vote to vote: it is set wrong at noon, and right again at night.

Votes are walked in order of time. One that is far from where the clock stands is a stray, a slip
that came late, unless so many in a row agree that a clock that was set explains them better; where
the clock stood before, it may stand again at one vote's word. Each vote is given its place, a
number, or none where it is a stray.
"""

from collections import deque
from collections.abc import Sequence
from math import log
from statistics import median

from chalicelib.matching.scatter import Tail, core_density

Place = int

GATE_SPREADS = 5.0  # Votes that are nearer than this to each other stand at one place...
GATE_SECONDS = 4.0  # ...or nearer than this: both sides write whole seconds.
_RECENT = 8  # The last votes at a place say where it is now: clocks drift.
_SET_ANEW = log(1e-3)  # How probably a clock is set between two votes...
_ANYWHERE = log(2e-4)  # ...and stands then at this second of some five thousand.
_SET_BACK = log(0.1)  # How probably a clock that was set is set back between two votes.
_ENOUGH = log(3.0)
_PENDING_MAX = 12  # Strays in a row that are looked at again.
_SLOPE_VOTES = 16  # Apart: far enough to see a drift, near enough to see few sets.
_DRIFT_MAX = 300.0 / 86_400.0  # Seconds a second. Faster is no clock.


def places_of(
    ats: Sequence[float], offsets: Sequence[float], spread: float, tail: Tail
) -> list[Place | None]:
    """The place of each vote, in order of time; `spread` is of one vote about its place.

    Places are numbered by when they are first seen.
    """
    if len(ats) < 3:
        return [0] * len(ats)
    slope = _slope(ats, offsets)
    level = [offset - slope * (at - ats[0]) for at, offset in zip(ats, offsets, strict=True)]
    return _Walk(level, spread, tail).places


class _Walk:
    """One walk along the votes of a till, drift taken out."""

    def __init__(self, levels: list[float], spread: float, tail: Tail) -> None:
        self._levels, self._spread, self._tail = levels, spread, tail
        self._gate = max(GATE_SPREADS * spread, GATE_SECONDS)
        self.places: list[Place | None] = [None] * len(levels)
        self._recent: list[deque[float]] = [deque(maxlen=_RECENT)]
        self._here: Place = 0
        self._before: Place | None = None
        self._pending: list[int] = []
        begins = median(levels[: 2 * _RECENT])
        self._recent[0].append(begins)
        for vote in range(len(levels)):
            self._take(vote)

    def _take(self, vote: int) -> None:
        if self._is_at(self._here, vote):
            self._settle(vote)
            return
        back = self._before
        if back is not None and self._is_at(back, vote):
            gain = self._gain([vote], self._stands(back)) + _SET_BACK
            if gain > 0:
                self._before, self._here = self._here, back
                self._settle(vote)
                return
        self._pending = [*self._pending, vote][-_PENDING_MAX:]
        self._set_anew()

    def _settle(self, vote: int) -> None:
        self.places[vote] = self._here
        self._recent[self._here].append(self._levels[vote])
        self._pending = []

    def _set_anew(self) -> None:
        """Begin a new place where the last strays agree so well that it explains them."""
        last = self._levels[self._pending[-1]]
        agreeing = [v for v in self._pending if abs(self._levels[v] - last) <= self._gate]
        if 3 * len(agreeing) < 2 * (self._pending[-1] - agreeing[0] + 1):
            return
        there = median(self._levels[vote] for vote in agreeing)
        if self._gain(agreeing, there) + _SET_ANEW + _ANYWHERE < _ENOUGH:
            return
        self._before, self._here = self._here, self._known_at(there)
        for vote in agreeing:
            self.places[vote] = self._here
            self._recent[self._here].append(self._levels[vote])
        self._pending = []

    def _known_at(self, level: float) -> Place:
        """The place at `level`: one that was seen before, else a new one."""
        for place in range(len(self._recent)):
            if abs(self._stands(place) - level) <= self._gate:
                return place
        self._recent.append(deque(maxlen=_RECENT))
        return len(self._recent) - 1

    def _gain(self, votes: Sequence[int], there: float) -> float:
        """How much better the votes are explained by a clock that stands `there`, in logarithms."""
        here, spread = self._stands(self._here), self._spread
        gain = 0.0
        for vote in votes:
            level = self._levels[vote]
            near = core_density((level - there) / spread) / spread
            away = level - here
            stray = core_density(away / spread) / spread + self._tail.density(away)
            gain += log(near / stray)
        return gain

    def _is_at(self, place: Place, vote: int) -> bool:
        return abs(self._levels[vote] - self._stands(place)) <= self._gate

    def _stands(self, place: Place) -> float:
        return median(self._recent[place])


def _slope(ats: Sequence[float], offsets: Sequence[float]) -> float:
    """How fast the clock drifts, seconds a second: the median of votes some way apart."""
    apart = min(_SLOPE_VOTES, len(ats) // 2)
    slopes = [
        (offsets[vote + apart] - offsets[vote]) / (ats[vote + apart] - ats[vote])
        for vote in range(len(ats) - apart)
        if ats[vote + apart] > ats[vote]
    ]
    if not slopes:
        return 0.0
    slope = median(slopes)
    return slope if abs(slope) <= _DRIFT_MAX else 0.0
