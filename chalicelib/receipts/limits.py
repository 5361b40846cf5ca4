"""The ranges of a receipt's parts: how many, how long, how large. The sums are in `rules.py`.

The bounds are far above what tills print and far below what a row or a message can hold.
"""

from collections.abc import Iterator
from decimal import Decimal

from chalicelib.kernel.gtins import is_gtin
from chalicelib.kernel.ids import PROVIDER_ID_LENGTH_MAX
from chalicelib.kernel.money import EXPONENT_BY_CURRENCY, MINOR_MAX, NotMinorUnits, UnknownCurrency
from chalicelib.kernel.refusals import NotAllowed, TooLarge
from chalicelib.receipts.canonical import Line, LineKind, Receipt, ReceiptKind, Tax

LINES_MAX = 500
MODIFIERS_MAX = 50
DISCOUNTS_MAX = 50
CHARGES_MAX = 20
TAXES_MAX = 20
TENDERS_MAX = 20
NOTES_MAX = 20
CATEGORY_DEPTH_MAX = 10
VERSION_MAX = 1_000_000

NAME_LENGTH_MAX = 100
TEXT_LENGTH_MAX = 1_000  # Flux's sandbox sends "very long" descriptions; this is four of them.
PAYLOAD_LENGTH_MAX = 5_000  # A TicketBAI or KassenSichV block is one to three thousand characters.

QUANTITY_MAX = Decimal(1_000_000)
DECIMAL_PLACES_MAX = 6
ROUNDING_MINOR_MAX = 10_000  # Indonesian tills round to 100 rupiah, which is 10,000 minor units.

Texts = Iterator[tuple[str, str | None, int]]


class TooMany(TooLarge):
    """A list on the receipt is longer than its limit; `field` names the list."""

    code = "too_many"


class TextLength(NotAllowed):
    """A text is empty where it may not be, or longer than its limit."""

    code = "text_length"


class AmountNotAllowed(NotAllowed):
    """An amount is negative; what gives money back says so by its kind."""

    code = "negative_amount"


class QuantityNotAllowed(NotAllowed):
    """A quantity, or a rate, is negative, too large or too fine."""

    code = "quantity"


class IdentifierNotAllowed(NotAllowed):
    """A GTIN is not 8 to 14 digits, a version is not counted from 1, or a line id comes twice."""

    code = "identifier"


def check_limits(receipt: Receipt) -> None:
    """Refuse a receipt any part of which is out of its range.

    :raises UnknownCurrency, NotMinorUnits, TooMany, TextLength, AmountNotAllowed,
        QuantityNotAllowed, IdentifierNotAllowed: with the field.
    """
    if receipt.currency not in EXPONENT_BY_CURRENCY:
        raise UnknownCurrency(
            "the currency is not an ISO 4217 code in upper case", field="currency"
        )
    if not 1 <= receipt.version <= VERSION_MAX:
        raise IdentifierNotAllowed(
            f"versions count from 1 to {VERSION_MAX}", field="version", code="version"
        )
    for field, count, count_max in _counts(receipt):
        if count > count_max:
            raise TooMany(f"more than {count_max} entries", field=field)
    for field, text, length_max in _texts(receipt):
        if text is not None and not 0 < len(text) <= length_max:
            raise TextLength(f"the text is empty or over {length_max} characters", field=field)
    for field, amount in _amounts(receipt):
        check_amount(amount, field=field)
    _check_signed_amounts(receipt)
    for index, line in enumerate(receipt.lines):
        _check_line(line, f"lines[{index}]")
    for index, tax in enumerate(receipt.taxes):
        _check_rate(tax, f"taxes[{index}]")
    _check_line_ids(receipt)


def check_amount(amount: int, *, field: str, negative: bool = False) -> None:
    """Refuse an amount that is not a whole number of minor units within range.

    :raises NotMinorUnits: not an int, or beyond `MINOR_MAX`. :raises AmountNotAllowed: below zero.
    """
    if type(amount) is not int or abs(amount) > MINOR_MAX:
        raise NotMinorUnits("the amount is not whole minor units within range", field=field)
    if amount < 0 and not negative:
        raise AmountNotAllowed("the amount is negative", field=field)


def check_quantity(quantity: Decimal, *, field: str, at_most: Decimal = QUANTITY_MAX) -> None:
    """Refuse a quantity below zero, above `at_most`, or finer than six decimals.

    :raises QuantityNotAllowed: with what is wrong in its code.
    """
    if not quantity.is_finite() or quantity > at_most:
        raise QuantityNotAllowed(f"this is a number up to {at_most:f}", field=field)
    if quantity < 0:
        raise QuantityNotAllowed("the number is negative", field=field, code="negative_quantity")
    exponent = quantity.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -DECIMAL_PLACES_MAX:
        raise QuantityNotAllowed("the number is finer than six decimals", field=field)


def _counts(receipt: Receipt) -> Iterator[tuple[str, int, int]]:
    yield "lines", len(receipt.lines), LINES_MAX
    yield "tenders", len(receipt.tenders), TENDERS_MAX
    yield "discounts", len(receipt.discounts), DISCOUNTS_MAX
    yield "charges", len(receipt.charges), CHARGES_MAX
    yield "taxes", len(receipt.taxes), TAXES_MAX
    yield "notes", len(receipt.notes), NOTES_MAX
    for index, line in enumerate(receipt.lines):
        yield f"lines[{index}].modifiers", len(line.modifiers), MODIFIERS_MAX
        yield f"lines[{index}].discounts", len(line.discounts), DISCOUNTS_MAX
        yield f"lines[{index}].taxes", len(line.taxes), TAXES_MAX
        yield f"lines[{index}].category", len(line.category), CATEGORY_DEPTH_MAX


def _texts(receipt: Receipt) -> Texts:
    yield "reference", receipt.reference, PROVIDER_ID_LENGTH_MAX
    yield "till", receipt.till, NAME_LENGTH_MAX
    yield "refers_to", receipt.refers_to, PROVIDER_ID_LENGTH_MAX
    yield "return_reference", receipt.return_reference, PROVIDER_ID_LENGTH_MAX
    yield "collection_number", receipt.collection_number, NAME_LENGTH_MAX
    for index, note in enumerate(receipt.notes):
        yield f"notes[{index}]", note, TEXT_LENGTH_MAX
    if receipt.barcode is not None:
        yield "barcode.symbology", receipt.barcode.symbology, NAME_LENGTH_MAX
        yield "barcode.value", receipt.barcode.value, TEXT_LENGTH_MAX
    if receipt.fiscal is not None:
        yield "fiscal.scheme", receipt.fiscal.scheme, NAME_LENGTH_MAX
        yield "fiscal.payload", receipt.fiscal.payload, PAYLOAD_LENGTH_MAX
        yield "fiscal.signature", receipt.fiscal.signature, PAYLOAD_LENGTH_MAX
        yield "fiscal.qr", receipt.fiscal.qr, PAYLOAD_LENGTH_MAX
    for name in ("discounts", "charges"):
        for index, part in enumerate(getattr(receipt, name)):
            yield f"{name}[{index}].description", part.description, TEXT_LENGTH_MAX
    yield from _tax_texts("", receipt.taxes)
    for index, tender in enumerate(receipt.tenders):
        for name in ("mid", "tid", "aid", "description"):
            yield f"tenders[{index}].{name}", getattr(tender, name), NAME_LENGTH_MAX
    for index, line in enumerate(receipt.lines):
        yield from _line_texts(f"lines[{index}]", line)


def _line_texts(at: str, line: Line) -> Texts:
    yield f"{at}.line_id", line.line_id, NAME_LENGTH_MAX
    yield f"{at}.description", line.description, TEXT_LENGTH_MAX
    for name in ("unit", "sku", "lot", "serial"):
        yield f"{at}.{name}", getattr(line, name), NAME_LENGTH_MAX
    for index, category in enumerate(line.category):
        yield f"{at}.category[{index}]", category, NAME_LENGTH_MAX
    for index, modifier in enumerate(line.modifiers):
        yield f"{at}.modifiers[{index}].description", modifier.description, TEXT_LENGTH_MAX
        yield f"{at}.modifiers[{index}].sku", modifier.sku, NAME_LENGTH_MAX
    for index, discount in enumerate(line.discounts):
        yield f"{at}.discounts[{index}].description", discount.description, TEXT_LENGTH_MAX
    yield from _tax_texts(f"{at}.", line.taxes)
    if line.refers_to is not None:
        reference = line.refers_to
        yield f"{at}.refers_to.receipt", reference.receipt_reference, PROVIDER_ID_LENGTH_MAX
        yield f"{at}.refers_to.line_id", reference.line_id, NAME_LENGTH_MAX


def _tax_texts(at: str, taxes: tuple[Tax, ...]) -> Texts:
    for index, tax in enumerate(taxes):
        for name in ("code", "tax_number", "description"):
            yield f"{at}taxes[{index}].{name}", getattr(tax, name), NAME_LENGTH_MAX


def _amounts(receipt: Receipt) -> Iterator[tuple[str, int]]:
    """Every amount that is never negative. Those that may be are in `_check_signed_amounts`."""
    for index, line in enumerate(receipt.lines):
        at = f"lines[{index}]"
        yield f"{at}.amount_minor", line.amount_minor
        if line.unit_price_minor is not None:
            yield f"{at}.unit_price_minor", line.unit_price_minor
        for name in ("modifiers", "discounts", "taxes"):
            for place, inner in enumerate(getattr(line, name)):
                yield f"{at}.{name}[{place}].amount_minor", inner.amount_minor
    for name in ("discounts", "charges", "tenders"):
        for index, part in enumerate(getattr(receipt, name)):
            yield f"{name}[{index}].amount_minor", part.amount_minor
    yield "change_minor", receipt.change_minor


def _check_signed_amounts(receipt: Receipt) -> None:
    """An exchange may give money back, and the tax within it; rounding goes either way."""
    exchange = receipt.kind is ReceiptKind.EXCHANGE
    check_amount(receipt.total_minor, field="total_minor", negative=exchange)
    for index, tax in enumerate(receipt.taxes):
        check_amount(tax.amount_minor, field=f"taxes[{index}].amount_minor", negative=exchange)
    check_amount(receipt.rounding_minor, field="rounding_minor", negative=True)
    if abs(receipt.rounding_minor) > ROUNDING_MINOR_MAX:
        raise NotMinorUnits("more than rounding can explain", field="rounding_minor")


def _check_line(line: Line, at: str) -> None:
    check_quantity(line.quantity, field=f"{at}.quantity")
    if line.quantity == 0 and line.amount_minor != 0:
        raise QuantityNotAllowed(
            "only a free line may have no quantity", field=f"{at}.quantity", code="zero_quantity"
        )
    taken_back_max = line.quantity if line.kind is LineKind.SALE else Decimal(0)
    check_quantity(line.returned_quantity, field=f"{at}.returned_quantity", at_most=taken_back_max)
    for index, modifier in enumerate(line.modifiers):
        check_quantity(modifier.quantity, field=f"{at}.modifiers[{index}].quantity")
        _check_gtin(modifier.gtin, f"{at}.modifiers[{index}].gtin")
    _check_gtin(line.gtin, f"{at}.gtin")
    for index, tax in enumerate(line.taxes):
        _check_rate(tax, f"{at}.taxes[{index}]")


def _check_rate(tax: Tax, at: str) -> None:
    if tax.rate is not None:
        if tax.rate.is_finite() and tax.rate > 1:
            raise QuantityNotAllowed("a rate is a share: 20 % is 0.20", field=f"{at}.rate")
        check_quantity(tax.rate, field=f"{at}.rate", at_most=Decimal(1))


def _check_gtin(gtin: str | None, field: str) -> None:
    if gtin is not None and not is_gtin(gtin):
        raise IdentifierNotAllowed("a GTIN is 8 to 14 digits", field=field, code="gtin")


def _check_line_ids(receipt: Receipt) -> None:
    seen: set[str] = set()
    for index, line in enumerate(receipt.lines):
        if line.line_id in seen:
            raise IdentifierNotAllowed(
                "two lines have the same id", field=f"lines[{index}].line_id", code="line_id_twice"
            )
        seen.add(line.line_id)
