"""What Fidel says."""

import json

import pytest

from chalicelib.banks import fidel
from chalicelib.banks.payments import (
    Ignored,
    PaymentEvent,
    PaymentEventKind,
)
from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import payment_id_of
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, Rejected
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import Provider
from tests.makers.bank_readings import BANK, MID, at, digest, only, read
from tests.makers.banks import CONNECTION_ID, NOON, event_bytes, event_json, request


def test_reads_every_field_of_a_fidel_authorisation_in_the_shops_own_time_zone() -> None:
    body = event_bytes("fidel_transaction_auth")
    event = only(read(Provider.FIDEL, body, event="transaction.auth"))
    assert event == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="9c1e7a44-03a7-4d9f-8f1f-6a2b7c9d0e31",
        event_key="fidel-msg-1",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(11, 30, 2),
        occurred_at=at(11, 30, 5, 331_000),
        amount=Money(1840, "GBP"),
        digest=digest(event),
        merchant=(
            Identifier(MID, "PC-PAR-3"),
            Identifier(IdentifierKind.FIDEL_LOCATION, "loc-paper-crane-paris"),
        ),
        card=CardFacts("visa", LastFour("4003", LastFourKind.CARD), "B20417"),
        card_ref="card-token-7d20",
    )
    assert "acct-of-the-operator" not in repr(event)


def test_reads_a_fidel_clearing_of_the_same_payment() -> None:
    auth = only(
        read(Provider.FIDEL, event_bytes("fidel_transaction_auth"), event="transaction.auth")
    )
    body = event_bytes("fidel_transaction_clearing")
    event = only(read(Provider.FIDEL, body, event="transaction.clearing"))
    assert event.payment_id == auth.payment_id
    assert (event.kind, event.occurred_at) == (PaymentEventKind.CLEARED, at(11, 55))


def test_counts_a_fidel_refund_once_though_it_fires_a_clearing_too() -> None:
    body = event_bytes("fidel_transaction_refund")
    event = only(read(Provider.FIDEL, body, event="transaction.refund"))
    clearing = read(Provider.FIDEL, body, event="transaction.clearing")
    assert (event.kind, event.amount) == (PaymentEventKind.REFUNDED, Money(605, "GBP"))
    assert event.refers_to == "9c1e7a44-03a7-4d9f-8f1f-6a2b7c9d0e31"
    assert event.payment_id == payment_id_of(CONNECTION_ID, event.refers_to)
    assert event.card.auth_code is None
    assert (clearing.events, clearing.ignored) == ((), (Ignored("clearing_of_refund"),))


def test_names_a_fidel_event_without_a_message_id_by_kind_and_amount() -> None:
    raw = event_bytes("fidel_transaction_auth")
    inbound = request(raw, query={"event": "transaction.auth"})
    assert only(fidel.read(inbound, BANK, now=NOON)).event_key == "transaction.auth:1840"


def test_takes_a_networks_own_approval_code_from_fidel() -> None:
    body = event_json("fidel_transaction_auth")
    body["authCode"] = None
    body["identifiers"]["mastercardAuthCode"] = "zz9"
    raw = json.dumps(body, default=float).encode()
    event = only(read(Provider.FIDEL, raw, event="transaction.auth"))
    assert event.card.auth_code == "ZZ9"


def test_reads_fidel_decimals_exactly() -> None:
    for text, minor in (("18.4", 1840), ("0.29", 29), ("1", 100), ("1.10", 110), ("4.35", 435)):
        raw = event_bytes("fidel_transaction_auth").replace(b"18.4", text.encode())
        event = only(read(Provider.FIDEL, raw, event="transaction.auth"))
        assert event.amount == Money(minor, "GBP")


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        (b"18.4", b"18.405", "not_minor_units", "amount"),
        (b"18.4", b'"NaN"', "not_minor_units", "amount"),
        (b"18.4", b'"1E+999999"', "not_minor_units", "amount"),
        (b"18.4", b"-18.4", "negative_amount", "amount"),
        (b"GBP", b"XAU", "unknown_currency", "currency"),
        (b"Europe/Paris", b"Europe/Lutetia", "unknown_zone", "location.timezone"),
        (b'"Europe/Paris"', b"null", "time_offset", "location.timezone"),
        (b"2026-11-20T12:30:02", b"2026-11-20T14:30:02", "time_out_of_range", "datetime"),
        (b'"id": "card-token-7d20"', b'"id": ""', "shape", "card.id"),
        (b'"lastNumbers": "4003"', b'"lastNumbers": "403"', "last_four", "card.lastNumbers"),
        (b'"wallet": null', b'"amount": 1', "duplicate_key", None),
    ],
)
def test_refuses_a_fidel_transaction_that_breaks_a_rule(
    old: bytes, new: bytes, code: str, field: str | None
) -> None:
    raw = event_bytes("fidel_transaction_auth").replace(old, new)
    with pytest.raises(Rejected) as refusal:
        read(Provider.FIDEL, raw, event="transaction.auth")
    assert (refusal.value.code, refusal.value.field) == (code, field)


def test_refuses_a_fidel_message_whose_event_is_not_named() -> None:
    with pytest.raises(Malformed) as refusal:
        read(Provider.FIDEL, event_bytes("fidel_transaction_auth"))
    assert (refusal.value.code, refusal.value.field) == ("event_missing", "event")
