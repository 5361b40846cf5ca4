"""Holds, as rows: table `cases`.

open_holds         <since>#<hold id>   an award that waits for a person
hold#<hold id>     decision            what was decided of it
"""

from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.loyalty.holding.model import Held, HoldDecision, HoldOutcome
from chalicelib.loyalty.watching import HoldReason
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

OPEN_READ_MAX = 1_000
DECIDED_WITHIN = timedelta(days=30)
_OPEN = "open_holds"
_ID = Kept(Category.PSEUDONYM, Purpose.SECURITY, Erasure.EXPIRE)
_WORD = Kept(Category.OPERATION, Purpose.SECURITY, Erasure.EXPIRE)


class OpenHoldRow(rows.Row):
    """`pk` = `open_holds`, `sk` = `<since>#<hold id>`."""

    Meta = rows.table_meta("cases")
    privacy = {
        "subject": _WORD,
        "purchase_id": _ID,
        "member_id": _ID,
        "reason": _WORD,
        "units": _WORD,
        "anchored_at": _WORD,
        "version": _WORD,
        "held_at": _WORD,
        "currency": _WORD,
    }
    retention = Retention(
        name="held_awards",
        reason="What you earned may be held for up to thirty days while a person looks at it.",
        lasts=DECIDED_WITHIN + timedelta(days=60),
        since="held",
    )

    subject = UnicodeAttribute()
    purchase_id = UnicodeAttribute()
    member_id = UnicodeAttribute()
    reason = UnicodeAttribute()
    units = NumberAttribute()
    anchored_at = UnicodeAttribute()
    version = NumberAttribute()
    held_at = UnicodeAttribute()
    currency = UnicodeAttribute(null=True)


class HoldDecisionRow(rows.Row):
    """`pk` = `hold#<hold id>`, `sk` = `decision`."""

    Meta = rows.table_meta("cases")
    privacy = {
        "member_id": _ID,
        "purchase_id": _ID,
        "anchored_at": _WORD,
        "version": _WORD,
        "outcome": _WORD,
        "decided_at": _WORD,
    }
    retention = Retention(
        name="hold_decisions",
        reason="What was decided of an award that was held is remembered for thirteen months, as "
        "long as it may be asked about.",
        lasts=timedelta(days=400),
        since="decided",
    )

    member_id = UnicodeAttribute()
    purchase_id = UnicodeAttribute()
    anchored_at = UnicodeAttribute()
    version = NumberAttribute()
    outcome = UnicodeAttribute()
    decided_at = UnicodeAttribute()


def record_open(held: Held) -> None:
    """Put `held` on the list; again changes nothing."""
    try:
        rows.put_new(_open_row(held).keep_from(held.held_at))
    except rows.ConditionFailed:
        return


def remove_open(held: Held) -> None:
    """Take `held` off the list, undecided; again changes nothing."""
    rows.delete(_open_row(held))


def list_open(*, now: datetime) -> list[Held]:
    """What waits for a person, longest first, at most 1,000."""
    found = rows.list_prefixed(OpenHoldRow, _OPEN, "", now=now, limit=OPEN_READ_MAX)
    return [_to_held(row) for row in found]


def find_decision(hold_id: str, *, now: datetime) -> HoldDecision | None:
    """What was decided of the hold, or None."""
    row = rows.find(HoldDecisionRow, f"hold#{hold_id}", "decision", now=now)
    return None if row is None else _to_decision(row)


def record_decision(held: Held, decision: HoldDecision) -> bool:
    """Write what was decided and take `held` off the list, at once; False where it was decided.

    :raises TryAgain: a passing obstacle.
    """
    row = HoldDecisionRow(
        f"hold#{held.hold_id}",
        "decision",
        member_id=decision.member_id,
        purchase_id=decision.purchase_id,
        anchored_at=decision.anchored_at.isoformat(),
        version=decision.version,
        outcome=decision.outcome.value,
        decided_at=decision.decided_at.isoformat(),
    ).keep_from(decision.decided_at)
    try:
        rows.put_together([(row, HoldDecisionRow.pk.does_not_exist())], [_open_row(held)])
    except rows.ConditionFailed:
        return False
    return True


def _open_row(held: Held) -> OpenHoldRow:
    return OpenHoldRow(
        _OPEN,
        f"{held.since.isoformat()}#{held.hold_id}",
        subject=held.subject,
        purchase_id=held.purchase_id,
        member_id=held.member_id,
        reason=held.reason.value,
        units=held.units,
        anchored_at=held.anchored_at.isoformat(),
        version=held.version,
        held_at=held.held_at.isoformat(),
        currency=held.currency or None,
    )


def _to_held(row: OpenHoldRow) -> Held:
    return Held(
        subject=row.subject,
        purchase_id=PaymentId(row.purchase_id),
        member_id=MemberId(row.member_id),
        reason=HoldReason(row.reason),
        units=int(row.units),
        since=datetime.fromisoformat(row.sk.partition("#")[0]),
        anchored_at=datetime.fromisoformat(row.anchored_at),
        version=int(row.version),
        held_at=datetime.fromisoformat(row.held_at),
        currency=row.currency or "",
    )


def _to_decision(row: HoldDecisionRow) -> HoldDecision:
    return HoldDecision(
        outcome=HoldOutcome(row.outcome),
        decided_at=datetime.fromisoformat(row.decided_at),
        purchase_id=PaymentId(row.purchase_id),
        member_id=MemberId(row.member_id),
        anchored_at=datetime.fromisoformat(row.anchored_at),
        version=int(row.version),
    )
