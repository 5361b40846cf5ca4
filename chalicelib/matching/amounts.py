"""How the amount that a bank charged relates to the amount that a till printed.

Nearly always they are equal. Where they are not, the relation is weighed by how often it happens
and by how many amounts it allows: a tip may be one of thirty sums, so it says thirty times less.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from chalicelib.matching.sides import Charge, ChargeKind, Slip

TIP_SHARE_MAX = 0.35  # Of the bill; more is hardly a tip.
ADDED_SHARE_MAX = 0.5  # Of the bill; if more was cleared, it is another one.
_USUAL_TIPS = (0.05, 0.10, 0.125, 0.15, 0.18, 0.20, 0.25)
_NEXT_WHOLE, _SOME_WHOLE, _ANYTHING = (len(_USUAL_TIPS) + place for place in range(3))
_ROUNDED = 0.8  # Of usual tips: to the nearest minor unit. The others are one beside it.
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


@dataclass(frozen=True, slots=True)
class TipLaw:
    """How guests tip: the share of each way. The ways are the usual shares of the bill, up to the
    next whole amount, to some whole amount, and anything.
    """

    shares: tuple[float, ...] = (*(0.5 / len(_USUAL_TIPS) for _ in _USUAL_TIPS), 0.1, 0.15, 0.25)

    def density(self, charged: int, printed: int) -> float:
        """How probably a tipped bill of `printed` is charged as `charged`, minor units both."""
        return sum(self.shares[way] * among for way, among in _ways(charged, printed))

    def ways(self, charged: int, printed: int) -> list[tuple[int, float]]:
        """How probably each way led from `printed` to `charged`; nothing where none does."""
        given = [(way, self.shares[way] * among) for way, among in _ways(charged, printed)]
        total = sum(density for _, density in given)
        return [(way, density / total) for way, density in given]


TIPS_BELIEVED = TipLaw()


def _ways(charged: int, printed: int) -> Iterator[tuple[int, float]]:
    """The ways that lead from `printed` to `charged`, each with its share of those it allows."""
    tip = charged - printed
    most = TIP_SHARE_MAX * printed
    if not 0 < tip <= most:
        return
    for way, share in enumerate(_USUAL_TIPS):
        off = abs(tip - int(share * printed + 0.5))
        if off <= 1:
            yield way, (1 - _ROUNDED) / 2 if off else _ROUNDED
    if charged % 100 == 0:
        if tip <= 100:
            yield _NEXT_WHOLE, 1.0
        yield _SOME_WHOLE, 1.0 / max(most / 100, 1.0)
    yield _ANYTHING, 1.0 / most


def may_be_taken(taken: Iterable[tuple[int, str]], printed: int, currency: str) -> bool:
    """Whether what was cleared (minor units and currency) can be for what the till printed.

    Less can: a part of the order, a pump that reserved more, a sum given back at once. More can, as
    far as tips go. In other money than the till's nothing can be said.
    """
    told = [minor for minor, money in taken if money == currency]
    return not told or min(told) <= printed * (1 + ADDED_SHARE_MAX)


def tip_density(charged: int, printed: int) -> float:
    """How probably a tipped bill is charged so, where nobody has learned how its guests tip."""
    return TIPS_BELIEVED.density(charged, printed)


def unequal(charge: Charge, slip: Slip) -> tuple[Relation, float] | None:
    """The relation of a charge and a slip whose amounts differ, and how probable it is.

    These relations allow so many amounts that they count only where an auth code agrees. An amount
    of nought (a checked card, a hold that was let go) is no word of what a till printed.
    """
    told = [amount for amount in charge.amounts if amount[0]]
    if not told:
        return None
    same_money = [minor for minor, currency in told if currency == slip.currency]
    if not same_money:
        return Relation.CONVERTED, CONVERTED / told[0][0]
    charged = same_money[0]
    tip = tip_density(charged, slip.amount_minor)
    if tip:
        return Relation.TIP_ADDED, tip * TIPPED
    if charged < slip.amount_minor:
        return Relation.PART, PART_OF_A_BILL / slip.amount_minor
    if charge.kind is ChargeKind.AUTH:
        return Relation.ABOVE_CLEARING, ABOVE_CLEARING / charged
    return None
