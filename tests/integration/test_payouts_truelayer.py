"""TrueLayer: requests that its own library verifies, and one payout whatever is lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger.model import Balances
from chalicelib.payouts import hearing, looking, sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.destinations.accounts import Destination, read_iban
from chalicelib.payouts.messages import ReportMessage
from chalicelib.payouts.model import Failed, PayoutState
from chalicelib.payouts.orders.store import OrderRow
from chalicelib.payouts.rails.model import Rail
from chalicelib.payouts.rails.truelayer import SENT_AGAIN_WITHIN
from infra.local.serving import NO_ANSWER
from tests.makers.ledger import balances
from tests.makers.outside import Counted
from tests.makers.paying import (
    GIVEN_AT,
    MERCHANT,
    PAYING_AT,
    SOON,
    make_member,
    make_payee,
    record_paying,
    sandbox_truelayer,
    set_destination,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

AFTER_THE_CALL = PAYING_AT + sending.CALLS_END_WITHIN
AFTER_THE_KEY = PAYING_AT + SENT_AGAIN_WITHIN + timedelta(minutes=1)
ORDER_FORGOTTEN = PAYING_AT + timedelta(days=91)
THREADS = 16


def test_asks_for_a_payout_with_a_signature_that_the_vendors_library_verifies() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)

        after = sending.send(order.payout_id, now=PAYING_AT)

    [made] = rail.payouts()
    assert rail.books.refused == []
    assert (after.state, after.provider_id) == (PayoutState.SENT, made.payout_id)
    assert list(rail.books.by_key) == [order.idempotency_key]
    assert json.loads(made.body) == {
        "merchant_account_id": MERCHANT,
        "amount_in_minor": 500,
        "currency": "GBP",
        "beneficiary": {
            "type": "external_account",
            "account_holder_name": "Ada Wren",
            "account_identifier": {
                "type": "sort_code_account_number",
                "sort_code": "102030",
                "account_number": "12345678",
            },
            "reference": order.reference,
        },
        "metadata": {"payout": order.payout_id},
    }


def test_names_an_iban_as_truelayer_wants_it() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        member = make_member()
        iban = read_iban("GB33 BUKB 2020 1555 5555 55")
        destinations.set_destination(member, Destination(iban, "Ada Wren"), now=GIVEN_AT)
        order = write_order(member, 500, Rail.TRUELAYER)

        sending.send(order.payout_id, now=PAYING_AT)

    [made] = rail.payouts()
    assert made.asked["beneficiary"]["account_identifier"] == {
        "type": "iban",
        "iban": "GB33BUKB20201555555555",
    }


@pytest.mark.requirement("LOY-02")
def test_learns_by_asking_that_the_payout_was_executed() -> None:
    with sandbox_truelayer() as (_rail, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.TRUELAYER)
        sending.send(order.payout_id, now=PAYING_AT)

        looking.look_up_due(now=SOON)

    assert payouts.get(order.payout_id, now=SOON).state is PayoutState.EXECUTED
    assert balances(member.member_id, now=SOON) == Balances("GBP", paid=500)


def test_an_answer_that_was_lost_is_asked_for_under_the_same_key() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 534, Rail.TRUELAYER)

        lost = sending.send(order.payout_id, now=PAYING_AT)
        found = sending.look_up(order.payout_id, now=AFTER_THE_CALL)

    assert lost.state is PayoutState.UNKNOWN
    assert found.state is PayoutState.EXECUTED
    assert rail.books.posts == 2
    assert len(rail.payouts()) == 1
    assert rail.books.refused == []


def test_after_the_keys_life_the_order_is_found_on_the_account_and_never_posted_again() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 534, Rail.TRUELAYER)
        sending.send(order.payout_id, now=PAYING_AT)

        found = sending.look_up(order.payout_id, now=AFTER_THE_KEY)
        then = sending.look_up(order.payout_id, now=AFTER_THE_KEY + timedelta(hours=1))

    assert (found.state, found.provider_id) == (PayoutState.SENT, rail.payouts()[0].payout_id)
    assert then.state is PayoutState.EXECUTED
    assert rail.books.posts == 1


def test_after_the_keys_life_an_order_that_is_nowhere_stays_unknown() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)
        rail.moods.misbehave(NO_ANSWER)
        sending.send(order.payout_id, now=PAYING_AT)

        after = sending.look_up(order.payout_id, now=AFTER_THE_KEY)

    assert after.state is PayoutState.UNKNOWN
    assert rail.books.posts == 1
    assert rail.payouts() == []


@pytest.mark.parametrize("is_deleted", [True, False], ids=["deleted", "expired"])
def test_an_order_that_was_forgotten_is_not_made_anew_and_posted_again(
    counted: Counted, is_deleted: bool
) -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        ada = make_payee()
        order = write_order(ada, 534, Rail.TRUELAYER)
        sending.send(order.payout_id, now=PAYING_AT)
        set_destination(ada, account_number="12345679", now=PAYING_AT + timedelta(days=20))
        if is_deleted:
            OrderRow(f"order#{order.payout_id}", "order").delete()

        after = sending.look_up(order.payout_id, now=ORDER_FORGOTTEN)

    assert after.state is PayoutState.UNKNOWN
    assert rail.books.posts == 1
    assert counted["payout_looks_put_off:order_forgotten"] == 1


def test_a_payment_that_has_a_name_is_asked_for_after_its_order_was_forgotten() -> None:
    with sandbox_truelayer(executes=False) as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 534, Rail.TRUELAYER)
        sent = sending.send(order.payout_id, now=PAYING_AT)
        found = sending.look_up(order.payout_id, now=AFTER_THE_KEY)
        rail.execute(found.provider_id)

        after = sending.look_up(order.payout_id, now=ORDER_FORGOTTEN)

    assert (sent.state, found.state) == (PayoutState.UNKNOWN, PayoutState.SENT)
    assert after.state is PayoutState.EXECUTED
    assert rail.books.posts == 1


@pytest.mark.parametrize("after", [timedelta(hours=1), timedelta(days=91)])
def test_a_late_word_of_a_payout_that_failed_is_asked_about_and_nothing_is_posted(
    after: timedelta,
) -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 534, Rail.TRUELAYER)
        sending.send(order.payout_id, now=PAYING_AT)
        named, at = rail.payouts()[0].payout_id, PAYING_AT + after
        failed = payouts.record_outcome(order.payout_id, Failed("refused", is_final=True), now=SOON)
        word = ReportMessage(order.payout_id, "event-1", "executed", SOON, provider=named)

        hearing.take_report(word, now=at)

        stands = payouts.get(order.payout_id, now=at)
    assert (failed.state, failed.provider_id) == (PayoutState.FAILED, "")
    assert (stands.state, stands.provider_id) == (PayoutState.EXECUTED, named)
    assert stands.is_disputed
    assert rail.books.posts == 1


def test_finds_the_order_on_a_later_page_of_the_account() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        others = [write_order(make_payee(f"p{n}", n), 500 + n, Rail.TRUELAYER) for n in range(1, 5)]
        for one in others:
            sending.send(one.payout_id, now=PAYING_AT)
        copies = dict(rail.books.by_key)
        for n in range(60):
            rail.books.by_key[f"other-{n}"] = next(iter(copies.values()))
        order = write_order(make_payee("zoe", 99), 534, Rail.TRUELAYER)
        sending.send(order.payout_id, now=PAYING_AT)

        found = sending.look_up(order.payout_id, now=AFTER_THE_KEY)

    assert found.provider_id == rail.books.by_key[order.idempotency_key].payout_id


@pytest.mark.parametrize("status", [500, 502, 503, 409])
def test_an_answer_that_says_nothing_of_the_order_leaves_it_unknown(status: int) -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)
        rail.moods.misbehave(status)

        first = sending.send(order.payout_id, now=PAYING_AT)
        then = sending.look_up(order.payout_id, now=AFTER_THE_CALL)

    assert first.state is PayoutState.UNKNOWN
    assert then.state is PayoutState.EXECUTED
    assert len(rail.payouts()) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_an_answer_that_the_request_was_not_heard_leaves_the_order_as_it_was(status: int) -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)
        rail.moods.misbehave(status)

        with pytest.raises(TryAgain):
            sending.send(order.payout_id, now=PAYING_AT)
        before = payouts.get(order.payout_id, now=PAYING_AT)
        after = sending.send(order.payout_id, now=SOON)

    assert (before.state, before.reason) == (PayoutState.WRITTEN, f"http_{status}")
    assert after.state is PayoutState.SENT
    assert len(rail.payouts()) == 1


@pytest.mark.parametrize("status", [400, 422])
def test_an_order_that_is_refused_goes_back_to_the_member(status: int) -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.TRUELAYER)
        rail.moods.misbehave(status)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert (after.state, after.reason) == (PayoutState.FAILED, f"http_{status}")
    assert balances(member.member_id, now=SOON) == Balances("GBP", available=500)


@pytest.mark.parametrize("status", [400, 401, 422, 429, 500])
def test_what_a_second_call_meets_proves_nothing_of_the_first(status: int) -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 534, Rail.TRUELAYER)
        sending.send(order.payout_id, now=PAYING_AT)
        rail.moods.misbehave(status)

        after = sending.look_up(order.payout_id, now=AFTER_THE_CALL)
        then = sending.look_up(order.payout_id, now=AFTER_THE_CALL + timedelta(minutes=5))

    assert after.state is PayoutState.UNKNOWN
    assert then.state is PayoutState.EXECUTED
    assert len(rail.payouts()) == 1


def test_a_token_that_was_refused_is_asked_for_anew() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        first = write_order(make_payee("ada", 1), 500, Rail.TRUELAYER)
        second = write_order(make_payee("ben", 2), 600, Rail.TRUELAYER)
        sending.send(first.payout_id, now=PAYING_AT)
        rail.expire_tokens()

        with pytest.raises(TryAgain):
            sending.send(second.payout_id, now=PAYING_AT)
        after = sending.send(second.payout_id, now=SOON)

    assert after.state is PayoutState.SENT
    assert len(rail.payouts()) == 2


def test_a_payout_that_fails_goes_back_and_one_that_comes_back_is_returned() -> None:
    with sandbox_truelayer() as (_rail, account):
        record_paying(account)
        ada, ben = make_payee("ada", 1), make_payee("ben", 2)
        fails, returns = (
            write_order(ada, 531, Rail.TRUELAYER),
            write_order(ben, 532, Rail.TRUELAYER),
        )
        for one in (fails, returns):
            sending.send(one.payout_id, now=PAYING_AT)
            sending.look_up(one.payout_id, now=SOON)
        sending.look_up(returns.payout_id, now=SOON + timedelta(days=1))

        ends = [payouts.get(one.payout_id, now=SOON) for one in (fails, returns)]

    assert [(one.state, one.reason, one.is_disputed) for one in ends] == [
        (PayoutState.FAILED, "account_closed", False),
        (PayoutState.RETURNED, "returned", False),
    ]
    assert balances(ada.member_id, now=SOON).available == 531
    assert balances(ben.member_id, now=SOON).available == 532


def test_one_of_sixteen_threads_posts_the_order() -> None:
    with sandbox_truelayer() as (rail, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)
        together = Barrier(THREADS)

        def attempt(_number: int) -> str:
            together.wait()
            try:
                return sending.send(order.payout_id, now=PAYING_AT).state.value
            except TryAgain:
                return "try again"

        with ThreadPoolExecutor(THREADS) as threads:
            said = set(threads.map(attempt, range(THREADS)))

    assert rail.books.posts == 1
    assert said <= {"sent", "try again"}
    assert payouts.get(order.payout_id, now=SOON).attempts == 1
