"""Who leaves is paid what is owed, for thirty days at most, and then the account is gone."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger.giving import bring_to, give
from chalicelib.members import service as members
from chalicelib.members.model import Member
from chalicelib.payouts import looking, parting, sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.destinations import store
from chalicelib.payouts.destinations.envelope import Envelope, EnvelopeUnreadable
from chalicelib.payouts.destinations.store import Held
from chalicelib.payouts.leavers import store as leavers
from chalicelib.payouts.model import Executed, PayoutState
from chalicelib.payouts.netting import store as unpaid
from chalicelib.payouts.netting.deciding import Why
from chalicelib.payouts.rails.model import Rail
from chalicelib.privacy import leaving
from chalicelib.runtime import clock, queues, vault
from chalicelib.workers import closing
from infra.local.lambda_events import scheduled_event
from tests.makers.bank_server import BankServer
from tests.makers.dying import Died, dying
from tests.makers.ledger import BOUGHT_AT, balances, make_gift
from tests.makers.members import account, make_activation, numbered, user
from tests.makers.network import OTHER_BANK, make_connection
from tests.makers.nights import begin, close_until, night_after
from tests.makers.outside import context, run_worker
from tests.makers.paying import (
    GIVEN_AT,
    PAYING_AT,
    make_account,
    make_member,
    make_payee,
    record_paying,
    sandbox_payments,
    told_connection,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

LEFT_AT = PAYING_AT - timedelta(hours=1)
DELETED_WITH_WRITE = 7  # Of a payment's: order, look, unknown, executed, book, daybook, account.


def _leave(member: Member) -> None:
    """As the bank switches off, and as the worker then does."""
    leaving.switch_off(user("ada"), now=LEFT_AT)
    leaving.end_retention(member.member_id, left_at=LEFT_AT, now=LEFT_AT)


def _held(member: Member, now: datetime) -> Held | None:
    """What is kept of the account at `now`."""
    assert member.salt is not None
    return store.find_held(member.member_id, key=vault.member_key(member.salt), now=now)


def _name(member: Member, now: datetime) -> Envelope | None:
    """What is kept at `now` of what the bank calls the member."""
    assert member.salt is not None
    return leavers.find_name(member.member_id, key=vault.member_key(member.salt), now=now)


def _owed(member: Member) -> Member:
    """The member has five pounds, which may be paid."""
    give(make_gift(member_id=member.member_id, available_at=BOUGHT_AT), now=LEFT_AT)
    return member


def _is_held(member: Member) -> bool:
    return _held(member, PAYING_AT) is not None


def test_who_left_is_still_paid_to_the_account_that_was_named() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.SANDBOX)
        _leave(member)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert after.state is PayoutState.EXECUTED
    assert [one["account"] for one in bank.books.feed] == ["102030 12345678"]


def test_the_account_of_somebody_who_is_owed_nothing_goes_with_them() -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="http://127.0.0.1:9"))
    member = make_payee()

    _leave(member)

    assert _held(member, LEFT_AT) is None


def test_that_an_account_was_removed_goes_with_whoever_is_owed_nothing() -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="http://127.0.0.1:9"))
    member = make_payee()
    assert member.salt is not None
    key = vault.member_key(member.salt)
    destinations.remove(member, now=GIVEN_AT)
    removed = store.find_removed(member.member_id, key=key, now=LEFT_AT)

    _leave(member)

    assert removed is not None
    assert store.find_removed(member.member_id, key=key, now=LEFT_AT) is None


@pytest.mark.parametrize("is_pending", [True, False], ids=["pending", "available"])
def test_the_account_of_somebody_who_is_owed_something_is_kept_for_thirty_days(
    is_pending: bool,
) -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="http://127.0.0.1:9"))
    member = make_payee()
    due_at = LEFT_AT + timedelta(days=9) if is_pending else BOUGHT_AT
    give(make_gift(member_id=member.member_id, available_at=due_at), now=BOUGHT_AT)

    _leave(member)

    kept = [_held(member, LEFT_AT + timedelta(days=days)) is not None for days in (0, 29, 30)]
    assert kept == [True, True, False]


@pytest.mark.requirement("LOY-04")
def test_the_account_goes_when_the_last_payment_was_executed() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 533, Rail.SANDBOX)  # Paid after it was asked for three times.
        _leave(member)
        seen = [(sending.send(order.payout_id, now=PAYING_AT).state, _is_held(member))]
        for minutes in (5, 10, 15):
            at = PAYING_AT + timedelta(minutes=minutes)
            seen.append((sending.look_up(order.payout_id, now=at).state, _is_held(member)))

    assert seen == [*[(PayoutState.SENT, True)] * 3, (PayoutState.EXECUTED, False)]
    assert [one["account"] for one in bank.books.feed] == ["102030 12345678"]


def test_the_account_stays_while_another_currency_is_owed() -> None:
    with sandbox_payments() as (_bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.SANDBOX)
        euros = Money(300, "EUR")
        gift = make_gift(2, member_id=member.member_id, amount=euros, available_at=BOUGHT_AT)
        give(gift, now=BOUGHT_AT)
        _leave(member)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert after.state is PayoutState.EXECUTED
    assert _held(member, PAYING_AT) is not None


def test_the_account_of_an_active_member_stays_when_they_are_paid() -> None:
    with sandbox_payments() as (_bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.SANDBOX)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert after.state is PayoutState.EXECUTED
    assert _held(member, PAYING_AT) is not None


def test_the_account_stays_while_the_consent_is_taken_back_at_the_bank() -> None:
    """Nothing is paid there meanwhile, and whoever gives the consent again finds it."""
    record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))
    member = make_payee()
    members.suspend(member.member_id, now=LEFT_AT)

    is_deleted = parting.forget_account_when_paid(member.member_id, now=PAYING_AT)

    assert (is_deleted, _is_held(member)) == (False, True)


def test_where_the_payer_dies_before_the_account_is_deleted_the_next_look_deletes_it() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.SANDBOX)
        _leave(member)
        with pytest.raises(Died), dying(DELETED_WITH_WRITE, is_heard=False):
            sending.send(order.payout_id, now=PAYING_AT)
        kept = _held(member, PAYING_AT)

        looking.look_up_due(now=PAYING_AT + timedelta(days=1))

    assert kept is not None
    assert _held(member, PAYING_AT) is None
    assert bank.books.posts == 1


def test_the_account_goes_in_the_night_after_all_that_was_pending_was_taken_back() -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="http://127.0.0.1:9"))
    begin(LEFT_AT.date())
    member = make_payee()
    gift = make_gift(member_id=member.member_id, available_at=LEFT_AT + timedelta(minutes=1))
    give(gift, now=LEFT_AT)
    _leave(member)
    bring_to(gift, 500, reason="returned", now=LEFT_AT)
    kept = _held(member, LEFT_AT)
    night = night_after(LEFT_AT.date())
    clock.use(lambda: night)

    event = scheduled_event("close", at=night, event_id="1", region="eu-west-2")
    closing.close_day(event, context("close_day"))

    assert kept is not None
    assert _held(member, night) is None


def test_a_member_who_was_forgotten_is_paid_nowhere() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.SANDBOX)
        _leave(member)
        members.shred(member.member_id)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert (after.state, after.reason) == (PayoutState.FAILED, "member_forgotten")
    assert bank.books.posts == 0


def test_leaving_without_an_account_leaves_nothing_to_end() -> None:
    record_paying(make_account(Rail.BANK))
    member = make_member()

    _leave(member)

    assert destinations.find_held(member.member_id, now=PAYING_AT) is None


@pytest.mark.requirement("LOY-03")
def test_a_bank_that_pays_is_told_in_the_night_of_somebody_whom_it_switched_off(
    bank: BankServer,
) -> None:
    record_paying(make_account(Rail.BANK), connection=told_connection(bank.url))
    begin(LEFT_AT.date())
    member = _owed(make_member())
    _leave(member)

    night = close_until(LEFT_AT.date())
    clock.use(lambda: night)
    run_worker(queues.PAYOUTS)

    [heard] = bank.heard
    data = json.loads(heard.body)["data"]
    assert (data["user"], data["amount"]) == ("ada", {"minor": 500, "currency": "GBP"})
    owed = balances(member.member_id, now=night)
    assert (owed.available, owed.in_payment) == (0, 500)


def test_an_account_that_was_switched_on_alone_is_named_as_the_bank_names_it(
    bank: BankServer,
) -> None:
    record_paying(make_account(Rail.BANK), connection=told_connection(bank.url))
    anchor = account("acc-1")
    activation = replace(make_activation(), anchor=anchor)
    member = members.activate(activation, fresh=numbered(1), now=GIVEN_AT).member
    order = write_order(member, 500, Rail.BANK)
    leaving.switch_off(anchor, now=LEFT_AT)

    sending.send(order.payout_id, now=PAYING_AT)

    data = json.loads(bank.heard[0].body)["data"]
    assert (data.get("user"), data["account"]) == (None, "acc-1")


def test_what_the_bank_calls_a_leaver_goes_when_it_says_that_it_paid(bank: BankServer) -> None:
    record_paying(make_account(Rail.BANK), connection=told_connection(bank.url))
    member = make_member()
    order = write_order(member, 500, Rail.BANK)
    _leave(member)
    sending.send(order.payout_id, now=PAYING_AT)
    told = _name(member, PAYING_AT)

    payouts.record_outcome(order.payout_id, Executed("FT-1", PAYING_AT), now=PAYING_AT)

    assert told is not None
    assert _name(member, PAYING_AT) is None


def test_what_the_bank_calls_a_leaver_is_kept_for_thirty_days_at_most() -> None:
    record_paying(make_account(Rail.BANK))
    member = _owed(make_member())

    _leave(member)

    kept = [_name(member, LEFT_AT + timedelta(days=days)) is not None for days in (0, 29, 30)]
    assert kept == [True, True, False]


@pytest.mark.parametrize(("rail", "is_owed"), [(Rail.BANK, False), (Rail.SANDBOX, True)])
def test_what_the_bank_calls_a_leaver_is_not_kept_where_it_pays_nothing(
    rail: Rail, is_owed: bool
) -> None:
    record_paying(make_account(rail, api_url="http://127.0.0.1:9"))
    member = make_member()
    if is_owed:
        _owed(member)

    _leave(member)

    assert _name(member, LEFT_AT) is None


def test_what_the_bank_calls_a_leaver_is_not_kept_where_another_bank_pays() -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="http://127.0.0.1:9"))
    others = replace(make_account(Rail.BANK), connection_id=ConnectionId(OTHER_BANK))
    record_paying(others, connection=make_connection(OTHER_BANK))
    member = _owed(make_member())

    _leave(member)

    assert _name(member, LEFT_AT) is None


def test_nobody_but_the_paying_workers_can_read_what_the_bank_calls_a_leaver() -> None:
    record_paying(make_account(Rail.BANK))
    member = _owed(make_member())
    _leave(member)

    envelope = _name(member, LEFT_AT)

    assert envelope is not None
    assert b"ada" not in envelope.closed
    with pytest.raises(EnvelopeUnreadable):
        destinations.open_name(envelope, owner=MemberId("another"))
    assert destinations.open_name(envelope, owner=member.member_id) == user("ada")


def test_who_left_without_a_name_waits_and_no_order_is_written() -> None:
    """As those who left before names were kept, or while the operator had made no key."""
    record_paying(make_account(Rail.BANK))
    begin(LEFT_AT.date())
    member = _owed(make_member())
    members.leave(user("ada"), now=LEFT_AT)

    night = close_until(LEFT_AT.date())

    waits = unpaid.find(member.member_id, "GBP", now=night)
    assert waits is not None
    assert waits.why is Why.NO_DESTINATION
    assert balances(member.member_id, now=night).available == 500


def test_who_dies_before_the_leaving_has_left_nothing_that_stays() -> None:
    """The name is put aside first: it has its end from the beginning."""
    record_paying(make_account(Rail.BANK))
    member = make_member()
    with pytest.raises(Died), dying(2, is_heard=False):
        leaving.switch_off(user("ada"), now=LEFT_AT)

    found = members.get_member(user("ada"), now=PAYING_AT)

    assert found == member
    assert _name(member, LEFT_AT) is not None
    assert _name(member, LEFT_AT + timedelta(days=30)) is None
