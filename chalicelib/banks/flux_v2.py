"""Flux bank API v2 (2019–22): `POST /webhooks/v2/bank`, an array of up to 100 card transactions.

Source: tryflux/bank-test-api-visualizer and tryflux/open-banking-verification. Against v1, MID, TID
and coordinates are gone and a free-text narrative is all that names the shop. Money is an object
whose amount is minor units, as a number or (Flux's own tool) as text. The first submission wins
here too. Whether v2 requests were ever signed was not found: v1's optional signature is accepted.
"""

import re
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from chalicelib.banks import flux_v1
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
from chalicelib.kernel.money import Money, NotMinorUnits
from chalicelib.kernel.times import parse_instant
from chalicelib.network.identifiers import IdentifierKind, identifier
from chalicelib.network.model import Connection
from chalicelib.runtime import wire

PATH = "/webhooks/v2/bank"

_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)


class FluxMoney(msgspec.Struct):
    """`amount` in minor units, as a whole number or the same as text."""

    amount: int | str
    currency: Text


class FluxCardV2(msgspec.Struct, rename="camel"):
    """What v2 tells of the card."""

    auth_code: Text | None = None
    last_four: Text | None = None
    scheme: Text | None = None


class FluxMerchantV2(msgspec.Struct, rename="camel"):
    """The statement line, which is all that names the shop."""

    transaction_narrative: Text | None = None


class FluxBankTransactionV2(msgspec.Struct, rename="camel"):
    """One entry of `POST /webhooks/v2/bank`."""

    bank_transaction_id: Reference
    account_id: Reference
    transaction_date: Text
    amount: FluxMoney
    card: FluxCardV2 | None = None
    merchant: FluxMerchantV2 | None = None


def verify(request: HookRequest, connection: Connection, *, now: datetime) -> None:
    """Check the optional `X-Request-Signature`, as in v1.

    :raises SignatureMismatch: there is a signature and it does not verify.
    """
    flux_v1.verify_request_signature(request, connection, path=PATH, now=now)


def read(request: HookRequest, connection: Connection, *, now: datetime) -> BankReading:
    """Read the array; entries that break a rule or hold a card number are set apart.

    :raises Malformed: not a JSON array. :raises TooLarge: over 100 entries or 1 MiB.
    """
    return read_entries(
        wire.parse_json(request.body),
        partial(_read_entry, connection=connection, now=now),
        name_field="bankTransactionId",
        entry_type=FluxBankTransactionV2,
    )


def _read_entry(
    entry: Any, path: str, *, connection: Connection, now: datetime
) -> PaymentEvent | Ignored:
    told = wire.convert(entry, FluxBankTransactionV2, path=path)
    amount = _money(told.amount, f"{path}.amount")
    if amount.minor == 0:
        return Ignored("zero_amount")
    date_field = f"{path}.transactionDate"
    made_at = parse_instant(told.transaction_date, field=date_field)
    narrative = told.merchant.transaction_narrative if told.merchant else None
    card = told.card or FluxCardV2()
    return PaymentEvent(
        connection_id=connection.connection_id,
        transaction_id=told.bank_transaction_id,
        event_key=flux_v1.EVENT_KEY,
        kind=PaymentEventKind.AUTHORISED,
        made_at=check_time(date_field, made_at, now=now),
        occurred_at=made_at,
        amount=amount,
        digest=digest_of(entry),
        merchant=identifiers(identifier(IdentifierKind.NARRATIVE, narrative)),
        card=CardFacts(
            scheme=tidy_scheme(card.scheme),
            last_four=last_four_at(f"{path}.card.lastFour", card.last_four, LastFourKind.CARD),
            auth_code=tidy_auth_code(card.auth_code),
        ),
        account_ref=told.account_id,
    )


def _money(told: FluxMoney, path: str) -> Money:
    field = f"{path}.amount"
    if isinstance(told.amount, str) and not _WHOLE.fullmatch(told.amount):
        raise NotMinorUnits("the amount is not whole minor units", field=field)
    amount = money_at(field, int(told.amount), told.currency, currency_field=f"{path}.currency")
    refuse_negative(field, amount)
    return amount
