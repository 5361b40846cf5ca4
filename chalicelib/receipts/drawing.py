"""The receipt as a till prints it: monospaced text, 42 columns wide.

The right-hand column adds up: lines before their own discounts, discounts with a minus, charges,
taxes on top, rounding, then the total. Modifiers are contained in their line, so their amounts
stand in brackets. Characters a terminal would obey are replaced by spaces.
"""

import unicodedata
from collections.abc import Iterator
from decimal import Decimal

from chalicelib.kernel.money import Money
from chalicelib.kernel.times import zone_named
from chalicelib.network.model import Retailer, Store
from chalicelib.receipts.canonical import Line, LineKind, Receipt, ReceiptKind, Tax, Tender
from chalicelib.receipts.rendering import RETURNABLE_KINDS, return_by

WIDTH = 42  # Font A on 80 mm paper.
TEXT_WIDTH_MIN = 12
RULE = "-" * WIDTH

TOTAL_NAMES = {
    ReceiptKind.SALE: "TOTAL",
    ReceiptKind.RETURN: "TOTAL REFUNDED",
    ReceiptKind.EXCHANGE: "TOTAL",
    ReceiptKind.VOID: "VOID",
}


def draw(receipt: Receipt, *, retailer: Retailer, store: Store) -> str:
    """`receipt` as lines of at most 42 columns, each ended by a newline."""
    rows = [
        *_head(receipt, retailer, store),
        RULE,
        *(row for line in receipt.lines for row in _line(receipt, line)),
        RULE,
        *_sums(receipt),
        RULE,
        *_tenders(receipt),
        *_taxes(receipt),
        *_foot(receipt, retailer, store),
    ]
    return "".join(f"{row.rstrip()}\n" for row in rows)


def _head(receipt: Receipt, retailer: Retailer, store: Store) -> Iterator[str]:
    yield from _centred(retailer.name.upper())
    yield from _centred(store.name)
    yield from _centred(", ".join(part for part in (store.address, store.postcode) if part))
    yield from _centred(store.phone)
    yield from _centred(f"VAT no. {retailer.vat_number}" if retailer.vat_number else "")
    yield RULE
    local = receipt.issued_at.astimezone(zone_named(store.zone))
    yield from _row(
        f"{local:%d/%m/%Y %H:%M}", f"Till {_plain(receipt.till)}" if receipt.till else ""
    )
    yield from _row(f"Receipt {receipt.reference}", "")
    if receipt.kind is not ReceiptKind.SALE:
        yield from _centred(f"*** {receipt.kind.value.upper()} ***")
    if receipt.refers_to:
        yield from _row(f"Of receipt {receipt.refers_to}", "")
    if receipt.collection_number:
        yield from _centred(f"COLLECTION NUMBER {receipt.collection_number}")


def _line(receipt: Receipt, line: Line) -> Iterator[str]:
    negative = line.kind is LineKind.RETURN and receipt.kind is ReceiptKind.EXCHANGE
    sign = -1 if negative else 1
    before = line.amount_minor + sum(discount.amount_minor for discount in line.discounts)
    name = f"RETURNED {line.description}" if negative else line.description
    yield from _row(f"{_quantity(line)}{name}", _amount(receipt, sign * before))
    if line.unit_price_minor is not None and line.quantity != 1:
        per = f" per {line.unit}" if line.unit else " each"
        yield from _row(f"at {_amount(receipt, line.unit_price_minor)}{per}", "", indent=4)
    for modifier in line.modifiers:
        count = "" if modifier.quantity == 1 else f"{modifier.quantity.normalize():f} x "
        price = f" ({_amount(receipt, modifier.amount_minor)})" if modifier.amount_minor else ""
        yield from _row(f"+ {count}{modifier.description}{price}", "", indent=2)
    for discount in line.discounts:
        amount = _amount(receipt, -sign * discount.amount_minor)
        yield from _row(discount.description, amount, indent=2)
    if line.returned_quantity:
        yield from _row(f"brought back: {line.returned_quantity.normalize():f}", "", indent=4)


def _quantity(line: Line) -> str:
    if line.quantity == 1 and line.unit is None:
        return ""
    number = f"{line.quantity.normalize():f}"
    return f"{number} {line.unit} " if line.unit else f"{number} x "


def _sums(receipt: Receipt) -> Iterator[str]:
    for discount in receipt.discounts:
        yield from _row(discount.description, _amount(receipt, -discount.amount_minor))
    for charge in receipt.charges:
        yield from _row(charge.description, _amount(receipt, charge.amount_minor))
    if not receipt.tax_included:
        for tax in receipt.taxes:
            yield from _row(_tax_name(tax), _amount(receipt, tax.amount_minor))
    if receipt.rounding_minor:
        yield from _row("Rounding", _amount(receipt, receipt.rounding_minor))
    name = f"{TOTAL_NAMES[receipt.kind]} {receipt.currency}"
    yield from _row(name, _amount(receipt, receipt.total_minor))


def _tenders(receipt: Receipt) -> Iterator[str]:
    for tender in receipt.tenders:
        yield from _row(_tender_name(tender), _amount(receipt, tender.amount_minor))
        if tender.card.auth_code:
            yield from _row(f"auth code {tender.card.auth_code}", "", indent=2)
    if receipt.change_minor:
        yield from _row("Change", _amount(receipt, receipt.change_minor))


def _tender_name(tender: Tender) -> str:
    if tender.description:
        name = tender.description
    elif tender.card.scheme:
        name = tender.card.scheme.capitalize()
    else:
        name = tender.kind.value.replace("_", " ").capitalize()
    return f"{name} **** {tender.card.last_four.digits}" if tender.card.last_four else name


def _taxes(receipt: Receipt) -> Iterator[str]:
    """The tax summary. Tax on top has been printed with the sums."""
    if not (receipt.taxes and receipt.tax_included):
        return
    yield RULE
    for tax in receipt.taxes:
        yield from _row(f"incl. {_tax_name(tax)}", _amount(receipt, tax.amount_minor))


def _tax_name(tax: Tax) -> str:
    code = f" ({tax.code})" if tax.code else ""
    return describe_tax(tax.description, tax.rate) + code


def describe_tax(description: str | None, rate: Decimal | None) -> str:
    """A tax as people read it: `VAT 17.5%`. A description that states its rate is left alone."""
    name = description or "VAT"
    if rate is None or "%" in name:
        return name
    return f"{name} {(rate * 100).normalize():f}%"


def _foot(receipt: Receipt, retailer: Retailer, store: Store) -> Iterator[str]:
    yield RULE
    if receipt.kind in RETURNABLE_KINDS:
        by = return_by(receipt, retailer=retailer, store=store)
        yield from _centred(f"Return by {by:%d/%m/%Y}")
        yield from _centred(f"quoting {receipt.return_reference or receipt.reference}")
    if receipt.barcode:
        yield from _centred("||| || | |||| ||| | || ||| | ||")
        yield from _centred(receipt.barcode.value)
    for note in receipt.notes:
        yield from _centred(note)


def _amount(receipt: Receipt, minor: int) -> str:
    return Money(minor, receipt.currency).to_text()


def _row(text: str, amount: str, *, indent: int = 0) -> Iterator[str]:
    """`text` on the left, wrapped, and `amount` at the right of its last line."""
    room = max(WIDTH - indent - (len(amount) + 1 if amount else 0), TEXT_WIDTH_MIN)
    *above, last = _wrapped(text, room) or [""]
    for part in above:
        yield " " * indent + part
    gap = WIDTH - indent - _columns(last) - len(amount)
    yield " " * indent + last + " " * gap + amount


def _centred(text: str) -> Iterator[str]:
    for part in _wrapped(text, WIDTH):
        yield " " * ((WIDTH - _columns(part)) // 2) + part


def _wrapped(text: str, room: int) -> list[str]:
    """`text` in parts of at most `room` columns, broken at spaces where there are any."""
    parts = [""]
    for word in _plain(text).split():
        if parts[-1] and _columns(parts[-1]) + 1 + _columns(word) <= room:
            parts[-1] += f" {word}"
            continue
        if parts[-1]:
            parts.append("")
        for character in word:
            if _columns(parts[-1]) + _columns(character) > room:
                parts.append("")
            parts[-1] += character
    return [part for part in parts if part]


def _plain(text: str | None) -> str:
    return "".join(character if character.isprintable() else " " for character in text or "")


def _columns(text: str) -> int:
    """How many columns a terminal gives `text`: East Asian wide characters take two."""
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )
