"""Adjustments of invented members' money, and the people who make them."""

from datetime import datetime, timedelta

from chalicelib.kernel.ids import MemberId
from chalicelib.ledger.adjusting import service
from chalicelib.ledger.adjusting.model import Adjustment, AdjustmentReason
from tests.makers.ledger import pounds
from tests.makers.paying import PAYING_AT

WREN = "arn:aws:sts::123456789012:assumed-role/operators/wren"
ROOK = "arn:aws:sts::123456789012:assumed-role/operators/rook"
DECIDED_AT = PAYING_AT + timedelta(hours=3)


def propose(
    member_id: MemberId,
    minor: int = 500,
    *,
    reference: str = "CASE-12",
    by: str = WREN,
    now: datetime = PAYING_AT,
) -> Adjustment:
    """Wren proposes £5 in apology."""
    return service.propose(
        member_id,
        pounds(minor),
        reference=reference,
        reason=AdjustmentReason.GOODWILL,
        by=by,
        now=now,
    )
