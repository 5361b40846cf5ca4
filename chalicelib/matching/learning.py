"""Learning how often things happen, from pairs weighed with what was believed before.

Each pair counts by its probability, and charges that find nothing count as missing (expectation
and maximisation, Dempster, Laird and Rubin, 1977).
"""

from collections import defaultdict
from collections.abc import Sequence

from chalicelib.matching.amounts import TIPS_BELIEVED, Relation, TipLaw
from chalicelib.matching.nearby import Nearby, firmness
from chalicelib.matching.rates import AGREEMENT_BELIEVED, MISSING_MAX, MISSING_MIN, Rates
from chalicelib.matching.sides import Charge, Slip
from chalicelib.matching.weighing import Pair

_MISSING_BELIEVED = (1.0, 30.0)  # missing, of how many imagined payments
_STORE_PAYMENTS = 40.0  # What all stores say counts as that many payments of this one.
_COUNTS_FROM = 0.01  # A pair less probable than this adds nothing worth its time.
_SUSPECT_TIPS_FROM = 0.05  # From this share of payments without a receipt on, tips are looked for.
_TIPPED_AT_START = 0.05
_IMAGINED_TIPS = 10.0  # What is believed of how guests tip counts as that many tips.
_BY_TILL = frozenset({"auth_code"})  # Some tills print a number of their own, others never.
_BY_TILL_PAIRS = 50.0  # What is believed of all counts as that many pairs of a batch...
_TILL_PAIRS = 4.0  # ...and what a batch says of all, as that many of one till.


class RateTally:
    """What one pass over all charges counted, from which rates are learned."""

    def __init__(self, *, looks_for_tips: bool, tips: TipLaw = TIPS_BELIEVED) -> None:
        """`looks_for_tips`: assume some where many payments find nothing of their amount.

        `tips`: how guests tip, as the pairs were weighed by.
        """
        self._tips = tips
        self._tip_ways = [_IMAGINED_TIPS * share for share in TIPS_BELIEVED.shares]
        self._looks_for_tips = looks_for_tips
        self._agreed: dict[str, float] = defaultdict(float)
        self._weighed: dict[str, float] = defaultdict(float)
        self._missing: dict[str, float] = defaultdict(float)
        self._missing_by_time: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._tipped: dict[str, float] = defaultdict(float)
        self._charges: dict[str, int] = defaultdict(int)
        self._by_till: dict[tuple[str, str, str | None], list[float]] = defaultdict(
            lambda: [0.0, 0.0]
        )

    def add(
        self, charge: Charge, pairs: Sequence[Pair], total: float, slips: Sequence[Slip]
    ) -> None:
        """Count `charge`, whose `pairs` and none weigh `total` together."""
        store = charge.stores[0]
        self._charges[store] += 1
        self._missing[store] += 1 / total
        self._missing_by_time[store].append((charge.at, 1 / total))
        for pair in pairs:
            share = pair.weight / total
            if share < _COUNTS_FROM:
                continue
            if pair.relation is Relation.TIP_ADDED:
                self._count_tip(charge, slips[pair.place], share)
            slip = slips[pair.place]
            for fact in pair.facts:
                self._weighed[fact.what] += share
                self._agreed[fact.what] += share * fact.agrees
                if fact.what in _BY_TILL:
                    counted = self._by_till[fact.what, slip.store, slip.till]
                    counted[0] += share * fact.agrees
                    counted[1] += share

    def _count_tip(self, charge: Charge, slip: Slip, share: float) -> None:
        self._tipped[slip.store] += share
        for way, probability in self._tips.ways(charge.amounts[0][0], slip.amount_minor):
            self._tip_ways[way] += share * probability

    def rates(self) -> Rates:
        """The rates that what was counted makes probable."""
        imagined, of = _MISSING_BELIEVED
        charges, missing = sum(self._charges.values()), sum(self._missing.values())
        general = (missing + imagined) / (charges + of)
        missing_at, tipped_at = {}, {}
        for store, count in self._charges.items():
            share = (self._missing[store] + general * _STORE_PAYMENTS) / (count + _STORE_PAYMENTS)
            missing_at[store] = min(max(share, MISSING_MIN), MISSING_MAX)
            tipped = self._tipped[store] / count
            if self._looks_for_tips and missing_at[store] >= _SUSPECT_TIPS_FROM:
                tipped = _TIPPED_AT_START
            tipped_at[store] = min(tipped, 0.9)
        return Rates(
            missing=min(max(general, MISSING_MIN), MISSING_MAX),
            missing_at=missing_at,
            missing_near={store: Nearby(run) for store, run in self._missing_by_time.items()},
            missing_firmness=firmness(
                [share for _, share in sorted(run)] for run in self._missing_by_time.values()
            ),
            tipped_at=tipped_at,
            tips=TipLaw(tuple(counted / sum(self._tip_ways) for counted in self._tip_ways)),
            agrees={what: self._agreement(what) for what in AGREEMENT_BELIEVED},
            agrees_at={
                till: self._agreement_at(till, agreed, weighed - agreed, without=0.0)
                for till, (agreed, weighed) in self._by_till.items()
            },
            differs_at={
                till: 1 - self._agreement_at(till, agreed, weighed - agreed, without=1.0)
                for till, (agreed, weighed) in self._by_till.items()
            },
        )

    def _agreement_at(
        self, till: tuple[str, str, str | None], agreed: float, differed: float, *, without: float
    ) -> float:
        """What all tills say, moved by one's own pairs, without so many that differ."""
        differed = max(differed - without, 0.0)
        general = self._agreement(till[0], without=without)
        return (agreed + general * _TILL_PAIRS) / (agreed + differed + _TILL_PAIRS)

    def _agreement(self, what: str, *, without: float = 0.0) -> float:
        """What is believed, moved by what was counted, without so many that differ."""
        agreed, differed = AGREEMENT_BELIEVED[what]
        if what in _BY_TILL:  # What tills have wrong altogether is believed less firmly.
            firmness = min(1.0, _BY_TILL_PAIRS / (agreed + differed))
            agreed, differed = agreed * firmness, differed * firmness
        counted = max(self._weighed[what] - self._agreed[what] - without, 0.0)
        agreed += self._agreed[what]
        return agreed / (agreed + differed + counted)
