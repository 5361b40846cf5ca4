"""The bank pays: told once by a signed webhook, whatever it answers, and believed later."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger.model import Balances
from chalicelib.network import service as network
from chalicelib.payouts import hearing, looking, sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.messages import ReportMessage
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.rails.model import Rail
from infra.local.sandbox_endpoint import SandboxEndpoint
from tests.makers.bank_server import BankServer, bank_server
from tests.makers.ledger import balances
from tests.makers.network import make_connection
from tests.makers.paying import (
    GIVEN_AT,
    PAYING_AT,
    SOON,
    WEBHOOK_SECRET,
    make_account,
    make_member,
    record_paying,
    told_connection,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

EVENTS = Path(__file__).parents[2] / "events"
AFTER_THE_CALL = PAYING_AT + sending.CALLS_END_WITHIN


def _set_up(url: str) -> None:
    record_paying(make_account(Rail.BANK), connection=told_connection(url))


def test_tells_the_bank_what_to_pay_in_the_documented_words(bank: BankServer) -> None:
    _set_up(bank.url)
    order = write_order(make_member(), 500, Rail.BANK)

    after = sending.send(order.payout_id, now=PAYING_AT)

    [heard] = bank.heard
    expected = json.loads((EVENTS / "payout_cashback_payable.json").read_text())
    expected["data"] |= {"payout": order.payout_id, "reference": order.reference}
    assert json.loads(heard.body) == expected
    assert after.state is PayoutState.SENT
    signed = Webhook(WEBHOOK_SECRET).sign(
        heard.headers["webhook-id"], PAYING_AT, heard.body.decode()
    )
    assert heard.headers["webhook-signature"] == signed


def test_a_bank_that_verifies_with_the_standards_own_library_believes_it() -> None:
    endpoint = SandboxEndpoint(now=lambda: PAYING_AT, secrets={"standard": WEBHOOK_SECRET})
    try:
        _set_up(f"{endpoint.url}/told/standard")
        order = write_order(make_member(), 500, Rail.BANK)
        sending.send(order.payout_id, now=PAYING_AT)
    finally:
        endpoint.stop()

    assert endpoint.books.unverified == []
    assert [one.body["type"] for one in endpoint.books.told] == ["cashback.payable"]


def test_names_the_account_where_the_bank_switched_on_by_account(bank: BankServer) -> None:
    from chalicelib.members import service as members
    from chalicelib.members.activation import Activation, GivenAccount
    from tests.makers.members import TERMS, account, numbered

    _set_up(bank.url)
    anchor = account("acc-7")
    connection = told_connection(bank.url)
    activation = Activation(connection, anchor, TERMS, (GivenAccount(anchor),))
    member = members.activate_account(activation, fresh=numbered(7), now=GIVEN_AT).member
    order = write_order(member, 500, Rail.BANK)

    sending.send(order.payout_id, now=PAYING_AT)

    said = json.loads(bank.heard[0].body)["data"]
    assert (said["account"], "user" in said) == ("acc-7", False)


def test_tells_again_in_the_same_words_under_the_same_name_when_nobody_answered() -> None:
    with bank_server((500, {}, b""), (200, {}, b"")) as bank:
        _set_up(bank.url)
        order = write_order(make_member(), 500, Rail.BANK)
        first = sending.send(order.payout_id, now=PAYING_AT)

        after = sending.look_up(order.payout_id, now=AFTER_THE_CALL)

    assert (first.state, after.state) == (PayoutState.UNKNOWN, PayoutState.SENT)
    one, two = bank.heard
    assert one.body == two.body
    assert one.headers["webhook-id"] == two.headers["webhook-id"]


def test_a_bank_that_will_never_pay_gives_the_money_back_to_the_balance() -> None:
    with bank_server((422, {}, b"")) as bank:
        _set_up(bank.url)
        member = make_member()
        order = write_order(member, 500, Rail.BANK)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert (after.state, after.reason) == (PayoutState.FAILED, "bank_refused")
    assert balances(member.member_id, now=SOON) == Balances("GBP", available=500)


def test_a_refusal_of_the_second_telling_proves_nothing_of_the_first() -> None:
    with bank_server((500, {}, b""), (422, {}, b"")) as bank:
        _set_up(bank.url)
        order = write_order(make_member(), 500, Rail.BANK)
        sending.send(order.payout_id, now=PAYING_AT)

        after = sending.look_up(order.payout_id, now=AFTER_THE_CALL)

    assert after.state is PayoutState.UNKNOWN


@pytest.mark.parametrize("status", [408, 425, 429])
def test_a_busy_bank_is_told_later(status: int) -> None:
    with bank_server((status, {}, b""), (200, {}, b"")) as bank:
        _set_up(bank.url)
        order = write_order(make_member(), 500, Rail.BANK)

        with pytest.raises(TryAgain):
            sending.send(order.payout_id, now=PAYING_AT)
        after = sending.send(order.payout_id, now=SOON)

    assert after.state is PayoutState.SENT
    assert len(bank.heard) == 2


def test_tells_nobody_without_a_url_or_a_key(bank: BankServer) -> None:
    record_paying(make_account(Rail.BANK))
    order = write_order(make_member(), 500, Rail.BANK)

    with pytest.raises(TryAgain):
        sending.send(order.payout_id, now=PAYING_AT)
    network.record_connection(make_connection(told_at_url=bank.url), now=PAYING_AT)
    with pytest.raises(TryAgain):
        sending.send(order.payout_id, now=PAYING_AT)

    assert bank.heard == []
    assert payouts.get(order.payout_id, now=SOON).reason == "bank_not_told"


def test_what_the_bank_took_is_not_told_again_while_it_is_waited_for(bank: BankServer) -> None:
    _set_up(bank.url)
    order = write_order(make_member(), 500, Rail.BANK)
    sending.send(order.payout_id, now=PAYING_AT)

    for day in range(5):
        looking.look_up_due(now=PAYING_AT + timedelta(days=day, hours=1))

    assert len(bank.heard) == 1
    assert payouts.get(order.payout_id, now=SOON).state is PayoutState.SENT


@pytest.mark.requirement("LOY-03")
def test_acknowledgements_that_overtake_each_other_end_alike(bank: BankServer) -> None:
    _set_up(bank.url)
    members = [make_member("ada", 1), make_member("ben", 2)]
    orders = [write_order(one, 500, Rail.BANK) for one in members]
    for order in orders:
        sending.send(order.payout_id, now=PAYING_AT)

    for order, turn in zip(orders, (1, -1), strict=True):
        told = [
            ReportMessage(order.payout_id, "a-1", "executed", SOON, order.payout_id),
            ReportMessage(order.payout_id, "a-2", "returned", SOON, reason="closed"),
        ]
        for report in told[::turn] * 2:
            hearing.take_report(report, now=SOON)

    ends = [payouts.get(order.payout_id, now=SOON) for order in orders]
    assert [one.state for one in ends] == [PayoutState.RETURNED] * 2
    assert [balances(one.member_id, now=SOON).available for one in members] == [500, 500]
