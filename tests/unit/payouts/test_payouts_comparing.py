"""When a payout of which nobody says what became of it is listed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.payouts.model import PayoutState, new_instruction, payout_id_of
from chalicelib.payouts.reconciling.comparing import Difference, Differs, Explained, compare
from tests.makers.ledger import pounds
from tests.makers.payouts import BANK, PAID_ON, PAYING_AT

MEMBER = MemberId("m" * 26)
ORDER = new_instruction(
    payout_id_of(MEMBER, "GBP", PAID_ON),
    member_id=MEMBER,
    connection_id=BANK,
    amount=pounds(500),
    rail="sandbox",
    now=PAYING_AT,
)
SILENT = Difference(Differs.NOT_SETTLED, ORDER.payout_id, Explained.RAIL_IS_SILENT)


@pytest.mark.parametrize(
    ("state", "is_listed"),
    [
        (PayoutState.WRITTEN, True),
        (PayoutState.SENT, True),
        (PayoutState.UNKNOWN, True),
        (PayoutState.EXECUTED, False),
        (PayoutState.FAILED, False),
    ],
)
def test_an_open_payout_is_listed_once_its_rail_had_all_its_time(
    state: PayoutState, *, is_listed: bool
) -> None:
    payout = replace(ORDER, state=state, path=(PayoutState.WRITTEN, state))
    in_time = PAYING_AT + timedelta(hours=24)

    assert compare(payout, [], now=in_time) == ()
    late = compare(payout, [], now=in_time + timedelta(seconds=1))
    assert late == ((SILENT,) if is_listed else ())
