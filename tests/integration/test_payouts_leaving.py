"""Who leaves is paid what is owed for thirty days, and then nothing of the account is left."""

from datetime import timedelta

import pytest

from chalicelib.members import service as members
from chalicelib.members.model import Member
from chalicelib.payouts import sending
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.destinations import store
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.rails.model import Rail
from chalicelib.privacy import leaving
from chalicelib.runtime import vault
from tests.makers.bank_server import BankServer
from tests.makers.members import user
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


def _leave(member: Member) -> None:
    """As the bank switches off, and as the worker then does."""
    leaving.switch_off(user("ada"), now=LEFT_AT)
    leaving.end_retention(member.member_id, left_at=LEFT_AT, now=LEFT_AT)


def test_who_left_is_still_paid_to_the_account_that_was_named() -> None:
    with sandbox_payments() as (bank, account):
        record_paying(account)
        member = make_payee()
        order = write_order(member, 500, Rail.SANDBOX)
        _leave(member)

        after = sending.send(order.payout_id, now=PAYING_AT)

    assert after.state is PayoutState.EXECUTED
    assert [one["account"] for one in bank.books.feed] == ["102030 12345678"]


def test_thirty_days_after_leaving_the_account_is_gone() -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="http://127.0.0.1:9"))
    member = make_payee()
    assert member.salt is not None
    key = vault.member_key(member.salt)

    _leave(member)

    for days, is_there in ((29, True), (30, False)):
        at = LEFT_AT + timedelta(days=days)
        found = store.find_held(member.member_id, key=key, now=at)
        assert (found is not None) is is_there


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
