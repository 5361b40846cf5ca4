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


_CORE_BINS = 4  # of a spread
_CORE_REACH = 8  # spreads to each side


def _student(z: float) -> float:
    """Student's t density with five degrees of freedom: a core that expects surprises."""
    return 0.3796066898224944 / (1 + z * z / 5) ** 3


_STUDENT = tuple(
    _student((bin_ + 0.5) / _CORE_BINS - _CORE_REACH)
    for bin_ in range(2 * _CORE_REACH * _CORE_BINS)
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How differences scatter about a reading: density per second.

    `core` holds densities per spread in quarter-spread bins from -8 to 8; `tail` is the share of
    payments beyond it.
    """

    core: tuple[float, ...] = _STUDENT
    tail: float = 0.03

    def density(self, seconds: float, reading: Reading) -> float:
        """The density of `seconds` (till minus bank) under `reading`."""
        away = seconds - reading.offset
        place = int((away / reading.spread + _CORE_REACH) * _CORE_BINS)
        near = self.core[place] if 0 <= place < len(self.core) and away > -1e9 else 0.0
        far = self.tail * exp(-abs(away) / TAIL_SECONDS) / (2 * TAIL_SECONDS)
        return (1 - self.tail) * near / reading.spread + far


def learn_shape(residuals: Sequence[float]) -> Shape:
    """The shape of `residuals`, each in units of its till's spread.

    Thirty imagined payments of the general shape stand in for what few votes cannot say.
    """
    counts = [30 * density / _CORE_BINS for density in _STUDENT]
    beyond, inside = 1.0, 29.0
    for z in residuals:
        place = int((z + _CORE_REACH) * _CORE_BINS)
        if z > -_CORE_REACH and place < len(counts):
            inside += 1
            # Shared with the neighbours, so that a bin's luck is not taken for a law.
            counts[place] += 0.5
            counts[max(place - 1, 0)] += 0.25
            counts[min(place + 1, len(counts) - 1)] += 0.25
        else:
            beyond += 1
    total = sum(counts)
    core = tuple(count * _CORE_BINS / total for count in counts)
    return Shape(core, tail=min(max(beyond / (beyond + inside), 0.005), 0.3))
