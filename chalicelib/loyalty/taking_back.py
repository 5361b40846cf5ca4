"""What of an award has to be back, by what of the sale came back. No clock and no storage.

It is always the whole of it, from the newest version of the purchase: what was taken back before is
part of the answer, so that neither order nor repetition of returns and refunds counts.
"""

from collections.abc import Sequence
from fractions import Fraction

from chalicelib.loyalty.conditions import counted, items_of, returned_items
from chalicelib.loyalty.earning import WHOLE_SALE, Share, refusal_of
from chalicelib.loyalty.keeping import ALL_KEPT, NOTHING_KEPT, Kept, spent_of_kept
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale, SaleLine, returned_minor, returned_share
from chalicelib.loyalty.terms import RuleKind

_ALL, _NONE = Fraction(1), 0


def taken_back(given: Sequence[Share], sale: Sale) -> tuple[Share, ...]:
    """What of `given` must be back in all: for each share that lost something, how much.

    - A line gives back by the quantity that was returned, in items or by its amount, rounded down;
      all of it once all of the line is back.
    - Money given back beyond the returned lines takes the same part of what every line has left.
    - A visit or a streak is taken back when nothing is left of the sale, or less than it needed.
    - A line that a corrected receipt no longer has is back; so is everything of a sale that was
      withdrawn or refunded in whole.
    Never more than was given.
    """
    sold = sale.sold
    if sale.is_withdrawn or sale.is_refunded or not _has_goods(sold):
        return tuple(share for share in given if share.units)
    line_by_id = {line.line_id: line for line in sold}
    charge_ids = {charge.charge_id for charge in sale.charges}
    left, beyond = _left_and_beyond(sale)
    back = []
    part: Fraction | int
    for share in given:
        if share.line_id == WHOLE_SALE:
            kept = left - sale.refunded_minor
            part = _ALL if kept <= 0 or kept < share.needs_minor else _NONE
        elif (line := line_by_id.get(share.line_id)) is not None:
            part = _part_of(share, line)
            if beyond:
                part += (_ALL - part) * beyond
        else:
            part = beyond if share.line_id in charge_ids else _ALL
        units = int(share.units * part) if part else 0  # Most sales stay as they are.
        if units:
            back.append(share._replace(units=units))
    return tuple(back)


def kept_minor(sale: Sale, scheme: Scheme) -> int:
    """What counts towards a tier of money: what was paid of `sale` that may earn under `scheme`,
    less what came back of it, in minor units, rounded down. Nothing where there are no tiers.
    """
    if scheme.tiering is None or sale.is_refunded or not _has_goods(sale.sold):
        return 0
    of = counted(sale, scheme.exclusions)
    if refusal_of(sale, scheme, of) is not None:
        return 0
    return spent_of_kept(of, kept_of(sale))


def kept_of(sale: Sale) -> Kept:
    """What is left of `sale`, after everything that came back of it."""
    if sale.is_withdrawn or sale.is_refunded or not _has_goods(sale.sold):
        return NOTHING_KEPT
    back = {line.line_id: returned_share(line) for line in sale.sold if line.returned_quantity}
    if not back and not sale.refunded_minor:
        return ALL_KEPT  # Most sales stay as they are, and fractions are slow.
    _, beyond = _left_and_beyond(sale)
    return Kept(_ALL - beyond, back)


def _left_and_beyond(sale: Sale) -> tuple[Fraction | int, Fraction | int]:
    """What of the payment the returned lines leave, and which part of that was given back too."""
    returned = returned_minor(sale)
    left = sale.paid_minor - returned * sale.paid_share if returned else sale.paid_minor
    if left <= 0:
        return left, _ALL
    return left, min(Fraction(sale.refunded_minor) / left, _ALL) if sale.refunded_minor else _NONE


def _part_of(share: Share, line: SaleLine) -> Fraction | int:
    """Which part of what it earned `line` gives back, by what of it was returned."""
    if share.kind is not RuleKind.ITEM:
        return returned_share(line) if line.returned_quantity else 0
    items = items_of(line)
    if items and not line.returned_quantity:
        return 0
    return Fraction(returned_items(line), items) if items else _ALL


def _has_goods(sold: Sequence[SaleLine]) -> bool:
    """Whether any line of a sale is still with its buyer, or its value in other goods."""
    return any(line.returned_quantity < line.quantity or line.swapped_minor > 0 for line in sold)
