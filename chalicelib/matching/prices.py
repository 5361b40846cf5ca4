"""How often each sum is paid at a store, counted over weeks in a few kilobytes.

An hour of a small shop is some twenty slips: a price that stands there once may be its most usual
one. Whoever decides by time and amount has to know which.

Sums are counted lossily, after G. S. Manku and R. Motwani, "Approximate frequency counts over data
streams" (VLDB 2002): what is kept is bounded, and so is what a sum that is not kept can have been
counted. How often a sum comes again that was seen once is by Good and Turing (I. J. Good, "The
population frequencies of species and the estimation of population parameters", 1953).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from struct import Struct

Sum = tuple[int, str]  # Minor units, and their currency.

KEPT_MAX = 400  # Sums of a store, the most usual ones: some 2.4 KB.
_COUNTED_MAX = 4_000  # Slips, then all counts are halved: what a store sells changes.
_SINGLES_AGAIN = 0.2  # Until counted: an amount seen once is expected a fifth of a time more.
_SINGLES_BELIEVED = 20  # So many amounts seen once count as much as that.
_HEAD = Struct(">HHB")  # slips, times of a sum that is not kept, currencies
_CURRENCY = Struct(">3sH")  # and its sums
_SUM = Struct(">IH")  # minor units, times
_MINOR_MAX = 2**32 - 1


def expected_again(times: Iterable[int]) -> float:
    """How often an amount that was seen once is to be expected beside itself, where amounts were
    seen so many `times`.
    """
    seen = Counter(times)
    again = (2 * seen[2] + _SINGLES_BELIEVED * _SINGLES_AGAIN) / (seen[1] + _SINGLES_BELIEVED)
    return min(max(again, 0.02), 1.0)


@dataclass(frozen=True, slots=True)
class Prices:
    """Of `slips`, how many at most were of each sum in `times`, and `unkept` of any other sum.

    `again` is `expected_again` of the times.
    """

    slips: int = 0
    times: Mapping[Sum, int] = field(default_factory=dict)
    unkept: int = 0
    again: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "again", expected_again(self.times.values()))

    def times_of(self, paid: Sum) -> int:
        """How often `paid` was counted, at most."""
        return self.times.get(paid, self.unkept)

    def plus(self, sums: Iterable[Sum]) -> "Prices":
        """These with the sums of more slips."""
        times, slips = dict(self.times), self.slips
        for paid in sums:
            if 0 < paid[0] <= _MINOR_MAX:
                times[paid] = times.get(paid, self.unkept) + 1
                slips += 1
        return Prices(slips, times, self.unkept)

    def thinned(self) -> "Prices":
        """These within the bounds of what is kept."""
        slips, times, unkept = self.slips, self.times, self.unkept
        while slips > _COUNTED_MAX:
            slips, unkept = slips // 2, -(-unkept // 2)
            times = {paid: half for paid, count in times.items() if (half := count // 2)}
        if len(times) > KEPT_MAX:
            by_times = sorted(times.items(), key=lambda one: (-one[1], one[0]))
            unkept = max(unkept, by_times[KEPT_MAX][1])
            times = dict(by_times[:KEPT_MAX])
        return Prices(slips, times, unkept)

    def to_bytes(self) -> bytes:
        """Six bytes for each sum, and ten for the rest where there is one currency."""
        thin = self.thinned()
        by_currency: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for (minor, currency), count in thin.times.items():
            by_currency[currency].append((minor, count))
        parts = [_HEAD.pack(thin.slips, thin.unkept, len(by_currency))]
        for currency, sums in sorted(by_currency.items()):
            parts.append(_CURRENCY.pack(currency.encode(), len(sums)))
            parts += [_SUM.pack(minor, count) for minor, count in sorted(sums)]
        return b"".join(parts)


NO_PRICES = Prices()


def prices_from(kept: bytes, place: int) -> tuple[Prices, int]:
    """What `Prices.to_bytes` wrote to `place` of `kept`, and the place behind it."""
    slips, unkept, currencies = _HEAD.unpack_from(kept, place)
    place += _HEAD.size
    times: dict[Sum, int] = {}
    for _ in range(currencies):
        currency, count = _CURRENCY.unpack_from(kept, place)
        place += _CURRENCY.size
        for minor, seen in _SUM.iter_unpack(kept[place : place + count * _SUM.size]):
            times[minor, currency.decode()] = seen
        place += count * _SUM.size
    return Prices(slips, times, unkept), place
