"""Who knows every till's true clock, every true rate and price, and takes the same risk.

What it does not know: the numbers in members' phones, and who buys what. It bounds what any matcher
can find that takes the risk; where the generator has turns that the oracle only sums up (which sale
a stale code came from), the bound is close, not exact.
"""

from bisect import bisect_left
from collections import defaultdict

from chalicelib.matching.sides import Charge, ChargeKind, Slip
from infra.matchbench import jitter
from infra.matchbench.assignments import Weights, pair_probabilities
from infra.matchbench.block import Block
from infra.matchbench.cards import agreement
from infra.matchbench.judging import Answer
from infra.matchbench.laws import tip_share_of, tips_of
from infra.matchbench.street import DAY_SECONDS, Tips

THRESHOLD = 0.999
_WEIGHT_MIN = 1e-9  # Pairs that explain less than this are no pairs.
_MISSING_MIN = 1e-4


class Oracle:
    """Weighs the charges of one block against its slips."""

    def __init__(self, block: Block) -> None:
        self._block, self._street = block, block.street
        self._by_total: dict[tuple[str, int, bool], list[tuple[float, int]]] = defaultdict(list)
        for number, slip in enumerate(block.slips):
            if slip.receipt_id not in block.first_id:
                for total in self._totals(slip):
                    key = (slip.store, total, slip.is_return)
                    self._by_total[key].append((block.sold_at[number], number))
        for found in self._by_total.values():
            found.sort()
        missing = max(_MISSING_MIN, self._street.missing_receipt_share)
        self._present = (1 - missing) / missing
        legs = 1 + self._street.split_share
        self._strangers_a_day = self._street.sales_per_day * (legs - self._street.told_share)
        scale = max((c.jitter_seconds for c in block.clocks.values()), default=1.0)
        self._reach = jitter.reach(self._street, scale)

    def answers(self) -> list[Answer]:
        """One answer for each charge of the block, in their order."""
        weights = [self._weights(charge) for charge in self._block.charges]
        found = []
        for probabilities in pair_probabilities(weights):
            if not probabilities:
                found.append(Answer(None, 0.0, "no_receipt", is_accepted=False))
                continue
            by_receipt: dict[str, float] = defaultdict(float)
            for slip, probability in probabilities.items():  # Either half of a bill shows it all.
                by_receipt[self._block.slips[slip].receipt_id] += probability
            receipt_id = max(by_receipt, key=by_receipt.__getitem__)
            sure = min(1.0, by_receipt[receipt_id])
            is_accepted = sure >= THRESHOLD
            found.append(Answer(receipt_id, sure, "probability_too_low", is_accepted))
        return found

    def _totals(self, slip: Slip) -> tuple[int, ...]:
        """What may have been charged for the slip."""
        street, amount = self._street, slip.amount_minor
        if slip.is_return or not street.tip_share or street.tips is Tips.AUTHORISED:
            return (amount,)
        if street.tips is Tips.UNTOLD:
            return tuple({amount, *(amount + tip for tip, _ in tips_of(amount))})
        return (amount + slip.tip_minor,) if street.tips is Tips.BESIDE else (amount,)

    def _weights(self, charge: Charge) -> Weights:
        street = self._street
        is_return = charge.kind is ChargeKind.REFUND
        late = 14.0 * street.refund_later_seconds if is_return else 0.0
        charged = [amount for amount, currency in charge.amounts if currency == "GBP"]
        if street.preauthorised:
            charged = charged[:-1]
        stores = 1 if charge.mids else len(charge.stores)
        weights: Weights = {}
        for store in charge.stores:
            for total in charged:
                near = self._by_total.get((store, total, is_return), [])
                begin = bisect_left(near, (charge.at - self._reach - late, -1))
                for sold_at, number in near[begin:]:
                    if sold_at > charge.at + self._reach:
                        break
                    weight = self._weight(charge, number, sold_at - charge.at, total) / stores
                    if weight > _WEIGHT_MIN:
                        weights[number] = weights.get(number, 0.0) + weight
        return weights

    def _weight(self, charge: Charge, number: int, apart: float, total: int) -> float:
        """How many times likelier the slip is the charge's own than a stranger's."""
        block, street, slip = self._block, self._street, self._block.slips[number]
        till = (slip.store, slip.till or "")
        scale = block.clocks[till].jitter_seconds
        strangers = self._strangers_a_day * block.arrivals.share_per_second(
            block.sold_at[number] % DAY_SECONDS
        )
        if slip.is_return:
            strangers *= street.return_share
        if slip.is_return and street.refund_later_seconds:
            density = jitter.late_density(-apart, scale, street.refund_later_seconds)
        else:
            density = jitter.density(street, scale, apart)
        facts = agreement(charge, slip, street, counts=till in block.counting, later=apart)
        amount = self._amount_ratio(slip.amount_minor, total, is_return=slip.is_return)
        return self._present * density * amount * facts / strangers

    def _amount_ratio(self, amount: int, total: int, *, is_return: bool) -> float:
        street, amounts = self._street, self._block.amounts
        if is_return or not street.tip_share or street.tips is Tips.AUTHORISED:
            return 1.0 / amounts.of_slip(amount)
        if street.tips is Tips.UNTOLD:
            return tip_share_of(amount, total - amount, street) / amounts.of_charge(total)
        return 1.0 / amounts.of_charge(total)
