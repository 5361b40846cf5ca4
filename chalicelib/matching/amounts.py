"""How the amount that a bank charged relates to the amount that a till printed.

Nearly always they are equal. Where they are not, the relation is weighed by how often it happens
and by how many amounts it allows: a tip may be one of thirty sums, so it says thirty times less.
"""

from collections.abc import Sequence
from enum import Enum

from chalicelib.matching.sides import Charge, ChargeKind, Slip

_WHOLE = 100  # Minor units to which people round a bill.
TIP_SHARE_MAX = 0.35  # Of the bill; more is hardly a tip.
TIPPED = 0.004  # Of payments, where nobody knows whether people tip.
PART_OF_A_BILL = 0.004  # Of payments: a bill split in a way that the till does not know.
ABOVE_CLEARING = 0.004  # Of auths: more was reserved than charged (fuel, hotels, weighed goods).
CONVERTED = 0.004  # Of payments: told in another currency than the till's, without the till's own.


class Relation(Enum):
    """How a charge's amount relates to a slip's."""

    EQUAL = "equal"
    TIP_ADDED = "tip_added"
    PART = "part"
    ABOVE_CLEARING = "above_clearing"
    CONVERTED = "converted"


_USUAL_TIPS = (0.05, 0.10, 0.125, 0.15, 0.18, 0.20, 0.25)

# How people tip, where nobody knows better: a usual share each, up to the next whole unit, to any
# whole unit, anything. Learned where enough is tipped.
TIP_LAWS = (*[0.5 / len(_USUAL_TIPS)] * len(_USUAL_TIPS), 0.15, 0.10, 0.25)


def tip_density(charged: int, printed: int, laws: Sequence[float] = TIP_LAWS) -> float:
    """How probably a tipped bill of `printed` is charged as `charged`, minor units both."""
    return sum(tip_densities(charged, printed, laws))


def tip_densities(charged: int, printed: int, laws: Sequence[float]) -> list[float]:
    """The same by each law of tipping, in the order of `TIP_LAWS`; empty where it is no tip."""
    tip = charged - printed
    most = TIP_SHARE_MAX * printed
    if not 0 < tip <= most:
        return []
    densities = [
        law * _near(tip - share * printed)
        for law, share in zip(laws[:-3], _USUAL_TIPS, strict=True)
    ]
    is_whole = charged % _WHOLE == 0
    densities.append(laws[-3] if is_whole and tip <= _WHOLE else 0.0)
    densities.append(laws[-2] / max(most / _WHOLE, 1.0) if is_whole else 0.0)
    densities.append(laws[-1] / most)
    return densities


def _near(off: float) -> float:
    """How probably a share is rounded so: to the nearest minor unit, or up or down."""
    return 0.8 if abs(off) <= 0.5 else 0.1 if abs(off) < 1 else 0.0


def unequal(charge: Charge, slip: Slip) -> tuple[Relation, float] | None:
    """The relation of a charge and a slip whose amounts differ, and how probable it is.

    These relations allow so many amounts that they count only where an auth code agrees.
    """
    same_money = [minor for minor, currency in charge.amounts if currency == slip.currency]
    if not same_money:
        return Relation.CONVERTED, CONVERTED / charge.amounts[0][0]
    charged = same_money[0]
    tip = tip_density(charged, slip.amount_minor)
    if tip:
        return Relation.TIP_ADDED, tip * TIPPED
    if charged < slip.amount_minor:
        return Relation.PART, PART_OF_A_BILL / slip.amount_minor
    if charge.kind is ChargeKind.AUTH:
        return Relation.ABOVE_CLEARING, ABOVE_CLEARING / charged
    return None
