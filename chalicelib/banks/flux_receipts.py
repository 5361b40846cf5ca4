"""Flux: receipts as its bank APIs show them, and the signed webhook that pushes them.

Source: tryflux/bank-test-api-visualizer (v2 receipt), tryflux/developer-docs
`source/includes/_receipts.md` (v1 receipt), tryflux/open-banking-verification (signature). v2 is
plain JSON, as since May 2021, with minor units; v1 has flat totals and `modifications`. The webhook
carries a v2 receipt under a detached JWS over the raw body (`jws`). The vendor's words for
`payments[].type` and `style` were not found: tender kinds are sent in upper case and no style. A
bank without a URL for receipts reads them by `GET`.

Flux knows no withdrawal. A withdrawn receipt is pushed once more under the same id with a note that
says so and nothing else in it, and is no longer found by `GET`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.banks import http, jws
from chalicelib.banks.layout import Part, Payment, lay_out
from chalicelib.banks.telling import Note, ReceiptNote, Told, WithdrawnNote
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.times import to_text
from chalicelib.network.model import Connection

WITHDRAWN_TEXT = "This receipt was withdrawn"

_encoder = msgspec.json.Encoder(decimal_format="number")  # quantities are numbers here


# Flux's quantities travel as JSON numbers, and are described so.
Number = Annotated[Decimal, Meta(extra_json_schema={"x-written-as": "number"})]


class FluxAmount(msgspec.Struct):
    """Minor units."""

    amount: int
    currency: str


class FluxLabel(msgspec.Struct, omit_defaults=True):
    """Text to show. `style` is the vendor's; its values were not found, so none is sent."""

    label: str
    style: str | None = None


class FluxNote(msgspec.Struct):
    """Free text on the receipt."""

    description: FluxLabel


class FluxLocation(msgspec.Struct):
    """The shop's place."""

    name: str
    online: bool
    address: str


class FluxReceiptMerchant(msgspec.Struct):
    """The brand and its place."""

    name: str
    location: FluxLocation


class FluxPayment(msgspec.Struct, rename="camel", omit_defaults=True):
    """A tender."""

    type: str
    paid: FluxAmount
    last_four: str | None = None
    auth_code: str | None = None


class FluxTax(msgspec.Struct, rename="camel", omit_defaults=True):
    """A tax contained in or added to the total."""

    description: str
    value: FluxAmount
    tax_number: str | None = None


class FluxItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """An item; its sub-items add up to it and have none themselves."""

    description: FluxLabel
    quantity: Number
    amount: FluxAmount
    sub_items: tuple["FluxItem", ...] = ()


class FluxBarcode(msgspec.Struct, omit_defaults=True):
    """A code to be scanned at the till."""

    type: str
    code: str
    title: str | None = None


class FluxReceipt(msgspec.Struct, rename="camel", omit_defaults=True):
    """The v2 receipt: the webhook's body and the answer of `GET /receipts/external/{id}`."""

    id: str
    bank_transaction_id: str
    total: FluxAmount
    transaction_date: str
    notes: tuple[FluxNote, ...]
    payments: tuple[FluxPayment, ...]
    taxes: tuple[FluxTax, ...]
    items: tuple[FluxItem, ...]
    merchant: FluxReceiptMerchant | None = None
    collection_number: str | None = None
    barcode: FluxBarcode | None = None


class FluxModification(msgspec.Struct):
    """v1: a part of an item."""

    description: str
    quantity: Number
    amount: int
    tax: int


class FluxItemV1(msgspec.Struct, omit_defaults=True):
    """v1: an item, in minor units."""

    description: str
    quantity: Number
    amount: int
    tax: int
    modifications: tuple[FluxModification, ...] = ()


class FluxMerchantV1(msgspec.Struct, rename="camel", omit_defaults=True):
    """v1: the shop. `metadata` holds what a person may use to reach it."""

    merchant_identifier: str
    address: str
    metadata: dict[str, str] = {}


class FluxReceiptV1(msgspec.Struct, rename="camel", omit_defaults=True):
    """The v1 receipt: the answer of `GET /receipts/v2/external`."""

    receipt_identifier: str
    merchant: FluxMerchantV1
    total_amount: int
    total_tax: int
    items: tuple[FluxItemV1, ...]
    tax_number: str | None = None
    auth_code: str | None = None
    last_four: str | None = None


def tell(note: Note, connection: Connection, *, now: datetime, signing_key: Personal[str]) -> Told:
    """Push the v2 receipt to the bank's URL, signed with the platform's RSA key (PEM).

    A connection without a URL is told nothing: that bank reads receipts itself.

    :raises BankRefused: a lasting refusal. :raises EndpointGone: 410. :raises TryAgain: not now.
    """
    if not connection.told_at_url:
        return Told()
    shown = render_v2(note) if isinstance(note, ReceiptNote) else render_withdrawn(note)
    body = encode(shown)
    headers = {
        "Content-Type": "application/json",
        jws.HEADER: jws.sign_detached(body, signing_key.reveal()),
    }
    http.accept(http.call("POST", connection.told_at_url, headers=headers, body=body), now=now)
    return Told()


def encode(shown: FluxReceipt | FluxReceiptV1) -> bytes:
    """A receipt as the JSON that is sent and signed; decimals are numbers."""
    return _encoder.encode(shown)


def render_v2(note: ReceiptNote) -> FluxReceipt:
    """The receipt as Flux's second bank API shows it."""
    receipt, layout = note.receipt, lay_out(note.receipt)
    currency = layout.total.currency
    barcode = receipt.barcode
    return FluxReceipt(
        id=note.external_id,
        bank_transaction_id=note.transaction_id,
        total=FluxAmount(layout.total.minor, currency),
        transaction_date=to_text(receipt.issued_at),
        notes=tuple(FluxNote(FluxLabel(text)) for text in receipt.notes),
        payments=tuple(_payment(payment, currency) for payment in layout.payments),
        taxes=tuple(
            FluxTax(
                tax.description or tax.code or "VAT",
                FluxAmount(tax.amount_minor, currency),
                tax.tax_number or note.retailer.vat_number or None,
            )
            for tax in layout.taxes
        ),
        items=tuple(_item(part, currency) for part in layout.parts),
        merchant=_merchant(note),
        collection_number=receipt.collection_number,
        barcode=FluxBarcode(barcode.symbology.upper(), barcode.value) if barcode else None,
    )


def render_withdrawn(note: WithdrawnNote) -> FluxReceipt:
    """What replaces a receipt that must not be seen any more."""
    return FluxReceipt(
        id=note.external_id,
        bank_transaction_id=note.transaction_id,
        total=FluxAmount(0, note.currency),
        transaction_date=to_text(note.at),
        notes=(FluxNote(FluxLabel(WITHDRAWN_TEXT)),),
        payments=(),
        taxes=(),
        items=(),
    )


def render_v1(note: ReceiptNote) -> FluxReceiptV1:
    """The receipt as Flux's first bank API shows it: one card, one total tax."""
    receipt, layout = note.receipt, lay_out(note.receipt)
    cards = [tender.card for tender in receipt.card_tenders]
    last_fours = [card.last_four.digits for card in cards if card.last_four]
    metadata = {"phone": note.store.phone, "website": note.retailer.website}
    return FluxReceiptV1(
        receipt_identifier=receipt.reference,
        merchant=FluxMerchantV1(
            f"{note.retailer.name}, {note.store.name}",
            _address(note),
            {name: text for name, text in metadata.items() if text},
        ),
        total_amount=layout.total.minor,
        total_tax=sum(tax.amount_minor for tax in layout.taxes),
        items=tuple(_item_v1(part) for part in layout.parts),
        tax_number=note.retailer.vat_number or None,
        auth_code=next((card.auth_code for card in cards if card.auth_code), None),
        last_four=next(iter(last_fours), None),
    )


def _address(note: ReceiptNote) -> str:
    return ", ".join(text for text in (note.store.address, note.store.postcode) if text)


def _merchant(note: ReceiptNote) -> FluxReceiptMerchant:
    store = note.store
    return FluxReceiptMerchant(
        note.retailer.name, FluxLocation(store.name, store.online, _address(note))
    )


def _payment(payment: Payment, currency: str) -> FluxPayment:
    card = payment.tender.card
    return FluxPayment(
        type=payment.tender.kind.value.upper(),
        paid=FluxAmount(payment.amount_minor, currency),
        last_four=card.last_four.digits if card.last_four else None,
        auth_code=card.auth_code,
    )


def _item(part: Part, currency: str) -> FluxItem:
    return FluxItem(
        FluxLabel(part.description),
        part.quantity,
        FluxAmount(part.amount_minor, currency),
        tuple(_item(one, currency) for one in part.parts),
    )


def _item_v1(part: Part) -> FluxItemV1:
    return FluxItemV1(
        part.description,
        part.quantity,
        part.amount_minor,
        part.tax_minor or 0,
        tuple(
            FluxModification(one.description, one.quantity, one.amount_minor, one.tax_minor or 0)
            for one in part.parts
        ),
    )
