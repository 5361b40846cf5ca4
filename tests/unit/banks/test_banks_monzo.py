"""What Monzo says, and the transaction fetched again."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.banks import monzo
from chalicelib.banks.payments import (
    HookRequest,
    Ignored,
    PaymentEvent,
    PaymentEventKind,
)
from chalicelib.banks.providers import adapter_for
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Malformed, Rejected, TryAgain
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import Provider
from tests.makers.bank_readings import BANK, NARRATIVE, at, digest, only, read
from tests.makers.bank_server import BankServer, bank_server
from tests.makers.banks import CONNECTION_ID, NOON, connection, event_bytes, event_json, request


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
            Identifier(IdentifierKind.PLACE, "53.7974,-1.5438"),
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


def test_monzo_hooks_only_have_to_be_json() -> None:
    monzo.verify(HookRequest(b"{}", {}, {}), BANK, now=NOON)
    with pytest.raises(Malformed):
        monzo.verify(HookRequest(b"{", {}, {}), BANK, now=NOON + timedelta(days=1))


def fetched(**changes: Any) -> bytes:
    data = {**json.loads(event_bytes("monzo_transaction_created"))["data"], **changes}
    return json.dumps({"transaction": data}).encode()


def refetch(bank: BankServer) -> PaymentEvent:
    link = connection(Provider.MONZO, api_url=bank.url)
    inbound = monzo.refetch("tx_0000Bq7Lm2cFq", link, Personal("member-token"), now=NOON)
    (event,) = monzo.read(inbound, link, now=NOON).events
    return event


def test_believes_what_monzo_says_and_not_what_a_hook_claimed() -> None:
    with bank_server((200, {}, fetched(amount=-700, settled="2026-11-20T11:58:00Z"))) as bank:
        event = refetch(bank)
    (heard,) = bank.heard
    assert (heard.method, heard.target, heard.headers["authorization"]) == (
        "GET",
        "/transactions/tx_0000Bq7Lm2cFq?expand%5B%5D=merchant",
        "Bearer member-token",
    )
    assert (event.event_key, event.amount.minor) == ("cleared:700", 700)


def test_a_fetched_transaction_and_its_hook_are_one_event() -> None:
    raw = event_bytes("monzo_transaction_created")
    with bank_server((200, {}, fetched(notes="fetched"))) as bank:
        event = refetch(bank)
    hooked = adapter_for(Provider.MONZO).read
    assert hooked(request(raw), connection(Provider.MONZO), now=NOON).events == (event,)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((404, {}, b""), "transaction_unknown"),
        ((403, {}, b""), "transaction_unknown"),
        ((401, {}, b""), "access_refused"),
        ((400, {}, b""), "bank_refused"),
        ((200, {}, b"{}"), "shape"),
        ((200, {}, b"<html>"), "not_json"),
        ((200, {}, fetched(id="tx_other")), "bank_refused"),
    ],
)
def test_refuses_a_hook_that_monzo_does_not_stand_by(
    answer: tuple[int, dict[str, str], bytes], code: str
) -> None:
    with bank_server(answer) as bank, pytest.raises(Rejected) as refusal:
        refetch(bank)
    assert refusal.value.code == code


def test_a_monzo_that_does_not_answer_now_is_asked_again() -> None:
    with bank_server((504, {}, b"")) as bank, pytest.raises(TryAgain):
        refetch(bank)
