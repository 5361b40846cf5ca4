"""The probability of every explanation, all charges together.

Each charge belongs to one slip or to none, each slip to one charge or to a stranger. An explanation
of all charges at once weighs the product of its pairs' weights (none weighs one); what is wanted is
the share of all explanations in which a pair occurs. That is exact here: charges are taken in order
of time, and what is remembered is which slips are used that later charges could still want
(forward and backward sums, as in a hidden Markov model). Only where very many prices are alike at
once are the least probable states let go.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter

STATES_MAX = 512  # Of used slips at one charge; the least probable beyond it are let go.
STATES_MANY = 48  # From here on, crowds of one price without card facts, whose weights are alike:
STATE_SHARE_MIN = 1e-6  # what is less than this of the most probable state leads nowhere.
NEGLIGIBLE = 1e-6  # Of the third best explanation: rivals may take a charge's best, seldom two.

Weights = dict[int, float]  # of one charge: slip -> weight, against one for none
Shares = dict[int, float]  # of one charge: slip -> probability


def explain(weights: Sequence[Weights]) -> list[Shares]:
    """The probability of each pair, for charges in order of time.

    What is left to one is the probability that the charge's slip is none of these.
    """
    shares: list[Shares] = [{} for _ in weights]
    trimmed = [_without_negligible(given) for given in weights]
    for group in _groups(trimmed):
        if len(group) == 1:
            shares[group[0]] = _alone(trimmed[group[0]])
        else:
            found = _together([trimmed[charge] for charge in group])
            for charge, share in zip(group, found, strict=True):
                shares[charge] = share
    return shares


def _without_negligible(weights: Weights) -> Weights:
    if not weights:
        return weights
    third = sorted(weights.values(), reverse=True)[2] if len(weights) > 2 else 0.0
    floor = NEGLIGIBLE * (1.0 + third)
    return {slip: weight for slip, weight in weights.items() if weight >= floor}


def _alone(weights: Weights) -> Shares:
    total = 1.0 + sum(weights.values())
    return {slip: weight / total for slip, weight in weights.items()}


def _groups(weights: Sequence[Weights]) -> Iterable[list[int]]:
    """Charges that want the same slips, directly or through others, in order of time."""
    leader = list(range(len(weights)))

    def find(charge: int) -> int:
        while leader[charge] != charge:
            leader[charge] = leader[leader[charge]]
            charge = leader[charge]
        return charge

    first_wanting: dict[int, int] = {}
    for charge, wanted in enumerate(weights):
        for slip in wanted:
            other = first_wanting.setdefault(slip, charge)
            if other != charge:
                leader[find(charge)] = find(other)
    groups: dict[int, list[int]] = {}
    for charge in range(len(weights)):
        groups.setdefault(find(charge), []).append(charge)
    return groups.values()


def _together(weights: list[Weights]) -> list[Shares]:
    bit: dict[int, int] = {}
    for wanted in weights:
        for slip in wanted:
            bit.setdefault(slip, 1 << len(bit))
    kept = _wanted_later(weights, bit)
    forward = _forward(weights, bit, kept)
    shares: list[Shares] = [{} for _ in weights]
    backward: dict[int, float] = dict.fromkeys(forward[-1], 1.0)
    for place in range(len(weights) - 1, -1, -1):
        later = kept[place]
        options = [(slip, bit[slip], weight) for slip, weight in weights[place].items()]
        found: Shares = dict.fromkeys(weights[place], 0.0)
        earlier: dict[int, float] = {}
        total = 0.0
        for used, reached in forward[place].items():
            onward = backward.get(used & later, 0.0)
            for slip, taken, weight in options:
                if not used & taken:
                    after = weight * backward.get((used | taken) & later, 0.0)
                    onward += after
                    found[slip] += reached * after
            total += reached * onward
            earlier[used] = onward
        shares[place] = {slip: share / total for slip, share in found.items()} if total else {}
        scale = max(earlier.values()) or 1.0
        backward = {used: value / scale for used, value in earlier.items()}
    return shares


def _wanted_later(weights: list[Weights], bit: dict[int, int]) -> list[int]:
    """For each charge, the slips that charges after it want."""
    kept = [0] * len(weights)
    later = 0
    for place in range(len(weights) - 1, -1, -1):
        kept[place] = later
        for slip in weights[place]:
            later |= bit[slip]
    return kept


def _forward(
    weights: list[Weights], bit: dict[int, int], kept: list[int]
) -> list[dict[int, float]]:
    """For each charge, and after the last: which slips are used, and how much leads there."""
    states: dict[int, float] = {0: 1.0}
    reached = [states]
    for wanted, later in zip(weights, kept, strict=True):
        options = [(bit[slip], weight) for slip, weight in wanted.items()]
        following: dict[int, float] = {}
        for used, value in states.items():
            without = used & later
            following[without] = following.get(without, 0.0) + value
            for taken, weight in options:
                if not used & taken:
                    after = (used | taken) & later
                    following[after] = following.get(after, 0.0) + value * weight
        scale = max(following.values())
        least = STATE_SHARE_MIN * scale if len(following) > STATES_MANY else 0.0
        probable = [(used, value / scale) for used, value in following.items() if value >= least]
        if len(probable) > STATES_MAX:
            probable = sorted(probable, key=itemgetter(1), reverse=True)[:STATES_MAX]
        states = dict(probable)
        reached.append(states)
    return reached
