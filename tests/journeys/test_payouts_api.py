"""Banks say where members are paid and what they paid; TrueLayer's webhooks; nothing is shown."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.network import service as network
from chalicelib.payouts import sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import aws, clock, queues, settings
from infra.local.sandbox_truelayer import SandboxTrueLayer
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.bank_server import BankServer
from tests.makers.network import BANK, OTHER_BANK, make_connection
from tests.makers.outside import Counted, run_worker
from tests.makers.paying import (
    GIVEN_AT,
    PAYING_AT,
    SOON,
    make_account,
    make_key,
    make_member,
    make_payee,
    record_paying,
    sandbox_truelayer,
    told_connection,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

EVENTS = Path(__file__).parents[2] / "events"
DESTINATION = "/v1/members/ada/payout-destination"
HOOK = f"/hooks/payouts/{BANK}"


def event(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return body


@pytest.fixture(autouse=True)
def banks(embedded_aws: None) -> None:
    clock.use(lambda: SOON)
    for connection_id in (BANK, OTHER_BANK):
        network.record_connection(make_connection(connection_id), now=GIVEN_AT)
        make_client(connection_id, connection_id)


def put(body: object, bank: str = BANK) -> Said:
    return call("PUT", DESTINATION, token=token_of(bank), body=body)


@pytest.mark.requirement("LOY-04")
def test_a_bank_names_an_account_and_only_its_last_digits_are_ever_shown() -> None:
    make_key()
    make_member()

    said = put(event("payout_destination_put"))
    read = call("GET", DESTINATION, token=token_of(BANK))

    expected = {
        "last_four": "5678",
        "changed_at": "2026-12-02T04:35:00Z",
        "usable_from": "2026-12-02T04:35:00Z",
    }
    assert (said.status, said.body) == (200, expected)
    assert (read.status, read.body) == (200, expected)


def test_the_same_account_again_changes_nothing_and_another_waits_a_day() -> None:
    make_key()
    make_member()
    first = put(event("payout_destination_put"))
    clock.use(lambda: SOON + timedelta(hours=1))

    again = put(event("payout_destination_put"))
    other = put({"holder": "Ada Wren", "iban": "GB33 BUKB 2020 1555 5555 55"})

    assert again.body == first.body
    assert other.body == {
        "last_four": "5555",
        "changed_at": "2026-12-02T05:35:00Z",
        "usable_from": "2026-12-03T05:35:00Z",
    }


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"holder": "Ada Wren"}, 422, "unusable_destination", "sort_code"),
        (
            {"holder": "Ada", "sort_code": "1020", "account_number": "12345678"},
            422,
            "unusable_destination",
            "sort_code",
        ),
        (
            {"holder": "Ada", "sort_code": "102030", "account_number": "123456789"},
            422,
            "unusable_destination",
            "account_number",
        ),
        (
            {"holder": "Ada", "sort_code": "102030", "account_number": "١٢٣٤٥٦٧٨"},
            422,
            "unusable_destination",
            "account_number",
        ),
        (
            {"holder": "Ada", "iban": "GB33 BUKB 2020 1555 5555 56"},
            422,
            "unusable_destination",
            "iban",
        ),
        (
            {"holder": "Ada", "iban": "GB33BUKB20201555555555", "sort_code": "102030"},
            422,
            "malformed",
            "iban",
        ),
        (
            {"holder": " ", "sort_code": "102030", "account_number": "12345678"},
            422,
            "unusable_destination",
            "holder",
        ),
        (
            {"holder": "4111 1111 1111 1111", "iban": "GB33BUKB20201555555555"},
            422,
            "card_number",
            None,
        ),
        ({"holder": 7, "iban": "GB33BUKB20201555555555"}, 422, "shape", "holder"),
    ],
)
def test_refuses_what_is_no_account_and_keeps_nothing(
    body: object, status: int, code: str, field: str | None
) -> None:
    make_key()
    member = make_member()

    said = put(body)

    assert (said.status, said.body["code"]) == (status, code)
    assert field is None or said.body["field"] == field
    assert destinations.find_held(member.member_id, now=SOON) is None


def test_takes_an_iban_whose_digits_could_be_a_cards() -> None:
    """Twenty digits in groups of four hold sixteen that pass Luhn now and then."""
    make_key()
    make_member()

    said = put({"holder": "Ada Wren", "iban": "DE89 3704 0044 0532 0130 00"})

    assert (said.status, said.body["last_four"]) == (200, "3000")


def test_refuses_a_number_that_the_published_tables_rule_out() -> None:
    make_key()
    make_member()
    weights = "102000 102999 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1\n"
    destinations.record_modulus_table(weights, "")

    wrong = put({"holder": "Ada", "sort_code": "102030", "account_number": "12345678"})
    wrong_iban = put({"holder": "Ada", "iban": "GB83BUKB10203012345678"})
    right = put({"holder": "Ada", "sort_code": "102030", "account_number": "12345679"})

    assert (wrong.status, wrong.body["code"]) == (422, "modulus_check")
    assert (wrong_iban.status, wrong_iban.body["code"]) == (422, "modulus_check")
    assert right.status == 200


def test_takes_no_account_before_the_operator_has_set_up_payouts() -> None:
    make_member()

    said = put(event("payout_destination_put"))

    assert (said.status, said.body["code"]) == (422, "payouts_not_set_up")


def test_removes_an_account_at_once_and_again() -> None:
    make_key()
    member = make_member()
    put(event("payout_destination_put"))

    first = call("DELETE", DESTINATION, token=token_of(BANK))
    again = call("DELETE", DESTINATION, token=token_of(BANK))

    assert [first.status, again.status] == [204, 204]
    assert call("GET", DESTINATION, token=token_of(BANK)).status == 404
    assert destinations.find_held(member.member_id, now=SOON) is None


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_a_bank_reaches_its_own_members_accounts_only(method: str) -> None:
    make_key()
    member = make_payee()
    body = event("payout_destination_put") if method == "PUT" else None

    said = call(method, DESTINATION, token=token_of(OTHER_BANK), body=body)

    assert said.status == 404
    assert destinations.find_held(member.member_id, now=SOON) is not None


def test_the_scope_for_members_does_not_reach_their_accounts() -> None:
    make_key()
    make_member()
    token = token_of(BANK, "members:write members:read")

    said = call("PUT", DESTINATION, token=token, body=event("payout_destination_put"))

    assert (said.status, said.body["code"]) == (403, "not_permitted")


@pytest.fixture
def told(bank: BankServer) -> Iterator[str]:
    """A payout that the member's bank was asked to make."""
    record_paying(make_account(Rail.BANK), connection=told_connection(bank.url))
    order = write_order(make_member(), 500, Rail.BANK)
    sending.send(order.payout_id, now=PAYING_AT)
    return order.payout_id


def acknowledge(payout_id: str, body: object, bank: str = BANK) -> Said:
    path = f"/v1/payouts/{payout_id}/acknowledgement"
    return call("POST", path, token=token_of(bank), body=body)


@pytest.mark.requirement("LOY-03")
@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("paid", PayoutState.EXECUTED, ""),
        ("refused", PayoutState.FAILED, "no such account"),
        ("returned", PayoutState.RETURNED, "no such account"),
    ],
)
def test_a_bank_acknowledges_what_it_did(
    told: str, status: str, state: PayoutState, reason: str
) -> None:
    body = {"id": "a-1", "status": status, "at": "2026-12-02T04:34:00Z"}
    body |= {"reason": reason} if reason else {"payment": "FT-1"}

    said = acknowledge(told, body)
    again = acknowledge(told, body)
    run_worker(queues.PAYOUTS)

    after = payouts.get(told, now=SOON)
    assert [said.status, again.status] == [202, 202]
    assert (after.state, after.reason) == (state, reason)


def test_an_acknowledgement_says_when_the_money_left(told: str) -> None:
    clock.use(lambda: PAYING_AT + timedelta(hours=8))

    acknowledge(told, event("payout_acknowledged"))
    run_worker(queues.PAYOUTS)

    assert payouts.get(told, now=SOON).state is PayoutState.EXECUTED


def test_another_bank_and_another_payout_are_not_found(told: str) -> None:
    body = {"id": "a-1", "status": "paid", "at": "2026-12-02T04:34:00Z"}

    said = [
        acknowledge(told, body, OTHER_BANK),
        acknowledge("20261202aaaaaaaaaaaaaaaaaa", body),
        acknowledge("nothing", body),
    ]

    assert [(one.status, one.body["code"]) for one in said] == [(404, "no_such_payout")] * 3
    assert run_worker(queues.PAYOUTS).bodies == ()


def test_refuses_an_acknowledgement_of_what_has_not_happened_yet(told: str) -> None:
    said = acknowledge(told, {"id": "a-1", "status": "paid", "at": "2026-12-02T05:00:00Z"})

    assert (said.status, said.body["code"]) == (422, "future")
    assert run_worker(queues.PAYOUTS).bodies == ()


@pytest.fixture
def truelayer() -> Iterator[SandboxTrueLayer]:
    """TrueLayer's sandbox, whose webhooks come to our API by its own path."""
    with sandbox_truelayer(executes=False) as (rail, account):
        record_paying(account)
        yield rail


def sent(rail: SandboxTrueLayer, minor: int = 500) -> tuple[str, str]:
    """A payout that TrueLayer has: our id and its own."""
    order = write_order(make_payee(), minor, Rail.TRUELAYER)
    after = sending.send(order.payout_id, now=PAYING_AT)
    return order.payout_id, after.provider_id


def hook(rail: SandboxTrueLayer, body: dict[str, Any], *, path: str = HOOK, **signed: str) -> Said:
    """Post a webhook that the library signed."""
    raw = json.dumps(body).encode()
    headers = rail.sign_webhook(
        raw, path=signed.get("signed_path", path), jku=signed.get("jku", "")
    )
    return call("POST", path, raw=raw, headers=headers)


def executed(ours: str, theirs: str, event_id: str = "e-1") -> dict[str, Any]:
    named = {"payout_id": theirs, "event_id": event_id, "metadata": {"payout": ours}}
    return {**event("payout_truelayer_executed"), **named}


def failed(ours: str, theirs: str, event_id: str = "e-2") -> dict[str, Any]:
    named = {"payout_id": theirs, "event_id": event_id, "metadata": {"payout": ours}}
    return {**event("payout_truelayer_failed"), **named}


def test_a_webhook_says_that_a_payout_was_executed(truelayer: SandboxTrueLayer) -> None:
    ours, theirs = sent(truelayer)

    said = hook(truelayer, executed(ours, theirs))
    run_worker(queues.PAYOUTS)

    assert (said.status, said.body) == (200, {"taken": 1, "ignored": 0})
    assert payouts.get(ours, now=SOON).state is PayoutState.EXECUTED


def test_a_webhook_says_that_a_payout_failed(truelayer: SandboxTrueLayer) -> None:
    ours, theirs = sent(truelayer)

    hook(truelayer, failed(ours, theirs))
    run_worker(queues.PAYOUTS)

    after = payouts.get(ours, now=SOON)
    assert (after.state, after.reason) == (PayoutState.FAILED, "scheme_error")


def test_a_webhook_finds_a_payout_whose_answer_was_lost(truelayer: SandboxTrueLayer) -> None:
    order = write_order(make_payee(), 534, Rail.TRUELAYER)
    sending.send(order.payout_id, now=PAYING_AT)

    hook(truelayer, executed(order.payout_id, truelayer.payouts()[0].payout_id))
    run_worker(queues.PAYOUTS)

    after = payouts.get(order.payout_id, now=SOON)
    assert after.state is PayoutState.EXECUTED
    assert after.provider_id == truelayer.payouts()[0].payout_id


def test_the_same_event_again_is_taken_and_changes_nothing(
    truelayer: SandboxTrueLayer, counted: Counted
) -> None:
    ours, theirs = sent(truelayer)
    for _ in range(3):
        hook(truelayer, executed(ours, theirs))

    run_worker(queues.PAYOUTS)

    assert counted["payout_reports:executed"] == 1
    assert counted["payout_reports:repeated"] == 2
    assert payouts.get(ours, now=SOON).path.count(PayoutState.EXECUTED) == 1


def test_money_that_came_back_is_returned_however_its_webhooks_overtake_each_other(
    truelayer: SandboxTrueLayer,
) -> None:
    ours, theirs = sent(truelayer)
    truelayer.execute(theirs)
    truelayer.fail(theirs, "returned")

    hook(truelayer, {**failed(ours, theirs), "failure_reason": "returned"})
    hook(truelayer, executed(ours, theirs))
    run_worker(queues.PAYOUTS)

    after = payouts.get(ours, now=SOON)
    assert after.path[-2:] == (PayoutState.EXECUTED, PayoutState.RETURNED)
    assert after.is_disputed is False


def test_a_webhook_that_contradicts_what_is_known_makes_us_ask(
    truelayer: SandboxTrueLayer,
) -> None:
    ours, theirs = sent(truelayer)
    hook(truelayer, failed(ours, theirs))
    run_worker(queues.PAYOUTS)
    truelayer.fail(theirs, "scheme_error")

    hook(truelayer, executed(ours, theirs))
    run_worker(queues.PAYOUTS)

    after = payouts.get(ours, now=SOON)
    assert (after.state, after.is_disputed) == (PayoutState.FAILED, False)
    assert truelayer.payouts()[0].looks == 1


def test_an_event_that_names_another_payment_is_quarantined(
    truelayer: SandboxTrueLayer, counted: Counted
) -> None:
    ours, theirs = sent(truelayer)

    hook(truelayer, executed(ours, theirs[::-1]))
    run_worker(queues.PAYOUTS)

    assert counted["conflicts:other_payment"] == 1
    assert payouts.get(ours, now=SOON).state is PayoutState.SENT


@pytest.mark.parametrize(
    "body",
    [
        {"type": "payment_executed", "event_id": "e-9", "payment_id": "p-1"},
        {"type": "something_new", "event_id": "e-9", "shape": {"of": ["its", "own"]}},
        {"type": "payout_executed", "event_id": "e-9", "payout_id": "p-1", "metadata": {}},
    ],
)
def test_leaves_events_that_are_not_about_a_payout_of_ours(
    truelayer: SandboxTrueLayer, body: dict[str, Any]
) -> None:
    said = hook(truelayer, body)

    assert (said.status, said.body) == (200, {"taken": 0, "ignored": 1})
    assert run_worker(queues.PAYOUTS).bodies == ()


def test_believes_no_webhook_that_another_key_url_body_or_path_signed(
    truelayer: SandboxTrueLayer,
) -> None:
    ours, theirs = sent(truelayer)
    body = executed(ours, theirs)
    raw = json.dumps(body).encode()
    with sandbox_truelayer() as (other, _account):
        stranger = other.sign_webhook(raw, path=HOOK, jku=truelayer.webhook_keys_url)
        elsewhere = other.sign_webhook(raw, path=HOOK)
        good = truelayer.sign_webhook(raw, path=HOOK)
        late = {**good, "X-Tl-Webhook-Timestamp": "2026-12-02T05:00:00Z"}
        unsigned = {name: value for name, value in good.items() if name != "Tl-Signature"}
        said = [
            call("POST", HOOK, raw=raw, headers=h) for h in (stranger, elsewhere, late, unsigned)
        ]
        said.append(call("POST", HOOK, raw=raw + b" ", headers=good))
        said.append(hook(truelayer, body, signed_path="/hooks/payouts/meadow-bank"))

    assert [(one.status, one.body["code"]) for one in said] == [(401, "signature_mismatch")] * 6
    assert run_worker(queues.PAYOUTS).bodies == ()
    assert payouts.get(ours, now=SOON).state is PayoutState.SENT


def test_asks_for_the_keys_anew_when_they_were_changed(truelayer: SandboxTrueLayer) -> None:
    ours, theirs = sent(truelayer)
    first = hook(truelayer, executed(ours, theirs))
    truelayer.rotate_keys()

    too_soon = hook(truelayer, executed(ours, theirs, "e-3"))
    clock.use(lambda: SOON + timedelta(minutes=2))
    after = hook(truelayer, executed(ours, theirs, "e-3"))

    assert [first.status, too_soon.status, after.status] == [200, 401, 200]


def test_says_to_try_again_while_the_keys_cannot_be_had() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        body = json.dumps(executed("o", "t")).encode()
        headers = rail.sign_webhook(body, path=HOOK)

    said = call("POST", HOOK, raw=body, headers=headers)

    assert (said.status, said.body["code"]) == (503, "try_again")


def test_a_connection_that_is_not_paid_through_truelayer_has_no_hook() -> None:
    record_paying(make_account(Rail.BANK))

    said = call("POST", HOOK, raw=b"{}")

    assert said.status == 404


def test_no_answer_and_no_log_holds_an_account_number(caplog: pytest.LogCaptureFixture) -> None:
    make_key()
    make_member()
    said = [
        put(event("payout_destination_put")),
        put({"holder": "Ada", "iban": "GB33BUKB20201555555550"}),
        call("GET", DESTINATION, token=token_of(BANK)),
        call("GET", "/v1/members/ada", token=token_of(BANK)),
    ]

    answers = json.dumps([one.body for one in said])
    kept = str(aws.client("dynamodb").scan(TableName=settings.table("people"))["Items"])

    for secret in ("12345678", "102030", "10-20-30", "GB33BUKB20201555555550"):
        assert secret not in answers + caplog.text + kept
