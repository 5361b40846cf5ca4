"""Starling: v2 feed items, signed with RSA over the raw body.

Source: starlingbank/api-samples (webhook verification), starling-developer-sdk, and clients made
from Starling's own OpenAPI file. Amounts are minor units and always positive; `direction` says
which way. The same `feedItemUid` comes again on every change, on settlement often with another
amount, and identical posts minutes apart have been seen: the event key is status and amount, and
the digest covers what is read here only, so that a note or a category changes nothing. Only HTTP
200 counts as received. Starling dates nothing that it signs, so a replay is found by its event key.

`posTimestamp` is the terminal's wall clock without date and zone and is not used. Money in on
MASTER_CARD is a refund; whether it first shows as pending was not found, so both states carry one
event key and count once. A wallet payment's `cardLast4` may end the device's number or the
card's: its kind is unknown. Pushing receipts stands in `starling_receipts`.
"""

from datetime import datetime
from typing import Any

import msgspec

from chalicelib.banks import signatures
from chalicelib.banks.entries import (
    Reference,
    Text,
    check_time,
    digest_of,
    identifiers,
    last_four_at,
    local_amount,
    money_at,
    reading_of,
    refuse_negative,
)
from chalicelib.banks.payments import (
    BankReading,
    HookRequest,
    Ignored,
    PaymentEvent,
    PaymentEventKind,
)
from chalicelib.kernel.cards import CardFacts, LastFourKind, tidy_auth_code
from chalicelib.kernel.money import Money
from chalicelib.kernel.times import parse_instant
from chalicelib.network.identifiers import Identifier, IdentifierKind, identifier
from chalicelib.network.model import Connection, KeyUse
from chalicelib.runtime import wire

FEED_ITEM = "FEED_ITEM"
CATEGORY_UID = "category_uid"  # what the receipt's address needs besides the account
KIND_BY_STATUS = {
    "PENDING": PaymentEventKind.AUTHORISED,
    "SETTLED": PaymentEventKind.CLEARED,
    "REVERSED": PaymentEventKind.REVERSED,
    "REFUNDED": PaymentEventKind.REFUNDED,
}
REASON_BY_STATUS = {
    "DECLINED": "declined",
    "UPCOMING": "upcoming",
    "RETRYING": "retrying",
    "ACCOUNT_CHECK": "account_check",
}
WALLETS = {
    "APPLE_PAY",
    "ANDROID_PAY",
    "FITBIT_PAY",
    "GARMIN_PAY",
    "SAMSUNG_PAY",
    "OTHER_WALLET",
}


class StarlingAmount(msgspec.Struct, rename="camel"):
    """Minor units, never negative."""

    currency: Text
    minor_units: int


class StarlingCardDetails(msgspec.Struct, rename="camel"):
    """`masterCardFeedDetails`: the card facts of the payment."""

    merchant_identifier: Text | None = None
    authorisation_code: Text | None = None
    card_last4: Text | None = None
    mcc: Any = None
    pos_timestamp: Any = None


class StarlingFeedItem(msgspec.Struct, rename="camel"):
    """The part of a feed item that says what was paid, where and how."""

    feed_item_uid: Reference
    category_uid: Reference
    account_uid: Reference
    amount: StarlingAmount
    direction: Text
    source: Text
    status: Text
    transaction_time: Text
    source_amount: StarlingAmount | None = None
    updated_at: Text | None = None
    settlement_time: Text | None = None
    source_sub_type: Text | None = None
    counter_party_uid: Text | None = None
    counter_party_name: Text | None = None
    reference: Text | None = None
    master_card_feed_details: StarlingCardDetails | None = None


class StarlingEnvelope(msgspec.Struct, rename="camel"):
    """What Starling posts. Other webhook types hold other contents."""

    webhook_type: Text
    webhook_event_uid: Text | None = None
    event_timestamp: Text | None = None
    account_holder_uid: Reference | None = None
    content: Any = None


def verify(request: HookRequest, connection: Connection, *, now: datetime) -> None:
    """Check `X-Hook-Signature` under any key of the connection.

    :raises SignatureMismatch: no key verifies it.
    """
    signatures.verify_starling(
        connection.keys_for(KeyUse.VERIFY, now=now), headers=request.headers, body=request.body
    )


def read(request: HookRequest, connection: Connection, *, now: datetime) -> BankReading:
    """Read one feed item. Ignored: `event_type`, `not_card`, `declined`, `upcoming`, `retrying`,
    `account_check`, `unknown_status`, `zero_amount`.

    :raises Rejected: the message breaks a rule.
    """
    envelope = wire.convert(wire.read_json(request.body), StarlingEnvelope)
    if envelope.webhook_type != FEED_ITEM:
        return reading_of(Ignored("event_type"))
    item = wire.convert(envelope.content, StarlingFeedItem, path="content")
    unknown = wire.unknown_fields(envelope.content, StarlingFeedItem)
    amount = _money(item.amount, "content.amount")
    reason = _why_ignored(item, amount)
    if reason is not None:
        return reading_of(Ignored(reason), unknown_fields=unknown)
    event = _event(item, amount, envelope.account_holder_uid, connection, now=now)
    return reading_of(event, unknown_fields=unknown)


def _why_ignored(item: StarlingFeedItem, amount: Money) -> str | None:
    if item.source != "MASTER_CARD":
        return "not_card"
    if item.status not in KIND_BY_STATUS:
        return REASON_BY_STATUS.get(item.status, "unknown_status")
    return "zero_amount" if amount.minor == 0 else None


def _event(
    item: StarlingFeedItem,
    amount: Money,
    holder: str | None,
    connection: Connection,
    *,
    now: datetime,
) -> PaymentEvent:
    kind, event_key = _named(item, amount)
    made_at = parse_instant(item.transaction_time, field="content.transactionTime")
    check_time("content.transactionTime", made_at, now=now)
    local = _local(item, amount)
    merchant = _merchant(item)
    card = _card(item)
    facts = [
        item.feed_item_uid, event_key, item.transaction_time, amount.currency, item.account_uid,
        [[one.kind.value, one.value] for one in merchant], card.auth_code,
        card.last_four.digits if card.last_four else None,
        [local.minor, local.currency] if local else None,
    ]  # fmt: skip
    return PaymentEvent(
        connection_id=connection.connection_id,
        transaction_id=item.feed_item_uid,
        event_key=event_key,
        kind=kind,
        made_at=made_at,
        occurred_at=_occurred_at(item, made_at),
        amount=amount,
        digest=digest_of(facts),
        merchant=merchant,
        local_amount=local,
        card=card,
        account_ref=item.account_uid,
        user_ref=holder,
        told_through=((CATEGORY_UID, item.category_uid),),
    )


def _named(item: StarlingFeedItem, amount: Money) -> tuple[PaymentEventKind, str]:
    if item.direction == "IN" and item.status in ("PENDING", "SETTLED"):
        return PaymentEventKind.REFUNDED, f"REFUNDED:{amount.minor}"
    return KIND_BY_STATUS[item.status], f"{item.status}:{amount.minor}"


def _occurred_at(item: StarlingFeedItem, made_at: datetime) -> datetime:
    if item.status == "SETTLED" and item.settlement_time:
        return parse_instant(item.settlement_time, field="content.settlementTime")
    if item.updated_at:
        return parse_instant(item.updated_at, field="content.updatedAt")
    return made_at


def _money(told: StarlingAmount, path: str) -> Money:
    field = f"{path}.minorUnits"
    amount = money_at(field, told.minor_units, told.currency, currency_field=f"{path}.currency")
    refuse_negative(field, amount)
    return amount


def _local(item: StarlingFeedItem, amount: Money) -> Money | None:
    if item.source_amount is None:
        return None
    return local_amount(amount, _money(item.source_amount, "content.sourceAmount"))


def _merchant(item: StarlingFeedItem) -> tuple[Identifier, ...]:
    details = item.master_card_feed_details or StarlingCardDetails()
    return identifiers(
        identifier(IdentifierKind.MID, details.merchant_identifier),
        identifier(IdentifierKind.STARLING_COUNTERPARTY, item.counter_party_uid),
        identifier(IdentifierKind.NARRATIVE, item.counter_party_name),
        identifier(IdentifierKind.NARRATIVE, item.reference),
    )


def _card(item: StarlingFeedItem) -> CardFacts:
    details = item.master_card_feed_details or StarlingCardDetails()
    by_wallet = item.source_sub_type in WALLETS
    kind = LastFourKind.UNKNOWN if by_wallet else LastFourKind.CARD
    return CardFacts(
        scheme="mastercard",
        last_four=last_four_at("content.masterCardFeedDetails.cardLast4", details.card_last4, kind),
        auth_code=tidy_auth_code(details.authorisation_code),
    )
