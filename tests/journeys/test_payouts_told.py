"""What banks and TrueLayer tell of payouts over HTTP: verified, queued, and recorded once."""

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.network import service as network
from chalicelib.payouts import sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import clock, queues
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
    make_member,
    make_payee,
    record_paying,
    sandbox_truelayer,
    told_connection,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

EVENTS = Path(__file__).parents[2] / "events"
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


@pytest.mark.requirement("LOY-03")
def test_a_banks_list_of_the_day_comes_to_the_sum_of_what_it_acknowledged(bank: BankServer) -> None:
    record_paying(make_account(Rail.BANK), connection=told_connection(bank.url))
    orders = [write_order(make_member(f"p{n}", n), 500 + n, Rail.BANK) for n in range(1, 4)]
    for order in orders:
        sending.send(order.payout_id, now=PAYING_AT)
    words = ("paid", "paid", "refused")
    for order, word in zip(orders, words, strict=True):
        body = {"id": f"a-{order.payout_id}", "status": word, "at": "2026-12-02T04:34:00Z"}
        acknowledge(order.payout_id, body | ({"reason": "=1+1"} if word == "refused" else {}))
    run_worker(queues.PAYOUTS)

    said = call("GET", "/v1/payouts?day=2026-12-02", token=token_of(BANK))
    others = call("GET", "/v1/payouts?day=2026-12-02", token=token_of(OTHER_BANK))

    lines = list(csv.reader(said.body.splitlines()))
    by_id = {line[0]: line for line in lines[1:4]}
    assert (said.status, said.headers["Content-Type"]) == (200, "text/csv")
    assert [by_id[order.payout_id][1:4] for order in orders] == [
        ["GBP", "501", "executed"],
        ["GBP", "502", "executed"],
        ["GBP", "503", "failed"],
    ]
    assert by_id[orders[2].payout_id][7] == "'=1+1"
    assert lines[4:] == [["total_ordered", "GBP", "1506", "3"], ["total_paid", "GBP", "1003", "2"]]
    assert len(others.body.splitlines()) == 1


def test_refuses_to_list_what_is_no_day() -> None:
    said = call("GET", "/v1/payouts?day=yesterday", token=token_of(BANK))

    assert (said.status, said.body["field"]) == (422, "day")


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


def test_a_webhook_says_nothing_of_a_payout_of_another_rail(
    truelayer: SandboxTrueLayer, counted: Counted
) -> None:
    order = write_order(make_payee(), 500, Rail.BANK)

    hook(truelayer, failed(order.payout_id, "a-strangers-payment"))
    run_worker(queues.PAYOUTS)

    assert counted["conflicts:other_payment"] == 1
    assert payouts.get(order.payout_id, now=SOON) == order


def test_a_webhook_says_nothing_of_a_payout_of_another_connection(
    truelayer: SandboxTrueLayer, counted: Counted
) -> None:
    other = make_connection(OTHER_BANK)
    order = write_order(make_member(connection=other), 500, Rail.TRUELAYER)

    hook(truelayer, failed(order.payout_id, "a-strangers-payment"))
    run_worker(queues.PAYOUTS)

    assert counted["conflicts:other_payment"] == 1
    assert payouts.get(order.payout_id, now=SOON) == order


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


def test_believes_no_webhook_that_names_other_keys_or_leaves_its_time_unsigned(
    truelayer: SandboxTrueLayer,
) -> None:
    ours, theirs = sent(truelayer)
    body = executed(ours, theirs)
    raw = json.dumps(body).encode()
    elsewhere = hook(truelayer, body, jku="https://webhooks.truelayer.com/.well-known/jwks")
    timeless = truelayer.sign_webhook(raw, path=HOOK, signs_time=False)

    said = [elsewhere, call("POST", HOOK, raw=raw, headers=timeless)]

    assert [one.status for one in said] == [401, 401]
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
