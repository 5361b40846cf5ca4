"""How often receipts are missing about a moment: a till that is wrong for hours, a line that drops.

Where missing receipts come in runs, a payment's neighbours say more about it than the store's
average: among those that found theirs it is safer, in a run of those that did not, less so. How
much more is measured: by how alike neighbours are (the correlation within clusters, by which a
beta-binomial share is shrunk; J. G. Skellam, 1948). Where they are no more alike than chance makes
them, only the average counts.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import sqrt

NEIGHBOURS = 10  # To each side: a spell of hours is seen, and four tills are told of.
_LAGS = (1, 2, 3, 4, 5)
_CHANCE = 2.0  # Standard errors of likeness that are put down to chance.
_FIRMNESS_MAX = 1e6
_SPREAD_MIN = 1e-9


class Nearby:
    """The shares by which the payments of a store miss their receipt, in order of time."""

    def __init__(self, missing: Iterable[tuple[float, float]]) -> None:
        """`missing`: when each payment was made, and how probably it has no receipt."""
        ordered = sorted(missing)
        self._ats = [at for at, _ in ordered]
        self._sums = list(accumulate((share for _, share in ordered), initial=0.0))

    def share(self, at: float, *, average: float, firmness: float) -> float:
        """The share about `at`, without whoever paid at that very moment.

        `average` counts as `firmness` payments.
        """
        before, after = bisect_left(self._ats, at), bisect_right(self._ats, at)
        first, last = max(before - NEIGHBOURS, 0), min(after + NEIGHBOURS, len(self._ats))
        missing = self._sums[before] - self._sums[first] + self._sums[last] - self._sums[after]
        count = before - first + last - after
        return (missing + average * firmness) / (count + firmness)


def firmness(runs: Iterable[Sequence[float]]) -> float:
    """As how many neighbours the average counts, from each store's shares in order of time."""
    pairs: list[tuple[float, float]] = []
    for run in runs:
        for lag in _LAGS:
            pairs += zip(run, run[lag:], strict=False)
    if not pairs:
        return _FIRMNESS_MAX
    count = len(pairs)
    mean = sum(first + second for first, second in pairs) / (2 * count)
    spread = sum((f - mean) ** 2 + (s - mean) ** 2 for f, s in pairs) / (2 * count)
    if spread < _SPREAD_MIN:
        return _FIRMNESS_MAX
    alike = sum((f - mean) * (s - mean) for f, s in pairs) / count / spread
    alike -= _CHANCE / sqrt(count / len(_LAGS))
    return 1.0 / alike - 1.0 if alike > 1.0 / _FIRMNESS_MAX else _FIRMNESS_MAX
