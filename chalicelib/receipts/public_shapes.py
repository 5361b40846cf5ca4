"""The receipt as readers get it: answers, webhooks and exports, documented by these shapes."""

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.kernel.cards import LastFourKind
from chalicelib.receipts.canonical import ChargeKind, LineKind, ReceiptKind, TenderKind


class PublicMoney(msgspec.Struct, frozen=True):
    """An amount: whole minor units, ISO 4217 code, and major units as text (`12.34`)."""

    minor: int
    currency: str
    text: Annotated[str, Meta(examples=["12.34"])]


class PublicRetailer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The brand."""

    name: str
    vat_number: str | None = None
    website: str | None = None


class PublicStore(msgspec.Struct, frozen=True, omit_defaults=True):
    """The place, with its IANA time zone and position."""

    name: str
    reference: str
    zone: str
    address: str | None = None
    postcode: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    phone: str | None = None
    online: bool = False


class PublicTax(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tax. `rate` 0.2 is twenty per cent."""

    amount: PublicMoney
    rate: Decimal | None = None
    code: str | None = None
    tax_number: str | None = None
    description: str | None = None


class PublicDiscount(msgspec.Struct, frozen=True):
    """Money off, as a positive amount."""

    description: str
    amount: PublicMoney


class PublicCharge(msgspec.Struct, frozen=True):
    """Money on top of the lines."""

    kind: ChargeKind
    description: str
    amount: PublicMoney


class PublicModifier(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part or change of a line; its amount is contained in the line's."""

    description: str
    amount: PublicMoney
    quantity: Decimal = Decimal(1)
    gtin: str | None = None
    sku: str | None = None


class PublicLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. `amount` is what it cost, its own discounts taken off."""

    line_id: str
    kind: LineKind
    description: str
    quantity: Decimal
    amount: PublicMoney
    returnable_quantity: Decimal
    returned_quantity: Decimal = Decimal(0)
    unit: str | None = None
    unit_price: PublicMoney | None = None
    gtin: str | None = None
    sku: str | None = None
    lot: str | None = None
    serial: str | None = None
    category: tuple[str, ...] = ()
    modifiers: tuple[PublicModifier, ...] = ()
    discounts: tuple[PublicDiscount, ...] = ()
    taxes: tuple[PublicTax, ...] = ()
    returnable_until: date | None = None
    warranty_until: date | None = None
    refers_to_receipt: str | None = None
    refers_to_line: str | None = None


class PublicTender(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a part was paid; of a card its scheme, last four digits and auth code, nothing else."""

    kind: TenderKind
    amount: PublicMoney
    scheme: str | None = None
    last_four: str | None = None
    last_four_kind: LastFourKind | None = None
    auth_code: str | None = None
    description: str | None = None


class PublicBarcode(msgspec.Struct, frozen=True):
    """A code to be scanned: its symbology (`code_128`, `qr`, …) and its text."""

    symbology: str
    value: str


class PublicReturn(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the store needs to take goods back: its own reference, a barcode, and until when.

    `by` is a day of the store's calendar, and the last on which goods are taken.
    """

    reference: str
    by: date
    barcode: PublicBarcode | None = None


class PublicFiscal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fiscal block as the till sent it."""

    scheme: str
    payload: str
    signature: str | None = None
    qr: str | None = None


class PublicReceipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """An itemised receipt.

    `issued_at` is UTC; `local_time` is the same instant with the store's offset, and `business_day`
    the day it fell on there.
    """

    receipt_id: str
    reference: str
    version: int
    kind: ReceiptKind
    retailer: PublicRetailer
    store: PublicStore
    issued_at: str
    local_time: str
    business_day: date
    currency: str
    total: PublicMoney
    lines: tuple[PublicLine, ...]
    tenders: tuple[PublicTender, ...]
    till: str | None = None
    discounts: tuple[PublicDiscount, ...] = ()
    charges: tuple[PublicCharge, ...] = ()
    taxes: tuple[PublicTax, ...] = ()
    tax_included: bool = True
    rounding: PublicMoney | None = None
    change: PublicMoney | None = None
    return_: PublicReturn | None = msgspec.field(default=None, name="return")
    refers_to: str | None = None
    collection_number: str | None = None
    fiscal: PublicFiscal | None = None
    notes: tuple[str, ...] = ()
