"""Flux v1 till entries (`POST /merchant`, 2017–2019) as native receipts.

Source: tryflux/developer-docs, "Merchant webhook". Amounts are minor units. A till may send an
entry again, and only the first submission counts: every receipt is version 1. What the public
documents leave open is decided here:

- `price` may be of the line or of one unit, `modifications` within it or on top, and `tax` within
  the prices or on top: the first reading in the order of `_READINGS` that comes to `amount` is
  taken. Where a line's and a unit's price both do (quantity 1), it is the line's.
- An item with a negative price is a discount on the receipt.
- A missing quantity is one; a missing price is a free line.
- The tender is always a card: Flux took card sales only, and `card` is optional.
- The card's `bin`, latitude and longitude are not kept: the store is known by its id, MID or TID.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from chalicelib.receipts.canonical import TenderKind
from chalicelib.receipts.limits import AmountNotAllowed, check_amount, check_quantity
from chalicelib.runtime import wire
from chalicelib.tills import native_shapes as shapes
from chalicelib.tills.entries import Format, TillReading, read_body

_UNDESCRIBED = "Item"

Number = Annotated[Decimal, Meta(extra_json_schema={"x-written-as": ["number", "string"]})]
Price = Annotated[int, Meta(description="Minor units; below nought is a discount.")]


class FluxModification(msgspec.Struct, frozen=True, rename="camel"):
    """A change of an item ("oat milk")."""

    description: str | None = None
    price: Annotated[int, Meta(description="Minor units.")] | None = None
    quantity: Number | None = None
    sku: str | None = None


class FluxItem(msgspec.Struct, frozen=True, rename="camel"):
    """One item sold. `tax` is in minor units, within its price."""

    description: str | None = None
    sku: str | None = None
    category: str | None = None
    quantity: Number | None = None
    price: Price | None = None
    tax: Annotated[int, Meta(description="Minor units.")] | None = None
    modifications: tuple[FluxModification, ...] | None = None


class FluxCard(msgspec.Struct, frozen=True, rename="camel"):
    """What the terminal knows of the card. `bin` is accepted and forgotten."""

    scheme: str | None = None
    last_four: str | None = None
    bin: str | None = None


class FluxMerchantEntry(msgspec.Struct, frozen=True, rename="camel"):
    """One till sale as Flux v1 takes it. `transactionDate` without offset is the store's time."""

    id: str
    transaction_date: str
    amount: Annotated[int, Meta(description="Minor units.")]
    currency: str
    merchant_id: str | None = None
    terminal_id: str | None = None
    store_id: str | None = None
    latitude: Number | None = None
    longitude: Number | None = None
    tax: Annotated[int, Meta(description="Minor units.")] | None = None
    auth_code: str | None = None
    items: tuple[FluxItem, ...] | None = None
    card: FluxCard | None = None


class _Reading(NamedTuple):
    """How prices are understood."""

    tax_on_top: bool
    modifications_on_top: bool
    per_unit: bool


_READINGS = tuple(_Reading(*choice) for choice in product((False, True), repeat=3))


def read_merchant(body: bytes, *, now: datetime) -> TillReading:
    """Read the body of `POST /merchant`: an array of at most 100 entries (or one entry).

    :raises Malformed, TooLarge: the body as a whole cannot be read.
    """
    return read_body(body, FLUX, now=now)


def read_one(entry: Any) -> tuple[shapes.NativeReceipt, int]:
    """Decoded JSON as a native receipt, with the number of fields Flux does not know.

    :raises Malformed: the shape is wrong. :raises NotAllowed: a quantity or amount is.
    """
    sale = wire.convert(entry, FluxMerchantEntry)
    return _to_native(sale), wire.unknown_fields(entry, FluxMerchantEntry)


def _to_native(sale: FluxMerchantEntry) -> shapes.NativeReceipt:
    items = sale.items or ()
    check_amount(sale.amount, field="amount")
    for index, item in enumerate(items):
        _check_item(item, f"items[{index}]")
    reading = _choose_reading(sale, items)
    return shapes.NativeReceipt(
        reference=sale.id,
        issued_at=sale.transaction_date,
        currency=sale.currency,
        total_minor=sale.amount,
        store=sale.store_id or None,
        mid=sale.merchant_id or None,
        tid=sale.terminal_id or None,
        lines=tuple(_line(item, reading) for item in items if not _is_discount(item)),
        discounts=tuple(
            shapes.NativeDiscount(
                description=item.description or "Discount", amount_minor=-_amount(item, reading)
            )
            for item in items
            if _is_discount(item)
        ),
        taxes=(shapes.NativeTax(amount_minor=sale.tax),) if sale.tax else (),
        tax_included=not (reading.tax_on_top and sale.tax),
        tenders=(_tender(sale),),
    )


def _check_item(item: FluxItem, at: str) -> None:
    """What is computed with is checked before; the rest with the whole receipt."""
    check_amount(item.price or 0, field=f"{at}.price", negative=True)
    check_quantity(_quantity(item.quantity), field=f"{at}.quantity")
    for index, modification in enumerate(item.modifications or ()):
        check_amount(modification.price or 0, field=f"{at}.modifications[{index}].price")
        if _is_discount(item) and modification.price:
            raise AmountNotAllowed(
                "a discount has no priced modifications", field=f"{at}.modifications[{index}].price"
            )


def _choose_reading(sale: FluxMerchantEntry, items: Sequence[FluxItem]) -> _Reading:
    """The first reading that comes to `amount`; without one, the plainest, which is refused."""
    for reading in _READINGS:
        on_top = (sale.tax or 0) if reading.tax_on_top else 0
        amounts = [_exact_amount(item, reading) for item in items]
        whole = all(amount == amount.to_integral_value() for amount in amounts)
        if whole and sum(amounts) + on_top == sale.amount:
            return reading
    return _rounded_reading(sale, items)


def _rounded_reading(sale: FluxMerchantEntry, items: Sequence[FluxItem]) -> _Reading:
    """As `_choose_reading`, for measured goods, each line rounded to the minor unit."""
    for reading in _READINGS:
        on_top = (sale.tax or 0) if reading.tax_on_top else 0
        if sum(_amount(item, reading) for item in items) + on_top == sale.amount:
            return reading
    return _READINGS[0]


def _exact_amount(item: FluxItem, reading: _Reading) -> Decimal:
    price = Decimal(item.price or 0)
    if reading.modifications_on_top:
        price += sum(modification.price or 0 for modification in item.modifications or ())
    return price * _quantity(item.quantity) if reading.per_unit else price


def _amount(item: FluxItem, reading: _Reading) -> int:
    return int(_exact_amount(item, reading).to_integral_value())  # half to even, as tills weigh


def _line(item: FluxItem, reading: _Reading) -> shapes.NativeLine:
    tax = shapes.NativeTax(amount_minor=item.tax) if item.tax else None
    return shapes.NativeLine(
        description=item.description or item.sku or _UNDESCRIBED,
        amount_minor=_amount(item, reading),
        quantity=_quantity(item.quantity),
        sku=item.sku or None,
        category=(item.category,) if item.category else (),
        taxes=(tax,) if tax else (),
        modifiers=tuple(
            _modifier(modification, item, reading) for modification in item.modifications or ()
        ),
    )


def _modifier(
    modification: FluxModification, item: FluxItem, reading: _Reading
) -> shapes.NativeModifier:
    times = _quantity(item.quantity) if reading.per_unit else Decimal(1)
    return shapes.NativeModifier(
        description=modification.description or modification.sku or _UNDESCRIBED,
        amount_minor=int(((modification.price or 0) * times).to_integral_value()),
        quantity=_quantity(modification.quantity),
        sku=modification.sku or None,
    )


def _tender(sale: FluxMerchantEntry) -> shapes.NativeTender:
    card = sale.card or FluxCard()
    return shapes.NativeTender(
        kind=TenderKind.CARD,
        amount_minor=sale.amount,
        scheme=card.scheme or None,
        last_four=card.last_four or None,
        auth_code=sale.auth_code or None,
    )


def _quantity(quantity: Decimal | None) -> Decimal:
    return Decimal(1) if quantity is None else quantity


def _is_discount(item: FluxItem) -> bool:
    return (item.price or 0) < 0


FLUX = Format(
    read_one,
    name_field="id",
    own_names=(
        (r"^reference$", "id"),
        (r"^issued_at$", "transactionDate"),
        (r"^(total_minor|tenders)$", "amount"),
        (r"^taxes\b.*", "tax"),
        (r"^store$", "storeId"),
        (r"^mid$", "merchantId"),
        (r"^tid$", "terminalId"),
        (r"^tenders\[0\]\.last_four$", "card.lastFour"),
        (r"^lines\b", "items"),  # counted without the items that are discounts
        (r"\.modifiers\b", ".modifications"),
        (r"\.taxes\b.*", ".tax"),
        (r"\.category\[0\]$", ".category"),
        (r"\.amount_minor$", ".price"),
    ),
)
