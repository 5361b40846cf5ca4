"""The probability of every explanation, all charges together.

Each charge belongs to one slip or to none, each slip to one charge or to a stranger. An explanation
of all charges at once weighs the product of its pairs' weights (none weighs one); what is wanted is
the share of all explanations in which a pair occurs. That is exact here: charges are taken in order
of time, and what is remembered is which slips are used that later charges could still want
(forward and backward sums, as in a hidden Markov model). Each state carries what it leaves to later
charges, as far as that can be told without summing. So where very many prices are alike at once,
and the least probable states are let go, none of them is what a later auth code proves.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

STATES_MAX = 512  # Of used slips at one charge; the least probable beyond it are let go.
STATE_SHARE_MIN = 1e-7  # Of all that leads on, less what a charge may yet lose to another.
NEGLIGIBLE = 1e-8  # Of the third best explanation: rivals may take a charge's best, seldom two.

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


def explain_one(weights: Sequence[Weights], charge: int) -> Shares:
    """As `explain`, of the charge at that place alone: with those with whom it has to share."""
    trimmed = [_without_negligible(given) for given in weights]
    group = next(group for group in _groups(trimmed) if charge in group)
    if len(group) == 1:
        return _alone(trimmed[charge])
    place = group.index(charge)
    return _together([trimmed[other] for other in group], since=place)[place]


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


class _Option(NamedTuple):
    """A slip that a charge wants: its bit, its weight as later charges leave it, and what it is
    worth to this charge that the slip is still free.
    """

    slip: int
    bit: int
    weight: float
    freed: float


def _together(weights: list[Weights], *, since: int = 0) -> list[Shares]:
    """As `explain`, of one group; of its charges before the place `since` nothing is said."""
    options, kept = _options(weights)
    forward = _forward(options, kept, share_min=STATE_SHARE_MIN / _contested(weights))
    shares: list[Shares] = [{} for _ in weights]
    backward: dict[int, float] = dict.fromkeys(forward[-1], 1.0)
    for place in range(len(weights) - 1, since - 1, -1):
        wanted, later = options[place], kept[place]
        found: Shares = dict.fromkeys(weights[place], 0.0)
        earlier: dict[int, float] = {}
        total = 0.0
        for used, worth in forward[place].items():
            taken = 1.0
            onward = backward.get(used & later, 0.0)
            afters = []
            for slip, bit, weight, freed in wanted:
                if used & bit:
                    taken *= freed
                else:
                    after = weight * backward.get((used | bit) & later, 0.0)
                    onward += after
                    afters.append((slip, after))
            reached = worth * taken
            for slip, after in afters:
                found[slip] += reached * after
            total += reached * onward
            earlier[used] = onward * taken
        shares[place] = {slip: share / total for slip, share in found.items()} if total else {}
        scale = max(earlier.values()) or 1.0
        backward = {used: value / scale for used, value in earlier.items()}
    return shares


def _options(weights: list[Weights]) -> tuple[list[list[_Option]], list[int]]:
    """What each charge wants, and which slips those after it want."""
    bit: dict[int, int] = {}
    for wanted in weights:
        for slip in wanted:
            bit.setdefault(slip, 1 << len(bit))
    options: list[list[_Option]] = [[] for _ in weights]
    kept = [0] * len(weights)
    later = 0
    after = dict.fromkeys(bit, 1.0)  # What a free slip is worth to the charges from here on.
    for place in range(len(weights) - 1, -1, -1):
        kept[place] = later
        total = 1.0 + sum(weights[place].values())
        for slip, weight in weights[place].items():
            before = after[slip]
            # One at most of those who want the slip gains by it, each against what else it has.
            after[slip] += weight / max(total - weight, 1.0)
            options[place].append(
                _Option(slip, bit[slip], weight / before, freed=after[slip] / before)
            )
            later |= bit[slip]
    return options, kept


def _contested(weights: list[Weights]) -> float:
    """The most that a charge can lose to another one: the second largest weight of any slip."""
    first: dict[int, float] = {}
    most = 1.0
    for wanted in weights:
        for slip, weight in wanted.items():
            best = first.get(slip, 0.0)
            most = max(most, min(best, weight))
            first[slip] = max(best, weight)
    return most


def _forward(
    options: list[list[_Option]], kept: list[int], *, share_min: float
) -> list[dict[int, float]]:
    """For each charge, and after the last: which slips are used, and how much leads there."""
    states: dict[int, float] = {0: 1.0}
    reached = [states]
    for wanted, later in zip(options, kept, strict=True):
        following: dict[int, float] = {}
        for used, worth in states.items():
            value, free = worth, []
            for _, bit, weight, freed in wanted:
                if used & bit:
                    value *= freed
                else:
                    free.append((bit, weight))
            without = used & later
            following[without] = following.get(without, 0.0) + value
            for bit, weight in free:
                after = (used | bit) & later
                following[after] = following.get(after, 0.0) + value * weight
        scale = max(following.values())
        least = share_min * scale
        probable = [(used, value / scale) for used, value in following.items() if value >= least]
        if len(probable) > STATES_MAX:
            probable = sorted(probable, key=itemgetter(1), reverse=True)[:STATES_MAX]
        states = dict(probable)
        reached.append(states)
    return reached
