"""Flux bank API v1 (2017–18): `POST /bank`, an array of up to 100 card transactions.

Source: tryflux/developer-docs, `source/includes/_webhooks.md` and `_request_signing.md`. The same
transaction may be posted again and the first submission wins. `transactionDate` is the
authorisation's time. `userId` names the purchaser, also on a joint account. `bin`, address and
coordinates are read by nobody here and dropped. The route authenticates by bearer token; a request
signature is optional and checked where it is given. Times without an offset are refused, because
the format names no zone.
"""

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from chalicelib.banks import signatures
from chalicelib.banks.entries import (
    Reference,
    Text,
    check_time,
    digest_of,
    identifiers,
    last_four_at,
    money_at,
    read_entries,
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
from chalicelib.kernel.times import parse_instant
from chalicelib.network.identifiers import IdentifierKind, identifier
from chalicelib.network.model import Connection, KeyUse
from chalicelib.network.places import place_told
from chalicelib.runtime import settings, wire

PATH = "/bank"
SIGNATURE_HEADER = "x-request-signature"
NARRATIVES_MAX = 10
EVENT_KEY = PaymentEventKind.AUTHORISED.value


class FluxCard(msgspec.Struct, rename="camel"):
    """What v1 tells of the card. `bin` is accepted and dropped."""

    scheme: Text | None = None
    last_four: Text | None = None
    bin: Any = None


class FluxBankTransaction(msgspec.Struct, rename="camel"):
    """One entry of `POST /bank`. `amount` is in minor units and positive."""

    id: Reference
    user_id: Reference
    account_id: Reference
    transaction_date: Text
    amount: int
    currency: Text
    merchant_id: Text | None = None
    merchant_name: Text | None = None
    narratives: list[Text] = []
    merchant_address: Any = None
    latitude: Any = None
    longitude: Any = None
    terminal_id: Text | None = None
    auth_code: Text | None = None
    card: FluxCard | None = None


def verify(request: HookRequest, connection: Connection, *, now: datetime) -> None:
    """Check the optional `X-Request-Signature`.

    The signed host and path are those of the connection's registered URL, or of this service's
    hooks URL and `/bank`; never what the request claims.

    :raises SignatureMismatch: there is a signature and it does not verify.
    """
    verify_request_signature(request, connection, path=PATH, now=now)


def verify_request_signature(
    request: HookRequest, connection: Connection, *, path: str, now: datetime
) -> None:
    """Check a Flux request signature where the request carries one.

    :raises SignatureMismatch: there is a signature and it does not verify.
    """
    header = request.headers.get(SIGNATURE_HEADER)
    if header is None:
        return
    url = urlsplit(connection.registered_url or settings.hooks_url() + path)
    signatures.verify_flux(
        connection.keys_for(KeyUse.VERIFY, now=now),
        header=header,
        method=request.method,
        host=url.netloc,
        path=url.path,
        body=request.body,
        now=now,
    )


def read(request: HookRequest, connection: Connection, *, now: datetime) -> BankReading:
    """Read the array; entries that break a rule or hold a card number are set apart.

    :raises Malformed: not a JSON array. :raises TooLarge: over 100 entries or 1 MiB.
    """
    return read_entries(
        wire.parse_json(request.body),
        partial(_read_entry, connection=connection, now=now),
        name_field="id",
        entry_type=FluxBankTransaction,
    )


def _read_entry(
    entry: Any, path: str, *, connection: Connection, now: datetime
) -> PaymentEvent | Ignored:
    told = wire.convert(entry, FluxBankTransaction, path=path)
    amount = money_at(
        f"{path}.amount", told.amount, told.currency, currency_field=f"{path}.currency"
    )
    refuse_negative(f"{path}.amount", amount)
    if amount.minor == 0:
        return Ignored("zero_amount")
    date_field = f"{path}.transactionDate"
    made_at = parse_instant(told.transaction_date, field=date_field)
    return PaymentEvent(
        connection_id=connection.connection_id,
        transaction_id=told.id,
        event_key=EVENT_KEY,
        kind=PaymentEventKind.AUTHORISED,
        made_at=check_time(date_field, made_at, now=now),
        occurred_at=made_at,
        amount=amount,
        digest=digest_of(entry),
        merchant=identifiers(
            identifier(IdentifierKind.MID, told.merchant_id),
            identifier(IdentifierKind.TID, told.terminal_id),
            *(
                identifier(IdentifierKind.NARRATIVE, text)
                for text in (told.merchant_name, *told.narratives[:NARRATIVES_MAX])
            ),
            place_told(told.latitude, told.longitude),
        ),
        card=_card(told, path),
        account_ref=told.account_id,
        user_ref=told.user_id,
    )


def _card(told: FluxBankTransaction, path: str) -> CardFacts:
    card = told.card or FluxCard()
    return CardFacts(
        scheme=tidy_scheme(card.scheme),
        last_four=last_four_at(f"{path}.card.lastFour", card.last_four, LastFourKind.CARD),
        auth_code=tidy_auth_code(told.auth_code),
    )
