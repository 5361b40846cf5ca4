"""Monzo: receipts pushed to `PUT /transaction-receipts` with the member's own token.

Source: monzo/docs, `source/includes/_receipts.md`. `external_id` is the idempotency key: the same
one updates. Amounts are minor units and spending is positive. Items and taxes are to add up to the
total, payments too, sub-items to their item, one level deep. For prices that include tax the item
carries its `tax` and `taxes` is sent with amount 0 (it gives the VAT number its place), as Monzo's
own example client does; for prices without tax `taxes` carries the amounts. Documented payment
types are `card`, `cash` and `gift_card`: vouchers, points and anything else go as `gift_card` with
their name. The card's `bin` is never sent, because it is never known here. How Monzo wants a
refund's receipt was not found: it is sent with positive sums, as the transaction it belongs to
shows money in. The answer is 200, with an empty body or a `receipt_id`.
"""

from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

import msgspec

from chalicelib.banks import http
from chalicelib.banks.layout import Layout, Part, Payment, describe_tender, lay_out
from chalicelib.banks.telling import Note, ReceiptNote, Told
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.network.model import Connection
from chalicelib.receipts.canonical import TenderKind

PATH = "/transaction-receipts"

_TYPE_BY_TENDER = {TenderKind.CARD: "card", TenderKind.CASH: "cash"}
_encoder = msgspec.json.Encoder(decimal_format="number")


class NoAccessToken(NotAllowed):
    """The member's token at the bank is not there, so the bank cannot be told."""

    code = "no_access_token"


class MonzoSubItem(msgspec.Struct, omit_defaults=True):
    """A part of an item; its amounts add up to the item's."""

    description: str
    amount: int
    currency: str
    quantity: Decimal
    unit: str | None = None


class MonzoItem(msgspec.Struct, omit_defaults=True):
    """An item. `amount` is for the whole line, tax included where prices include it."""

    description: str
    amount: int
    currency: str
    quantity: Decimal
    unit: str | None = None
    tax: int | None = None
    sub_items: tuple[MonzoSubItem, ...] = ()


class MonzoTax(msgspec.Struct, omit_defaults=True):
    """A tax. `amount` is 0 where the items already include it."""

    description: str
    amount: int
    currency: str
    tax_number: str | None = None


class MonzoPayment(msgspec.Struct, omit_defaults=True):
    """A tender."""

    type: str
    amount: int
    currency: str
    last_four: str | None = None
    auth_code: str | None = None
    aid: str | None = None
    mid: str | None = None
    tid: str | None = None
    gift_card_type: str | None = None


class MonzoReceiptMerchant(msgspec.Struct, omit_defaults=True):
    """The shop. Monzo also knows `email`, which is not kept here."""

    name: str
    online: bool
    phone: str = ""
    store_name: str = ""
    store_address: str = ""
    store_postcode: str = ""


class MonzoReceipt(msgspec.Struct, omit_defaults=True):
    """The body of `PUT /transaction-receipts`."""

    transaction_id: str
    external_id: str
    total: int
    currency: str
    items: tuple[MonzoItem, ...]
    merchant: MonzoReceiptMerchant
    payments: tuple[MonzoPayment, ...] = ()
    taxes: tuple[MonzoTax, ...] = ()


def tell(note: Note, connection: Connection, *, now: datetime) -> Told:
    """Put the receipt on the transaction, or take it off.

    :raises AccessRefused: the token is not accepted; refresh it once and call again.
    :raises NoAccessToken: there is none. :raises BankRefused: any other lasting refusal.
    :raises EndpointGone: 410. :raises TryAgain: not now.
    """
    if note.access_token is None:
        raise NoAccessToken("the member's token at the bank is not there")
    headers = {
        "Authorization": f"Bearer {note.access_token.reveal()}",
        "Content-Type": "application/json",
    }
    url = connection.api_url + PATH
    if not isinstance(note, ReceiptNote):
        _withdraw(f"{url}?external_id={quote(note.external_id, safe='')}", headers, now=now)
    else:
        body = _encoder.encode(render(note))
        http.accept(
            http.call("PUT", url, headers=headers, body=body), now=now, token_is_members=True
        )
    return Told()


def render(note: ReceiptNote) -> MonzoReceipt:
    """The receipt as Monzo takes it; every sum that Monzo documents holds."""
    layout = lay_out(note.receipt)
    currency = layout.total.currency
    return MonzoReceipt(
        transaction_id=note.transaction_id,
        external_id=note.external_id,
        total=layout.total.minor,
        currency=currency,
        items=tuple(_item(part, currency) for part in layout.parts),
        merchant=_merchant(note),
        payments=tuple(_payment(payment, currency) for payment in layout.payments),
        taxes=_taxes(note, layout),
    )


def _withdraw(url: str, headers: dict[str, str], *, now: datetime) -> None:
    reply = http.call("DELETE", url, headers=headers)
    if reply.status != 404:  # there is no such receipt, which is what was wanted
        http.accept(reply, now=now, token_is_members=True)


def _item(part: Part, currency: str) -> MonzoItem:
    return MonzoItem(
        description=part.description,
        amount=part.amount_minor,
        currency=currency,
        quantity=part.quantity,
        unit=part.unit,
        tax=part.tax_minor,
        sub_items=tuple(
            MonzoSubItem(one.description, one.amount_minor, currency, one.quantity, one.unit)
            for one in part.parts
        ),
    )


def _taxes(note: ReceiptNote, layout: Layout) -> tuple[MonzoTax, ...]:
    number = note.retailer.vat_number or None
    currency = layout.total.currency
    if layout.taxes_on_top_minor:
        described = [tax.description or tax.code for tax in layout.taxes]
        name = ", ".join(dict.fromkeys(text for text in described if text)) or "Tax"
        return (MonzoTax(name, layout.taxes_on_top_minor, currency, number),)
    return (MonzoTax("VAT", 0, currency, number),) if number else ()


def _payment(payment: Payment, currency: str) -> MonzoPayment:
    tender = payment.tender
    kind = _TYPE_BY_TENDER.get(tender.kind, "gift_card")
    if kind != "card":
        gift_card_type = describe_tender(tender) if kind == "gift_card" else None
        return MonzoPayment(kind, payment.amount_minor, currency, gift_card_type=gift_card_type)
    card = tender.card
    return MonzoPayment(
        kind,
        payment.amount_minor,
        currency,
        last_four=card.last_four.digits if card.last_four else None,
        auth_code=card.auth_code,
        aid=tender.aid,
        mid=tender.mid,
        tid=tender.tid,
    )


def _merchant(note: ReceiptNote) -> MonzoReceiptMerchant:
    return MonzoReceiptMerchant(
        name=note.retailer.name,
        online=note.store.online,
        phone=note.store.phone,
        store_name=note.store.name,
        store_address=note.store.address,
        store_postcode=note.store.postcode,
    )
