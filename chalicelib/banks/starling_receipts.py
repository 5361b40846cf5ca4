"""Starling: receipts pushed to a feed item with the connection's own token.

Source: clients made from Starling's OpenAPI file (Netizine/StarlingBankClient and others);
`PUT /api/v2/feed/account/{account}/category/{category}/{feedItemUid}/receipt`. Amounts are decimal
major units as JSON numbers, written here from whole minor units without any float. Quantities are
whole numbers: any other is sent as 1 with the real one in a note of the item. The answer's
`receiptUid` goes back with an update, so that one receipt stays one. Which fields are required, and
whether negative items are taken, was not found; `items`, `totalAmount` and `currencyCode` are the
least that others have seen accepted.

No way to delete a receipt was found. A withdrawn one is overwritten with a receipt that says so and
holds nothing else: no shop, no lines, no sums. A wrong receipt shows somebody else's shopping, so
it must not stay, and its total must not stay either.
"""

from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

import msgspec

from chalicelib.banks import http
from chalicelib.banks.layout import (
    Part,
    PartKind,
    describe_quantity,
    describe_tender,
    lay_out,
)
from chalicelib.banks.starling import CATEGORY_UID
from chalicelib.banks.telling import Note, ReceiptNote, Told, WithdrawnNote
from chalicelib.kernel.ids import PROVIDER_ID_LENGTH_MAX
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, NotAllowed
from chalicelib.network.model import Connection, KeyUse
from chalicelib.runtime import wire

PROVIDER_NAME = "Counterfoil"
WITHDRAWN_TEXT = "This receipt was withdrawn"
QUANTITY_TITLE = "Quantity"

_TYPE_BY_PART = {
    PartKind.LINE: "PURCHASE",
    PartKind.TIP: "GRATUITY",
    PartKind.SERVICE: "SERVICE_FEE",
}
_encoder = msgspec.json.Encoder(decimal_format="number")


class NoApiKey(NotAllowed):
    """The connection has no valid API key at the bank, so the bank cannot be told."""

    code = "no_api_key"


class NoFeedItemAddress(NotAllowed):
    """The note does not say in which account and category the feed item stands."""

    code = "no_feed_item_address"


class StarlingNote(msgspec.Struct, rename="camel", omit_defaults=True):
    """Free text on a receipt or an item."""

    description: str
    title: str | None = None


class StarlingSubItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """A part of an item."""

    description: str
    quantity: int
    amount: Decimal
    notes: tuple[StarlingNote, ...] = ()


class StarlingItem(msgspec.Struct, rename="camel", omit_defaults=True):
    """An item. `amount` is for the whole line, in major units."""

    description: str
    quantity: int
    amount: Decimal
    tax: Decimal | None = None
    type: str | None = None
    notes: tuple[StarlingNote, ...] = ()
    sub_items: tuple[StarlingSubItem, ...] = ()


class StarlingTax(msgspec.Struct, rename="camel"):
    """A tax contained in or added to the total, in major units."""

    tax_name: str
    tax_value: Decimal
    tax_currency_code: str


class StarlingPaymentMethod(msgspec.Struct, rename="camel"):
    """A tender, in major units."""

    description: str
    amount: Decimal


class StarlingReceiptMerchant(msgspec.Struct, rename="camel", omit_defaults=True):
    """The shop."""

    identifier: str
    address: str = ""
    order_collection_number: str | None = None
    tax_number: str = ""


class StarlingReceipt(msgspec.Struct, rename="camel", omit_defaults=True):
    """The body of the PUT. `receipt_uid` is Starling's own id and makes it an update."""

    feed_item_uid: str
    receipt_identifier: str
    total_amount: Decimal
    currency_code: str
    items: tuple[StarlingItem, ...]
    receipt_uid: str | None = None
    metadata_source: str = ""
    provider_name: str = ""
    receipt_merchant: StarlingReceiptMerchant | None = None
    notes: tuple[StarlingNote, ...] = ()
    tax_details: tuple[StarlingTax, ...] = ()
    payment_methods: tuple[StarlingPaymentMethod, ...] = ()


class _Answer(msgspec.Struct, rename="camel"):
    receipt_uid: str | None = None


def tell(note: Note, connection: Connection, *, now: datetime) -> Told:
    """Put the receipt on the feed item; the answer's `receiptUid` is `Told.reference`.

    :raises NoApiKey: the connection has none. :raises NoFeedItemAddress: account or category is
        missing. :raises BankRefused: a lasting refusal. :raises EndpointGone: 410.
    :raises TryAgain: not now.
    """
    keys = connection.keys_for(KeyUse.API, now=now)
    if not keys:
        raise NoApiKey("the connection has no valid API key")
    receipt = render(note) if isinstance(note, ReceiptNote) else render_withdrawn(note)
    headers = {"Authorization": f"Bearer {keys[0]}", "Content-Type": "application/json"}
    reply = http.call(
        "PUT", connection.api_url + _path(note), headers=headers, body=_encoder.encode(receipt)
    )
    http.accept(reply, now=now)
    return Told(_reference(reply.body) or note.told_reference)


def render(note: ReceiptNote) -> StarlingReceipt:
    """The receipt as Starling takes it."""
    receipt, layout = note.receipt, lay_out(note.receipt)
    currency = layout.total.currency
    return StarlingReceipt(
        feed_item_uid=note.transaction_id,
        receipt_identifier=receipt.reference,
        total_amount=layout.total.to_decimal(),
        currency_code=currency,
        items=tuple(_item(part, currency) for part in layout.parts),
        receipt_uid=note.told_reference,
        metadata_source="PARTNER",
        provider_name=PROVIDER_NAME,
        receipt_merchant=_merchant(note),
        notes=_notes(note),
        tax_details=tuple(
            StarlingTax(
                tax.description or tax.code or "VAT", _major(tax.amount_minor, currency), currency
            )
            for tax in layout.taxes
        ),
        payment_methods=tuple(
            StarlingPaymentMethod(
                describe_tender(payment.tender), _major(payment.amount_minor, currency)
            )
            for payment in layout.payments
        ),
    )


def render_withdrawn(note: WithdrawnNote) -> StarlingReceipt:
    """What overwrites a receipt that must not be seen any more."""
    nothing = _major(0, note.currency)
    return StarlingReceipt(
        feed_item_uid=note.transaction_id,
        receipt_identifier=note.external_id,
        total_amount=nothing,
        currency_code=note.currency,
        items=(StarlingItem(WITHDRAWN_TEXT, 1, nothing),),
        receipt_uid=note.told_reference,
        metadata_source="PARTNER",
        provider_name=PROVIDER_NAME,
    )


def _path(note: Note) -> str:
    category = dict(note.told_through).get(CATEGORY_UID)
    if not note.account_ref or not category:
        raise NoFeedItemAddress("the account or the category of the feed item is missing")
    account, category, item = (
        quote(name, safe="") for name in (note.account_ref, category, note.transaction_id)
    )
    return f"/api/v2/feed/account/{account}/category/{category}/{item}/receipt"


def _reference(body: bytes) -> str | None:
    """The `receiptUid` of a successful answer; an answer without one is a success all the same."""
    try:
        uid = wire.convert(wire.read_json(body), _Answer).receipt_uid
    except Malformed:
        return None
    return uid if uid and len(uid) <= PROVIDER_ID_LENGTH_MAX else None


def _major(minor: int, currency: str) -> Decimal:
    return Money(minor, currency).to_decimal()


def _item(part: Part, currency: str) -> StarlingItem:
    quantity, notes = _quantity(part)
    return StarlingItem(
        description=part.description,
        quantity=quantity,
        amount=_major(part.amount_minor, currency),
        tax=None if part.tax_minor is None else _major(part.tax_minor, currency),
        type=_TYPE_BY_PART.get(part.kind),
        notes=notes,
        sub_items=tuple(_sub_item(one, currency) for one in part.parts),
    )


def _sub_item(part: Part, currency: str) -> StarlingSubItem:
    quantity, notes = _quantity(part)
    return StarlingSubItem(part.description, quantity, _major(part.amount_minor, currency), notes)


def _quantity(part: Part) -> tuple[int, tuple[StarlingNote, ...]]:
    if part.unit is None and part.quantity == part.quantity.to_integral_value() >= 1:
        return int(part.quantity), ()
    text = describe_quantity(part.quantity, part.unit)
    return 1, (StarlingNote(text, QUANTITY_TITLE),)


def _merchant(note: ReceiptNote) -> StarlingReceiptMerchant:
    store = note.store
    return StarlingReceiptMerchant(
        identifier=f"{note.retailer.name}, {store.name}",
        address=", ".join(text for text in (store.address, store.postcode) if text),
        order_collection_number=note.receipt.collection_number,
        tax_number=note.retailer.vat_number,
    )


def _notes(note: ReceiptNote) -> tuple[StarlingNote, ...]:
    receipt = note.receipt
    notes = [StarlingNote(text) for text in receipt.notes]
    if receipt.return_reference:
        notes.append(StarlingNote(receipt.return_reference, "Return reference"))
    if receipt.return_by:
        notes.append(StarlingNote(receipt.return_by.isoformat(), "Return by"))
    return tuple(notes)
