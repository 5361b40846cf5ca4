"""What becomes of a payout when something is said of it: a pure table, every pair answered.

Four rules give the whole table.

1. Money that moved is booked, however late it is said. A payout that had failed and turns out to be
   executed is taken from what is available, which may go below nought and is set off.
2. Nothing is paid back to the member on a word that contradicts "executed": an order that a rail
   called executed and then failed stays paid, is disputed, and a person decides. A return is no
   contradiction: money came back.
3. Who knows more is not told less: an order that a rail has stays sent while it does not answer.
4. What fails for a passing reason goes back to `written` and is sent again under the same key,
   unless the rail has it already.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from chalicelib.payouts.model import (
    Accepted,
    Executed,
    Failed,
    Instruction,
    Outcome,
    PayoutState,
    Returned,
    Unknown,
)

WRITTEN, SENT, UNKNOWN, EXECUTED, FAILED, RETURNED = (
    PayoutState.WRITTEN,
    PayoutState.SENT,
    PayoutState.UNKNOWN,
    PayoutState.EXECUTED,
    PayoutState.FAILED,
    PayoutState.RETURNED,
)
UNSETTLED = frozenset({WRITTEN, SENT, UNKNOWN})


@dataclass(frozen=True, slots=True)
class Step:
    """The states that follow, in order (none: nothing changes), and whether a person must look."""

    states: tuple[PayoutState, ...] = ()
    is_contradiction: bool = False


_STAYS = Step()
_CONTRADICTS = Step(is_contradiction=True)


def decide_step(state: PayoutState, outcome: Outcome) -> Step:
    """What `outcome` means for a payout in `state`."""
    match outcome:
        case Accepted():
            return Step((SENT,)) if state in (WRITTEN, UNKNOWN) else _STAYS
        case Unknown():
            return Step((UNKNOWN,)) if state is WRITTEN else _STAYS
        case Executed():
            return _executed(state)
        case Failed(is_final=is_final):
            return _failed_for_good(state) if is_final else _failed_for_now(state)
        case Returned():
            return _returned(state)
        case unreachable:
            assert_never(unreachable)


def _executed(state: PayoutState) -> Step:
    if state in UNSETTLED:
        return Step((EXECUTED,))
    if state is FAILED:  # Rule 1. Somebody should know why the rail said it had failed.
        return Step((EXECUTED,), is_contradiction=True)
    return _STAYS


def _failed_for_good(state: PayoutState) -> Step:
    if state in UNSETTLED:
        return Step((FAILED,))
    return _CONTRADICTS if state is EXECUTED else _STAYS


def _failed_for_now(state: PayoutState) -> Step:
    return Step((WRITTEN,)) if state is UNKNOWN else _STAYS


def _returned(state: PayoutState) -> Step:
    if state in UNSETTLED:  # What came back had left.
        return Step((EXECUTED, RETURNED))
    if state is FAILED:
        return Step((EXECUTED, RETURNED), is_contradiction=True)
    return Step((RETURNED,)) if state is EXECUTED else _STAYS


def follow(before: Instruction, outcome: Outcome, *, now: datetime) -> Instruction:
    """`before` after `outcome`, with its version counted up; itself where nothing changed.

    Whoever is about to call a rail records `Unknown` first: that counts the attempt, and is true
    of the order until the rail answers.
    """
    step = decide_step(before.state, outcome)
    provider_id, reason = _named(before, outcome), _reason(before, outcome)
    after = replace(
        before,
        state=step.states[-1] if step.states else before.state,
        path=before.path + step.states,
        attempts=before.attempts + (UNKNOWN in step.states),
        provider_id=provider_id,
        reason=reason,
        is_disputed=before.is_disputed or step.is_contradiction,
    )
    return before if after == before else replace(after, changed_at=now, version=before.version + 1)


def _named(before: Instruction, outcome: Outcome) -> str:
    """The rail's own name of the payment, once it gave one; our own id is none."""
    match outcome:
        case Accepted(provider_id=named) | Executed(provider_id=named) if named:
            is_named = before.provider_id not in ("", before.payout_id)
            return before.provider_id if is_named else named
        case _:
            return before.provider_id


def _reason(before: Instruction, outcome: Outcome) -> str:
    match outcome:
        case Failed(reason=reason) | Returned(reason=reason):
            return reason
        case _:
            return before.reason
