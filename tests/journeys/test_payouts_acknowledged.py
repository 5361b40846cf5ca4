"""A bank acknowledges a payout: once, with its own name of the payment, and when that can be."""

import csv

import pytest

from chalicelib.payouts import sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.rails.model import Rail
from chalicelib.payouts.reconciling import store as reconciling_store
from chalicelib.payouts.reconciling.comparing import Differs, compare
from chalicelib.runtime import clock, queues
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.bank_server import BankServer
from tests.makers.network import BANK
from tests.makers.outside import Counted, run_worker
from tests.makers.paying import (
    PAYING_AT,
    SOON,
    make_account,
    make_member,
    record_paying,
    told_connection,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]


@pytest.fixture
def told(embedded_aws: None, bank: BankServer) -> str:
    """A payout that the member's bank was asked to make."""
    clock.use(lambda: SOON)
    record_paying(make_account(Rail.BANK), connection=told_connection(bank.url))
    make_client(BANK, BANK)
    order = write_order(make_member(), 500, Rail.BANK)
    sending.send(order.payout_id, now=PAYING_AT)
    return order.payout_id


def acknowledge(payout_id: str, body: object) -> Said:
    path = f"/v1/payouts/{payout_id}/acknowledgement"
    return call("POST", path, token=token_of(BANK), body=body)


def _payment(listed: Said) -> str:
    return next(csv.DictReader(listed.body.splitlines()))["payment"]


def test_refuses_an_acknowledgement_of_what_was_before_the_order(told: str) -> None:
    body = {"id": "a-1", "status": "paid"}

    early = acknowledge(told, body | {"at": "2026-12-02T04:24:59Z"})
    in_time = acknowledge(told, body | {"at": "2026-12-02T04:25:00Z"})

    assert (early.status, early.body["code"]) == (422, "before_the_order")
    assert in_time.status == 202


def test_shows_the_payment_that_the_bank_names_and_none_before(told: str) -> None:
    before = call("GET", "/v1/payouts?day=2026-12-02", token=token_of(BANK))
    paid = {"id": "a-1", "status": "paid", "at": "2026-12-02T04:34:00Z"}

    acknowledge(told, paid | {"payment": "FT-20261202-77"})
    run_worker(queues.PAYOUTS)

    after = call("GET", "/v1/payouts?day=2026-12-02", token=token_of(BANK))
    shown = [_payment(one) for one in (before, after)]
    assert shown == ["", "FT-20261202-77"]


def test_refuses_another_word_under_the_same_name(told: str, counted: Counted) -> None:
    body = {"id": "a-1", "at": "2026-12-02T04:34:00Z"}
    acknowledge(told, body | {"status": "paid"})
    run_worker(queues.PAYOUTS)

    said = acknowledge(told, body | {"status": "refused"})

    assert (said.status, said.body["code"]) == (409, "other_word")
    assert counted["conflicts:other_word"] == 1
    assert payouts.get(told, now=SOON).state is PayoutState.EXECUTED


def test_quarantines_another_word_that_came_before_the_first_was_recorded(
    told: str, counted: Counted
) -> None:
    body = {"id": "a-1", "at": "2026-12-02T04:34:00Z"}
    said = [acknowledge(told, body | {"status": word}) for word in ("paid", "refused")]

    run_worker(queues.PAYOUTS)

    assert [one.status for one in said] == [202, 202]
    assert counted["conflicts:other_word"] == 1


def test_a_second_payment_of_the_same_payout_is_quarantined_and_kept(
    told: str, counted: Counted
) -> None:
    for number in (1, 2):
        body = {"id": f"a-{number}", "status": "paid", "at": "2026-12-02T04:34:00Z"}
        acknowledge(told, body | {"payment": f"FT-{number}"})

    run_worker(queues.PAYOUTS)

    after = payouts.get(told, now=SOON)
    reports = reconciling_store.list_reports_of(told, now=SOON)
    assert counted["conflicts:other_payment"] == 1
    assert sorted(one.booking for one in reports) == ["FT-1", "FT-2"]
    assert [one.kind for one in compare(after, reports, now=SOON)] == [Differs.OVERPAID]
