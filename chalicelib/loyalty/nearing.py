"""How much more it takes for a rule to give more: the rounding of `choosing`, read backwards."""

from fractions import Fraction
from math import ceil, floor

from chalicelib.loyalty.choosing import Contender
from chalicelib.loyalty.conditions import amount_of
from chalicelib.loyalty.terms import Basis, Rounding

_HALF = Fraction(1, 2)


def missing_minor(one: Contender, amount: int, units: int) -> int:
    """How much more had to be paid for goods like those of `one`, a rule of money that counts
    `amount`, for it to give `units`; taxed as they are. Nought where no money would do.
    """
    missing = max(ceil(_least(one, units) - one.share * amount), 0)
    if one.rule.basis is Basis.GROSS:
        return missing
    net = amount_of(one.lines, Basis.NET)
    return ceil(Fraction(missing * amount_of(one.lines), net)) if net else 0


def missing_items(one: Contender, amount: int, units: int) -> int:
    """How many items more than `amount` it takes for `one`, a rule of items, to give `units`."""
    return max(_least(one, units) - amount, 0)


def _least(one: Contender, units: int) -> int:
    """The least amount, paid in whole, for which `one` gives `units` or more, before its caps."""
    rule = one.rule
    steps = _least_times(rule.units * one.multiplier, units, rule.rounding)
    return _least_times(Fraction(1, rule.per), steps, rule.rounding)


def _least_times(rate: Fraction, whole: int, rounding: Rounding) -> int:
    """The least number whose product with `rate` is rounded to `whole` (1 or more), or above it."""
    match rounding:
        case Rounding.DOWN:
            return ceil(whole / rate)
        case Rounding.UP:
            return floor((whole - 1) / rate) + 1
        case Rounding.HALF_UP:
            return ceil((whole - _HALF) / rate)
        case Rounding.HALF_EVEN:  # The half goes to the even one of two.
            half = (whole - _HALF) / rate
            return ceil(half) if whole % 2 == 0 else floor(half) + 1
