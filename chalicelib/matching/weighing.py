"""One charge against the slips that may be its own: the weight of each, against none of them.

A weight is the odds of "this slip is the charge's own" to "its slip is none of these", each slip on
its own:

    (1 - missing) / missing * density of the times * share of the amount's relation
        * ratio of the card facts / how many strangers' slips a second would pass by accident
"""

from collections.abc import Iterable, Mapping
from math import inf
from typing import NamedTuple

from chalicelib.matching.amounts import (
    TIP_SHARE_MAX,
    Relation,
    may_be_taken,
    unequal,
)
from chalicelib.matching.clocks import Clocks
from chalicelib.matching.evidence import NOTHING_SEEN, Fact, Said, SeenWith, facts_of, ratio_of
from chalicelib.matching.rates import Rates, is_other_card
from chalicelib.matching.scatter import Reading
from chalicelib.matching.shelf import Shelf, Spans
from chalicelib.matching.sides import Charge, Slip

TIPS_FROM = 0.01  # Below this share of tipped payments a store's tips are not looked for.
ON_CLOCK_SPREADS = 4.0
ODDS_MIN = 1e-9  # A slip that weighs less is no candidate.
OUTWEIGHED_FROM = 100.0  # Of other card facts together: a code or a PAR agrees, digits are wrong.


class Pair(NamedTuple):
    """A charge's candidate: its place on the shelf, weight, and what the weight is made of.

    `off_clock` is till minus bank minus where the till's clock stands, `spread` how surely that
    is known, `apart` till minus bank; seconds all.
    """

    place: int
    weight: float
    apart: float
    off_clock: float
    spread: float
    relation: Relation
    facts: tuple[Fact, ...]

    @property
    def is_on_clock(self) -> bool:
        """Whether the till's clock, as it is known, explains when the slip was printed."""
        return abs(self.off_clock) <= ON_CLOCK_SPREADS * self.spread


class Scales:
    """Weighs charges against the slips of one shelf."""

    def __init__(
        self,
        shelf: Shelf,
        said: Said,
        clocks: Clocks,
        rates: Rates,
        seen_with: SeenWith = NOTHING_SEEN,
        sold_to: Mapping[str, str] | None = None,
        *,
        is_learning: bool = False,
        come_until: float = inf,
    ) -> None:
        """`sold_to`: whose each receipt is that is matched already; returns refer to those.

        `is_learning`: it is yet to be seen whether tills call the kinds of digits rightly.
        `come_until`: whatever was sold until then (UNIX seconds) stands on the shelf, if ever.
        """
        self._shelf, self._said, self._clocks, self._rates = shelf, said, clocks, rates
        self._seen_with, self._sold_to = seen_with, sold_to
        self._do_kinds_hold = rates.do_kinds_hold and not is_learning
        self._come_until = come_until

    def weigh(self, charge: Charge) -> list[Pair]:
        """The slips that may be `charge`'s own, each with its weight against none."""
        pairs: list[Pair] = []
        readings: dict[tuple[str, str | None], tuple[Reading, ...]] = {}
        strangers = {
            store: self._strangers(charge, store) / self._come(charge, store)
            for store in charge.stores
            if self._shelf.has(store)
        }
        if not strangers:
            return pairs
        chance = sum(strangers.values())
        for store in strangers:
            missing = self._rates.missing_for(store, at=charge.at)
            odds = (1 - missing) / missing / chance
            for place, relation, share in self._candidates(charge, store):
                slip = self._shelf.slips[place]
                if slip.receipt_id in charge.refused or _is_cleared_otherwise(charge, slip):
                    continue
                till = (store, slip.till)
                stands = readings.get(till)
                if stands is None:
                    stands = self._clocks.readings(till, charge.at, without=charge.payment_id)
                    readings[till] = stands
                pairs += self._pair(charge, slip, place, relation, odds * share, stands)
        return pairs

    def _strangers(self, charge: Charge, store: str) -> float:
        spans = self._clocks.reaches(store)
        tipped = self._rates.tipped_for(store)
        counted = self._rates.prices_for(store)
        most = max(
            self._shelf.strangers(store, amount, charge.at, spans, counted)
            for amount in charge.amounts
        )
        if tipped < TIPS_FROM:
            return most
        seconds = sum(last - first for first, last in spans)
        tips = [density for _, density in self._tips(charge, store, spans)]
        others = max(sum(tips) - max(tips, default=0.0), 0.2 * sum(tips))
        return (1 - tipped) * most + tipped * others / seconds

    def _come(self, charge: Charge, store: str) -> float:
        """The share of the slips about `charge` that have come, where all before it have."""
        after = max(self._come_until - charge.at, 0.0)
        spans = self._clocks.reaches(store)
        seconds = sum(last - first for first, last in spans)
        come = sum(min((last - first) / 2 + after, last - first) for first, last in spans)
        return come / seconds

    def _candidates(self, charge: Charge, store: str) -> Iterable[tuple[int, Relation, float]]:
        """Places on the shelf with the relation of the amounts and how usual that is."""
        spans = self._clocks.reaches(store)
        tipped = self._rates.tipped_for(store)
        seen: set[int] = set()
        for amount in charge.amounts:
            for place in self._shelf.of_amount(store, amount, charge.at, spans):
                if place not in seen:
                    seen.add(place)
                    yield place, Relation.EQUAL, 1 - tipped
        if tipped >= TIPS_FROM:
            for place, density in self._tips(charge, store, spans):
                if place not in seen:
                    seen.add(place)
                    yield place, Relation.TIP_ADDED, tipped * density
        if charge.auth_code:
            for place in self._shelf.of_code(store, charge.auth_code, charge.at, spans):
                slip = self._shelf.slips[place]
                if place not in seen:
                    related = unequal(charge, slip)
                    if related is not None:
                        yield place, *related

    def _tips(self, charge: Charge, store: str, spans: Spans) -> list[tuple[int, float]]:
        charged, currency = charge.amounts[0]
        least = charged / (1 + TIP_SHARE_MAX) - 1
        found = []
        for place in self._shelf.of_store(store, charge.at, spans):
            slip = self._shelf.slips[place]
            if least <= slip.amount_minor < charged and slip.currency == currency:
                density = self._rates.tips.density(charged, slip.amount_minor)
                if density:
                    found.append((place, density))
        return found

    def _pair(
        self,
        charge: Charge,
        slip: Slip,
        place: int,
        relation: Relation,
        odds: float,
        stands: tuple[Reading, ...],
    ) -> list[Pair]:
        apart = slip.at - charge.at
        shape = self._clocks.shape
        if len(stands) == 1:
            nearest = stands[0]
            density = shape.density(apart, nearest)
        else:
            density = sum(r.weight * shape.density(apart, r) for r in stands)
            nearest = min(stands, key=lambda r: abs(apart - r.offset))
        facts = facts_of(charge, slip, self._said, self._rates, self._seen_with)
        weight = odds * density * ratio_of(facts) * self._of_sale(charge, slip)
        if self._do_kinds_hold and _is_of_other_card(charge, slip, facts):
            weight = min(weight, ODDS_MIN)  # It stays in sight, as a reason.
        if weight < ODDS_MIN:
            return []
        off_clock = apart - nearest.offset
        return [Pair(place, weight, apart, off_clock, nearest.spread, relation, tuple(facts))]

    def _of_sale(self, charge: Charge, slip: Slip) -> float:
        """A return of a sale is paid back, nearly always, to whoever paid for it."""
        owner = self._sold_to.get(slip.refers_to) if self._sold_to and slip.refers_to else None
        if owner is None:
            return 1.0
        return 50.0 if owner == charge.member_id else 0.01


def _is_cleared_otherwise(charge: Charge, slip: Slip) -> bool:
    """Whether more was cleared than the slip can be of; an auth code that agrees outweighs that."""
    if not charge.taken or (slip.auth_code and slip.auth_code == charge.auth_code):
        return False
    return not may_be_taken(charge.taken, slip.amount_minor, slip.currency)


def _is_of_other_card(charge: Charge, slip: Slip, facts: Iterable[Fact]) -> bool:
    """Whether the digits are of two cards, and nothing else of the card says that they are one."""
    if charge.last_four is None or slip.last_four is None:
        return False
    if not is_other_card((charge.last_four,), slip.last_four):
        return False
    return ratio_of(f for f in facts if not f.what.startswith("digits")) < OUTWEIGHED_FROM
