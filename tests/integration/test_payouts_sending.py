"""A payout on the sandbox rail: sent once, whatever breaks, and heard of until its end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger.model import Balances
from chalicelib.payouts import looking, sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.model import Instruction, PayoutState
from chalicelib.payouts.orders import store as orders
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails.model import PayingSecrets, Rail
from chalicelib.runtime import queues
from infra.local.calling import call
from infra.local.sandbox_bank import SandboxBank
from infra.local.serving import NO_ANSWER
from tests.makers.dying import Died, dying
from tests.makers.ledger import balances
from tests.makers.outside import Counted
from tests.makers.paying import (
    GIVEN_AT,
    PAYING_AT,
    SOON,
    make_account,
    make_member,
    make_payee,
    record_paying,
    sandbox_payments,
    set_destination,
    write_order,
)
from tests.makers.payouts import sent_to

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

AFTER_THE_CALL = PAYING_AT + sending.CALLS_END_WITHIN
THREADS = 16
UNKNOWN_WRITTEN = 3  # After the frozen order and the look that is due.
OUTCOME_WRITTEN = 4


def _send_until_done(payout_id: str) -> Instruction:
    """As the queue does: again and again, later and later, while it says to try again."""
    now = PAYING_AT
    for _ in range(10):
        try:
            return sending.send(payout_id, now=now)
        except TryAgain:
            now += timedelta(minutes=2)
    raise AssertionError("the payout was never sent")


@pytest.mark.requirement("LOY-02")
def test_pays_an_order_once_and_shows_it_in_the_feed_of_the_payee() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.SANDBOX)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert after.state is PayoutState.EXECUTED
    assert after.provider_id == "sbx-000001"
    assert after.attempts == 1
    assert bank.books.posts == 1
    assert bank.books.feed == [
        {
            "account": "102030 12345678",
            "amount": {"minor": 500, "currency": "GBP"},
            "reference": order.reference,
            "payment": "sbx-000001",
            "at": SOON.isoformat(),
        }
    ]
    assert balances(member.member_id, now=SOON) == Balances("GBP", paid=500)


def test_sends_nothing_again_when_the_message_comes_again() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.SANDBOX)
        first = sending.send(order.payout_id, now=PAYING_AT)

        again = sending.send(order.payout_id, now=SOON)

    assert again == first
    assert bank.books.posts == 1


def test_one_of_sixteen_threads_calls_the_rail_and_one_payment_is_made() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.SANDBOX)
        together = Barrier(THREADS)

        def attempt(_number: int) -> str:
            together.wait()
            try:
                return sending.send(order.payout_id, now=PAYING_AT).state.value
            except TryAgain:
                return "try again"

        with ThreadPoolExecutor(THREADS) as threads:
            said = list(threads.map(attempt, range(THREADS)))
        after = payouts.get(order.payout_id, now=PAYING_AT)

    assert bank.books.posts == 1
    assert len(bank.books.feed) == 1
    assert set(said) <= {"executed", "try again"}
    assert after.state is PayoutState.EXECUTED
    assert after.attempts == 1


def test_an_order_whose_answer_was_lost_is_found_by_its_key_and_not_paid_twice() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        order = write_order(make_payee(), 534, Rail.SANDBOX)

        lost = sending.send(order.payout_id, now=PAYING_AT)
        found = sending.look_up(order.payout_id, now=AFTER_THE_CALL)

    assert lost.state is PayoutState.UNKNOWN
    assert found.state is PayoutState.EXECUTED
    assert bank.books.posts == 1
    assert len(bank.books.feed) == 1


def test_who_died_before_the_call_is_followed_by_one_who_makes_it() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.SANDBOX)
        with pytest.raises(Died), dying(UNKNOWN_WRITTEN, is_heard=True):
            sending.send(order.payout_id, now=PAYING_AT)

        with pytest.raises(TryAgain):
            sending.send(order.payout_id, now=PAYING_AT + timedelta(seconds=89))
        posts_while_somebody_may_wait = bank.books.posts
        after = sending.send(order.payout_id, now=AFTER_THE_CALL)

    assert posts_while_somebody_may_wait == 0
    assert after.state is PayoutState.EXECUTED
    assert bank.books.posts == 1


def test_a_rail_that_is_away_is_asked_again_under_the_same_key() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        order = write_order(make_payee(), 535, Rail.SANDBOX)

        after = _send_until_done(order.payout_id)
        for _ in range(3):
            after = sending.look_up(order.payout_id, now=SOON)

    assert after.state is PayoutState.EXECUTED
    assert list(bank.books.payments) == [order.idempotency_key]
    assert len(bank.books.feed) == 1


def test_a_rail_that_refuses_connections_leaves_the_order_as_it_was() -> None:
    with sandbox_payments() as (_bank, account):
        record_paying(account)
    order = write_order(make_payee(), 500, Rail.SANDBOX)

    with pytest.raises(TryAgain):
        sending.send(order.payout_id, now=PAYING_AT)

    after = payouts.get(order.payout_id, now=PAYING_AT)
    assert after.state is PayoutState.WRITTEN
    assert after.reason == "unreachable"
    assert after.attempts == 1


def test_what_the_rail_will_not_pay_goes_back_to_the_member() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 531, Rail.SANDBOX)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert (after.state, after.reason) == (PayoutState.FAILED, "account_closed")
    assert bank.books.feed == []
    assert balances(member.member_id, now=SOON) == Balances("GBP", available=531)


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize(
    ("minor", "then"),
    [(500, Balances("GBP", paid=500)), (531, Balances("GBP", available=531))],
)
def test_what_a_dead_run_left_to_be_done_is_done_by_whoever_comes_next(
    minor: int, then: Balances, *, looks: bool
) -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, minor, Rail.SANDBOX)
        with pytest.raises(Died), dying(OUTCOME_WRITTEN, is_heard=True):
            sending.send(order.payout_id, now=PAYING_AT)
        before = balances(member.member_id, now=SOON)

        if looks:
            looking.look_up_due(now=PAYING_AT + sending.FIRST_LOOK_AFTER)
        else:
            sending.send(order.payout_id, now=AFTER_THE_CALL)

    assert before == Balances("GBP", in_payment=minor)
    assert balances(member.member_id, now=SOON) == then
    told = [one["kind"] for one in sent_to(queues.NOTICES)]
    assert told == (["reward_paid"] if then.paid else [])
    assert bank.books.posts == 1


def test_a_payment_that_comes_back_is_noticed_by_looking_after_it_was_executed() -> None:
    with sandbox_payments() as (_bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 532, Rail.SANDBOX)
        executed = sending.send(order.payout_id, now=PAYING_AT)

        looked = [
            looking.look_up_due(now=PAYING_AT + after)
            for after in (timedelta(minutes=1), timedelta(minutes=6), timedelta(days=2))
        ]
        after = payouts.get(order.payout_id, now=SOON)

    assert executed.state is PayoutState.EXECUTED
    assert looked == [0, 1, 0]
    assert (after.state, after.reason) == (PayoutState.RETURNED, "returned")
    assert balances(member.member_id, now=SOON).available == 532


def test_looks_ever_more_rarely_at_what_the_rail_still_has() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        order = write_order(make_payee(), 533, Rail.SANDBOX)
        sending.send(order.payout_id, now=PAYING_AT)

        looked = [
            minute
            for minute in range(0, 120, 5)
            if looking.look_up_due(now=PAYING_AT + timedelta(minutes=minute))
        ]

    assert looked == [5, 20, 60]
    assert payouts.get(order.payout_id, now=SOON).state is PayoutState.EXECUTED
    assert bank.books.payments[order.idempotency_key].looks == 3


def test_a_payout_of_which_nothing_is_known_for_days_is_counted(counted: Counted) -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.SANDBOX)
        bank.moods.misbehave(NO_ANSWER, times=100)
        sending.send(order.payout_id, now=PAYING_AT)
        late = PAYING_AT + timedelta(days=3, minutes=1)

        looking.look_up_due(now=PAYING_AT + timedelta(hours=1))
        early_count = counted["payouts_overdue"]
        looking.look_up_due(now=late)

    assert early_count == 0
    assert counted["payouts_overdue:sandbox"] == 1
    assert payouts.get(order.payout_id, now=late).state is PayoutState.UNKNOWN


def test_a_member_without_an_account_gets_the_money_back_to_the_balance() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_member()
        order = write_order(member, 500, Rail.SANDBOX)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert (after.state, after.reason) == (PayoutState.FAILED, "no_destination")
    assert bank.books.posts == 0
    assert balances(member.member_id, now=SOON) == Balances("GBP", available=500)


def test_waits_a_day_after_the_account_was_changed_and_pays_to_the_new_one() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        changed_at = PAYING_AT - timedelta(hours=1)
        set_destination(member, account_number="87654321", now=changed_at)
        order = write_order(member, 500, Rail.SANDBOX)

        with pytest.raises(TryAgain) as refused:
            sending.send(order.payout_id, now=PAYING_AT)
        posts_before = bank.books.posts
        sending.send(order.payout_id, now=changed_at + timedelta(days=1))

    assert refused.value.after_seconds == 12 * 3_600
    assert posts_before == 0
    assert [one["account"] for one in bank.books.feed] == ["102030 87654321"]


def test_an_account_that_is_changed_after_the_first_call_changes_nothing_of_the_order() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 534, Rail.SANDBOX)
        sending.send(order.payout_id, now=PAYING_AT)
        destinations.remove(member, now=PAYING_AT)

        after = sending.look_up(order.payout_id, now=PAYING_AT + timedelta(days=2))

    assert after.state is PayoutState.EXECUTED
    assert [one["account"] for one in bank.books.feed] == ["102030 12345678"]
    assert bank.books.refused == []


def test_pays_from_nowhere_where_no_account_is_set_up() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.SANDBOX)
        paying.remove_account(account.connection_id, account.currency, now=PAYING_AT)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert (after.state, after.reason) == (PayoutState.FAILED, "no_paying_account")
    assert bank.books.posts == 0


def test_an_order_by_another_rail_than_the_account_of_now_is_not_paid() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.TRUELAYER)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert (after.state, after.reason) == (PayoutState.FAILED, "no_paying_account")
    assert bank.books.posts == 0


def test_a_look_that_cannot_be_taken_does_not_hold_up_the_others() -> None:
    with sandbox_payments() as (_bank, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.SANDBOX)
        nobodys = orders.LookUp("20261202aaaaaaaaaaaaaaaaaa", PAYING_AT, PAYING_AT)
        orders.put_look_up(nobodys)
        orders.put_look_up(orders.LookUp(order.payout_id, PAYING_AT, PAYING_AT))

        looked = looking.look_up_due(now=PAYING_AT)

    assert looked == 1
    assert payouts.get(order.payout_id, now=SOON).state is PayoutState.EXECUTED
    left = [one for n in range(orders.SHARDS) for one in orders.list_due(n, now=PAYING_AT)]
    assert left == []


def test_keeps_no_account_number_in_any_row(embedded_aws: None) -> None:
    from chalicelib.runtime import aws, settings

    with sandbox_payments() as (_bank, account):
        record_paying(account)
        order = write_order(make_payee(), 500, Rail.SANDBOX)
        sending.send(order.payout_id, now=PAYING_AT)
    tables = [settings.table(name) for name in ("people", "money", "wallets", "network")]

    held = [str(aws.client("dynamodb").scan(TableName=name)["Items"]) for name in tables]

    assert all(held)
    assert not [text for text in held if "12345678" in text or "102030" in text]


def test_makes_no_account_of_a_rail_that_lacks_what_it_needs() -> None:
    record_paying(make_account(Rail.BANK))

    with pytest.raises(paying.UnusablePayingAccount) as refused:
        paying.record_account(make_account(Rail.TRUELAYER), None, now=GIVEN_AT)

    assert refused.value.field == "api_url"
    assert [one.rail for one in paying.list_accounts(now=GIVEN_AT)] == [Rail.BANK]


def test_the_local_stacks_bank_pays_and_shows_it_in_its_feed() -> None:
    bank = SandboxBank(now=lambda: SOON)
    try:
        held = PayingSecrets(client_secret=Personal(bank.payments_token))
        account = make_account(Rail.SANDBOX, api_url=bank.url)
        record_paying(account)
        paying.record_account(account, held, now=GIVEN_AT)
        order = write_order(make_payee(), 500, Rail.SANDBOX)
        sending.send(order.payout_id, now=PAYING_AT)
        shown = call("GET", f"{bank.url}/sandbox/feed").json()
    finally:
        bank.stop()

    assert [(one["reference"], one["amount"]["minor"]) for one in shown["feed"]] == [
        (order.reference, 500)
    ]
