"""The native receipt as it travels: the body of `POST /v1/receipts` and of the `receipts` queue.

Names and meanings follow the canonical receipt (`receipts/canonical.py`), which follows EN 16931-8.
Amounts are whole minor units in fields that end in `_minor`; quantities and rates are decimals,
as text (or as plain JSON numbers). Fields may be added; readers ignore and count those they do not
know. What these shapes cannot say (sums, ranges, lengths) is in `receipts/rules.py`.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.kernel.cards import LastFourKind
from chalicelib.kernel.ids import PROVIDER_ID_LENGTH_MAX
from chalicelib.kernel.money import MINOR_MAX
from chalicelib.receipts import limits
from chalicelib.receipts.canonical import ChargeKind, LineKind, ReceiptKind, TenderKind

# The bounds are told in the schema and enforced by `receipts/limits.py`, which names the rule.
Amount = Annotated[
    int,
    Meta(
        description="Whole minor units (pence, cents, yen).",
        extra_json_schema={"minimum": 0, "maximum": MINOR_MAX},
    ),
]
SignedAmount = Annotated[
    int,
    Meta(
        description="Whole minor units; may be negative.",
        extra_json_schema={"minimum": -MINOR_MAX, "maximum": MINOR_MAX},
    ),
]
Quantity = Annotated[
    Decimal,
    Meta(
        description='A decimal as text, such as "0.347"; a plain JSON number is taken too.',
        extra_json_schema={"x-written-as": ["string", "number"]},
    ),
]
Rate = Annotated[
    Decimal,
    Meta(
        description='"0.20" is twenty per cent.',
        extra_json_schema={"x-written-as": ["string", "number"]},
    ),
]
Reference = Annotated[
    str, Meta(extra_json_schema={"minLength": 1, "maxLength": PROVIDER_ID_LENGTH_MAX})
]
Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": limits.NAME_LENGTH_MAX})]
Text = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": limits.TEXT_LENGTH_MAX})]
Payload = Annotated[
    str, Meta(extra_json_schema={"minLength": 1, "maxLength": limits.PAYLOAD_LENGTH_MAX})
]


class Shape(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a native receipt. What holds its default is left out when written."""


class NativeDiscount(Shape, frozen=True):
    """Money off, as a positive amount."""

    description: Text
    amount_minor: Amount


class NativeCharge(Shape, frozen=True):
    """Money on top: a tip, service, delivery, a bag, a deposit."""

    kind: ChargeKind
    amount_minor: Amount
    description: Text | None = None


class NativeTax(Shape, frozen=True):
    """Tax within an amount, or on top of it where the receipt's `tax_included` is false."""

    amount_minor: SignedAmount
    code: Name | None = None
    rate: Rate | None = None
    tax_number: Name | None = None
    description: Name | None = None


class NativeModifier(Shape, frozen=True):
    """A part or change of a line. Its amount is contained in the line's; null is nought."""

    description: Text
    amount_minor: Amount | None = None
    quantity: Quantity | None = None
    gtin: Name | None = None
    sku: Name | None = None


class NativeLineReference(Shape, frozen=True):
    """The sale a returned line undoes: the reference of its receipt, and the id of its line."""

    receipt: Reference
    line_id: Name | None = None


class NativeLine(Shape, frozen=True):
    """One line. `amount_minor` is what it costs after its own discounts, modifiers included.

    `line_id` defaults to the line's place on the receipt, counted from 1. `discounts` explain: they
    are already taken off. `returned_quantity` is how much of it came back since.
    """

    description: Text
    amount_minor: Amount
    line_id: Name | None = None
    quantity: Quantity = Decimal(1)
    unit: Name | None = None
    unit_price_minor: Amount | None = None
    kind: LineKind = LineKind.SALE
    gtin: Annotated[str, Meta(extra_json_schema={"pattern": "^[0-9]{8,14}$"})] | None = None
    sku: Name | None = None
    lot: Name | None = None
    serial: Name | None = None
    category: tuple[Name, ...] = ()
    modifiers: tuple[NativeModifier, ...] = ()
    discounts: tuple[NativeDiscount, ...] = ()
    taxes: tuple[NativeTax, ...] = ()
    returnable_until: date | None = None
    warranty_until: date | None = None
    refers_to: NativeLineReference | None = None
    returned_quantity: Quantity = Decimal(0)


class NativeTender(Shape, frozen=True):
    """A part of the total and how it was paid.

    `last_four_kind` says which number the digits end: the plastic `card`, a wallet's `device`
    number, the `account`; `unknown` where the till cannot tell. Never send more of the number.
    """

    kind: TenderKind
    amount_minor: Amount
    scheme: Name | None = None
    last_four: Annotated[str, Meta(extra_json_schema={"pattern": "^[0-9]{4}$"})] | None = None
    last_four_kind: LastFourKind = LastFourKind.UNKNOWN
    auth_code: Name | None = None
    mid: Name | None = None
    tid: Name | None = None
    aid: Name | None = None
    description: Name | None = None


class NativeBarcode(Shape, frozen=True):
    """A code to be scanned on the receipt: `code_128`, `qr`, `ean_13`, …"""

    symbology: Name
    value: Text


class NativeFiscal(Shape, frozen=True):
    """A fiscal block, carried untouched (KassenSichV, RKSV, TicketBAI, …)."""

    scheme: Name
    payload: Payload
    signature: Payload | None = None
    qr: Payload | None = None


class NativeReceipt(Shape, frozen=True):
    """One version of one till document.

    `reference` is the retailer's own id; the same with a higher `version` replaces it. The store is
    named by `store` (the retailer's store number) or by `mid` and `tid`. `issued_at` is RFC 3339;
    without an offset it is wall-clock time where the store stands.
    """

    reference: Reference
    issued_at: Annotated[str, Meta(examples=["2026-07-14T12:31:07+01:00"])]
    currency: Annotated[str, Meta(extra_json_schema={"pattern": "^[A-Z]{3}$"})]
    total_minor: SignedAmount
    lines: Annotated[tuple[NativeLine, ...], Meta(extra_json_schema={"maxItems": limits.LINES_MAX})]
    tenders: Annotated[
        tuple[NativeTender, ...], Meta(extra_json_schema={"maxItems": limits.TENDERS_MAX})
    ] = ()
    version: Annotated[int, Meta(extra_json_schema={"minimum": 1})] = 1
    kind: ReceiptKind = ReceiptKind.SALE
    store: Reference | None = None
    mid: Name | None = None
    tid: Name | None = None
    till: Name | None = None
    discounts: tuple[NativeDiscount, ...] = ()
    charges: tuple[NativeCharge, ...] = ()
    taxes: tuple[NativeTax, ...] = ()
    tax_included: bool = True
    rounding_minor: SignedAmount = 0
    change_minor: Amount = 0
    refers_to: Reference | None = None
    return_reference: Reference | None = None
    return_by: date | None = None
    barcode: NativeBarcode | None = None
    collection_number: Name | None = None
    fiscal: NativeFiscal | None = None
    notes: tuple[Text, ...] = ()
