"""A book whose open page is full, and an entry that began long ago: each Lambda that enters money
may close the page and look for the entry, under its own role.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.ledger.giving import give
from chalicelib.network import service as network
from chalicelib.network.model import Retailer
from chalicelib.payouts import sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.messages import ReportMessage, SendPayoutMessage, encode
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import clock, queues
from chalicelib.workers import closing
from chalicelib.workers import payouts as payout_worker
from infra.local.lambda_events import scheduled_event
from tests.makers.api import call, make_client, token_of
from tests.makers.ledger import (
    BOUGHT_AT,
    DUE_AT,
    RETAILER,
    balances,
    fill_pages,
    make_gift,
    pages_closed,
)
from tests.makers.network import BAKERY
from tests.makers.nights import begin, night_after
from tests.makers.outside import context, put_on, run_worker
from tests.makers.paying import (
    PAYING_AT,
    SOON,
    make_account,
    make_payee,
    record_paying,
    sandbox_payments,
    write_order,
)
from tests.makers.purchases import BANK, PAID_AT
from tests.makers.rewarding import ADA, DAY, SETTLED_AT, buy, open_bakery, settle, write_scheme

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
CASH = {
    "id": "cash",
    "title": "£1.50 back",
    "cost": 2,
    "reward": {"kind": "fixed_cashback", "amount_minor": 150},
}


def test_send_payouts_may_close_a_full_page_and_read_the_closed_ones() -> None:
    with sandbox_payments() as (_bank, account):
        record_paying(account)
        ada = make_payee().member_id
        order = write_order(make_payee(), 500, Rail.SANDBOX)
        closed = fill_pages(ada, now=PAYING_AT)
        clock.use(lambda: PAYING_AT)
        put_on(queues.PAYOUTS, encode(SendPayoutMessage(order.payout_id)))

        ran = run_worker(queues.PAYOUTS)

    assert (len(ran.bodies), ran.failed) == (1, ())
    assert payouts.get(order.payout_id, now=SOON).state is PayoutState.EXECUTED
    assert balances(ada, now=SOON).paid == 500
    assert pages_closed(ada, now=SOON) == closed + 1


def test_send_payouts_may_do_so_when_it_is_told_of_a_payment() -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))
    ada = make_payee().member_id
    order = write_order(make_payee(), 500, Rail.SANDBOX)
    closed = fill_pages(ada, now=PAYING_AT)
    clock.use(lambda: SOON)
    put_on(queues.PAYOUTS, encode(ReportMessage(order.payout_id, "e-1", "executed", SOON, "s-1")))

    ran = run_worker(queues.PAYOUTS)

    assert (len(ran.bodies), ran.failed) == (1, ())
    assert balances(ada, now=SOON).paid == 500
    assert pages_closed(ada, now=SOON) == closed + 1


def test_look_up_payouts_may_close_a_full_page_and_read_the_closed_ones() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        ada = make_payee().member_id
        order = write_order(make_payee(), 534, Rail.SANDBOX)  # Its answer is lost.
        sending.send(order.payout_id, now=PAYING_AT)
        closed = fill_pages(ada, now=PAYING_AT)
        at = PAYING_AT + timedelta(minutes=10)
        clock.use(lambda: at)

        event = scheduled_event("look", at=at, event_id="1", region="eu-west-2")
        payout_worker.look_up_payouts(event, context("look_up_payouts"))

    assert bank.books.posts == 1
    assert balances(ada, now=at).paid == 534
    assert pages_closed(ada, now=at) == closed + 1


def test_close_day_may_close_a_full_page_and_read_the_closed_ones() -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))
    network.record_retailer(Retailer(RETAILER, "Bakery"))
    begin(DUE_AT.date())
    ada = make_payee().member_id
    give(make_gift(member_id=ada), now=BOUGHT_AT)
    give(make_gift(2, member_id=ada, available_at=BOUGHT_AT), now=DUE_AT)
    closed = fill_pages(ada, now=DUE_AT)
    night = night_after(DUE_AT.date())
    clock.use(lambda: night)

    event = scheduled_event("close", at=night, event_id="1", region="eu-west-2")
    closing.close_day(event, context("close_day"))

    assert balances(ada, now=night).available == 0
    assert pages_closed(ada, now=night) == closed + 1


def test_api_handler_may_close_a_full_page_when_a_claim_is_paid_at_once() -> None:
    clock.use(lambda: PAID_AT + DAY)
    open_bakery()
    write_scheme("points", unit="points", card=None, catalogue=[CASH], pending_days=0)
    make_client("bank", BANK)
    buy("t-1", 2)
    settle()
    claim = f"/v1/members/ada/schemes/{BAKERY}.points/claims/c-1"
    closed = fill_pages(ADA, now=PAID_AT + DAY)

    first = call("PUT", claim, token=token_of("bank"), body={"reward": "cash"})
    given = pages_closed(ADA, now=PAID_AT + DAY)
    before = balances(ADA, now=PAID_AT + DAY).available
    fill_pages(ADA, now=PAID_AT + DAY)
    again = call("PUT", claim, token=token_of("bank"), body={"reward": "cash"})

    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert given == closed + 1
    assert before >= 150


def test_settle_rewards_may_close_a_full_page_and_read_the_closed_ones() -> None:
    open_bakery()
    buy("t-1", 5)
    closed = fill_pages(ADA, now=SETTLED_AT)
    before = balances(ADA, now=SETTLED_AT)
    clock.use(lambda: SETTLED_AT)

    ran = run_worker(queues.REWARDS)

    assert (len(ran.bodies), ran.failed) == (1, ())
    assert pages_closed(ADA, now=SETTLED_AT) == closed + 1
    assert balances(ADA, now=SETTLED_AT) == replace(before, pending=before.pending + 300)
