"""What each bank says, read from the files under `events/` into whole payment events."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.banks import fidel, flux_v1, flux_v2, monzo, standard, starling
from chalicelib.banks.payments import (
    BankReading,
    HookRequest,
    Ignored,
    PaymentEvent,
    PaymentEventKind,
)
from chalicelib.banks.providers import adapter_for
from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import payment_id_of
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, Rejected, TooLarge
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import Provider
from tests.makers.banks import CONNECTION_ID, NOON, connection, event_bytes, event_json, request

BANK = connection(Provider.STANDARD)
MID, TID, NARRATIVE = IdentifierKind.MID, IdentifierKind.TID, IdentifierKind.NARRATIVE
HEADERS = {
    Provider.STANDARD: {"webhook-id": "msg-1"},
    Provider.FIDEL: {"fidel-message-id": "fidel-msg-1"},
}


def at(hour: int, minute: int, second: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, second, microsecond, tzinfo=UTC)


def read(provider: Provider, body: Any, *, event: str = "") -> BankReading:
    raw = body if isinstance(body, bytes) else json.dumps(body, default=str).encode()
    return adapter_for(provider).read(
        request(raw, headers=HEADERS.get(provider, {}), query={"event": event} if event else {}),
        BANK,
        now=NOON,
    )


def only(reading: BankReading) -> PaymentEvent:
    assert (len(reading.events), reading.ignored, reading.refused) == (1, (), ())
    return reading.events[0]


def digest(event: PaymentEvent) -> str:
    assert len(event.digest) == 64
    assert set(event.digest) <= set("0123456789abcdef")
    return event.digest


def test_reads_every_field_of_a_flux_v1_batch() -> None:
    reading = read(Provider.FLUX_V1, event_bytes("bank_flux_v1"))
    first, second = reading.events
    assert first == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="fx1-7f3a0c",
        event_key="authorised",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(11, 41, 7),
        occurred_at=at(11, 41, 7),
        amount=Money(745, "GBP"),
        digest=digest(first),
        merchant=(
            Identifier(MID, "MID-BL-0042"),
            Identifier(TID, "T0420001"),
            Identifier(NARRATIVE, "BEAN & LEAF"),
            Identifier(NARRATIVE, "BEAN & LEAF 0042 LEEDS"),
        ),
        card=CardFacts("visa", LastFour("1881", LastFourKind.CARD), "K4821A"),
        account_ref="acc-aster-104",
        user_ref="usr-aster-104",
        first_wins=True,
    )
    assert second == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="fx1-7f3a0d",
        event_key="authorised",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(11, 2, 30),
        occurred_at=at(11, 2, 30),
        amount=Money(12050, "EUR"),
        digest=digest(second),
        merchant=(Identifier(MID, "MID-HW-0007"),),
        card=CardFacts(),
        account_ref="acc-joint-9",
        user_ref="usr-birch-220",
        first_wins=True,
    )
    assert (reading.ignored, reading.refused, reading.unknown_fields) == ((), (), 0)
    assert "440066" not in repr(reading)  # the bin is dropped


def test_reads_every_field_of_a_flux_v2_batch_with_amounts_as_text_and_as_numbers() -> None:
    reading = read(Provider.FLUX_V2, event_bytes("bank_flux_v2"))
    first, second = reading.events
    assert first == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="fx2-51b8",
        event_key="authorised",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(10, 15, 0, 250_000),
        occurred_at=at(10, 15, 0, 250_000),
        amount=Money(1899, "GBP"),
        digest=digest(first),
        merchant=(Identifier(NARRATIVE, "HARBOUR WOOLLENS 17 YORK"),),
        card=CardFacts("mastercard", LastFour("0027", LastFourKind.CARD), "771204"),
        account_ref="acc-cedar-31",
        first_wins=True,
    )
    assert (second.amount, second.card) == (Money(1200, "JPY"), CardFacts())
    assert second.merchant == (Identifier(NARRATIVE, "PAPER CRANE"),)


def test_reads_every_field_of_a_monzo_payment() -> None:
    reading = read(Provider.MONZO, event_bytes("monzo_transaction_created"))
    event = only(reading)
    assert event == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="tx_0000Bq7Lm2cFq",
        event_key="authorised:745",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(11, 41, 6, 512_000),
        occurred_at=at(11, 41, 6, 512_000),
        amount=Money(745, "GBP"),
        digest=digest(event),
        merchant=(
            Identifier(IdentifierKind.MONZO_MERCHANT, "merch_0000BeanLeeds"),
            Identifier(IdentifierKind.MONZO_GROUP, "grp_0000BeanLeaf"),
            Identifier(NARRATIVE, "BEAN & LEAF LEEDS GBR"),
        ),
        card=CardFacts("mastercard"),
        account_ref="acc_0000Aq1Rivers",
        user_ref="user_0000Aq1Wren",
        card_ref="mccard_0000Wren1",
    )
    assert reading.unknown_fields > 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("monzo_transaction_declined", "declined"),
        ("monzo_top_up", "top_up"),
        ("monzo_peer_payment", "peer_payment"),
    ],
)
def test_ignores_what_monzo_sends_that_is_no_purchase(name: str, reason: str) -> None:
    reading = read(Provider.MONZO, event_bytes(name))
    assert (reading.events, reading.ignored) == ((), (Ignored(reason),))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": 745, "scheme": "payport_faster_payments", "merchant": None}, "money_in"),
        ({"amount": 745, "scheme": "mastercard", "merchant": None}, "money_in"),
        ({"amount": 745, "scheme": None}, "money_in"),
        ({"scheme": "bacs"}, "not_card"),
        ({"amount": 0}, "zero_amount"),
        ({"decline_reason": "OTHER", "is_load": True}, "declined"),
    ],
)
def test_ignores_a_monzo_transaction_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    body = event_json("monzo_transaction_created")
    body["data"].update(changes)
    assert read(Provider.MONZO, body).ignored == (Ignored(reason),)


def test_ignores_other_event_types_whatever_they_hold() -> None:
    for provider, body in (
        (Provider.MONZO, {"type": "transaction.updated", "data": 7}),
        (Provider.STARLING, event_json("starling_payment_order")),
        (Provider.STANDARD, {"type": "account.closed", "data": []}),
    ):
        reading = read(provider, body)
        assert (reading.events, reading.ignored) == ((), (Ignored("event_type"),))
    assert read(Provider.FIDEL, {"id": 1}, event="card.linked").ignored == (Ignored("event_type"),)


def test_reads_a_refund_on_a_monzo_card() -> None:
    event = only(read(Provider.MONZO, event_bytes("monzo_refund")))
    assert (event.kind, event.amount) == (PaymentEventKind.REFUNDED, Money(320, "GBP"))
    assert (event.event_key, event.refers_to) == ("refunded:320", None)


def test_reads_a_settled_monzo_payment_as_cleared_at_its_settlement() -> None:
    body = event_json("monzo_transaction_created")
    body["data"]["settled"] = "2026-11-20T11:55:00Z"
    event = only(read(Provider.MONZO, body))
    assert (event.kind, event.event_key) == (PaymentEventKind.CLEARED, "cleared:745")
    assert (event.made_at, event.occurred_at) == (at(11, 41, 6, 512_000), at(11, 55))


@pytest.mark.parametrize("merchant", [None, "merch_0000BeanLeeds"])
def test_reads_a_monzo_payment_whose_merchant_is_null_or_not_expanded(merchant: Any) -> None:
    body = event_json("monzo_transaction_created")
    body["data"]["merchant"] = merchant
    found = only(read(Provider.MONZO, body)).merchant
    narrative = Identifier(NARRATIVE, "BEAN & LEAF LEEDS GBR")
    named = Identifier(IdentifierKind.MONZO_MERCHANT, "merch_0000BeanLeeds")
    assert found == ((named, narrative) if merchant else (narrative,))


def test_keeps_the_local_amount_of_a_monzo_payment_abroad() -> None:
    body = event_json("monzo_transaction_created")
    body["data"].update(local_amount=-1_200, local_currency="JPY")
    assert only(read(Provider.MONZO, body)).local_amount == Money(1_200, "JPY")


def test_a_note_on_a_monzo_transaction_changes_neither_key_nor_digest() -> None:
    body = event_json("monzo_transaction_created")
    before = only(read(Provider.MONZO, body))
    body["data"].update(notes="lunch", category="general", updated="2026-11-20T11:59:00Z")
    after = only(read(Provider.MONZO, body))
    assert after == before


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
        read(Provider.STANDARD, json.dumps(body).encode())
    assert (refusal.value.code, refusal.value.field) == (code, field)


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


BAD_ENTRIES = [
    ({"amount": 7.45}, "shape", ".amount"),
    ({"amount": -1}, "negative_amount", ".amount"),
    ({"currency": "ZZZ"}, "unknown_currency", ".currency"),
    ({"transactionDate": "2026-11-20T11:41:07"}, "time_offset", ".transactionDate"),
    ({"transactionDate": "2026-11-21T11:41:07Z"}, "time_out_of_range", ".transactionDate"),
    ({"card": {"lastFour": "18811"}}, "last_four", ".card.lastFour"),
    ({"userId": None}, "shape", ".userId"),
]


@pytest.mark.parametrize(("changes", "code", "field"), BAD_ENTRIES)
def test_one_bad_entry_of_a_hundred_leaves_the_ninety_nine(
    changes: dict[str, Any], code: str, field: str
) -> None:
    good = event_json("bank_flux_v1")[0]
    entries = [{**good, "id": f"fx-{number}"} for number in range(100)]
    entries[37].update(changes)
    reading = read(Provider.FLUX_V1, json.dumps(entries, default=float).encode())
    assert [event.transaction_id for event in reading.events] == [
        f"fx-{number}" for number in range(100) if number != 37
    ]
    (refused,) = reading.refused
    assert (refused.index, refused.name) == (37, "fx-37")
    assert (refused.refusal.code, refused.refusal.field) == (code, f"[37]{field}")


def test_sets_apart_entries_that_are_no_objects_and_have_no_names() -> None:
    reading = read(Provider.FLUX_V2, [7, None, {"bankTransactionId": "snow ☃"}])
    assert [(one.index, one.name, one.refusal.code) for one in reading.refused] == [
        (0, None, "shape"),
        (1, None, "shape"),
        (2, None, "shape"),
    ]
    assert reading.events == ()


@pytest.mark.parametrize("amount", ["18.99", "1e3", "", " 5", "٣", "-0x1"])
def test_refuses_flux_v2_text_that_is_not_whole_minor_units(amount: str) -> None:
    entry = event_json("bank_flux_v2")[0]
    entry["amount"]["amount"] = amount
    (refused,) = read(Provider.FLUX_V2, [entry]).refused
    assert (refused.refusal.code, refused.refusal.field) == ("not_minor_units", "[0].amount.amount")


def test_ignores_a_flux_payment_of_nothing_with_its_index() -> None:
    entries = event_json("bank_flux_v2")
    entries[1]["amount"]["amount"] = "0"
    reading = read(Provider.FLUX_V2, entries)
    assert (len(reading.events), reading.ignored) == (1, (Ignored("zero_amount", 1),))


@pytest.mark.parametrize("provider", [Provider.FLUX_V1, Provider.FLUX_V2])
def test_refuses_over_a_hundred_entries_and_what_is_no_array(provider: Provider) -> None:
    with pytest.raises(TooLarge):
        read(provider, [{}] * 101)
    for body in ({}, "[]", 1, None):
        with pytest.raises(Malformed) as refusal:
            read(provider, body)
        assert refusal.value.code == "shape"
    assert read(provider, []) == BankReading()


def test_the_same_flux_entry_has_the_same_digest_whatever_the_order_of_its_keys() -> None:
    entry = event_json("bank_flux_v1")[1]
    turned = dict(reversed(list(entry.items())))
    (first,) = read(Provider.FLUX_V1, [entry]).events
    (second,) = read(Provider.FLUX_V1, [turned]).events
    (third,) = read(Provider.FLUX_V1, [{**entry, "amount": 12051}]).events
    assert first.digest == second.digest != third.digest


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize(
    ("provider", "name", "event"),
    [
        (Provider.FLUX_V1, "bank_flux_v1", ""),
        (Provider.FLUX_V2, "bank_flux_v2", ""),
        (Provider.MONZO, "monzo_transaction_created", ""),
        (Provider.STARLING, "starling_feed_item_pending", ""),
        (Provider.FIDEL, "fidel_transaction_auth", "transaction.auth"),
        (Provider.STANDARD, "standard_payment_authorised", ""),
    ],
)
def test_refuses_a_card_number_anywhere_and_never_repeats_it(
    provider: Provider, name: str, event: str
) -> None:
    body = event_json(name)
    place = body[0] if isinstance(body, list) else body
    place["comment"] = "card 4111 1111 1111 1111"
    with pytest.raises(Rejected) as refusal:
        read(provider, json.dumps(body, default=float).encode(), event=event)
    assert refusal.value.code == "card_number"
    assert "4111" not in refusal.value.detail


def test_starling_wants_exactly_200_and_fidel_cannot_be_told() -> None:
    assert adapter_for(Provider.STARLING).success_status == 200
    assert adapter_for(Provider.FIDEL).tell is None
    assert adapter_for(Provider.FLUX_V2).tell is None  # without the platform's key


def test_every_provider_reads_with_its_own_module() -> None:
    modules = {
        Provider.FLUX_V1: flux_v1,
        Provider.FLUX_V2: flux_v2,
        Provider.MONZO: monzo,
        Provider.STARLING: starling,
        Provider.FIDEL: fidel,
        Provider.STANDARD: standard,
    }
    for provider in Provider:
        adapter = adapter_for(provider)
        assert (adapter.verify, adapter.read) == (
            modules[provider].verify,
            modules[provider].read,
        )


def test_monzo_hooks_only_have_to_be_json() -> None:
    monzo.verify(HookRequest(b"{}", {}, {}), BANK, now=NOON)
    with pytest.raises(Malformed):
        monzo.verify(HookRequest(b"{", {}, {}), BANK, now=NOON + timedelta(days=1))
