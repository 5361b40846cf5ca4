"""When sales happen and what they cost: drawing, and the true probabilities."""

import math
from itertools import accumulate
from random import Random

from infra.matchbench.street import Street, Tips

MINUTES = 1_440
FREE_FROM, FREE_TO = 150, 6_000  # Minor units of amounts that are no sum of price points.
ITEMS = (0.4, 0.35, 0.25)  # Shares of baskets of one, two and three items, as far as there are.
ZIPF = 1.0
HALVES_SHARE = 0.6  # Of split bills, those that are split evenly.
_PEAKS = ((8.5, 0.7, 0.15), (12.75, 0.75, 0.25), (17.75, 1.0, 0.2))  # hour, spread, share
_NIGHT_PEAKS = ((23.0, 1.5, 0.3), (25.5, 1.5, 0.3))


class Arrivals:
    """When sales happen within a day: peaks at breakfast, lunch and after work, or at night."""

    def __init__(self, street: Street) -> None:
        weights = [_weight(minute / 60.0, by_night=street.by_night) for minute in range(MINUTES)]
        self._share = [weight / sum(weights) for weight in weights]
        self._bounds = list(accumulate(self._share))

    def draw(self, random: Random, count: int) -> list[float]:
        """`count` seconds after midnight, in order."""
        minutes = random.choices(range(MINUTES), cum_weights=self._bounds, k=count)
        chance = random.random
        return sorted(60.0 * minute + 60.0 * chance() for minute in minutes)

    def share_per_second(self, seconds: float) -> float:
        """The share of a day's sales that falls into one second, so many seconds after midnight.

        Never nothing: a clock that is put right wrongly may say that a shop sold at four.
        """
        return max(self._share[int(seconds // 60) % MINUTES], 1e-7) / 60.0


def _weight(hour: float, *, by_night: bool) -> float:
    if by_night:
        hour += 24.0 if hour < 12.0 else 0.0
    opens, closes, peaks = (18.0, 30.0, _NIGHT_PEAKS) if by_night else (7.0, 21.0, _PEAKS)
    flat = (1.0 - sum(share for _, _, share in peaks)) / (closes - opens)
    told = flat if opens <= hour < closes else 0.0
    for middle, spread, share in peaks:
        told += (
            share
            / spread
            / math.sqrt(2 * math.pi)
            * math.exp(-0.5 * ((hour - middle) / spread) ** 2)
        )
    return told


class Amounts:
    """What a retailer's baskets cost, in minor units."""

    def __init__(self, street: Street, random: Random) -> None:
        self._free = street.free_form_share
        self._split = street.split_share
        prices = random.sample(range(60, 900, 5), street.price_points)
        weights = [1.0 / (rank + 1) ** ZIPF for rank in range(len(prices))]
        items = ITEMS[: street.items_max]
        self._share = _sums(prices, [w / sum(weights) for w in weights], items)
        self._values = list(self._share)
        self._bounds = list(accumulate(self._share.values()))
        self._inverse = sum(share / amount for amount, share in self._share.items())
        self._charged = _with_tips(self._share, street.tip_share) if street.tip_share else None

    def draw(self, random: Random, count: int) -> list[int]:
        """What `count` baskets cost."""
        drawn = random.choices(self._values, cum_weights=self._bounds, k=count)
        chance, free = random.random, self._free
        width = FREE_TO - FREE_FROM
        return [FREE_FROM + int(width * chance()) if chance() < free else a for a in drawn]

    def of_slip(self, amount: int) -> float:
        """The probability that a slip of a whole basket, or of a part, is over `amount`."""
        whole = self._of(self._share, amount)
        if not self._split:
            return whole
        parts = 2 * self._split
        halves = self._of(self._share, 2 * amount) + self._of(self._share, 2 * amount - 1)
        part = HALVES_SHARE * halves + (1 - HALVES_SHARE) * self._inverse
        return ((1 - self._split) * whole + parts * part) / (1 - self._split + parts)

    def of_charge(self, amount: int) -> float:
        """The probability that a charge, tip included, is over `amount`."""
        if self._charged is None:
            return self.of_slip(amount)
        return self._of(self._charged, amount)

    def _of(self, share: dict[int, float], amount: int) -> float:
        free = self._free / (FREE_TO - FREE_FROM)
        is_told = FREE_FROM <= amount < FREE_TO or self._split or self._charged is not None
        return (1 - self._free) * share.get(amount, 0.0) + (free if is_told else 1e-9)


def tips_of(amount: int) -> tuple[tuple[int, float], ...]:
    """The tips that guests leave on `amount`, with their shares: a tenth, an eighth, rounded up."""
    return ((round(amount * 0.1), 0.4), (round(amount * 0.125), 0.3), (100 - amount % 100, 0.3))


def tip_share_of(amount: int, tip: int, street: Street) -> float:
    """The probability that a sale over `amount` ends with this `tip`."""
    if tip == 0:
        return 1 - street.tip_share
    return street.tip_share * sum(share for left, share in tips_of(amount) if left == tip)


def is_tip_seen(tips: Tips) -> bool:
    """Whether the slip says what was charged, tip and all."""
    return tips in (Tips.WITHIN, Tips.BESIDE)


def _sums(prices: list[int], weights: list[float], items: tuple[float, ...]) -> dict[int, float]:
    """The distribution of the sum of one to three prices."""
    one = dict(zip(prices, weights, strict=True))
    found: dict[int, float] = {}
    sums = {0: 1.0}
    for share in items:
        sums = _added(sums, one)
        for amount, probability in sums.items():
            found[amount] = found.get(amount, 0.0) + probability * share / sum(items)
    return found


def _added(sums: dict[int, float], one: dict[int, float]) -> dict[int, float]:
    added: dict[int, float] = {}
    for amount, share in sums.items():
        for price, weight in one.items():
            added[amount + price] = added.get(amount + price, 0.0) + share * weight
    return added


def _with_tips(share: dict[int, float], tip_share: float) -> dict[int, float]:
    charged: dict[int, float] = {}
    for amount, probability in share.items():
        left = ((0, 1 - tip_share), *((tip, tip_share * part) for tip, part in tips_of(amount)))
        for tip, part in left:
            charged[amount + tip] = charged.get(amount + tip, 0.0) + probability * part
    return charged
