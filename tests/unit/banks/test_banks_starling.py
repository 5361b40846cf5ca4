"""What Starling says."""

from typing import Any

import pytest

from chalicelib.banks.payments import (
    Ignored,
    PaymentEvent,
    PaymentEventKind,
)
from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.money import Money
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import Provider
from tests.makers.bank_readings import MID, NARRATIVE, at, digest, only, read
from tests.makers.banks import CONNECTION_ID, event_bytes, event_json


def test_reads_every_field_of_a_pending_starling_feed_item() -> None:
    event = only(read(Provider.STARLING, event_bytes("starling_feed_item_pending")))
    assert event == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="5b1f7f7c-66c2-4f0e-9a11-2f6f0e6d9d01",
        event_key="PENDING:4510",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(11, 43, 10),
        occurred_at=at(11, 43, 11, 900_000),
        amount=Money(4510, "GBP"),
        digest=digest(event),
        merchant=(
            Identifier(MID, "MT0000000012"),
            Identifier(
                IdentifierKind.STARLING_COUNTERPARTY, "e7d1c2b3-4a59-4868-9771-5f4e3d2c1b0a"
            ),
            Identifier(NARRATIVE, "MARLOW'S TABLE"),
            Identifier(NARRATIVE, "MARLOWS TABLE 12 BRISTOL GBR"),
        ),
        card=CardFacts("mastercard", LastFour("6620", LastFourKind.CARD), "Q7P2M1"),
        account_ref="a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
        user_ref="0f0d6a5e-1b77-4a5c-8f7e-7d4c2b9a1e55",
        told_through=(("category_uid", "c4a7e2d9-0b35-4a61-8d0f-91b2c3d4e5f6"),),
    )


def test_settlement_of_a_starling_item_is_another_event_of_the_same_payment() -> None:
    pending = only(read(Provider.STARLING, event_bytes("starling_feed_item_pending")))
    settled = only(read(Provider.STARLING, event_bytes("starling_feed_item_settled")))
    assert settled.payment_id == pending.payment_id
    assert (settled.kind, settled.event_key) == (PaymentEventKind.CLEARED, "SETTLED:5010")
    assert (settled.amount, settled.occurred_at) == (Money(5010, "GBP"), at(11, 58))


@pytest.mark.requirement("LNK-22")
def test_a_starling_item_posted_again_with_another_note_is_the_same_event() -> None:
    body = event_json("starling_feed_item_pending")
    before = only(read(Provider.STARLING, body))
    body.update(webhookEventUid="other", eventTimestamp="2026-11-20T11:59:00Z")
    body["content"].update(userNote="with Ada", spendingCategory="GENERAL", hasReceipt=True)
    assert only(read(Provider.STARLING, body)) == before


def test_reads_money_in_on_a_starling_card_as_a_refund_with_unknown_digits_of_a_wallet() -> None:
    event = only(read(Provider.STARLING, event_bytes("starling_feed_item_refund")))
    assert (event.kind, event.event_key) == (PaymentEventKind.REFUNDED, "REFUNDED:1250")
    assert (event.amount, event.local_amount) == (Money(1250, "GBP"), Money(1450, "EUR"))
    assert event.card.last_four == LastFour("6620", LastFourKind.UNKNOWN)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "REVERSED"}, (PaymentEventKind.REVERSED, "REVERSED:4510")),
        ({"status": "REFUNDED"}, (PaymentEventKind.REFUNDED, "REFUNDED:4510")),
        ({"direction": "IN"}, (PaymentEventKind.REFUNDED, "REFUNDED:4510")),
        ({"direction": "IN", "status": "REVERSED"}, (PaymentEventKind.REVERSED, "REVERSED:4510")),
    ],
)
def test_names_what_became_of_a_starling_item(
    changes: dict[str, Any], expected: tuple[PaymentEventKind, str]
) -> None:
    body = event_json("starling_feed_item_pending")
    body["content"].update(changes)
    event = only(read(Provider.STARLING, body))
    assert (event.kind, event.event_key) == expected


def test_ignores_a_declined_starling_item() -> None:
    reading = read(Provider.STARLING, event_bytes("starling_feed_item_declined"))
    assert (reading.events, reading.ignored) == ((), (Ignored("declined"),))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "UPCOMING"}, "upcoming"),
        ({"status": "RETRYING"}, "retrying"),
        ({"status": "ACCOUNT_CHECK"}, "account_check"),
        ({"status": "DREAMT"}, "unknown_status"),
        ({"source": "FASTER_PAYMENTS_OUT"}, "not_card"),
        ({"source": "MASTERCARD_CHARGEBACK"}, "not_card"),
        ({"amount": {"currency": "GBP", "minorUnits": 0}}, "zero_amount"),
    ],
)
def test_ignores_a_starling_item_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    body = event_json("starling_feed_item_pending")
    body["content"].update(changes)
    assert read(Provider.STARLING, body).ignored == (Ignored(reason),)
