"""How the amount that a bank charged relates to the amount that a till printed.

Nearly always they are equal. Where they are not, the relation is weighed by how often it happens
and by how many amounts it allows: a tip may be one of thirty sums, so it says thirty times less.
"""

from enum import Enum

from chalicelib.matching.sides import Charge, ChargeKind, Slip

TIP_SHARE_MAX = 0.35  # Of the bill; more is hardly a tip.
_USUAL_TIPS = (0.05, 0.10, 0.125, 0.15, 0.18, 0.20, 0.25)
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


def tip_density(charged: int, printed: int) -> float:
    """How probably a tipped bill of `printed` is charged as `charged`, minor units both.

    Half of all tips are a usual share, a quarter round the sum up, a quarter are anything.
    """
    tip = charged - printed
    most = TIP_SHARE_MAX * printed
    if not 0 < tip <= most:
        return 0.0
    density = 0.25 / most
    if charged % 100 == 0:
        density += 0.25 / max(most / 100, 1.0)
    if any(abs(tip - share * printed) <= 1 for share in _USUAL_TIPS):
        density += 0.5 / len(_USUAL_TIPS) / 2
    return density


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
