"""What banks say in our own format."""

import json
from typing import Any

import pytest

from chalicelib.api.statuses import status_of
from chalicelib.banks import standard
from chalicelib.banks.payments import (
    Ignored,
    PaymentEvent,
    PaymentEventKind,
)
from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import payment_id_of
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, Rejected
from chalicelib.network.identifiers import Identifier
from chalicelib.network.model import Provider
from tests.makers.bank_readings import BANK, MID, NARRATIVE, PLACE, TID, at, digest, only, read
from tests.makers.banks import CONNECTION_ID, NOON, event_bytes, event_json, request


def test_reads_every_field_of_a_standard_authorisation() -> None:
    event = only(read(Provider.STANDARD, event_bytes("standard_payment_authorised")))
    assert event == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="ob-20261120-0009",
        event_key="msg-1",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(11, 41, 7),
        occurred_at=at(11, 41, 8),
        amount=Money(2130, "GBP"),
        digest=digest(event),
        merchant=(
            Identifier(MID, "MID-BL-0042"),
            Identifier(TID, "T0420001"),
            Identifier(NARRATIVE, "BEAN & LEAF"),
            Identifier(PLACE, "53.7974,-1.5438"),
        ),
        local_amount=Money(2500, "EUR"),
        card=CardFacts("visa", LastFour("3190", LastFourKind.DEVICE), "C55D10"),
        account_ref="acct-hazel",
        user_ref="person-hazel",
        card_ref="card-hazel-1",
    )


@pytest.mark.parametrize("kind", list(PaymentEventKind))
def test_reads_each_standard_event_as_one_of_the_same_payment(kind: PaymentEventKind) -> None:
    event = only(read(Provider.STANDARD, event_bytes(f"standard_payment_{kind.value}")))
    assert event.kind is kind
    assert event.payment_id == payment_id_of(CONNECTION_ID, "ob-20261120-0009")


@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        ("amount", {"minor": 21.3, "currency": "GBP"}, "shape", "data.amount.minor"),
        ("amount", {"minor": "2130", "currency": "GBP"}, "shape", "data.amount.minor"),
        ("amount", {"minor": True, "currency": "GBP"}, "shape", "data.amount.minor"),
        ("amount", {"minor": -1, "currency": "GBP"}, "negative_amount", "data.amount.minor"),
        ("amount", {"minor": 10**13, "currency": "GBP"}, "not_minor_units", "data.amount.minor"),
        ("amount", {"minor": 1, "currency": "gbp"}, "unknown_currency", "data.amount.currency"),
        ("id", "with blank", "shape", "data.id"),
        ("id", "x" * 201, "shape", "data.id"),
        ("account", 7, "shape", "data.account"),
        ("made_at", "2026-11-20T11:41:07", "time_offset", "data.made_at"),
        ("made_at", "yesterday", "time", "data.made_at"),
        ("made_at", "2026-11-20T12:10:01Z", "time_out_of_range", "data.made_at"),
        ("made_at", "2026-08-22T11:59:59Z", "time_out_of_range", "data.made_at"),
        ("merchant", {"mid": "1", "latitude": 91}, "shape", "data.merchant.latitude"),
        ("merchant", {"mid": "1", "latitude": 53.8}, "shape", "data.merchant"),
        ("merchant", {"mid": "1", "longitude": "W"}, "shape", "data.merchant.longitude"),
        ("card", {"last_four": "12"}, "last_four", "data.card.last_four"),
        ("card", {"last_four_kind": "pan"}, "shape", "data.card.last_four_kind"),
    ],
)  # fmt: skip
def test_refuses_a_standard_payment_that_breaks_a_rule(
    path: str, value: Any, code: str, field: str
) -> None:
    body = event_json("standard_payment_authorised")
    body["data"][path] = value
    with pytest.raises(Rejected) as refusal:
        read(Provider.STANDARD, json.dumps(body, default=float).encode())
    assert (refusal.value.code, refusal.value.field) == (code, field)


@pytest.mark.parametrize("half", [{"latitude": 53.8}, {"longitude": -1.5}, {"latitude": 91}])
def test_half_a_place_is_answered_as_any_other_wrong_shape(half: dict[str, float]) -> None:
    body = event_json("standard_payment_authorised")
    body["data"]["merchant"] = {"mid": "1", **half}
    with pytest.raises(Rejected) as refusal:
        read(Provider.STANDARD, json.dumps(body).encode())
    assert (status_of(refusal.value), refusal.value.code) == (422, "shape")


@pytest.mark.parametrize("made_at", ["2026-11-20T12:10:00Z", "2026-08-22T12:00:00Z"])
def test_accepts_a_payment_at_either_edge_of_time(made_at: str) -> None:
    body = event_json("standard_payment_authorised")
    body["data"]["made_at"] = made_at
    assert only(read(Provider.STANDARD, body)).transaction_id == "ob-20261120-0009"


def test_refuses_a_standard_event_without_a_name() -> None:
    inbound = request(event_bytes("standard_payment_authorised"))
    with pytest.raises(Malformed) as refusal:
        standard.read(inbound, BANK, now=NOON)
    assert (refusal.value.code, refusal.value.field) == ("event_id", "webhook-id")


def test_ignores_a_payment_of_nothing() -> None:
    body = event_json("standard_payment_authorised")
    body["data"]["amount"]["minor"] = 0
    assert read(Provider.STANDARD, body).ignored == (Ignored("zero_amount"),)


def test_counts_fields_that_the_format_does_not_know() -> None:
    body = event_json("standard_payment_authorised")
    body["data"].update(mood="good")
    body["data"]["merchant"]["stars"] = 5
    reading = read(Provider.STANDARD, body)
    assert (len(reading.events), reading.unknown_fields) == (1, 2)


@pytest.mark.parametrize("timestamp", ["2026-11-20T12:10:01Z", "2026-08-22T11:59:59Z"])
def test_refuses_an_event_that_happened_in_another_season(timestamp: str) -> None:
    body = event_json("standard_payment_authorised")
    body["timestamp"] = timestamp
    with pytest.raises(Rejected) as refusal:
        read(Provider.STANDARD, json.dumps(body, default=float).encode())
    assert (refusal.value.code, refusal.value.field) == ("time_out_of_range", "timestamp")


def test_a_payment_booked_under_another_id_is_the_pending_one() -> None:
    pending = only(read(Provider.STANDARD, event_json("standard_payment_authorised")))

    booked = only(read(Provider.STANDARD, event_json("standard_payment_renamed")))

    assert (booked.transaction_id, booked.continues) == (
        "ob-20261120-0009-booked",
        "ob-20261120-0009",
    )
    assert booked.payment_id == pending.payment_id


def test_a_payment_that_names_itself_as_pending_has_one_name() -> None:
    body = event_json("standard_payment_cleared")
    body["data"]["pending_id"] = body["data"]["id"]

    assert only(read(Provider.STANDARD, body)).continues is None
