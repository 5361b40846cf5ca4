"""What each line of a receipt really cost, and how much of that is tax.

A till may give money off the whole receipt and add tax to the whole of it; both are shared out
among the lines sold, so that what each cost comes to what was paid for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.loyalty.allocation import Weight, share_out, total_of
from chalicelib.receipts.canonical import ChargeKind, LineKind, Receipt

CHARGE_PREFIX = "charge#"  # Before a charge's place, where a share has to say what it is of.


@dataclass(frozen=True, slots=True)
class Amounts:
    """Minor units, in the order of a receipt's lines and of its charges.

    `gross` is what each cost with tax, `tax` what of that is tax.
    """

    gross: tuple[int, ...]
    tax: tuple[int, ...]
    gross_of_charges: tuple[int, ...]
    tax_of_charges: tuple[int, ...]


def amounts_of(receipt: Receipt) -> Amounts:
    """What the lines and charges of `receipt` cost.

    Discounts over the whole receipt are taken off the lines sold, by amount, and off charges only
    where lines do not come to as much. Tax that stands on top is added to the lines by their own
    tax, or else by amount. Where tax is included, lines that say their own are believed, and what
    the receipt says beyond that is its charges'; where no line says any, it is shared among lines
    and charges by amount. No tax is within a tip, nor within a charge where tax stands on top.
    """
    sold = [at for at, line in enumerate(receipt.lines) if line.kind is LineKind.SALE]
    lines: list[Weight] = [
        (receipt.lines[at].line_id, receipt.lines[at].amount_minor) for at in sold
    ]
    charges: list[Weight] = [
        (f"{CHARGE_PREFIX}{at}", charge.amount_minor) for at, charge in enumerate(receipt.charges)
    ]
    off = sum(discount.amount_minor for discount in receipt.discounts)
    charges = _less(charges, off - min(off, total_of(lines)))
    lines = _less(lines, off)
    if receipt.tax_included:
        taxes, of_charges = _taxes_within(receipt, lines, charges)
    else:
        on_top = sum(tax.amount_minor for tax in receipt.taxes)
        weights = _own_taxes(receipt) or lines
        taxes, of_charges = _shared(on_top, weights), (0,) * len(charges)
        lines = [(name, minor + tax) for (name, minor), tax in zip(lines, taxes, strict=True)]
        if not total_of(weights):  # Nothing but charges was paid for, so the tax is theirs.
            of_charges = _shared(on_top, charges)
            charges = [
                (n, minor + tax) for (n, minor), tax in zip(charges, of_charges, strict=True)
            ]
    gross = [line.amount_minor for line in receipt.lines]
    tax_of = [0] * len(receipt.lines)
    for at, (_, minor), tax in zip(sold, lines, taxes, strict=True):
        gross[at], tax_of[at] = minor, tax
    return Amounts(tuple(gross), tuple(tax_of), tuple(minor for _, minor in charges), of_charges)


def _taxes_within(
    receipt: Receipt, lines: Sequence[Weight], charges: Sequence[Weight]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    own = _own_taxes(receipt)
    said = total_of(own)
    in_all = sum(tax.amount_minor for tax in receipt.taxes) or said
    taxed = [
        (name, 0 if charge.kind is ChargeKind.TIP else minor)
        for (name, minor), charge in zip(charges, receipt.charges, strict=True)
    ]
    if not own:
        shares = _shared(in_all, [*lines, *taxed])
        return shares[: len(lines)], shares[len(lines) :]
    of_lines = min(said, in_all) if total_of(taxed) else in_all
    return _shared(of_lines, own), _shared(in_all - of_lines, taxed)


def _less(weights: list[Weight], total: int) -> list[Weight]:
    """`weights` less `total`, shared by them; none below nought."""
    shares = _shared(min(total, total_of(weights)), weights)
    return [(name, minor - share) for (name, minor), share in zip(weights, shares, strict=True)]


def _own_taxes(receipt: Receipt) -> list[Weight]:
    """The tax that each line sold says of itself; nothing at all where none says any."""
    own: list[Weight] = [
        (line.line_id, sum(tax.amount_minor for tax in line.taxes))
        for line in receipt.lines
        if line.kind is LineKind.SALE
    ]
    return own if total_of(own) else []


def _shared(total: int, weights: Sequence[Weight]) -> tuple[int, ...]:
    """`total` by `weights`; nothing to anybody where there is nothing to share it by."""
    return share_out(total if total_of(weights) else 0, weights)
