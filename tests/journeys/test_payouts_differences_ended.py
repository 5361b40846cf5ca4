"""A person ends what never will agree about a payout, with a reason, and is written down."""

from datetime import timedelta

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import Executed, Failed, Instruction, Reported
from chalicelib.payouts.rails.model import Rail
from chalicelib.payouts.reconciling import service, store
from chalicelib.privacy import access_log
from chalicelib.runtime import clock
from tests.makers.ledger import balances, pounds
from tests.makers.nights import begin, close_until
from tests.makers.operating import operate
from tests.makers.paying import (
    PAID_ON,
    PAYING_AT,
    SOON,
    make_account,
    make_payee,
    record_paying,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

DAY = timedelta(days=1)
EXECUTED, REFUSED = Executed("", SOON), Failed("AC04", is_final=True)
REASON = "--reason=ticket 4711"


@pytest.fixture
def payout(embedded_aws: None) -> Instruction:
    clock.use(lambda: SOON)
    record_paying(make_account(Rail.ISO20022, account="204060 55779911", holder="Cashback Ltd"))
    begin(PAID_ON - DAY)
    return write_order(make_payee(), 500, Rail.ISO20022)


def _told(payout: Instruction, outcome: Executed | Failed, line: str, minor: int = 500) -> None:
    said = Reported(line, "iso20022", payout.payout_id, outcome, pounds(minor), SOON)
    service.record_report(said, now=SOON)
    if minor == 500:
        payouts.record_outcome(payout.payout_id, outcome, now=SOON)


def _listed(days: int) -> list[str]:
    now = close_until(PAID_ON + days * DAY)
    clock.use(lambda: now)
    return [one.difference.name for one in store.list_open(now=now)]


def test_a_dispute_ends_when_a_person_says_what_became_of_the_payout(payout: Instruction) -> None:
    _told(payout, REFUSED, "STS-1")
    _told(payout, EXECUTED, "NTF-1")
    before = _listed(1)

    done = operate(
        "settle-payout", f"--payout={payout.payout_id}", "--as=executed", "--because=case 12"
    )

    now = PAYING_AT + 2 * DAY
    [access] = access_log.list_accesses(now.date(), now=now)
    assert done.exit_code == 0
    assert before == [f"disputed {payout.payout_id}", f"reported_otherwise {payout.payout_id}"]
    assert _listed(5) == []
    assert (access.command, access.reason) == ("settle-payout", "executed: case 12")
    assert balances(payout.member_id, now=now) == Balances("GBP", paid=500)


def test_a_new_word_against_a_persons_is_disputed_again(payout: Instruction) -> None:
    _told(payout, REFUSED, "STS-1")
    _told(payout, EXECUTED, "NTF-1")
    operate("settle-payout", f"--payout={payout.payout_id}", "--as=executed", "--because=case 12")

    _told(payout, REFUSED, "STS-2")

    assert _listed(1) == [
        f"disputed {payout.payout_id}",
        f"reported_otherwise {payout.payout_id}",
    ]


def test_a_word_that_cannot_follow_is_refused_plainly_and_ends_no_dispute(
    payout: Instruction,
) -> None:
    _told(payout, REFUSED, "STS-1")
    _told(payout, EXECUTED, "NTF-1")

    done = operate(
        "settle-payout", f"--payout={payout.payout_id}", "--as=failed", "--because=case 12"
    )

    assert done.exit_code == 1
    assert "Refused: the payout is executed" in done.output
    after = payouts.get(payout.payout_id, now=SOON)
    assert (after.state.value, after.is_disputed) == ("executed", True)


def test_a_difference_that_a_person_ended_is_listed_again_only_when_more_is_reported(
    payout: Instruction,
) -> None:
    _told(payout, EXECUTED, "NTF-1")
    _told(payout, EXECUTED, "NTF-2", minor=499)
    name = f"amount {payout.payout_id}"
    before = _listed(1)

    done = operate("explain-difference", f"--name={name}", "--note=a fee", REASON, "--ends")
    ended = _listed(3)
    _told(payout, EXECUTED, "NTF-3", minor=498)

    assert (before, done.exit_code, ended) == ([name], 0, [])
    assert _listed(4) == [name]


def test_a_report_of_no_payout_of_ours_stays_listed_until_a_person_ends_it(
    payout: Instruction,
) -> None:
    _told(payout, EXECUTED, "NTF-1")
    rent = Reported("NTF-1", "iso20022", "RENT 12", EXECUTED, pounds(900), SOON)
    service.record_report(rent, now=SOON)
    name = "unknown_payout RENT 12 NTF-1"

    before = _listed(40)
    operate("explain-difference", f"--name={name}", "--note=our rent", REASON, "--ends")

    assert (before, _listed(41)) == ([name], [])


@pytest.mark.parametrize(
    ("kind", "outcomes", "days"), [("disputed", (REFUSED, EXECUTED), 1), ("not_settled", (), 7)]
)
def test_what_is_about_a_payouts_state_is_ended_by_settling_it(
    payout: Instruction, kind: str, outcomes: tuple[Executed | Failed, ...], days: int
) -> None:
    for outcome in outcomes:
        payouts.record_outcome(payout.payout_id, outcome, now=SOON)
    name = f"{kind} {payout.payout_id}"
    assert name in _listed(days)

    done = operate("explain-difference", f"--name={name}", "--note=x", REASON, "--ends")

    assert done.exit_code == 1
    assert "settle-payout" in done.output
    assert name in _listed(days + 1)
