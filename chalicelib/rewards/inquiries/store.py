"""Inquiries, as rows.

    wallets  <member id>     inquiry#<payment id>          the inquiry
    cases    open_inquiries  <opened at>#<payment id>      it is looked at again and again

The row in `cases` is written first and deleted last, so whoever dies in between leaves one row too
many, which the next look takes away.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.rewards.inquiries.model import Inquiry, InquiryState, Outcome, Step, Why
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

OPEN_READ_MAX = 1_000
LISTED_MAX = 100  # Of one member.
_OPEN = "open_inquiries"
_WORD = Kept(Category.OPERATION, Purpose.SUPPORT, Erasure.DELETE)


class InquiryRow(rows.Row):
    """`sk` = `inquiry#<payment id>`."""

    Meta = rows.table_meta("wallets")
    privacy = {
        "anchored_at": _WORD,
        "opened_at": _WORD,
        "due_at": _WORD,
        "state": _WORD,
        "step": _WORD,
        "outcome": _WORD,
        "why": _WORD,
        "resolved_at": _WORD,
        "version": _WORD,
    }
    retention = Retention(
        name="inquiries",
        reason="What you said was missing, and what became of it, is kept for thirteen months.",
        lasts=timedelta(days=400),
        since="opened",
    )

    anchored_at = UnicodeAttribute()
    opened_at = UnicodeAttribute()
    due_at = UnicodeAttribute()
    state = UnicodeAttribute()
    step = UnicodeAttribute(null=True)
    outcome = UnicodeAttribute(null=True)
    why = UnicodeAttribute(null=True)
    resolved_at = UnicodeAttribute(null=True)
    version = NumberAttribute()


class OpenInquiryRow(rows.Row):
    """`pk` = `open_inquiries`, `sk` = `<opened at>#<payment id>`."""

    Meta = rows.table_meta("cases")
    privacy = {"member_id": Kept(Category.PSEUDONYM, Purpose.SUPPORT, Erasure.EXPIRE)}
    retention = Retention(
        name="open_inquiries",
        reason="What you said was missing is looked into for three months at most.",
        lasts=timedelta(days=90),
        since="opened",
    )

    member_id = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class Open:
    """That there is an inquiry to look at."""

    payment_id: PaymentId
    member_id: MemberId
    opened_at: datetime


def record_open(inquiry: Inquiry) -> None:
    """Put it among those that are looked at; again is the same."""
    row = _open_row(to_open(inquiry))
    rows.put(row.keep_from(inquiry.opened_at))


def record_new(inquiry: Inquiry, *, now: datetime) -> bool:
    """Write a new inquiry; False where there is one about that payment."""
    row = _row(inquiry)
    free = InquiryRow.pk.does_not_exist() | (InquiryRow.expires_at <= rows.epoch(now))
    try:
        rows.put(row, condition=free)
    except rows.ConditionFailed:
        return False
    return True


def record_change(inquiry: Inquiry) -> bool:
    """Write `inquiry` over the version before it; False where that changed meanwhile."""
    try:
        rows.put(_row(inquiry), condition=InquiryRow.version == inquiry.version - 1)
    except rows.ConditionFailed:
        return False
    return True


def forget_open(still: Open) -> None:
    """Look at it no more."""
    rows.delete(_open_row(still))


def find_inquiry(member_id: MemberId, payment_id: PaymentId, *, now: datetime) -> Inquiry | None:
    """The member's inquiry about the payment, or None."""
    row = rows.find(InquiryRow, member_id, f"inquiry#{payment_id}", now=now)
    return None if row is None else _to_inquiry(row)


def list_inquiries(member_id: MemberId, *, now: datetime) -> list[Inquiry]:
    """The member's inquiries, newest first, at most 100."""
    found = rows.list_prefixed(InquiryRow, member_id, "inquiry#", now=now, limit=LISTED_MAX)
    return sorted(map(_to_inquiry, found), key=lambda one: one.opened_at, reverse=True)


def list_open(*, now: datetime) -> list[Open]:
    """Those to be looked at, oldest first, at most 1,000."""
    found = rows.list_prefixed(OpenInquiryRow, _OPEN, "", now=now, limit=OPEN_READ_MAX)
    return [
        Open(
            payment_id=PaymentId(row.sk.partition("#")[2]),
            member_id=MemberId(row.member_id),
            opened_at=datetime.fromisoformat(row.sk.partition("#")[0]),
        )
        for row in found
    ]


def to_open(inquiry: Inquiry) -> Open:
    """Under what `inquiry` is looked at."""
    return Open(inquiry.payment_id, inquiry.member_id, inquiry.opened_at)


def end_retention(member_id: MemberId, *, left_at: datetime, now: datetime) -> int:
    """Put the inquiries of a member who left on their last clock; returns how many it changed."""
    until = rows.epoch(left_at + KEPT_AFTER_LEAVING)
    changed = 0
    for row in rows.list_prefixed(InquiryRow, member_id, "inquiry#", now=now):
        if row.expires_at > until:
            rows.update(row, [InquiryRow.expires_at.set(until)])
            changed += 1
    return changed


def _open_row(still: Open) -> OpenInquiryRow:
    sk = f"{still.opened_at.isoformat()}#{still.payment_id}"
    return OpenInquiryRow(_OPEN, sk, member_id=still.member_id)


def _row(inquiry: Inquiry) -> InquiryRow:
    resolved_at = inquiry.resolved_at
    row = InquiryRow(
        inquiry.member_id,
        f"inquiry#{inquiry.payment_id}",
        anchored_at=inquiry.anchored_at.isoformat(),
        opened_at=inquiry.opened_at.isoformat(),
        due_at=inquiry.due_at.isoformat(),
        state=inquiry.state.value,
        step=inquiry.step.value if inquiry.step else None,
        outcome=inquiry.outcome.value if inquiry.outcome else None,
        why=inquiry.why.value if inquiry.why else None,
        resolved_at=resolved_at.isoformat() if resolved_at else None,
        version=inquiry.version,
    )
    return row.keep_from(inquiry.opened_at)


def _to_inquiry(row: InquiryRow) -> Inquiry:
    return Inquiry(
        payment_id=PaymentId(row.sk.partition("#")[2]),
        member_id=MemberId(row.pk),
        anchored_at=datetime.fromisoformat(row.anchored_at),
        opened_at=datetime.fromisoformat(row.opened_at),
        due_at=datetime.fromisoformat(row.due_at),
        state=InquiryState(row.state),
        step=Step(row.step) if row.step else None,
        outcome=Outcome(row.outcome) if row.outcome else None,
        why=Why(row.why) if row.why else None,
        resolved_at=datetime.fromisoformat(row.resolved_at) if row.resolved_at else None,
        version=int(row.version),
    )
