"""The slips at hand, found by store, amount and time, and how common an amount is.

How many strangers' slips could pass for a charge's own by accident is what a match is weighed
against: popular prices at a busy hour have many, an odd sum at a quiet one has none.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from chalicelib.matching.prices import Prices, expected_again
from chalicelib.matching.sides import Slip

Spans = tuple[tuple[float, float], ...]  # of till minus bank, in seconds
_PRIOR_EXPOSURES = 3.0  # What a whole file says of a price counts as three looks at this hour.
_SLIPS_MIN = 20  # Of fewer slips nobody can say how common an amount is.


class _Row:
    """Slips by time."""

    __slots__ = ("ats", "places")

    def __init__(self) -> None:
        self.ats: list[float] = []
        self.places: list[int] = []

    def between(self, first: float, last: float) -> Sequence[int]:
        return self.places[bisect_left(self.ats, first) : bisect_right(self.ats, last)]

    def count(self, first: float, last: float) -> int:
        return bisect_right(self.ats, last) - bisect_left(self.ats, first)


K = TypeVar("K", bound=Hashable)


def _add(rows: dict[K, _Row], key: K, at: float, place: int) -> None:
    row = rows.get(key)
    if row is None:
        row = rows[key] = _Row()
    row.ats.append(at)
    row.places.append(place)


def sums_of(slip: Slip) -> tuple[int, ...]:
    """What the terminal may have taken, minor units: as printed, or with or without a known tip."""
    printed, tip = slip.amount_minor, slip.tip_minor
    if not tip:
        return (printed,)
    return (printed, printed + tip, printed - tip) if tip < printed else (printed, printed + tip)


class Shelf:
    """Slips by store, amount and time. `slips` are in order of time."""

    def __init__(self, slips: Iterable[Slip]) -> None:
        self.slips = sorted(slips, key=lambda slip: (slip.at, slip.receipt_id, slip.part))
        self._of_amount: dict[tuple[str, int, str], _Row] = {}
        self._of_store: dict[str, _Row] = {}
        self._of_code: dict[tuple[str, str], _Row] = {}
        for place, slip in enumerate(self.slips):
            for amount in sums_of(slip):
                _add(self._of_amount, (slip.store, amount, slip.currency), slip.at, place)
            _add(self._of_store, slip.store, slip.at, place)
            if slip.auth_code:
                _add(self._of_code, (slip.store, slip.auth_code), slip.at, place)
        self._again = expected_again(len(row.ats) for row in self._of_amount.values())

    def of_amount(
        self, store: str, amount: tuple[int, str], at: float, spans: Spans
    ) -> Iterator[int]:
        """The slips of `amount` whose till minus bank lies in `spans`, were they of a charge at
        `at`.
        """
        row = self._of_amount.get((store, *amount))
        if row is not None:
            for first, last in spans:
                yield from row.between(at + first, at + last)

    def of_code(self, store: str, code: str, at: float, spans: Spans) -> Iterator[int]:
        """The slips with the auth code `code`."""
        row = self._of_code.get((store, code))
        if row is not None:
            for first, last in spans:
                yield from row.between(at + first, at + last)

    def of_store(self, store: str, at: float, spans: Spans) -> Iterator[int]:
        """All slips of the store."""
        row = self._of_store.get(store)
        if row is not None:
            for first, last in spans:
                yield from row.between(at + first, at + last)

    def has(self, store: str) -> bool:
        """Whether any slip is of `store`."""
        return store in self._of_store

    def strangers(
        self,
        store: str,
        amount: tuple[int, str],
        at: float,
        spans: Spans,
        counted: Prices | None = None,
    ) -> float:
        """How many strangers' slips of `amount` a second are to be expected about `at`.

        What stands there, without the charge's own, and what the whole shelf says of the price,
        with whatever else was `counted` at the store (Gamma-Poisson). What stands there is news as
        far as more is known than that: nothing counts twice. It was counted, too, as a rule, the
        charge's own among it; what stands there then says only how much a count is believed.
        """
        everything = self._of_store.get(store)
        if everything is None:
            return 1.0
        seconds = sum(last - first for first, last in spans)
        row = self._of_amount.get((store, *amount))
        here = total = 0
        if row is not None:
            total = len(row.ats)
            here = sum(row.count(at + first, at + last) for first, last in spans)
        near = sum(everything.count(at + first, at + last) for first, last in spans)
        slips = max(len(everything.ats) - 1, _SLIPS_MIN)
        usual, known = max(total - 1, 0) + self._again, len(everything.ats)
        if counted is not None:
            slips, known = slips + counted.slips, known + counted.slips
            usual = max(total - 1, counted.times_of(amount) - 1, 0) + counted.again
        expected = usual * near / slips
        others = max(here - 1, 0)
        news = 1.0 - near / known
        exposures = _PRIOR_EXPOSURES + news
        return (expected * _PRIOR_EXPOSURES + news * others + 0.01) / exposures / seconds
