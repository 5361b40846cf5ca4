"""Fidel (card-linking): the bare transaction object, its event named by the registered URL.

Source: FidelLimited/docs. The body holds no event type, so each event has its own registered URL
with `?event=`; amounts are decimal major units, negative for refunds; `datetime` is the shop's wall
clock without a zone, to be read with `location.timezone`; approval codes were removed in newer
releases. A refund fires `transaction.refund` and a negative `transaction.clearing`: the second is
ignored. Members are found by `card.id`; `accountId` is the operator's own account at Fidel.
`fidel-message-id`, stable over retries and replays, names the event; it is not signed, so without
it kind and amount do. Fidel's own samples repeat a key; duplicate keys are refused here as
anywhere, and such a message ends in quarantine, where a person sees it. Fidel itself cannot be told
of receipts; who runs the programme is told in our own format.

The signature covers the registered URL. A connection's `registered_url` holds the exact URLs, one
per event, separated by blanks; or one URL with `{event}` where the event's name stands; or, where
it has no query, the URL to which Fidel's `?event=<name>` was added. The name counts only if it is
the one in the signed URL.
"""

import re
from datetime import datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import msgspec

from chalicelib.banks import signatures
from chalicelib.banks.entries import (
    Reference,
    Text,
    check_time,
    digest_of,
    identifiers,
    last_four_at,
    located,
    major_at,
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
from chalicelib.kernel.cards import CardFacts, LastFourKind, tidy_auth_code, tidy_scheme
from chalicelib.kernel.ids import PROVIDER_ID_LENGTH_MAX
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, Misshapen
from chalicelib.kernel.times import parse_instant, parse_local, zone_named
from chalicelib.network.identifiers import IdentifierKind, identifier
from chalicelib.network.model import Connection, KeyUse
from chalicelib.runtime import wire

KIND_BY_EVENT = {
    "transaction.auth": PaymentEventKind.AUTHORISED,
    "transaction.clearing": PaymentEventKind.CLEARED,
    "transaction.refund": PaymentEventKind.REFUNDED,
}

_EVENT = re.compile(r"[a-z][a-z.\-]{0,59}", re.ASCII)
_MESSAGE_ID = re.compile(r"[!-~]{1,%d}" % PROVIDER_ID_LENGTH_MAX, re.ASCII)  # noqa: UP031


class FidelCard(msgspec.Struct, rename="camel"):
    """The linked card: its token, and the last four digits of the card itself."""

    id: Reference
    last_numbers: Text | None = None
    scheme: Text | None = None


class FidelIdentifiers(msgspec.Struct):
    """The networks' own names. Which approval code is filled depends on the scheme."""

    mid: Text | None = msgspec.field(default=None, name="MID")
    visa_auth_code: Text | None = msgspec.field(default=None, name="visaAuthCode")
    mastercard_auth_code: Text | None = msgspec.field(default=None, name="mastercardAuthCode")
    amex_approval_code: Text | None = msgspec.field(default=None, name="amexApprovalCode")


class FidelLocation(msgspec.Struct):
    """The shop, as Fidel knows it."""

    id: Text | None = None
    timezone: Text | None = None


class FidelTransaction(msgspec.Struct, rename="camel"):
    """The part of a transaction that says what was paid, where and how."""

    id: Reference
    amount: Decimal
    currency: Text
    datetime: Text
    card: FidelCard
    created: Text | None = None
    updated: Text | None = None
    auth_code: Text | None = None
    identifiers: FidelIdentifiers | None = None
    location: FidelLocation | None = None
    original_transaction_id: Reference | None = None


def verify(request: HookRequest, connection: Connection, *, now: datetime) -> None:
    """Check the double HMAC over body, registered URL and timestamp under any key.

    :raises SignatureMismatch: no key verifies it for this event's URL, or it is over five minutes
        off.
    """
    signatures.verify_fidel(
        connection.keys_for(KeyUse.VERIFY, now=now),
        headers=request.headers,
        body=request.body,
        registered_urls=_registered_urls(connection.registered_url, request.query),
        now=now,
    )


def read(request: HookRequest, connection: Connection, *, now: datetime) -> BankReading:
    """Read one transaction. Ignored: `event_type`, `clearing_of_refund`, `zero_amount`.

    :raises Malformed: the query names no event, or the body has not the documented shape.
    :raises Rejected: the message breaks a rule.
    """
    event = request.query.get("event")
    if not event:
        raise Malformed("the query names no event", field="event", code="event_missing")
    body = wire.read_json(request.body)
    kind = KIND_BY_EVENT.get(event)
    if kind is None:
        return reading_of(Ignored("event_type"))
    told = wire.convert(body, FidelTransaction)
    unknown = wire.unknown_fields(body, FidelTransaction)
    signed = major_at("amount", str(told.amount), told.currency, currency_field="currency")
    if signed.minor == 0:
        return reading_of(Ignored("zero_amount"), unknown_fields=unknown)
    if kind is PaymentEventKind.CLEARED and signed.minor < 0:
        return reading_of(Ignored("clearing_of_refund"), unknown_fields=unknown)
    if kind is PaymentEventKind.AUTHORISED:
        refuse_negative("amount", signed)
    name = request.headers.get("fidel-message-id", "")
    event_key = name if _MESSAGE_ID.fullmatch(name) else f"{event}:{abs(signed.minor)}"
    happened = _event(told, kind, signed, event_key, connection, now=now)
    return reading_of(happened, unknown_fields=unknown)


def _event(
    told: FidelTransaction,
    kind: PaymentEventKind,
    signed: Money,
    event_key: str,
    connection: Connection,
    *,
    now: datetime,
) -> PaymentEvent:
    location = told.location or FidelLocation()
    merchant = identifiers(
        identifier(IdentifierKind.MID, told.identifiers.mid if told.identifiers else None),
        identifier(IdentifierKind.FIDEL_LOCATION, location.id),
    )
    made_at = _made_at(told, location)
    card = _card(told)
    facts = [
        told.id, kind.value, told.datetime, signed.minor, signed.currency, told.card.id,
        [[one.kind.value, one.value] for one in merchant], card.auth_code,
        told.original_transaction_id,
    ]  # fmt: skip
    return PaymentEvent(
        connection_id=connection.connection_id,
        transaction_id=told.id,
        event_key=event_key,
        kind=kind,
        made_at=check_time("datetime", made_at, now=now),
        occurred_at=_occurred_at(told, kind, made_at),
        amount=Money(abs(signed.minor), signed.currency),
        digest=digest_of(facts),
        merchant=merchant,
        card=card,
        card_ref=told.card.id,
        refers_to=told.original_transaction_id if kind is PaymentEventKind.REFUNDED else None,
    )


def _made_at(told: FidelTransaction, location: FidelLocation) -> datetime:
    try:
        return parse_instant(told.datetime, field="datetime")
    except Malformed as refusal:
        if refusal.code != "time_offset":
            raise
    if not location.timezone:
        raise Misshapen(
            "the time has no offset and the location no time zone",
            field="location.timezone",
            code="time_offset",
        )
    zone = location.timezone
    located(lambda: zone_named(zone), "location.timezone")
    return parse_local(told.datetime, zone, field="datetime")


def _occurred_at(told: FidelTransaction, kind: PaymentEventKind, made_at: datetime) -> datetime:
    """`created` is the authorisation's time at Fidel, `updated` that of what came later."""
    first = kind is PaymentEventKind.AUTHORISED
    text = told.created if first else told.updated or told.created
    return parse_instant(text, field="created" if first else "updated") if text else made_at


def _card(told: FidelTransaction) -> CardFacts:
    codes = told.identifiers or FidelIdentifiers()
    found = (
        told.auth_code,
        codes.visa_auth_code,
        codes.mastercard_auth_code,
        codes.amex_approval_code,
    )
    return CardFacts(
        scheme=tidy_scheme(told.card.scheme),
        last_four=last_four_at("card.lastNumbers", told.card.last_numbers, LastFourKind.CARD),
        auth_code=next((code for code in map(tidy_auth_code, found) if code), None),
    )


def _registered_urls(registered: str, query: dict[str, str]) -> tuple[str, ...]:
    event = query.get("event", "")
    if not _EVENT.fullmatch(event):
        return ()
    return tuple(url for text in registered.split() if (url := _url_for(text, event)) is not None)


def _url_for(registered: str, event: str) -> str | None:
    if "{event}" in registered:
        return registered.replace("{event}", event)
    parts = urlsplit(registered)
    if not parts.query:
        return f"{registered}?event={event}"
    return registered if parse_qs(parts.query).get("event") == [event] else None
