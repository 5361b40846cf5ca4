"""What a scheme's catalogue would cost: bounds, because nobody knows what members would choose.

The lower bound is nought: nobody has to claim anything. The upper one takes every unit as spent,
none as expired, and each on the reward that costs its retailer most for a unit, of those that the
member has enough units for. No choice of claims costs more: each claimed reward is one that they
had enough units for, so that it costs no more for a unit than that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from chalicelib.loyalty.rewarding import most_minor
from chalicelib.loyalty.rules import CatalogueReward, Scheme


@dataclass(frozen=True, slots=True)
class Claimable:
    """What one member's units are enough for: how often each reward alone, and money at most."""

    times_by_reward: Mapping[str, int] = field(default_factory=dict)
    most_minor: int = 0


NOTHING_CLAIMABLE = Claimable()


def claimable(scheme: Scheme, units: int) -> Claimable:
    """What `units` of `scheme` are enough for; amounts are rounded down to the minor unit."""
    within = [one for one in scheme.catalogue if one.cost <= units]
    if not within:
        return NOTHING_CLAIMABLE
    dearest = max(_minor_per_unit(one) for one in within)
    return Claimable(
        {one.reward_id: units // one.cost for one in within},
        units * dearest.numerator // dearest.denominator,
    )


def _minor_per_unit(one: CatalogueReward) -> Fraction:
    """What a reward costs for each unit; what is no money is taken to cost none."""
    return Fraction(most_minor(one.reward) or 0, one.cost)
