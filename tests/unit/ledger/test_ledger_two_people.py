"""Who may approve what another person proposed: another name, as AWS knows people."""

from datetime import UTC, datetime

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger.adjusting.model import (
    Adjustment,
    AdjustmentReason,
    AdjustmentState,
    NotAPerson,
    OwnProposal,
    decide,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WREN = "arn:aws:sts::123456789012:assumed-role/operators/wren"
NOBODY = (
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::123456789012:role/operators",
    "arn:aws:sts::123456789012:assumed-role/operators",
    "arn:aws:sts::123456789012:assumed-role/operators/botocore-session-1795392000",
    "arn:aws:sts::123456789012:assumed-role/operators/i-0abcd1234ef567890",
    "wren",
    "",
)


def proposed_by(arn: str) -> Adjustment:
    amount = Money(500, "GBP")
    return Adjustment("CASE-1", MemberId("m" * 26), amount, AdjustmentReason.GOODWILL, arn, NOW)


def approved(adjustment: Adjustment, *, by: str) -> AdjustmentState:
    return decide(adjustment, AdjustmentState.APPROVED, by=by, now=NOW).state


@pytest.mark.parametrize(
    "arn",
    [
        WREN,
        "arn:aws:sts::123456789012:assumed-role/operators/WREN",
        "arn:aws:sts::123456789012:assumed-role/auditors/wren",
        "arn:aws:sts::210987654321:assumed-role/operators/wren",
        "arn:aws:iam::123456789012:user/Wren",
        "arn:aws:iam::123456789012:user/staff/leeds/wren",
        "arn:aws-us-gov:sts::123456789012:federated-user/wren",
    ],
)
def test_the_same_name_is_the_same_person_wherever_it_stands(arn: str) -> None:
    with pytest.raises(OwnProposal):
        approved(proposed_by(WREN), by=arn)
    with pytest.raises(OwnProposal):
        approved(proposed_by(arn), by=WREN)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::123456789012:assumed-role/operators/rook",
        "arn:aws:sts::123456789012:assumed-role/wren/rook@example.com",
        "arn:aws:iam::123456789012:user/wren/rook",
    ],
)
def test_another_name_is_another_person(arn: str) -> None:
    assert approved(proposed_by(WREN), by=arn) is AdjustmentState.APPROVED


@pytest.mark.parametrize("arn", NOBODY)
def test_what_names_nobody_neither_approves_nor_is_approved_but_is_refused(arn: str) -> None:
    with pytest.raises(NotAPerson):
        approved(proposed_by(WREN), by=arn)
    with pytest.raises(NotAPerson):
        approved(proposed_by(arn), by=WREN)

    refused = decide(proposed_by(arn), AdjustmentState.REFUSED, by=arn, now=NOW)

    assert refused.state is AdjustmentState.REFUSED
