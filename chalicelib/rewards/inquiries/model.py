"""An inquiry, and what becomes of it. Pure.

It is looked at when it is opened and every hour after that. Most end by themselves: the receipt
arrives late, or the member names it from the paper (`purchases/correcting`), and the purchase then
earns like any other. Nobody grants units by hand: whoever finds that something was wrong mends that
(the match, the scheme), and the purchase is settled anew.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.kernel.ids import MemberId, PaymentId

DUE_WITHIN = timedelta(days=5)  # Until then somebody has looked; later is counted and alarmed.
PAPER_WITHIN = timedelta(days=14)  # To find the paper at home and type its number.


class InquiryState(Enum):
    """How far it is."""

    NEW = "new"
    CHECKING = "checking"
    RESOLVED = "resolved"


class Step(Enum):
    """What it waits for."""

    RECEIPT = "receipt"  # the till's, which may come late
    PAPER = "paper"  # the member may name the receipt by its number
    HOLD = "hold"  # the award is held, and a person decides that
    PERSON = "person"  # the receipt is there and earned nothing: a person looks why


class Outcome(Enum):
    """How it ended."""

    GRANTED = "granted"
    REFUSED = "refused"


class Why(Enum):
    """Why it ended so. Each has a sentence in `notices/wording`."""

    EARNED_ALREADY = "earned_already"
    FOUND_BY_ITSELF = "found_by_itself"
    GRANTED = "granted"
    NO_RECEIPT = "no_receipt"
    NOT_ELIGIBLE = "not_eligible"


REFUSALS = (Why.NO_RECEIPT, Why.NOT_ELIGIBLE)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One member's inquiry about one payment; there is one at most.

    `anchored_at` says where the purchase lies. `due_at` is when somebody should have looked.
    `version` counts its changes.
    """

    payment_id: PaymentId
    member_id: MemberId
    anchored_at: datetime
    opened_at: datetime
    due_at: datetime
    state: InquiryState = InquiryState.NEW
    step: Step | None = None
    outcome: Outcome | None = None
    why: Why | None = None
    resolved_at: datetime | None = None
    version: int = 1

    def is_overdue(self, now: datetime) -> bool:
        """Whether a person should have decided it by `now`."""
        waits = self.step in (Step.PERSON, Step.HOLD)
        return self.state is not InquiryState.RESOLVED and waits and now >= self.due_at


@dataclass(frozen=True, slots=True)
class Situation:
    """How the purchase stands now.

    - `takes_part`: its retailer has, or had, a scheme or an offer;
    - `has_earned`: some card or offer gave something for it; `is_held`: and it does not count yet;
    - `has_receipt`, and if it has none, `waits`: one may still come by itself.
    """

    takes_part: bool
    has_earned: bool
    is_held: bool
    has_receipt: bool
    waits: bool


def new_inquiry(
    payment_id: PaymentId, member_id: MemberId, *, anchored_at: datetime, now: datetime
) -> Inquiry:
    """An inquiry that is opened now."""
    return Inquiry(payment_id, member_id, anchored_at, now, now + DUE_WITHIN)


def look(inquiry: Inquiry, situation: Situation | None, *, now: datetime) -> Inquiry:
    """`inquiry` after a look; the same where nothing changed. Without a `situation` nothing was
    bought.
    """
    if inquiry.state is InquiryState.RESOLVED:
        return inquiry
    if situation is None:
        return resolve(inquiry, Outcome.REFUSED, Why.NOT_ELIGIBLE, now=now)
    if situation.has_earned and not situation.is_held:
        is_new = inquiry.state is InquiryState.NEW
        why = Why.EARNED_ALREADY if is_new else _why_granted(inquiry)
        return resolve(inquiry, Outcome.GRANTED, why, now=now)
    if not situation.takes_part:
        return resolve(inquiry, Outcome.REFUSED, Why.NOT_ELIGIBLE, now=now)
    step = _step(situation)
    if step is Step.PAPER and now >= inquiry.opened_at + PAPER_WITHIN:
        return resolve(inquiry, Outcome.REFUSED, Why.NO_RECEIPT, now=now)
    return _at(inquiry, step)


def resolve(inquiry: Inquiry, outcome: Outcome, why: Why, *, now: datetime) -> Inquiry:
    """`inquiry`, ended."""
    return replace(
        inquiry,
        state=InquiryState.RESOLVED,
        step=None,
        outcome=outcome,
        why=why,
        resolved_at=now,
        version=inquiry.version + 1,
    )


def _step(situation: Situation) -> Step:
    if situation.is_held:
        return Step.HOLD
    if situation.has_receipt:
        return Step.PERSON
    return Step.RECEIPT if situation.waits else Step.PAPER


def _why_granted(inquiry: Inquiry) -> Why:
    """What came late came by itself; what a person had to look at, was granted."""
    by_person = inquiry.step in (Step.PERSON, Step.HOLD)
    return Why.GRANTED if by_person else Why.FOUND_BY_ITSELF


def _at(inquiry: Inquiry, step: Step) -> Inquiry:
    if inquiry.state is InquiryState.CHECKING and inquiry.step is step:
        return inquiry
    return replace(inquiry, state=InquiryState.CHECKING, step=step, version=inquiry.version + 1)
