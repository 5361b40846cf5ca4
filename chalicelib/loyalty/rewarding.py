"""What a reward is worth in money. Pure."""

from typing import assert_never

from chalicelib.loyalty.choosing import rounded
from chalicelib.loyalty.conditions import Counted, CountedLine, matching_lines
from chalicelib.loyalty.rules import (
    ExtraUnits,
    FixedCashback,
    FreeText,
    ItemPrice,
    PercentCashback,
    Reward,
)


def worth_minor(reward: Reward, of: Counted | None) -> int | None:
    """What `reward` pays, in minor units, for the sale that `of` is of; None where it is no money.

    Without a sale (a reward that is claimed from a catalogue), and where no line of the sale is
    meant, a share or an item's price is worth nothing.
    """
    match reward:
        case FixedCashback(amount_minor=amount):
            return amount
        case PercentCashback():
            return _percent(reward, of) if of is not None else 0
        case ItemPrice():
            return _item_price(reward, of) if of is not None else 0
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


def _percent(reward: PercentCashback, of: Counted) -> int:
    lines = matching_lines(of.lines, reward.lines)
    whole = sum(line.minor(reward.basis) for line in lines)
    part = whole * reward.share.numerator * of.share.numerator
    of_whole = reward.share.denominator * of.share.denominator
    return min(rounded(part, of_whole, reward.rounding), reward.max_minor)


def _item_price(reward: ItemPrice, of: Counted) -> int:
    """One item of the dearest line that is meant, rounded down to the minor unit."""
    lines = matching_lines(of.lines, reward.matching)
    prices = [_each_minor(line) for line in lines if line.items]
    return min(max(prices, default=0), reward.max_minor)


def _each_minor(line: CountedLine) -> int:
    return line.gross_minor // line.items
