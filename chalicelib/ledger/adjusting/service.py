"""A member's money corrected by hand: one person proposes, another approves, the member is told.

What was decided is written first, then the entry, then the notice; then it leaves the list. Each
may be done again: whoever approves what was approved finishes what somebody began.
"""

from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import NotFound
from chalicelib.ledger import moving
from chalicelib.ledger.adjusting import store
from chalicelib.ledger.adjusting.model import (
    Adjustment,
    AdjustmentReason,
    AdjustmentState,
    ConflictingAdjustment,
    NoSuchAdjustment,
    decide,
    person_of,
)
from chalicelib.members import announcing
from chalicelib.members import service as members
from chalicelib.members.announcing import Announcement, NoticeKind, notice_id_of


def propose(
    member_id: MemberId,
    amount: Money,
    *,
    reference: str,
    reason: AdjustmentReason,
    by: str,
    now: datetime,
) -> Adjustment:
    """Propose to give (or, below nought, take) `amount`; nothing is moved yet.

    The same again, whoever proposes it, is the first proposal.

    :raises NotFound: there is no such member. :raises Misshapen: the reference is no word.
    :raises AmountOutOfRange: it is nothing, or too much. :raises NotAPerson: nobody could say that
        whoever approves is another person.
    :raises ConflictingAdjustment: the reference stands for another one.
    """
    person_of(by)
    proposed = Adjustment(reference, member_id, amount, reason, by, now)
    if members.find_member(member_id, now=now) is None:
        raise NotFound("there is no such member", field="member")
    if store.record_new(proposed):
        return get(reference, now=now)
    stands = get(reference, now=now)
    if not stands.says_the_same_as(proposed):
        raise ConflictingAdjustment("the reference stands for another adjustment")
    return stands


def approve(reference: str, *, by: str, now: datetime) -> Adjustment:
    """Approve what another person proposed: it is entered, and the member told, each once.

    :raises NoSuchAdjustment: nobody proposed it. :raises ConflictingAdjustment: it was refused.
    :raises OwnProposal: `by` proposed it. :raises NotAPerson: who is that?
    :raises ProposalTooOld: two weeks ago.
    :raises TryAgain: as `ledger.service.record`, or the queue was away; approve it again.
    """
    approved = _decide(reference, AdjustmentState.APPROVED, by=by, now=now)
    moving.adjust(
        approved.member_id,
        approved.amount,
        reference=reference,
        reason=approved.reason.value,
        at=_decided_at(approved),
        now=now,
    )
    announcing.announce([announcement_of(approved)])
    store.drop_open(reference)
    return approved


def refuse(reference: str, *, by: str, now: datetime) -> Adjustment:
    """Refuse what was proposed; who proposed it may do so too. Nothing is moved.

    :raises NoSuchAdjustment: nobody proposed it. :raises ConflictingAdjustment: it was approved.
    :raises TryAgain: somebody else decided at this moment.
    """
    refused = _decide(reference, AdjustmentState.REFUSED, by=by, now=now)
    store.drop_open(reference)
    return refused


def get(reference: str, *, now: datetime) -> Adjustment:
    """The adjustment of `reference`. :raises NoSuchAdjustment: there is none."""
    found = store.find(reference, now=now)
    if found is None:
        raise NoSuchAdjustment("nobody proposed such an adjustment", field="reference")
    return found


def list_open(*, now: datetime) -> list[Adjustment]:
    """What waits for a decision, or was approved by somebody who died before it was entered."""
    found = (store.find(reference, now=now) for reference in store.list_open(now=now))
    return [one for one in found if one is not None]


def announcement_of(approved: Adjustment) -> Announcement:
    """What the member is told; the list of notices makes the same of the entry."""
    kind, subject = NoticeKind.ADJUSTED, NoticeKind.ADJUSTED.value
    cause = moving.adjusted_key(approved.reference)
    return Announcement(
        notice_id=notice_id_of(kind, member_id=approved.member_id, subject=subject, cause=cause),
        kind=kind,
        member_id=approved.member_id,
        at=_decided_at(approved),
        subject=subject,
        amount=approved.amount,
        reason=approved.reason.value,
    )


def _decide(reference: str, state: AdjustmentState, *, by: str, now: datetime) -> Adjustment:
    before = get(reference, now=now)
    after = decide(before, state, by=by, now=now)
    if after is before:
        return before
    return store.record_change(after)


def _decided_at(adjustment: Adjustment) -> datetime:
    return adjustment.decided_at or adjustment.proposed_at
