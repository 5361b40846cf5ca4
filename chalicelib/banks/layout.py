"""A receipt laid out for a bank's app: parts that add up to the total, whatever the format.

Banks know items, not discounts, charges or rounding, so each of these becomes a part of its own,
negative where it takes money off. A document whose money goes back to the customer is laid out with
its sign turned, so that its total is positive as every format wants it.

Sub-items have to add up to their item, so a line whose modifiers cost something gets a first
sub-item of its own name with the rest. Modifiers that cost nothing say nothing in sums: they stand
behind the description ("Flat white (oat milk, large)").

The sums of a receipt are checked when it comes. Should a format's rule ever leave a difference
here, it is laid out as a part of its own rather than sent as sums that a bank would refuse.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from chalicelib.kernel.money import Money
from chalicelib.receipts.canonical import (
    Charge,
    ChargeKind,
    Line,
    LineKind,
    Receipt,
    ReceiptKind,
    Tax,
    Tender,
    TenderKind,
)

DESCRIPTION_CHARACTERS_MAX = 250  # No bank states a limit; what people read is far below.


class PartKind(Enum):
    """What a part of the total is."""

    LINE = "line"
    DISCOUNT = "discount"
    CHARGE = "charge"
    TIP = "tip"
    SERVICE = "service"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the total. `parts` is empty or adds up to `amount_minor`; it has no parts itself.

    `tax_minor` is the tax contained in the amount (or on top of it, where the receipt's prices
    exclude tax), None where the till did not say.
    """

    kind: PartKind
    description: str
    amount_minor: int
    quantity: Decimal = Decimal(1)
    unit: str | None = None
    tax_minor: int | None = None
    parts: tuple["Part", ...] = ()


@dataclass(frozen=True, slots=True)
class Payment:
    """What one tender paid of the total, change taken off."""

    tender: Tender
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Parts, plus `taxes_on_top_minor`, add up to `total`; so do the payments."""

    total: Money
    parts: tuple[Part, ...]
    taxes: tuple[Tax, ...]
    taxes_on_top_minor: int
    payments: tuple[Payment, ...]


def lay_out(receipt: Receipt) -> Layout:
    """Lay `receipt` out in parts that add up to its positive total."""
    sign = -1 if _gives_money_back(receipt) else 1
    parts = [_line(line, sign) for line in receipt.lines]
    parts += [
        Part(PartKind.DISCOUNT, discount.description or "Discount", -discount.amount_minor * sign)
        for discount in receipt.discounts
    ]
    parts += [_charge(charge, sign) for charge in receipt.charges]
    if receipt.rounding_minor:
        parts.append(Part(PartKind.ROUNDING, "Rounding", receipt.rounding_minor * sign))
    rest = abs(receipt.total_minor) - sum(part.amount_minor for part in parts)
    if rest and receipt.tax_included:
        parts.append(Part(PartKind.ROUNDING, "Adjustment", rest))
    return Layout(
        total=Money(abs(receipt.total_minor), receipt.currency),
        parts=tuple(parts),
        taxes=receipt.taxes,
        taxes_on_top_minor=0 if receipt.tax_included else rest,
        payments=_payments(receipt),
    )


def describe_tender(tender: Tender) -> str:
    """A tender as a person reads it: `Card ending 4242`, `Gift card`."""
    if tender.description:
        return tender.description
    words = tender.kind.value.replace("_", " ").capitalize()
    last_four = tender.card.last_four
    return f"{words} ending {last_four.digits}" if last_four else words


def describe_quantity(quantity: Decimal, unit: str | None) -> str:
    """A quantity as a person reads it, without trailing zeros: `0.482 kg`."""
    text = f"{quantity.normalize():f}"
    return f"{text} {unit}" if unit else text


def _gives_money_back(receipt: Receipt) -> bool:
    return receipt.kind is ReceiptKind.RETURN or receipt.total_minor < 0


def _line(line: Line, sign: int) -> Part:
    way = sign if line.kind is LineKind.SALE else -sign
    costing = [one for one in line.modifiers if one.amount_minor]
    free = [one.description for one in line.modifiers if not one.amount_minor]
    name = _cut(line.description + (f" ({', '.join(free)})" if free else ""))
    amount = line.amount_minor * way
    return Part(
        PartKind.LINE,
        name,
        amount,
        line.quantity,
        line.unit,
        tax_minor=sum(tax.amount_minor for tax in line.taxes) * way if line.taxes else None,
        parts=_sub_parts(line, way) if costing else (),
    )


def _sub_parts(line: Line, way: int) -> tuple[Part, ...]:
    costing = [one for one in line.modifiers if one.amount_minor]
    rest = line.amount_minor - sum(one.amount_minor for one in costing)
    itself = (
        (Part(PartKind.LINE, _cut(line.description), rest * way, line.quantity, line.unit),)
        if rest
        else ()
    )
    return itself + tuple(
        Part(PartKind.LINE, _cut(one.description), one.amount_minor * way, one.quantity)
        for one in costing
    )


def _charge(charge: Charge, sign: int) -> Part:
    kind = {ChargeKind.TIP: PartKind.TIP, ChargeKind.SERVICE: PartKind.SERVICE}.get(
        charge.kind, PartKind.CHARGE
    )
    name = charge.description or charge.kind.value.capitalize()
    return Part(kind, _cut(name), charge.amount_minor * sign)


def _payments(receipt: Receipt) -> tuple[Payment, ...]:
    """Tenders without the change, which is taken off cash first: that is where it comes from."""
    change = receipt.change_minor
    left = {index: tender.amount_minor for index, tender in enumerate(receipt.tenders)}
    for index in sorted(left, key=lambda at: receipt.tenders[at].kind is not TenderKind.CASH):
        given = min(change, left[index])
        left[index] -= given
        change -= given
    return tuple(
        Payment(tender, left[index])
        for index, tender in enumerate(receipt.tenders)
        if left[index] or not receipt.total_minor
    )


def _cut(text: str) -> str:
    return (
        text
        if len(text) <= DESCRIPTION_CHARACTERS_MAX
        else text[: DESCRIPTION_CHARACTERS_MAX - 1] + "…"
    )
