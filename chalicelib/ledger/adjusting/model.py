"""Adjustments, as values: what one person proposes and another decides. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Conflicting, Misshapen, NotAllowed, NotFound

MINOR_MAX = 100_000  # More than a thousand pounds of cashback at once is a slip of the hand.
DECIDED_WITHIN = timedelta(days=14)  # What nobody looked at by then is proposed anew.
# How AWS names people: a user, or the session of a role, which the role's policy has to pin.
_PERSON = re.compile(
    r"arn:aws[a-z-]*:(?:iam|sts)::\d{12}:(?:assumed-role|user|federated-user)/(?:[^/]+/)*([^/]+)",
    re.ASCII,
)
_ROLE_ALONE = re.compile(r"arn:[^:]+:sts::\d{12}:assumed-role/[^/]+", re.ASCII)
_MACHINE = re.compile(r"botocore-session-\d+|i-[0-9a-f]{8,17}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,39}", re.ASCII)


class NoSuchAdjustment(NotFound):
    """Nobody proposed an adjustment of this reference."""

    code = "no_such_adjustment"


class ConflictingAdjustment(Conflicting):
    """The reference stands for another adjustment, or it was decided otherwise."""

    code = "conflicting_adjustment"


class OwnProposal(NotAllowed):
    """Whoever proposed an adjustment wants to approve it too."""

    code = "own_proposal"


class NotAPerson(NotAllowed):
    """AWS does not know who proposes or approves by a name that is one person's."""

    code = "not_a_person"


class ProposalTooOld(NotAllowed):
    """Nobody decided for two weeks; it has to be proposed anew, under another reference."""

    code = "proposal_too_old"


class AmountOutOfRange(NotAllowed):
    """Nothing is moved, or more than any adjustment may move."""

    code = "amount_out_of_range"


class AdjustmentReason(Enum):
    """What the member is told of why."""

    CORRECTED = "corrected"  # we had it wrong
    GIVEN_TWICE = "given_twice"
    GOODWILL = "goodwill"


class AdjustmentState(Enum):
    """How far an adjustment is. What is approved or refused stays so."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """`amount` more for the member, or below nought less, once for ever under `reference`.

    `proposed_by` and `decided_by` are members of staff, as AWS knows them. `version` counts writes,
    0 before the first.

    :raises Misshapen: the reference is no word of 3 to 40 characters.
    :raises AmountOutOfRange: nothing is moved, or more than `MINOR_MAX`.
    """

    reference: str
    member_id: MemberId
    amount: Money
    reason: AdjustmentReason
    proposed_by: str
    proposed_at: datetime
    state: AdjustmentState = AdjustmentState.PROPOSED
    decided_by: str = ""
    decided_at: datetime | None = None
    version: int = 0

    def __post_init__(self) -> None:
        if not _REFERENCE.fullmatch(self.reference):
            raise Misshapen("a reference is a word of 3 to 40 characters", field="reference")
        if not 0 < abs(self.amount.minor) <= MINOR_MAX:
            raise AmountOutOfRange(
                f"an adjustment moves 1 to {MINOR_MAX} minor units", field="amount"
            )

    def says_the_same_as(self, other: "Adjustment") -> bool:
        """Whether both give the same to the same for the same reason."""
        mine = (self.reference, self.member_id, self.amount, self.reason)
        return mine == (other.reference, other.member_id, other.amount, other.reason)


def person_of(arn: str) -> str:
    """The name by which AWS knows a member of staff: the user's, or that of the role's session.

    The same name under another role, in another account or in capitals is the same person.

    :raises NotAPerson: it is the root user, a role without a session, or a name that no person has.
    """
    found = _PERSON.fullmatch(arn)
    if found is None or _ROLE_ALONE.fullmatch(arn) or _MACHINE.fullmatch(found[1]):
        raise NotAPerson("AWS has to know you by your own name, as a user or a role's session")
    return found[1].lower()


def decide(before: Adjustment, state: AdjustmentState, *, by: str, now: datetime) -> Adjustment:
    """`before`, approved or refused by `by`; itself where that was decided before.

    :raises ConflictingAdjustment: it was decided otherwise.
    :raises OwnProposal: only another person may approve. Anybody may refuse.
    :raises NotAPerson: AWS does not say which person approves, or proposed it.
    :raises ProposalTooOld: only refusing is left.
    """
    if before.state is state:
        return before
    if before.state is not AdjustmentState.PROPOSED:
        raise ConflictingAdjustment("the adjustment was decided otherwise")
    if state is AdjustmentState.APPROVED:
        if person_of(by) == person_of(before.proposed_by):
            raise OwnProposal("another person than who proposed it has to approve")
        if now - before.proposed_at > DECIDED_WITHIN:
            raise ProposalTooOld("nobody decided for two weeks; propose it anew")
    return replace(before, state=state, decided_by=by, decided_at=now)
