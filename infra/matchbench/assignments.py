"""How probable each pair is among all one-to-one ways to explain charges by slips.

A way's weight is the product of the weights of its pairs; who has no partner weighs one. The
probability of a pair is the share of the ways that hold it. Small groups are summed exactly; larger
ones by belief propagation, which is exact on trees and close elsewhere (for matchings see M. Bayati
et al., "Belief propagation for weighted b-matchings", and L. Zdeborová and M. Mézard, 2006).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

Weights = dict[int, float]  # of a charge's slips
EXACT_CHARGES_MAX = 6
EXACT_PAIRS_MAX = 40
ROUNDS = 60


def pair_probabilities(weights: Sequence[Weights]) -> list[Weights]:
    """For each charge, the probability of each of its slips. Slips are named by number."""
    found: list[Weights] = [{} for _ in weights]
    for group in _groups(weights):
        own = [weights[charge] for charge in group]
        is_small = len(group) <= EXACT_CHARGES_MAX and sum(map(len, own)) <= EXACT_PAIRS_MAX
        summed = _exactly(own) if is_small else _propagated(own)
        for charge, probabilities in zip(group, summed, strict=True):
            found[charge] = probabilities
    return found


def _groups(weights: Sequence[Weights]) -> Iterator[list[int]]:
    """Charges that have to do with each other, through the slips they could share."""
    charges_of: dict[int, list[int]] = defaultdict(list)
    for charge, slips in enumerate(weights):
        for slip in slips:
            charges_of[slip].append(charge)
    seen: set[int] = set()
    for first in range(len(weights)):
        if first in seen:
            continue
        group, waiting = [], [first]
        seen.add(first)
        while waiting:
            charge = waiting.pop()
            group.append(charge)
            for slip in weights[charge]:
                for other in charges_of[slip]:
                    if other not in seen:
                        seen.add(other)
                        waiting.append(other)
        yield group


def _exactly(own: Sequence[Weights]) -> list[Weights]:
    """All ways, one after the other."""
    sums: list[Weights] = [dict.fromkeys(slips, 0.0) for slips in own]
    chosen: list[int | None] = []

    def go_on(charge: int, weight: float, taken: frozenset[int]) -> float:
        if charge == len(own):
            for other, slip in enumerate(chosen):
                if slip is not None:
                    sums[other][slip] += weight
            return weight
        chosen.append(None)
        total = go_on(charge + 1, weight, taken)
        for slip, ratio in own[charge].items():
            if slip not in taken:
                chosen[-1] = slip
                total += go_on(charge + 1, weight * ratio, taken | {slip})
        chosen.pop()
        return total

    total = go_on(0, 1.0, frozenset())
    return [{slip: weight / total for slip, weight in slips.items()} for slips in sums]


def _propagated(own: Sequence[Weights]) -> list[Weights]:
    """Slips tell charges how free they are, charges tell slips how much they need them."""
    free: list[Weights] = [dict.fromkeys(slips, 1.0) for slips in own]
    for _ in range(ROUNDS):
        needs: list[Weights] = []
        needed: dict[int, float] = defaultdict(float)
        for weights, freedom in zip(own, free, strict=True):
            total = 1.0 + sum(weights[slip] * freedom[slip] for slip in weights)
            need = {s: w / max(1.0, total - w * freedom[s]) for s, w in weights.items()}
            needs.append(need)
            for slip, value in need.items():
                needed[slip] += value
        free = [{s: 1.0 / (1.0 + max(0.0, needed[s] - v)) for s, v in n.items()} for n in needs]
    found = []
    for weights, freedom in zip(own, free, strict=True):
        total = 1.0 + sum(weights[slip] * freedom[slip] for slip in weights)
        found.append({slip: w * freedom[slip] / total for slip, w in weights.items()})
    return found
