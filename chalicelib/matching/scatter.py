"""How the times of payments and receipts scatter about a till's clock.

A clock's reading is a mixture of places it may stand at, each with an offset (till minus bank, in
seconds) and a spread. How differences scatter about a reading is one shape for all tills: a core,
in units of the spread, learned where there is enough to learn from, and a tail in seconds, for
tabs, pumps and slow printers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import NamedTuple

TAIL_SECONDS = 300.0  # How long a tab, a pump or a slow printer takes beyond its till's habit.


class Reading(NamedTuple):
    """Where a clock may stand: how probably, and till minus bank with its spread, in seconds."""

    weight: float
    offset: float
    spread: float


_TAIL_MIN, _TAIL_MAX = 0.0005, 0.8
_TAIL_SECONDS_MIN = 20.0
_CORE_BINS = 4  # of a spread
_IMAGINED = 30.0  # Payments of the general shape.
_CORE_REACH = 8  # spreads to each side


def core_density(z: float) -> float:
    """Student's t density with five degrees of freedom: a core that expects surprises."""
    return 0.3796066898224944 / (1 + z * z / 5) ** 3


_STUDENT = tuple(
    core_density((bin_ + 0.5) / _CORE_BINS - _CORE_REACH)
    for bin_ in range(2 * _CORE_REACH * _CORE_BINS)
)


@dataclass(frozen=True, slots=True)
class Tail:
    """Receipts far from their till's habit: what share, how many of them late, how far on average.

    Late is after the card, as for tabs and pumps; the others are early, as for reserved amounts.
    """

    share: float = 0.03
    late: float = 0.5
    seconds: float = TAIL_SECONDS

    def density(self, away: float) -> float:
        """The density, per second, of being `away` seconds off, share and all."""
        side = self.late if away > 0 else 1 - self.late
        return self.share * side * exp(-abs(away) / self.seconds) / self.seconds


@dataclass(frozen=True, slots=True)
class Shape:
    """How differences scatter about a reading: density per second.

    `core` holds densities per spread in quarter-spread bins from -8 to 8.
    """

    core: tuple[float, ...] = _STUDENT
    tail: Tail = Tail()

    def density(self, seconds: float, reading: Reading) -> float:
        """The density of `seconds` (till minus bank) under `reading`."""
        away = seconds - reading.offset
        return self._near(away, reading.spread) + self.tail.density(away)

    def of_tail(self, away: float, spread: float) -> float:
        """How probably a receipt `away` seconds off belongs to the tail, not to the core."""
        far = self.tail.density(away)
        return far / (far + self._near(away, spread)) if far else 0.0

    def _near(self, away: float, spread: float) -> float:
        place = int((away / spread + _CORE_REACH) * _CORE_BINS)
        near = self.core[place] if 0 <= place < len(self.core) and away > -1e9 else 0.0
        return (1 - self.tail.share) * near / spread


class TailCounts(NamedTuple):
    """What payments said of a tail: how many had a receipt, how many of these `far` from the habit
    of its till, how many of those `late`, and how many seconds off they were together. Each counts
    as probably as it is so.
    """

    pairs: float = 0.0
    far: float = 0.0
    late: float = 0.0
    seconds: float = 0.0

    def plus(self, share: float, far: float, away: float) -> "TailCounts":
        """With a pair `away` seconds off: of a `share` that belongs, `far` of it to the tail."""
        far *= share
        late = far if away > 0 else 0.0
        return TailCounts(
            self.pairs + share, self.far + far, self.late + late, self.seconds + far * abs(away)
        )

    def tail(self) -> Tail:
        """The tail that this makes probable.

        One imagined payment of the tail, of thirty, keeps few from saying too much.
        """
        believed = Tail()
        far = self.far + 1.0
        share = min(max(far / (self.pairs + 1.0 / believed.share), _TAIL_MIN), _TAIL_MAX)
        late = min(max((self.late + believed.late) / far, 0.02), 0.98)
        seconds = max((self.seconds + believed.seconds) / far, _TAIL_SECONDS_MIN)
        return Tail(share, late, seconds)


def learn_shape(residuals: Sequence[float], tail: Tail) -> Shape:
    """The shape of `residuals`, each in units of its till's spread, with a `tail` known already.

    Thirty imagined payments of the general shape stand in for what few votes cannot say.
    """
    counts = [_IMAGINED * density / _CORE_BINS for density in _STUDENT]
    for z in residuals:
        place = int((z + _CORE_REACH) * _CORE_BINS)
        if z > -_CORE_REACH and place < len(counts):
            # Shared with the neighbours, so that a bin's luck is not taken for a law.
            counts[place] += 0.5
            counts[max(place - 1, 0)] += 0.25
            counts[min(place + 1, len(counts) - 1)] += 0.25
    total = sum(counts)
    core = tuple(count * _CORE_BINS / total for count in counts)
    return Shape(core, tail)
