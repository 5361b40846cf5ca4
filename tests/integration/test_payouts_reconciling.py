"""What does not agree about payouts is mended, or listed until it agrees or is explained."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.ledger.model import Balances
from chalicelib.payouts import service as payouts
from chalicelib.payouts import store as instructions
from chalicelib.payouts.model import (
    Accepted,
    Executed,
    Failed,
    Instruction,
    PayoutState,
    Reported,
    Returned,
)
from chalicelib.payouts.rails.model import Rail
from chalicelib.payouts.reconciling import service, store
from chalicelib.payouts.reconciling.comparing import Difference, Differs, Explained, compare
from chalicelib.payouts.reconciling.service import NoSuchDifference
from chalicelib.payouts.reconciling.store import Reconciled, Sums
from chalicelib.runtime import queues, rows
from tests.makers.ledger import balances, pounds
from tests.makers.nights import begin, close_until, night_after
from tests.makers.paying import make_account, make_payee, record_paying
from tests.makers.payouts import (
    LATER,
    PAID_ON,
    make_available_money,
    sent_to,
    write_instruction,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("paying")]

DAY = timedelta(days=1)
MEMBER = MemberId("membermembermembermember22")
EXECUTED = Executed("b-1", LATER)


@pytest.fixture
def paying(embedded_aws: None) -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))
    begin(PAID_ON - DAY)


def _order(rail: str = "bank", minor: int = 500) -> Instruction:
    make_available_money(minor)
    written = write_instruction(minor)
    ordered = replace(written, rail=rail, version=2)
    assert instructions.record_change(ordered)
    return ordered


def _report(payout: Instruction, outcome=EXECUTED, minor: int | None = 500, **changes) -> Reported:
    amount = None if minor is None else pounds(minor)
    made = Reported("file-1", payout.rail, payout.payout_id, outcome, amount, LATER)
    return replace(made, **changes)


def _open() -> list[Difference]:
    return [one.difference for one in store.list_open(now=LATER)]


@pytest.mark.requirement("LOY-03")
def test_what_was_paid_is_what_the_bank_acknowledges_and_the_list_is_empty() -> None:
    payout = _order()
    payouts.record_outcome(payout.payout_id, EXECUTED, now=LATER)
    service.record_report(_report(payout), now=LATER)

    now = close_until(PAID_ON + 5 * DAY)

    (day,) = store.list_reconciled(PAID_ON, PAID_ON, now=now)
    sums = Sums(
        "bank",
        "GBP",
        ordered=1,
        ordered_minor=500,
        executed=1,
        executed_minor=500,
        reported_minor=500,
    )
    assert (_open(), day) == ([], Reconciled(PAID_ON, (sums,), 0))


@pytest.mark.requirement("LOY-03")
def test_what_the_bank_does_not_acknowledge_is_listed_until_it_does(counted) -> None:
    payout = _order()
    payouts.record_outcome(payout.payout_id, EXECUTED, now=LATER)

    close_until(PAID_ON + 4 * DAY)
    missing = Difference(Differs.NOT_REPORTED, payout.payout_id, Explained.REPORT_IS_LATE)
    listed = _open()
    service.record_report(_report(payout), now=LATER + 4 * DAY)
    close_until(PAID_ON + 5 * DAY)

    assert (listed, _open()) == ([missing], [])
    assert counted["differences_found:not_reported"] == 1


def test_a_payout_of_which_nobody_says_what_became_is_listed_after_a_day() -> None:
    payout = _order("sandbox")
    payouts.record_outcome(payout.payout_id, Accepted("s-1"), now=LATER)

    close_until(PAID_ON - DAY)
    before = _open()
    close_until(PAID_ON + DAY)

    silent = Difference(Differs.NOT_SETTLED, payout.payout_id, Explained.RAIL_IS_SILENT)
    assert (before, _open()) == ([], [silent])


def test_a_report_of_another_amount_and_one_of_no_payout_are_listed() -> None:
    payout = _order()
    payouts.record_outcome(payout.payout_id, EXECUTED, now=LATER)
    service.record_report(_report(payout, minor=499), now=LATER)
    service.record_report(_report(payout, payout_id="INV 2026/7", report_id="f-2"), now=LATER)

    close_until(PAID_ON)

    assert _open() == [
        Difference(Differs.AMOUNT, payout.payout_id),
        Difference(Differs.UNKNOWN_PAYOUT, "INV 2026/7 f-2"),
    ]


def test_what_is_explained_stays_listed_with_who_explained_it() -> None:
    payout = _order()
    payouts.record_outcome(payout.payout_id, EXECUTED, now=LATER)
    service.record_report(_report(payout, minor=499), now=LATER)
    close_until(PAID_ON)
    name = f"amount {payout.payout_id}"

    service.explain(name, note="a fee", by="arn:aws:iam::1:user/jo", now=LATER)
    close_until(PAID_ON + DAY)

    (one,) = store.list_open(now=LATER)
    assert (one.difference.explained, one.note) == (Explained.BY_STAFF, "a fee")
    with pytest.raises(NoSuchDifference):
        service.explain("amount nothing", note="x", by="y", now=LATER)


def test_an_order_that_was_lost_is_written_again(counted) -> None:
    ada = make_payee()
    make_available_money(500, member_id=ada.member_id)
    payout = write_instruction(500, ada.member_id)
    row = instructions.InstructionRow(f"payouts#{PAID_ON}", payout.payout_id)
    rows.delete(row)

    now = close_until(PAID_ON)

    found = payouts.get(payout.payout_id, now=now)
    assert (found.amount, found.idempotency_key) == (pounds(500), payout.idempotency_key)
    assert counted["differences_found:no_order"] == 1
    assert _open() == []


def test_what_the_journal_lacks_of_a_payout_is_entered(counted) -> None:
    payout = _order("sandbox")
    path = (*payout.path, PayoutState.EXECUTED)
    died = replace(payout, state=path[-1], path=path, changed_at=LATER, version=3)
    assert instructions.record_change(died)  # Its worker died before the journal.

    close_until(PAID_ON)

    assert balances(now=LATER) == Balances("GBP", paid=500)
    assert (counted["differences_found:not_in_journal"], _open()) == (1, [])


@pytest.mark.parametrize(
    ("said", "reported", "kinds"),
    [
        ([EXECUTED], [EXECUTED], []),
        ([EXECUTED], [Returned("AC04", LATER)], [Differs.REPORTED_OTHERWISE]),
        ([EXECUTED, Returned("AC04", LATER)], [Returned("AC04", LATER)], []),
        ([Failed("x", is_final=True)], [EXECUTED], [Differs.REPORTED_OTHERWISE]),
        ([Failed("x", is_final=True)], [Failed("x", is_final=True)], []),
        ([EXECUTED], [Failed("x", is_final=True)], [Differs.REPORTED_OTHERWISE]),
        ([Failed("x", is_final=True), EXECUTED], [EXECUTED], [Differs.DISPUTED]),
        ([Accepted("b")], [Accepted("b")], []),
    ],
)
def test_an_order_and_its_reports_agree_or_not(said, reported, kinds) -> None:
    payout = _order()
    for outcome in said:
        payout = payouts.record_outcome(payout.payout_id, outcome, now=LATER)

    found = compare(payout, [_report(payout, one) for one in reported], now=LATER)

    assert [one.kind for one in found] == kinds


def test_an_order_of_more_than_was_set_aside_is_listed(counted) -> None:
    make_available_money(400)
    written = write_instruction(400)
    assert instructions.record_change(replace(written, amount=pounds(500), version=2))

    close_until(PAID_ON)

    assert _open() == [
        Difference(Differs.NOT_IN_JOURNAL, written.payout_id),
        Difference(Differs.SUMS, written.payout_id),
    ]
    assert counted["differences_found:sums"] == 1
    assert balances(now=LATER) == Balances("GBP", in_payment=400)


def test_a_payout_that_nobody_took_up_is_put_on_its_queue_again() -> None:
    ada = make_payee()
    make_available_money(500, member_id=ada.member_id)
    payout = write_instruction(500, ada.member_id)

    service.reconcile(PAID_ON, f"payouts {PAID_ON}", now=night_after(PAID_ON))

    assert [one["payout_id"] for one in sent_to(queues.PAYOUTS)] == [payout.payout_id]
