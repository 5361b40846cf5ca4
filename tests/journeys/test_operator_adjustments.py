"""The operator's terminal: a member's money corrected by two people, each written down."""

import pytest

from chalicelib.ledger.adjusting import service
from chalicelib.ledger.model import Balances
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import clock
from tests.makers.adjusting import WREN, propose
from tests.makers.journeys import NOON
from tests.makers.ledger import balances
from tests.makers.operating import WHY, accesses, operate
from tests.makers.paying import make_account, make_member, record_paying

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]


@pytest.fixture
def ada(embedded_aws: None) -> str:
    clock.use(lambda: NOON)
    record_paying(make_account(Rail.BANK))
    return make_member().member_id


def proposing(member: str, *more: str) -> tuple[str, ...]:
    amount = ("--amount=-2.50", "--currency=GBP", "--reference=CASE-7", "--told=corrected")
    return ("propose-adjustment", f"--member={member}", *amount, *more)


def test_one_operator_proposes_and_cannot_approve(ada: str) -> None:
    proposed = operate(*proposing(ada, WHY))
    listed = operate("list-adjustments")
    approved = operate("approve-adjustment", "--reference=CASE-7", WHY)
    refused = operate("refuse-adjustment", "--reference=CASE-7", WHY)

    assert (proposed.exit_code, approved.exit_code, refused.exit_code) == (0, 1, 0)
    assert "CASE-7" in listed.stdout
    assert "-2.50" in listed.stdout
    assert "another person" in approved.stderr
    assert balances(make_member().member_id, now=NOON) == Balances("GBP")
    assert sorted(one[:2] for one in accesses()) == [
        ("approve-adjustment", "CASE-7"),
        ("propose-adjustment", "CASE-7"),
        ("refuse-adjustment", "CASE-7"),
    ]


def test_another_operator_approves_and_again_changes_nothing(ada: str) -> None:
    member_id = make_member().member_id
    propose(member_id, by=WREN, now=NOON)

    approved = [operate("approve-adjustment", "--reference=CASE-12", WHY) for _ in range(2)]

    assert [one.exit_code for one in approved] == [0, 0]
    assert balances(member_id, now=NOON) == Balances("GBP", available=500)
    assert service.list_open(now=NOON) == []


def test_without_a_reason_nothing_is_proposed_or_decided(ada: str) -> None:
    propose(make_member().member_id, by=WREN, now=NOON)

    tried = [
        operate(*proposing(ada)),
        operate("approve-adjustment", "--reference=CASE-12"),
        operate("refuse-adjustment", "--reference=CASE-12", "--reason=x"),
    ]

    assert [one.exit_code for one in tried] == [1, 1, 1]
    assert [one.reference for one in service.list_open(now=NOON)] == ["CASE-12"]
    assert (balances(make_member().member_id, now=NOON), accesses()) == (Balances("GBP"), [])
