"""Our own format for banks that have none: payment events on Standard Webhooks.

The envelope is Standard Webhooks' `{type, timestamp, data}` with its three headers; `webhook-id`
names the event, is signed, and stays the same when the bank sends it again. Types:
`payment.authorised`, `payment.cleared`, `payment.reversed` and `payment.refunded`; others are
ignored. Amounts are whole minor units, always positive. `data.id` is the bank's id of the payment
and the same in all its events; a refund has its own id and says in `refers_to` which payment it
undoes, where the bank knows. Telling a bank of receipts stands in `standard_receipts`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

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
from chalicelib.kernel.cards import (
    NO_CARD_FACTS,
    CardFacts,
    LastFourKind,
    tidy_auth_code,
    tidy_scheme,
)
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, Misshapen
from chalicelib.kernel.times import parse_instant
from chalicelib.network.identifiers import Identifier, IdentifierKind, identifier
from chalicelib.network.model import Connection, KeyUse
from chalicelib.network.places import place_told
from chalicelib.runtime import wire

KIND_BY_TYPE = {f"payment.{kind.value}": kind for kind in PaymentEventKind}


class StandardMoney(msgspec.Struct):
    """Whole minor units of an ISO 4217 currency."""

    minor: int
    currency: Text


class StandardCard(msgspec.Struct):
    """What the bank may say of the card; never its number.

    `token` is the bank's own lasting name of the card. `last_four_kind` says which number
    `last_four` ends: the card's, a wallet's device number, the account's, or unknown.
    """

    token: Reference | None = None
    last_four: Text | None = None
    last_four_kind: Literal["card", "device", "account", "unknown"] = "unknown"
    scheme: Text | None = None
    auth_code: Text | None = None


class StandardMerchant(msgspec.Struct):
    """All by which the bank can name the shop: the acquirer's ids and the statement line.

    And where it stands, in degrees, which tells apart stores that a name leaves open.
    """

    mid: Text | None = None
    tid: Text | None = None
    narrative: Text | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None


class StandardPayment(msgspec.Struct):
    """`data`. Times are RFC 3339 with an offset; `made_at` is when the card was presented.

    `pending_id` is the id that the payment had before it was booked, where that is another.
    """

    id: Reference
    account: Reference
    made_at: Text
    amount: StandardMoney
    merchant: StandardMerchant
    user: Reference | None = None
    card: StandardCard | None = None
    local_amount: StandardMoney | None = None
    refers_to: Reference | None = None
    pending_id: Reference | None = None


class StandardEvent(msgspec.Struct):
    """What a bank posts. `timestamp` is when the event happened."""

    type: Text
    timestamp: Text
    data: StandardPayment


class _Envelope(msgspec.Struct):
    type: Text
    timestamp: Text = ""
    data: Any = None


def verify(request: HookRequest, connection: Connection, *, now: datetime) -> None:
    """Check the Standard Webhooks signature under any key of the connection.

    :raises SignatureMismatch: none verifies it, or it is over five minutes off.
    """
    signatures.verify_standard(
        connection.keys_for(KeyUse.VERIFY, now=now),
        headers=request.headers,
        body=request.body,
        now=now,
    )


def read(request: HookRequest, connection: Connection, *, now: datetime) -> BankReading:
    """Read one event. Ignored: `event_type`, `zero_amount`.

    :raises Rejected: the message breaks a rule.
    """
    body = wire.read_json(request.body)
    kind = KIND_BY_TYPE.get(wire.convert(body, _Envelope).type)
    if kind is None:
        return reading_of(Ignored("event_type"))
    told = wire.convert(body, StandardEvent)
    unknown = wire.unknown_fields(body, StandardEvent)
    amount = _money(told.data.amount, "data.amount")
    if amount.minor == 0:
        return reading_of(Ignored("zero_amount"), unknown_fields=unknown)
    event_key = _event_key(request.headers)
    occurred_at = parse_instant(told.timestamp, field="timestamp")
    made_at = parse_instant(told.data.made_at, field="data.made_at")
    event = PaymentEvent(
        connection_id=connection.connection_id,
        transaction_id=told.data.id,
        event_key=event_key,
        kind=kind,
        made_at=check_time("data.made_at", made_at, now=now),
        occurred_at=check_time("timestamp", occurred_at, now=now),
        amount=amount,
        digest=digest_of(body),
        merchant=_merchant(told.data.merchant),
        local_amount=_local(told.data, amount),
        card=_card(told.data.card),
        account_ref=told.data.account,
        user_ref=told.data.user,
        card_ref=told.data.card.token if told.data.card else None,
        refers_to=told.data.refers_to if kind is PaymentEventKind.REFUNDED else None,
        continues=_continued(told.data, kind),
    )
    return reading_of(event, unknown_fields=unknown)


def _continued(told: StandardPayment, kind: PaymentEventKind) -> str | None:
    """The id that the payment had before. A refund names its payment by `refers_to`."""
    is_other = kind is not PaymentEventKind.REFUNDED and told.pending_id != told.id
    return told.pending_id if is_other else None


def _event_key(headers: dict[str, str]) -> str:
    name = headers.get("webhook-id", "")
    try:
        return msgspec.convert(name, Reference)
    except msgspec.ValidationError as error:
        raise Malformed(
            "the webhook-id is missing or not an id", field="webhook-id", code="event_id"
        ) from error


def _money(told: StandardMoney, path: str) -> Money:
    field = f"{path}.minor"
    amount = money_at(field, told.minor, told.currency, currency_field=f"{path}.currency")
    refuse_negative(field, amount)
    return amount


def _local(told: StandardPayment, amount: Money) -> Money | None:
    if told.local_amount is None:
        return None
    return local_amount(amount, _money(told.local_amount, "data.local_amount"))


def _merchant(told: StandardMerchant) -> tuple[Identifier, ...]:
    if (told.latitude is None) is not (told.longitude is None):
        raise Misshapen(
            "a place has a latitude and a longitude", field="data.merchant", code="shape"
        )
    return identifiers(
        identifier(IdentifierKind.MID, told.mid),
        identifier(IdentifierKind.TID, told.tid),
        identifier(IdentifierKind.NARRATIVE, told.narrative),
        place_told(told.latitude, told.longitude),
    )


def _card(told: StandardCard | None) -> CardFacts:
    if told is None:
        return NO_CARD_FACTS
    kind = LastFourKind(told.last_four_kind)
    return CardFacts(
        scheme=tidy_scheme(told.scheme),
        last_four=last_four_at("data.card.last_four", told.last_four, kind),
        auth_code=tidy_auth_code(told.auth_code),
    )
