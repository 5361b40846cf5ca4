"""Who leaves is paid what is owed, for thirty days at most, and then the account is gone."""

from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.money import Money
from chalicelib.ledger.giving import bring_to, give
from chalicelib.members import service as members
from chalicelib.members.model import Member
from chalicelib.payouts import looking, parting, sending
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.destinations import store
from chalicelib.payouts.destinations.store import Held
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.rails.model import Rail
from chalicelib.privacy import leaving
from chalicelib.runtime import clock, vault
from chalicelib.workers import closing
from infra.local.lambda_events import scheduled_event
from tests.makers.bank_server import BankServer
from tests.makers.dying import Died, dying
from tests.makers.ledger import BOUGHT_AT, make_gift
from tests.makers.members import user
from tests.makers.nights import begin, night_after
from tests.makers.outside import context
from tests.makers.paying import (
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


def test_a_bank_is_not_told_to_pay_somebody_whom_it_switched_off(bank: BankServer) -> None:
    record_paying(make_account(Rail.BANK), connection=told_connection(bank.url))
    member = make_member()
    order = write_order(member, 500, Rail.BANK)
    _leave(member)

    after = sending.send(order.payout_id, now=PAYING_AT)

    assert (after.state, after.reason) == (PayoutState.FAILED, "member_left")
    assert bank.heard == []
