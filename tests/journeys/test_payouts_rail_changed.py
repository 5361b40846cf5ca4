"""A connection changes its rail: what was handed to the old one stays with it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.ids import ConnectionId
from chalicelib.ledger.model import Balances
from chalicelib.payouts import looking, sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.paying import store as paying_store
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import clock, queues
from tests.makers.api import call
from tests.makers.bank_reports import entry, notification, read_file, status, status_report
from tests.makers.ledger import balances
from tests.makers.network import BANK
from tests.makers.operating import operate
from tests.makers.outside import Counted, run_worker
from tests.makers.paying import (
    CLIENT_SECRET,
    PAID_ON,
    PAYING_AT,
    SOON,
    TOKEN,
    make_account,
    make_payee,
    record_paying,
    sandbox_payments,
    sandbox_truelayer,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

HOOK = f"/hooks/payouts/{BANK}"
NOON = PAYING_AT.replace(hour=12, minute=30)
CONNECTION = ConnectionId(BANK)


@pytest.fixture(autouse=True)
def _now(embedded_aws: None) -> None:
    clock.use(lambda: SOON)


def _executed(ours: str, theirs: str) -> dict[str, Any]:
    events = Path(__file__).parents[2] / "events"
    body: dict[str, Any] = json.loads((events / "payout_truelayer_executed.json").read_text())
    return {**body, "payout_id": theirs, "event_id": "e-1", "metadata": {"payout": ours}}


def test_a_payout_that_truelayer_has_is_looked_up_there() -> None:
    with sandbox_truelayer(executes=False) as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)
        sent = sending.send(order.payout_id, now=PAYING_AT)
        rail.execute(sent.provider_id)
        record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))

        looked = looking.look_up_due(now=SOON)

    assert (looked, payouts.get(order.payout_id, now=SOON).state) == (1, PayoutState.EXECUTED)


def test_a_webhook_of_the_old_rail_is_taken() -> None:
    with sandbox_truelayer(executes=False) as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)
        sent = sending.send(order.payout_id, now=PAYING_AT)
        record_paying(make_account(Rail.BANK))

        raw = json.dumps(_executed(order.payout_id, sent.provider_id)).encode()
        said = call("POST", HOOK, raw=raw, headers=rail.sign_webhook(raw, path=HOOK))
        run_worker(queues.PAYOUTS)

    assert said.status == 200
    assert payouts.get(order.payout_id, now=SOON).state is PayoutState.EXECUTED


def test_a_payout_of_an_account_that_was_removed_is_followed() -> None:
    with sandbox_truelayer(executes=False) as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)
        sent = sending.send(order.payout_id, now=PAYING_AT)
        rail.execute(sent.provider_id)
        operate("remove-paying-account", f"--connection={BANK}", "--currency=GBP")

        after = sending.look_up(order.payout_id, now=SOON)

    assert paying.list_accounts(now=SOON) == ()
    assert after.state is PayoutState.EXECUTED


def test_the_file_of_the_day_is_made_and_its_reports_are_read(tmp_path: Path) -> None:
    record_paying(make_account(Rail.ISO20022, account="204060 55779911", holder="Cashback Ltd"))
    order = write_order(make_payee(), 500, Rail.ISO20022)
    sending.send(order.payout_id, now=PAYING_AT)
    record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))
    clock.use(lambda: NOON)
    place = (f"--connection={BANK}", "--currency=GBP", f"--day={PAID_ON}")

    made = operate("make-payment-files", *place, f"--into={tmp_path}")
    [path] = tmp_path.iterdir()
    file = read_file(path.read_bytes())
    report = tmp_path / "report.xml"
    debit = entry(batch=path.stem)
    debit["Amt"]["value"] = "5.00"
    report.write_bytes(notification(debit))
    read = operate("read-bank-report", f"--report={report}")

    [paid] = file.cstmr_cdt_trf_initn.pmt_inf[0].cdt_trf_tx_inf
    assert (made.exit_code, read.exit_code) == (0, 0)
    assert paid.pmt_id.end_to_end_id == order.payout_id
    assert payouts.get(order.payout_id, now=NOON).state is PayoutState.EXECUTED


def test_a_refusal_of_a_file_of_the_old_rail_is_taken(tmp_path: Path) -> None:
    record_paying(make_account(Rail.ISO20022, account="204060 55779911", holder="Cashback Ltd"))
    order = write_order(make_payee(), 500, Rail.ISO20022)
    sending.send(order.payout_id, now=PAYING_AT)
    record_paying(make_account(Rail.BANK))
    report = tmp_path / "report.xml"
    report.write_bytes(status_report(status(order.payout_id, "RJCT", reason="AC04")))

    read = operate("read-bank-report", f"--report={report}")

    assert read.exit_code == 0
    assert balances(order.member_id, now=SOON) == Balances("GBP", available=500)


def test_what_was_not_handed_over_goes_back_to_the_balance() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)
        record_paying(make_account(Rail.BANK))

        after = sending.send(order.payout_id, now=PAYING_AT)

        assert rail.payouts() == []
    assert (after.state, after.reason) == (PayoutState.FAILED, "no_paying_account")
    assert balances(order.member_id, now=SOON) == Balances("GBP", available=500)


def test_each_rail_has_secrets_of_its_own_and_has_them_again_when_it_comes_back() -> None:
    with sandbox_payments() as (_bank, sandbox), sandbox_truelayer() as (_rail, truelayer):
        record_paying(truelayer)
        record_paying(sandbox)
        paying.record_account(truelayer, None, now=SOON)
        now = paying.get_account(CONNECTION, "GBP", now=SOON)
        former = paying.find_account_of(Rail.SANDBOX, CONNECTION, "GBP", now=SOON)
        bare = paying.record_account(make_account(Rail.BANK), None, now=SOON)

    assert former is not None
    secrets = [paying_store.secrets_of(one).client_secret.reveal() for one in (now, former, bare)]
    assert secrets == [CLIENT_SECRET, TOKEN, ""]


def test_a_payout_whose_rail_has_no_settings_any_more_is_counted_and_stays(
    counted: Counted,
) -> None:
    with sandbox_truelayer(executes=False) as (_rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)
        sent = sending.send(order.payout_id, now=PAYING_AT)
    paying.remove_account(CONNECTION, "GBP", now=SOON)
    row = paying_store.PayingAccountRow("former_paying_accounts", f"{BANK}#GBP#truelayer")
    row.delete()

    after = sending.look_up(order.payout_id, now=SOON + timedelta(days=1))

    assert after == sent
    assert counted["payout_looks_put_off:no_paying_account"] == 1
