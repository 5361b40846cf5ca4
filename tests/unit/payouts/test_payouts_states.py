"""What becomes of a payout when something is said of it: every pair of state and word."""

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.money import Money
from chalicelib.payouts.model import (
    Accepted,
    Executed,
    Failed,
    Instruction,
    NoSuchPayout,
    Outcome,
    PayoutState,
    Returned,
    Unknown,
    new_instruction,
    payout_id_of,
    written_on,
)
from chalicelib.payouts.states import Step, decide_step, follow

AT = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
W, S, U, E, F, R = (
    PayoutState.WRITTEN,
    PayoutState.SENT,
    PayoutState.UNKNOWN,
    PayoutState.EXECUTED,
    PayoutState.FAILED,
    PayoutState.RETURNED,
)
ACCEPTED = Accepted("tl-1")
EXECUTED = Executed("tl-1", LATER)
REFUSED = Failed("account_closed", is_final=True)
BUSY = Failed("insufficient_funds", is_final=False)
RETURNED = Returned("AC04", LATER)
UNKNOWN = Unknown()

# For each word: what follows in each state, `!` where a person must look.
TABLE: dict[Outcome, dict[PayoutState, Step]] = {
    ACCEPTED: {W: Step((S,)), S: Step(), U: Step((S,)), E: Step(), F: Step(), R: Step()},
    UNKNOWN: {W: Step((U,)), S: Step(), U: Step(), E: Step(), F: Step(), R: Step()},
    EXECUTED: {
        W: Step((E,)),
        S: Step((E,)),
        U: Step((E,)),
        E: Step(),
        F: Step((E,), is_contradiction=True),
        R: Step(),
    },
    REFUSED: {
        W: Step((F,)),
        S: Step((F,)),
        U: Step((F,)),
        E: Step(is_contradiction=True),
        F: Step(),
        R: Step(),
    },
    BUSY: {W: Step(), S: Step(), U: Step((W,)), E: Step(), F: Step(), R: Step()},
    RETURNED: {
        W: Step((E, R)),
        S: Step((E, R)),
        U: Step((E, R)),
        E: Step((R,)),
        F: Step((E, R), is_contradiction=True),
        R: Step(),
    },
}


def _instruction(state: PayoutState = W, *, now: datetime = AT) -> Instruction:
    made = new_instruction(
        payout_id_of(MemberId("m-1"), "GBP", date(2026, 11, 21)),
        member_id=MemberId("m-1"),
        connection_id=ConnectionId("bank"),
        amount=Money(500, "GBP"),
        rail="sandbox",
        now=now,
    )
    return made if state is W else follow(made, _word_for(state), now=AT)


def _word_for(state: PayoutState) -> Outcome:
    return {S: ACCEPTED, U: UNKNOWN, E: EXECUTED, F: REFUSED, R: RETURNED}[state]


@pytest.mark.parametrize("state", PayoutState)
@pytest.mark.parametrize("outcome", TABLE, ids=lambda one: type(one).__name__)
def test_every_word_means_one_thing_in_every_state(outcome: Outcome, state: PayoutState) -> None:
    assert decide_step(state, outcome) == TABLE[outcome][state]


@pytest.mark.parametrize("state", PayoutState)
@pytest.mark.parametrize("outcome", TABLE, ids=lambda one: type(one).__name__)
def test_the_same_word_again_changes_nothing(outcome: Outcome, state: PayoutState) -> None:
    once = follow(_instruction(state), outcome, now=LATER)

    assert follow(once, outcome, now=LATER) == once


def test_the_path_keeps_every_state_that_a_payout_was_in() -> None:
    written = _instruction()

    tried = follow(written, UNKNOWN, now=AT)
    again = follow(tried, BUSY, now=AT)
    returned = follow(follow(again, UNKNOWN, now=LATER), RETURNED, now=LATER)

    assert returned.path == (W, U, W, U, E, R)
    assert (returned.attempts, returned.version, returned.reason) == (2, 5, "AC04")


def test_executed_after_failed_is_booked_and_looked_at() -> None:
    failed = follow(_instruction(), REFUSED, now=AT)

    late = follow(failed, EXECUTED, now=LATER)

    assert (late.state, late.path, late.is_disputed) == (E, (W, F, E), True)


def test_failed_after_executed_stays_paid_and_is_looked_at() -> None:
    paid = follow(_instruction(), EXECUTED, now=AT)

    late = follow(paid, REFUSED, now=LATER)

    assert (late.state, late.path, late.is_disputed) == (E, (W, E), True)


def test_a_payouts_id_tells_the_day_and_gives_the_same_key_for_ever() -> None:
    first, again = _instruction(), _instruction(now=AT + timedelta(days=1))

    assert written_on(first.payout_id) == date(2026, 11, 21)
    assert (len(first.payout_id), first.idempotency_key) == (26, again.idempotency_key)
    assert first.reference == f"CASHBACK {first.payout_id[-8:].upper()}"


@pytest.mark.parametrize("name", ["", "20261121", "2026112x" + "a" * 18, "20261321" + "a" * 18])
def test_what_is_no_payouts_id_names_no_payout(name: str) -> None:
    with pytest.raises(NoSuchPayout):
        written_on(name)
