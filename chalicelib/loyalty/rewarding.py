"""What a reward is worth in money. Pure."""

from fractions import Fraction
from typing import assert_never

from chalicelib.loyalty.choosing import rounded
from chalicelib.loyalty.conditions import Counted, CountedLine, matching_lines
from chalicelib.loyalty.keeping import ALL_KEPT, Kept
from chalicelib.loyalty.rules import (
    ExtraUnits,
    FixedCashback,
    FreeText,
    ItemPrice,
    PercentCashback,
    Reward,
)


def worth_minor(reward: Reward, of: Counted | None, kept: Kept = ALL_KEPT) -> int | None:
    """What `reward` pays, in minor units, for the sale that `of` is of; None where it is no money.

    Of the sale only what is `kept` counts. Without one (a reward that is claimed from a catalogue),
    and where no line of it is meant, a share or an item's price is worth nothing.
    """
    match reward:
        case FixedCashback(amount_minor=amount):
            return amount
        case PercentCashback():
            return _percent(reward, of, kept) if of is not None else 0
        case ItemPrice():
            return _item_price(reward, of, kept) if of is not None else 0
        case FreeText() | ExtraUnits():
            return None
        case never:
            assert_never(never)


def most_minor(reward: Reward) -> int | None:
    """The most that `reward` can pay, in minor units; None where it is no money."""
    match reward:
        case FixedCashback(amount_minor=amount):
            return amount
        case PercentCashback(max_minor=most) | ItemPrice(max_minor=most):
            return most
        case FreeText() | ExtraUnits():
            return None
        case never:
            assert_never(never)


def _percent(reward: PercentCashback, of: Counted, kept: Kept) -> int:
    lines = matching_lines(of.lines, reward.lines)
    if kept.is_all:  # Most sales stay as they are, and fractions are slow.
        whole = sum(line.minor(reward.basis) for line in lines)
        part = whole * reward.share.numerator * of.share.numerator
        of_whole = reward.share.denominator * of.share.denominator
        return min(rounded(part, of_whole, reward.rounding), reward.max_minor)
    left = [kept.of_line(line.line_id, line.minor(reward.basis)) for line in lines]
    exact = sum(left, Fraction(0)) * reward.share * of.share * kept.share
    return min(rounded(exact.numerator, exact.denominator, reward.rounding), reward.max_minor)


def _item_price(reward: ItemPrice, of: Counted, kept: Kept) -> int:
    """One item of the dearest line that is meant and kept, rounded down to the minor unit."""
    lines = matching_lines(of.lines, reward.matching)
    prices = [_each_minor(line, kept) for line in lines if line.items]
    return min(max(prices, default=0), reward.max_minor)


def _each_minor(line: CountedLine, kept: Kept) -> int:
    each = line.gross_minor // line.items
    if kept.is_all:
        return each
    left = kept.of_line(line.line_id, line.gross_minor)
    return int(min(Fraction(each), left) * kept.share)
