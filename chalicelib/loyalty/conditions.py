"""Which lines of a sale count, and whether a condition is met. Shared by schemes and offers."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from chalicelib.kernel.gtins import bare_gtin
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import Condition, Exclusions, Matching
from chalicelib.loyalty.sale import Sale, SaleLine
from chalicelib.loyalty.terms import Basis
from chalicelib.loyalty.windows import is_open


class CountedLine(NamedTuple):
    """A line (or a charge that counts) as far as it may earn. Amounts are of the whole line.

    The GTIN is without the zeros that longer forms put before shorter ones; categories as `folded`.
    A tuple, because one is made of every line of every sale (`SaleLine` too).
    """

    line_id: str
    items: int
    gross_minor: int
    net_minor: int
    gtin: str | None = None
    sku: str | None = None
    categories: frozenset[str] = frozenset()

    def minor(self, basis: Basis) -> int:
        """Its amount with tax or without."""
        return self.gross_minor if basis is Basis.GROSS else self.net_minor


@dataclass(frozen=True, slots=True)
class Counted:
    """What of a sale may earn at all: its lines, and the share of them that counts as paid."""

    sale: Sale
    lines: tuple[CountedLine, ...]
    share: Fraction

    def spent(self, lines: Iterable[CountedLine], basis: Basis = Basis.GROSS) -> Fraction:
        """What was paid for `lines`, in minor units, exactly."""
        return self.share * amount_of(lines, basis)

    def missing_minor(self, lines: Iterable[CountedLine], least_minor: int) -> int:
        """How much more had to be paid for `lines` to come to `least_minor`, rounded up."""
        paid, of = amount_of(lines) * self.share.numerator, self.share.denominator
        return max(-((paid - least_minor * of) // of), 0)

    def spent_minor(self, lines: Iterable[CountedLine]) -> int:
        """As `spent`, rounded down to the minor unit."""
        return amount_of(lines) * self.share.numerator // self.share.denominator


@dataclass(frozen=True, slots=True)
class Met:
    """The condition is met; these lines count."""

    lines: tuple[CountedLine, ...]


@dataclass(frozen=True, slots=True)
class NotMet:
    """The condition is not met, and what is missing: minor units (rounded up), or items."""

    why: EarnWhy
    missing_minor: int = 0
    missing_items: int = 0


def counted(sale: Sale, exclusions: Exclusions) -> Counted:
    """What of `sale` is not excluded, and which share of it was paid for with what earns.

    Lines taken back in an exchange never count. The retailer's own tender counts with the largest
    part of the receipt, where it counts at all.
    """
    kept = _without(tuple([_counted_line(line) for line in sale.sold]), exclusions.lines)
    kept += tuple(
        CountedLine(one.charge_id, 0, one.gross_minor, one.net_minor)
        for one in sale.charges
        if one.kind in exclusions.charges_earn
    )
    share = sale.paid_share
    if exclusions.own_tender_earns and sale.is_largest_part and sale.due_minor > 0:
        share = min(share + Fraction(sale.own_tender_minor, sale.due_minor), Fraction(1))
    return Counted(sale, kept, share)


def check(condition: Condition, of: Counted, *, tier_id: str = "") -> Met | NotMet:
    """Whether the sale meets `condition` for a member of `tier_id` (empty: of none)."""
    sale = of.sale
    if condition.stores and sale.store_id not in condition.stores:
        return NotMet(EarnWhy.OTHER_STORE)
    if condition.tiers and tier_id not in condition.tiers:
        return NotMet(EarnWhy.OTHER_TIER)
    if condition.windows and not any(
        is_open(window, sale.sold_at, zone=sale.zone) for window in condition.windows
    ):
        return NotMet(EarnWhy.OUTSIDE_WINDOW)
    lines = meant(of.lines, condition)
    if not lines:
        return NotMet(EarnWhy.NO_SUCH_LINES)
    if condition.min_spend_minor > 0:
        missing = of.missing_minor(lines, condition.min_spend_minor)
        if missing > 0:
            return NotMet(EarnWhy.BELOW_MINIMUM, missing_minor=missing)
    if condition.min_items > 0:
        items = sum([line.items for line in lines])
        if items < condition.min_items:
            return NotMet(EarnWhy.TOO_FEW_ITEMS, missing_items=condition.min_items - items)
    return Met(lines)


def meant(lines: tuple[CountedLine, ...], condition: Condition) -> tuple[CountedLine, ...]:
    """Those of `lines` that `condition` counts."""
    return _without(matching_lines(lines, condition.lines), condition.without)


def matches(line: CountedLine, matching: Matching) -> bool:
    """Whether `line` is one of those that `matching` means."""
    return bool(matching_lines((line,), matching))


def matching_lines(lines: tuple[CountedLine, ...], matching: Matching) -> tuple[CountedLine, ...]:
    """Those of `lines` that `matching` means."""
    if matching.is_everything:
        return lines
    categories, gtins, skus = _wanted(matching)
    if not gtins and not skus:
        return tuple([line for line in lines if not line.categories.isdisjoint(categories)])
    return tuple(
        line
        for line in lines
        if line.sku in skus or line.gtin in gtins or not line.categories.isdisjoint(categories)
    )


def hides(hidden: Matching, wanted: Matching) -> bool:
    """Whether every line that `wanted` names is one that `hidden` names, too."""
    if hidden.is_everything or wanted.is_everything:
        return False
    return all(one <= other for one, other in zip(_wanted(wanted), _wanted(hidden), strict=True))


def amount_of(lines: Iterable[CountedLine], basis: Basis = Basis.GROSS) -> int:
    """What `lines` come to, in minor units, whoever paid for them."""
    if basis is Basis.GROSS:
        return sum([line.gross_minor for line in lines])
    return sum([line.net_minor for line in lines])


def _without(lines: tuple[CountedLine, ...], left_out: Matching) -> tuple[CountedLine, ...]:
    """`lines` less those that `left_out` means, where it names anything."""
    if left_out.is_everything:
        return lines
    gone = {line.line_id for line in matching_lines(lines, left_out)}
    return tuple(line for line in lines if line.line_id not in gone)


@lru_cache(maxsize=1024)
def folded(category: str) -> str:
    """`category` as it is compared: without case, and with single blanks."""
    return " ".join(category.casefold().split())


@lru_cache(maxsize=1024)
def _folded(categories: tuple[str, ...]) -> frozenset[str]:
    """A line's categories as they are compared; a shop has some hundred."""
    return frozenset(map(folded, categories))


@lru_cache(maxsize=1024)
def _wanted(matching: Matching) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Categories, GTINs and SKUs as they are compared; the same matching is asked line by line."""
    return (
        frozenset(map(folded, matching.categories)),
        frozenset(map(bare_gtin, matching.gtins)),
        frozenset(matching.skus),
    )


def items_of(line: SaleLine) -> int:
    """How many items `line` is: whole pieces; one, where it was weighed; none, where it was free.

    A free line is what a reward was spent on, or a part of a set, and earns nothing again.
    """
    if line.gross_minor <= 0 or line.quantity <= 0:
        return 0
    if line.quantity == 1:
        return 1
    is_whole = line.unit is None and line.quantity == line.quantity.to_integral_value()
    return int(line.quantity) if is_whole else 1


def returned_items(line: SaleLine) -> int:
    """How many of the line's items came back; of a weighed one, none before all of it did."""
    if line.returned_quantity >= line.quantity:
        return items_of(line)
    is_whole = line.unit is None and line.quantity == line.quantity.to_integral_value()
    whole = line.returned_quantity.to_integral_value(rounding="ROUND_FLOOR")
    return min(int(max(whole, Decimal(0))), items_of(line)) if is_whole else 0


def _counted_line(line: SaleLine) -> CountedLine:
    gross, net = line.gross_minor, line.net_minor
    return CountedLine(
        line.line_id,
        items_of(line),
        gross if gross > 0 else 0,
        net if net > 0 else 0,
        bare_gtin(line.gtin) if line.gtin is not None else None,
        line.sku,
        _folded(line.category),
    )
