"""Monzo: what `transaction.created` says, and the transaction fetched again to believe it.

Source: monzo/docs, `source/includes/_webhooks.md` and `_transactions.md`. Amounts are minor units
and spending is negative. Declined transactions, top-ups and transfers arrive by the same event.
Monzo signs nothing: the unguessable path is the secret, and a connection may ask for each
transaction to be fetched again. `transaction.updated` is not documented, so settlement shows only
when a fetched transaction says so. `settled` is empty until then. `scheme`, `counterparty` and most
of `metadata` are undocumented and may be missing; without a scheme only spending is believed to be
a card's. Money in on a card with a merchant is a refund, and Monzo does not say of which purchase.
Pushing receipts stands in `monzo_receipts`.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from chalicelib.banks import http
from chalicelib.banks.entries import (
    Reference,
    Text,
    check_time,
    digest_of,
    identifiers,
    local_amount,
    money_at,
    reading_of,
)
from chalicelib.banks.payments import (
    BankReading,
    HookRequest,
    Ignored,
    PaymentEvent,
    PaymentEventKind,
)
from chalicelib.banks.telling import BankRefused
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Rejected
from chalicelib.kernel.times import parse_instant
from chalicelib.network.identifiers import Identifier, IdentifierKind, identifier
from chalicelib.network.model import Connection
from chalicelib.network.places import place_told
from chalicelib.runtime import wire

CREATED = "transaction.created"
CARD_SCHEMES = {"mastercard": "mastercard", "gps_mastercard": "mastercard"}


class TransactionUnknown(Rejected):
    """Monzo does not know the transaction a hook named, or not under that account."""

    code = "transaction_unknown"


class MonzoMerchant(msgspec.Struct):
    """The expanded merchant. `group_id` names the brand, `id` the place."""

    id: Text | None = None
    group_id: Text | None = None
    address: Any = None  # Where it stands; in whatever form, nothing hangs on it.


class MonzoMetadata(msgspec.Struct):
    """The one undocumented field that names the card."""

    mastercard_card_id: Reference | None = None


class MonzoTransaction(msgspec.Struct):
    """A transaction, as the hook and `GET /transactions/{id}` give it."""

    id: Reference
    account_id: Reference
    created: Text
    amount: int
    currency: Text
    description: Text | None = None
    user_id: Reference | None = None
    settled: Text | None = None
    is_load: bool = False
    decline_reason: Text | None = None
    scheme: Text | None = None
    merchant: MonzoMerchant | str | None = None
    local_amount: int | None = None
    local_currency: Text | None = None
    counterparty: dict[str, Any] | None = None
    metadata: MonzoMetadata | None = None


class MonzoEnvelope(msgspec.Struct):
    """What Monzo posts."""

    type: Text
    data: Any = None


class _Fetched(msgspec.Struct):
    transaction: dict[str, Any]


def verify(request: HookRequest, connection: Connection, *, now: datetime) -> None:  # noqa: ARG001
    """Nothing is signed, so this only asks for JSON; the path has named the connection.

    :raises Malformed: the body is not JSON.
    """
    wire.read_json(request.body)


def read(request: HookRequest, connection: Connection, *, now: datetime) -> BankReading:
    """Read one event. Ignored: `event_type`, `declined`, `top_up`, `peer_payment`, `money_in`,
    `not_card`, `zero_amount`.

    The event key holds kind and amount, and the digest covers what is read here only: notes,
    categories and `updated` change without the payment changing.

    :raises Rejected: the message breaks a rule.
    """
    body = wire.read_json(request.body)
    envelope = wire.convert(body, MonzoEnvelope)
    if envelope.type != CREATED:
        return reading_of(Ignored("event_type"))
    told = wire.convert(envelope.data, MonzoTransaction, path="data")
    unknown = wire.unknown_fields(envelope.data, MonzoTransaction)
    reason = _why_ignored(told)
    if reason is not None:
        return reading_of(Ignored(reason), unknown_fields=unknown)
    return reading_of(_event(told, connection, now=now), unknown_fields=unknown)


def refetch(
    transaction_id: str, connection: Connection, access_token: Personal[str], *, now: datetime
) -> HookRequest:
    """The transaction as Monzo itself tells it, to be read instead of what a hook claimed.

    :raises TransactionUnknown: Monzo does not know it. :raises AccessRefused: the token is not
        accepted; refresh it once. :raises TryAgain: Monzo does not answer now.
    """
    url = f"{connection.api_url}/transactions/{quote(transaction_id, safe='')}?expand[]=merchant"
    headers = {"Authorization": f"Bearer {access_token.reveal()}"}
    reply = http.call("GET", url, headers=headers)
    if reply.status in (403, 404):
        raise TransactionUnknown("the bank does not know the transaction")
    http.accept(reply, now=now, token_is_members=True)
    fetched = wire.convert(wire.read_json(reply.body), _Fetched).transaction
    if fetched.get("id") != transaction_id:
        raise BankRefused("the bank answered with another transaction")
    return HookRequest(wire.to_json({"type": CREATED, "data": fetched}), headers={}, query={})


def _why_ignored(told: MonzoTransaction) -> str | None:
    on_card = told.scheme in CARD_SCHEMES
    if told.decline_reason:
        return "declined"
    if told.is_load:
        return "top_up"
    if told.counterparty:
        return "peer_payment"
    if told.amount > 0 and not (on_card and told.merchant is not None):
        return "money_in"
    if told.scheme is not None and not on_card:
        return "not_card"
    return "zero_amount" if told.amount == 0 else None


def _event(told: MonzoTransaction, connection: Connection, *, now: datetime) -> PaymentEvent:
    kind = _kind(told)
    signed = money_at("data.amount", told.amount, told.currency, currency_field="data.currency")
    made_at = parse_instant(told.created, field="data.created")
    check_time("data.created", made_at, now=now)
    amount = Money(abs(signed.minor), signed.currency)
    event_key = f"{kind.value}:{amount.minor}"
    local = _local_amount(told, amount)
    merchant = _merchant(told)
    card_ref = told.metadata.mastercard_card_id if told.metadata else None
    scheme = CARD_SCHEMES.get(told.scheme or "")
    facts = [
        told.id, event_key, told.created, amount.currency, told.account_id, told.user_id, card_ref,
        scheme, [[one.kind.value, one.value] for one in merchant],
        [local.minor, local.currency] if local else None,
    ]  # fmt: skip
    return PaymentEvent(
        connection_id=connection.connection_id,
        transaction_id=told.id,
        event_key=event_key,
        kind=kind,
        made_at=made_at,
        occurred_at=_occurred_at(told, made_at),
        amount=amount,
        digest=digest_of(facts),
        merchant=merchant,
        local_amount=local,
        card=CardFacts(scheme=scheme),
        account_ref=told.account_id,
        user_ref=told.user_id,
        card_ref=card_ref,
    )


def _kind(told: MonzoTransaction) -> PaymentEventKind:
    if told.amount > 0:
        return PaymentEventKind.REFUNDED
    return PaymentEventKind.CLEARED if told.settled else PaymentEventKind.AUTHORISED


def _occurred_at(told: MonzoTransaction, made_at: datetime) -> datetime:
    if not told.settled:
        return made_at
    return parse_instant(told.settled, field="data.settled")


def _local_amount(told: MonzoTransaction, amount: Money) -> Money | None:
    if told.local_amount is None or told.local_currency is None:
        return None
    local = money_at(
        "data.local_amount",
        told.local_amount,
        told.local_currency,
        currency_field="data.local_currency",
    )
    return local_amount(amount, local)


def _merchant(told: MonzoTransaction) -> tuple[Identifier, ...]:
    merchant = told.merchant
    if isinstance(merchant, str):  # not expanded
        merchant = MonzoMerchant(id=merchant)
    return identifiers(
        identifier(IdentifierKind.MONZO_MERCHANT, merchant.id if merchant else None),
        identifier(IdentifierKind.MONZO_GROUP, merchant.group_id if merchant else None),
        identifier(IdentifierKind.NARRATIVE, told.description),
        _place(merchant.address if merchant else None),
    )


def _place(address: Any) -> Identifier | None:
    if not isinstance(address, dict):
        return None
    return place_told(address.get("latitude"), address.get("longitude"))
