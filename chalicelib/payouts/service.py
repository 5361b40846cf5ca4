"""Payouts: what a rail said of one is kept with it, and the journal follows.

The instruction's row is where words that come at once are put in order. What the journal has to say
follows from the states that the row went through, and is entered after it: whoever dies in between
is finished by the message that comes again, the next look or word, or the night's reconciliation.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.kernel.refusals import NotAllowed, TryAgain
from chalicelib.ledger import moving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, EntryKind
from chalicelib.ledger.moving import Payout
from chalicelib.members import announcing
from chalicelib.members.announcing import Announcement, NoticeKind, notice_id_of
from chalicelib.payouts import parting, store
from chalicelib.payouts.model import (
    Executed,
    Failed,
    Instruction,
    NoSuchPayout,
    Outcome,
    PayoutState,
    Returned,
    written_on,
)
from chalicelib.payouts.states import follow
from chalicelib.runtime import observability

ATTEMPTS_MAX = 8
_WORDS: dict[type[Outcome], PayoutState] = {
    Executed: PayoutState.EXECUTED,
    Failed: PayoutState.FAILED,
    Returned: PayoutState.RETURNED,
}
# Whoever wrote that money left may have died before it was said; by then they came again.
SAID_WITHIN = timedelta(days=1)


class CannotBecome(NotAllowed):
    """What a person says of a payout cannot follow on how it stands."""

    code = "cannot_become"


def get(payout_id: str, *, now: datetime) -> Instruction:
    """The payout called `payout_id`. :raises NoSuchPayout: there is none."""
    found = store.find(payout_id, now=now)
    if found is None:
        raise NoSuchPayout("there is no such payout")
    return found


def record_outcome(payout_id: str, outcome: Outcome, *, now: datetime) -> Instruction:
    """Keep what a rail said of a payout, enter it in the journal, and return how it stands.

    The same word again changes nothing. Words may come late and in any order (`states.py`). The
    member is told of money that left and of money that came back, each once, and never of the
    second alone. With the last payment of somebody who left their account is deleted.

    :raises NoSuchPayout: there is none. :raises TryAgain: others changed it all the time.
    """
    for _ in range(ATTEMPTS_MAX):
        before = get(payout_id, now=now)
        after = follow(before, outcome, now=now)
        if after is before or store.record_change(after):
            break
    else:
        raise TryAgain("the payout was changed by others meanwhile")
    if after.path != before.path:
        observability.count("payouts_changed", status=after.state.value, provider=after.rail)
    if after.is_disputed and not before.is_disputed:
        observability.count("payouts_disputed", provider=after.rail)
        observability.warn("a rail contradicted itself", id=payout_id, provider=after.rail)
    enter(after, now=now)
    _announce(before, after, outcome, now=now)
    if after.state is PayoutState.EXECUTED:
        parting.forget_account_when_paid(after.member_id, now=now)
    return after


def settle(payout_id: str, outcome: Executed | Failed | Returned, *, now: datetime) -> Instruction:
    """As `record_outcome`, by a person, whose word is the last: what it agrees with is disputed no
    more. A later word of the rail that contradicts it is.

    :raises CannotBecome: it left, and is said to have failed; or it came back, and is said to be
        anything else. Nothing was changed.
    :raises TryAgain: somebody else changed the payout meanwhile.
    """
    before, said = get(payout_id, now=now), _WORDS[type(outcome)]
    if follow(before, outcome, now=now).state is not said:
        raise CannotBecome(_why_not(before, said))
    after = record_outcome(payout_id, outcome, now=now)
    settled = replace(after, is_disputed=False, version=after.version + 1)
    if after.state is said and not after.is_disputed:
        return after
    if after.state is not said or not store.record_change(settled):
        raise TryAgain("the payout was changed by others meanwhile")
    return settled


def _why_not(before: Instruction, said: PayoutState) -> str:
    if before.state is PayoutState.EXECUTED:
        return "the payout is executed, so it cannot be failed: money that left can be returned"
    return f"the payout was returned to the member's balance, so it cannot be {said.value}"


def finish(instruction: Instruction, *, now: datetime) -> Instruction:
    """Do what follows from how a payout stands: who wrote that may have died before they did.

    Again changes nothing; what was announced before is announced again under the same ids.

    :raises TryAgain: as `ledger.service.record`.
    """
    enter(instruction, now=now)
    paid, returned = NoticeKind.REWARD_PAID, NoticeKind.REWARD_RETURNED
    kinds = {PayoutState.EXECUTED: (paid,), PayoutState.RETURNED: (paid, returned)}
    at = instruction.changed_at or instruction.written_at
    known = kinds.get(instruction.state, ())
    announcing.announce([_announcement(instruction, kind, at=at) for kind in known])
    if instruction.state is PayoutState.EXECUTED:
        parting.forget_account_when_paid(instruction.member_id, now=now)
    return instruction


def enter(instruction: Instruction, *, now: datetime) -> int:
    """Enter in the journal what follows from the states of `instruction`; returns what was new.

    :raises TryAgain: as `ledger.service.record`.
    """
    wanted = entries_of(instruction)
    owner = wanted[0].owner
    # The money may have been set aside by a run of that day that died before the order was written.
    began_at = datetime.combine(written_on(instruction.payout_id), time(), UTC)
    posted = ledger.post(owner, lambda _book: wanted, originated_at=began_at, now=now)
    return sum(one.is_new for one in posted)


def day_of(instruction: Instruction) -> date:
    """The day on which a payout was written, by its id."""
    return written_on(instruction.payout_id)


def _announce(
    before: Instruction, instruction: Instruction, outcome: Outcome, *, now: datetime
) -> None:
    """Say what the member should hear of `outcome`; whoever should have may have died."""
    match outcome:
        case Executed(at=at) if PayoutState.EXECUTED in instruction.path:
            announcing.announce([_announcement(instruction, NoticeKind.REWARD_PAID, at=at)])
        case Returned(at=at) if PayoutState.RETURNED in instruction.path:
            kinds = [NoticeKind.REWARD_PAID, NoticeKind.REWARD_RETURNED]
            if _is_known_to_be_paid(before, now=now):
                kinds.remove(NoticeKind.REWARD_PAID)
            announcing.announce([_announcement(instruction, kind, at=at) for kind in kinds])


def _is_known_to_be_paid(before: Instruction, *, now: datetime) -> bool:
    """Whether it was said for certain that the money left. A rail's first word may be that it came
    back, and so may the first one that anybody lived to announce.
    """
    if before.state is not PayoutState.EXECUTED:
        return False
    return now - (before.changed_at or now) >= SAID_WITHIN


def _announcement(instruction: Instruction, kind: NoticeKind, *, at: datetime) -> Announcement:
    payout_id = instruction.payout_id
    return Announcement(
        notice_id=notice_id_of(
            kind, member_id=instruction.member_id, subject=payout_id, cause=payout_id
        ),
        kind=kind,
        member_id=instruction.member_id,
        at=at,
        subject=payout_id,
        amount=instruction.amount,
        reason=instruction.reason if kind is NoticeKind.REWARD_RETURNED else "",
    )


def entries_of(instruction: Instruction) -> tuple[Entry, ...]:
    """What the journal has to say of a payout, by the states it went through. Pure."""
    payout = Payout(
        instruction.payout_id, instruction.member_id, instruction.amount, instruction.written_at
    )
    entries = [moving.payout_entry(payout, EntryKind.PAYOUT_WRITTEN, at=instruction.written_at)]
    at, has_failed = instruction.changed_at or instruction.written_at, False
    for state in instruction.path:
        match state:
            case PayoutState.EXECUTED if has_failed:
                entries.append(moving.settled_late(payout, at=at))
            case PayoutState.EXECUTED:
                entries.append(moving.payout_entry(payout, EntryKind.PAYOUT_SETTLED, at=at))
            case PayoutState.FAILED:
                kind, has_failed = EntryKind.PAYOUT_FAILED, True
                entries.append(moving.payout_entry(payout, kind, at=at, reason=instruction.reason))
            case PayoutState.RETURNED:
                kind = EntryKind.PAYOUT_RETURNED
                entries.append(moving.payout_entry(payout, kind, at=at, reason=instruction.reason))
            case PayoutState.WRITTEN | PayoutState.SENT | PayoutState.UNKNOWN:
                pass  # Nothing that moves money.
    return tuple(entries)
