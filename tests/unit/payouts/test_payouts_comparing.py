"""When a payout of which nobody says what became of it is listed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.payouts.model import (
    Executed,
    Outcome,
    PayoutState,
    Reported,
    Returned,
    new_instruction,
    payout_id_of,
)
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


LEFT, BACK = Executed("", PAYING_AT), Returned("AC04", PAYING_AT)
WRITTEN, EXECUTED, RETURNED = PayoutState.WRITTEN, PayoutState.EXECUTED, PayoutState.RETURNED


@pytest.mark.parametrize(
    ("path", "booked", "kinds"),
    [
        ((WRITTEN, EXECUTED), [(LEFT, "")], []),
        ((WRITTEN, EXECUTED), [(LEFT, ""), (LEFT, "B-1")], []),
        ((WRITTEN, EXECUTED), [(LEFT, "B-1"), (LEFT, "B-1")], []),
        ((WRITTEN, EXECUTED), [(LEFT, "B-1"), (LEFT, "B-2")], [Differs.OVERPAID]),
        ((WRITTEN, EXECUTED), [(LEFT, "B-1"), (LEFT, "B-2"), (BACK, "B-3")], []),
        ((WRITTEN, EXECUTED), [(LEFT, "B-1"), (BACK, "B-2")], [Differs.REPORTED_OTHERWISE]),
        ((WRITTEN, EXECUTED, RETURNED), [(LEFT, "B-1"), (BACK, "B-2")], []),
        (
            (WRITTEN, EXECUTED, RETURNED),
            [(LEFT, "B-1"), (BACK, "B-2"), (LEFT, "B-3")],
            [Differs.OVERPAID],
        ),
    ],
)
def test_what_left_is_held_against_what_came_back(
    path: tuple[PayoutState, ...], booked: list[tuple[Outcome, str]], kinds: list[Differs]
) -> None:
    payout = replace(ORDER, rail="iso20022", state=path[-1], path=path)
    reports = [
        Reported(f"r-{n}", "iso20022", payout.payout_id, said, payout.amount, PAYING_AT, booking)
        for n, (said, booking) in enumerate(booked)
    ]

    found = compare(payout, reports, now=PAYING_AT)

    assert [one.kind for one in found] == kinds
