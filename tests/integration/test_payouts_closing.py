"""A day is closed: due gifts become available, members are paid, retailers' days are added up."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.kernel.money import Money
from chalicelib.ledger import moving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.closing import store as closing
from chalicelib.ledger.giving import give, take_back
from chalicelib.ledger.model import Balances
from chalicelib.members.model import Member
from chalicelib.payouts import closing as job
from chalicelib.payouts import sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts import store as instructions
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.destinations import store as named
from chalicelib.payouts.destinations.accounts import Destination, IbanAccount
from chalicelib.payouts.model import (
    Executed,
    Failed,
    PayoutState,
    Returned,
    payout_id_of,
)
from chalicelib.payouts.netting import store as unpaid
from chalicelib.payouts.netting.deciding import Why
from chalicelib.payouts.netting.store import Unpaid
from chalicelib.payouts.paying import service as accounts
from chalicelib.payouts.rails.model import Rail
from chalicelib.privacy import leaving
from chalicelib.runtime import queues, vault
from tests.makers.ledger import (
    BOUGHT_AT,
    CAMPAIGN,
    DUE_AT,
    RETAILER,
    balances,
    book_of,
    lose_daybook_row,
    make_gift,
    pounds,
)
from tests.makers.nights import always, begin, close_until, night_after
from tests.makers.paying import make_account, make_member, make_payee, record_paying
from tests.makers.paying import set_destination as name_account
from tests.makers.payouts import sent_to

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("paying")]

BOUGHT_ON = BOUGHT_AT.date()
DUE_ON = DUE_AT.date()
PAID_ON = DUE_ON + timedelta(days=1)
EUROS = Money(700, "EUR")


@pytest.fixture
def paying(embedded_aws: None) -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))
    begin(BOUGHT_ON)


def _give(member: Member, number: int = 1, minor: int = 500, **changes: object) -> str:
    gift = make_gift(number, minor, member_id=member.member_id, **changes)
    give(gift, now=gift.at)
    return gift.key


def _paid_ids() -> list[str]:
    return [str(one["payout_id"]) for one in sent_to(queues.PAYOUTS)]


def _minor_of(member: Member) -> Balances:
    return balances(member.member_id, now=night_after(PAID_ON))


@pytest.mark.requirement("LOY-02")
def test_a_gift_is_paid_the_night_after_it_is_due_and_no_sooner() -> None:
    ada = make_payee()
    _give(ada)

    close_until(DUE_ON - timedelta(days=1))
    assert (_minor_of(ada), _paid_ids()) == (Balances("GBP", pending=500), [])
    close_until(DUE_ON)

    payout_id = payout_id_of(ada.member_id, "GBP", PAID_ON)
    assert _minor_of(ada) == Balances("GBP", in_payment=500)
    assert _paid_ids() == [payout_id]
    order = payouts.get(payout_id, now=night_after(PAID_ON))
    assert (order.amount, order.rail, order.state) == (
        pounds(500),
        "sandbox",
        PayoutState.WRITTEN,
    )
    assert order.connection_id == ada.connection_id


def test_what_becomes_due_together_is_paid_in_one_sum() -> None:
    ada = make_payee()
    for number in range(1, 13):
        _give(ada, number, 150)

    close_until(DUE_ON)

    assert _minor_of(ada) == Balances("GBP", in_payment=12 * 150)
    assert len(_paid_ids()) == 1


def test_little_waits_for_more_and_is_paid_with_it() -> None:
    ada = make_payee()
    _give(ada, 1, 60)
    _give(ada, 2, 60, available_at=DUE_AT + timedelta(days=3))

    close_until(DUE_ON)
    waits = unpaid.find(ada.member_id, "GBP", now=DUE_AT)
    close_until(DUE_ON + timedelta(days=3))

    assert waits == Unpaid(ada.member_id, "GBP", 60, Why.BELOW_MINIMUM, PAID_ON)
    assert _minor_of(ada) == Balances("GBP", in_payment=120)
    assert unpaid.find(ada.member_id, "GBP", now=DUE_AT) is None


def test_who_named_no_account_is_paid_in_the_night_after_naming_one() -> None:
    ada = make_member()
    _give(ada)

    close_until(DUE_ON)
    waits = unpaid.find(ada.member_id, "GBP", now=DUE_AT)
    name_account(ada, now=night_after(PAID_ON))
    close_until(PAID_ON + timedelta(days=1))

    assert waits == Unpaid(ada.member_id, "GBP", 500, Why.NO_DESTINATION, PAID_ON)
    assert _minor_of(ada) == Balances("GBP", in_payment=500)
    # Nobody took the order up within a day, so the queue was told again.
    assert _paid_ids() == [payout_id_of(ada.member_id, "GBP", PAID_ON + timedelta(days=1))] * 2


@pytest.mark.requirement("LOY-04")
@pytest.mark.parametrize("days", [0, 1])  # One of them is not the weekly look at small sums.
def test_who_leaves_is_paid_even_little_in_the_next_night(days: int) -> None:
    ada = make_payee()
    _give(ada, 1, 60)
    left_at = close_until(DUE_ON + timedelta(days=days))
    assert ada.anchor is not None

    leaving.switch_off(ada.anchor, now=left_at)
    for _ in range(2):  # The message of a leaving comes twice.
        leaving.end_retention(ada.member_id, left_at=left_at, now=left_at)
    waits = unpaid.find(ada.member_id, "GBP", now=left_at)
    close_until(DUE_ON + timedelta(days=days + 1))

    assert waits == Unpaid(ada.member_id, "GBP", 60, Why.BELOW_MINIMUM, PAID_ON, has_left=True)
    assert _minor_of(ada) == Balances("GBP", in_payment=60)
    assert unpaid.find(ada.member_id, "GBP", now=left_at) is None


def test_somebody_who_leaves_and_waits_for_another_reason_waits_for_it_still() -> None:
    ada = make_member()
    _give(ada)
    left_at = close_until(DUE_ON)
    assert ada.anchor is not None

    leaving.switch_off(ada.anchor, now=left_at)
    leaving.end_retention(ada.member_id, left_at=left_at, now=left_at)

    waits = unpaid.find(ada.member_id, "GBP", now=left_at)
    assert waits == Unpaid(ada.member_id, "GBP", 500, Why.NO_DESTINATION, PAID_ON)


def test_money_that_came_back_waits_for_another_account() -> None:
    ada = make_payee()
    _give(ada)
    now = close_until(DUE_ON)
    (payout_id,) = _paid_ids()
    payouts.record_outcome(payout_id, Returned("AC04", now), now=now)

    close_until(PAID_ON)
    waits = unpaid.find(ada.member_id, "GBP", now=DUE_AT)
    name_account(ada, account_number="87654321", now=night_after(PAID_ON))
    close_until(PAID_ON + timedelta(days=2))

    assert waits is not None
    assert waits.why is Why.DESTINATION_REFUSED
    assert _minor_of(ada) == Balances("GBP", in_payment=500, paid=500, returned=500)


def test_what_failed_for_good_is_tried_thrice_and_then_waits() -> None:
    ada = make_payee()
    _give(ada)
    close_until(DUE_ON - timedelta(days=1))

    tried = []
    for night in range(5):
        now = close_until(DUE_ON + timedelta(days=night))
        for payout_id in _paid_ids():
            payouts.record_outcome(payout_id, Failed("closed", is_final=True), now=now)
            tried.append(payout_id)

    waits = unpaid.find(ada.member_id, "GBP", now=DUE_AT)
    assert (len(tried), waits and waits.why) == (3, Why.DESTINATION_REFUSED)


def _pay_euros() -> None:
    """The bank's members are paid in euros, too."""
    account = replace(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"), currency="EUR")
    accounts.record_account(account, None, now=BOUGHT_AT)


def _name_iban(member: Member, *, now: datetime) -> None:
    iban = Destination(IbanAccount("DE89370400440532013000"), "Ada Wren")
    destinations.set_destination(member, iban, now=now)


@pytest.mark.requirement("LOY-04")
def test_euros_wait_for_an_iban_and_pounds_are_paid_to_the_sort_code() -> None:
    _pay_euros()
    ada = make_payee()
    _give(ada, 1, amount=EUROS)
    _give(ada, 2)

    close_until(DUE_ON)
    waits = unpaid.find(ada.member_id, "EUR", now=DUE_AT)
    ordered = set(_paid_ids())
    _name_iban(ada, now=night_after(PAID_ON))
    night = close_until(PAID_ON + timedelta(days=2))

    assert waits == Unpaid(ada.member_id, "EUR", 700, Why.DESTINATION_OTHER_CURRENCY, PAID_ON)
    assert ordered == {payout_id_of(ada.member_id, "GBP", PAID_ON)}
    euros, pounds = ledger.balances_of(ada.member_id, now=night)
    assert (euros, pounds) == (Balances("EUR", in_payment=700), Balances("GBP", in_payment=500))


def test_euros_for_a_sort_code_of_which_only_the_envelope_tells_are_sent_nowhere() -> None:
    """As accounts are that were named before it was kept what they take."""
    _pay_euros()
    ada = make_payee()
    assert ada.salt is not None
    key = vault.member_key(ada.salt)
    held = destinations.find_held(ada.member_id, now=BOUGHT_AT)
    assert held is not None
    named.record_held(ada.member_id, replace(held, only_currency=""), key=key)
    _give(ada, amount=EUROS)
    night = close_until(DUE_ON)
    (payout_id,) = _paid_ids()

    after = sending.send(payout_id, now=night)

    assert (after.state, after.reason) == (PayoutState.FAILED, "destination_other_currency")
    assert ledger.balances_of(ada.member_id, now=night) == (Balances("EUR", available=700),)


def test_euros_that_failed_do_not_hold_up_pounds() -> None:
    _pay_euros()
    ada = make_payee()
    _name_iban(ada, now=BOUGHT_AT)
    _give(ada, 1, amount=EUROS)
    _give(ada, 2, available_at=DUE_AT + timedelta(days=3))
    close_until(DUE_ON - timedelta(days=1))
    for number in range(3):
        now = close_until(DUE_ON + timedelta(days=number))
        for payout_id in _paid_ids():
            payouts.record_outcome(payout_id, Failed("closed", is_final=True), now=now)

    night = close_until(DUE_ON + timedelta(days=3))

    waits = unpaid.find(ada.member_id, "EUR", now=night)
    assert waits is not None
    assert waits.why is Why.DESTINATION_REFUSED
    euros, pounds = ledger.balances_of(ada.member_id, now=night)
    assert (euros, pounds) == (Balances("EUR", available=700), Balances("GBP", in_payment=500))


def test_a_debt_is_set_off_against_what_comes_before_anything_is_paid() -> None:
    ada = make_payee()
    key = _give(ada)
    _give(ada, 2, 800, available_at=DUE_AT + timedelta(days=5))
    now = close_until(DUE_ON)
    payouts.record_outcome(_paid_ids()[0], Executed("r", now), now=now)

    take_back(
        key,
        "line-1",
        member_id=ada.member_id,
        amount=pounds(500),
        originated_at=BOUGHT_AT,
        reason="returned",
        now=now,
    )
    close_until(PAID_ON)
    owes = unpaid.find(ada.member_id, "GBP", now=DUE_AT)
    close_until(DUE_ON + timedelta(days=5))

    assert owes == Unpaid(ada.member_id, "GBP", -500, Why.OWES, PAID_ON + timedelta(days=1))
    assert _minor_of(ada) == Balances("GBP", in_payment=300, paid=500)


def test_a_run_that_did_its_share_is_gone_on_with_and_again_changes_nothing() -> None:
    ada = make_payee()
    _give(ada)
    now = close_until(DUE_ON)
    before = book_of(ada.member_id, now=now)
    progress = closing.find_progress(now=now)
    assert progress is not None

    for step, _ in job.STEPS:  # Somebody sets the job back to the beginning of the same day.
        version = (closing.find_progress(now=now) or progress).version + 1
        closing.record_progress(closing.Progress(DUE_ON, step, version=version))
        job.close_days(now=now, has_time=always)

    assert book_of(ada.member_id, now=now) == before
    assert len(instructions.list_of_day(PAID_ON, now=now)[0]) == 1


def test_a_run_that_died_after_setting_money_aside_is_finished_by_the_next() -> None:
    ada = make_payee()
    _give(ada, available_at=BOUGHT_AT)
    payout_id = payout_id_of(ada.member_id, "GBP", BOUGHT_ON + timedelta(days=1))
    night = night_after(BOUGHT_ON)
    midnight = night.replace(hour=0, minute=0)
    moving.instruct(ada.member_id, "GBP", payout_id, minor_min=1, originated_at=midnight, now=night)

    close_until(BOUGHT_ON)

    assert payouts.get(payout_id, now=night).amount == pounds(500)
    assert _minor_of(ada) == Balances("GBP", in_payment=500)
    assert _paid_ids() == [payout_id]


@pytest.mark.requirement("LOY-18")
def test_a_retailers_day_says_what_was_given_and_taken_back() -> None:
    ada, ben = make_payee(), make_payee("ben", 2)
    key = _give(ada)
    _give(ben, 2, 300)
    take_back(
        key,
        "line-1",
        member_id=ada.member_id,
        amount=pounds(200),
        originated_at=BOUGHT_AT,
        reason="returned",
        now=BOUGHT_AT,
    )

    now = close_until(BOUGHT_ON + timedelta(days=2))

    (day,) = closing.list_days(RETAILER, date(2026, 1, 1), date(2026, 12, 31), now=now)
    (line,) = day.lines
    assert (day.on, line.campaign_id, line.currency) == (BOUGHT_ON, CAMPAIGN, "GBP")
    assert (line.given, line.given_minor) == (2, 800)
    assert (line.taken_back, line.taken_back_minor, line.owed_minor) == (1, 200, 600)


def test_an_entry_filed_days_late_is_counted_on_the_day_of_filing_and_becomes_due() -> None:
    ada = make_payee()
    gift = make_gift(member_id=ada.member_id)
    give(gift, now=BOUGHT_AT)
    lose_daybook_row(book_of(ada.member_id)[0])  # Its writer died before it was there.
    close_until(BOUGHT_ON)
    assert closing.list_days(RETAILER, BOUGHT_ON, DUE_ON, now=BOUGHT_AT) == ()

    late = BOUGHT_AT + timedelta(days=4)
    give(gift, now=late)
    close_until(DUE_ON)

    days = closing.list_days(RETAILER, BOUGHT_ON, DUE_ON, now=late)
    assert [(day.on, day.lines[0].given_minor) for day in days] == [(late.date(), 500)]
    assert _minor_of(ada) == Balances("GBP", in_payment=500)


def test_a_day_is_not_closed_before_it_is_over() -> None:
    closed = job.close_days(now=datetime(2026, 11, 2, 0, 59, tzinfo=UTC), has_time=always)

    assert (closed.work, closed.next_day) == (0, BOUGHT_ON)
