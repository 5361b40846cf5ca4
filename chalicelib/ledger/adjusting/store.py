"""Adjustments, as rows: table `money`.

adjustment#<reference>    adjustment     what was proposed, by whom, and what was decided
open_adjustments          <reference>    it waits for a decision, or to be entered in the book
"""

from dataclasses import dataclass, replace
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger.adjusting.model import Adjustment, AdjustmentReason, AdjustmentState
from chalicelib.ledger.books.store import COUNTED, JOURNAL
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose

OPEN_READ_MAX = 1_000
_OPEN = "open_adjustments"
_SEALED = Kept(
    Category.STAFF,
    Purpose.ACCOUNTING,
    Erasure.UNLINK,
    encrypted=True,
    holds={
        "member_id": Category.PSEUDONYM,
        "amount": Category.TRANSACTION,
        "reason": Category.TRANSACTION,
        "proposed_by": Category.STAFF,
        "proposed_at": Category.OPERATION,
        "state": Category.OPERATION,
        "decided_by": Category.STAFF,
        "decided_at": Category.OPERATION,
    },
)


class AdjustmentRow(rows.Row):
    """What was proposed and decided. `version` counts writes."""

    Meta = rows.table_meta("money")
    privacy = {"version": COUNTED, "sealed": _SEALED}
    retention = JOURNAL

    version = NumberAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


class OpenAdjustmentRow(rows.Row):
    """That an adjustment waits; it says nothing but its reference."""

    Meta = rows.table_meta("money")
    privacy = {"version": COUNTED}
    retention = JOURNAL

    version = NumberAttribute()


@dataclass(frozen=True, slots=True)
class _Inside:
    member_id: MemberId
    amount: Money
    reason: AdjustmentReason
    proposed_by: str
    proposed_at: datetime
    state: AdjustmentState
    decided_by: str
    decided_at: datetime | None


def record_new(adjustment: Adjustment) -> bool:
    """Write what is proposed and put it on the list; False where its reference is taken."""
    row = _to_row(replace(adjustment, version=1))
    listed = OpenAdjustmentRow(_OPEN, adjustment.reference, version=1)
    listed.keep_from(adjustment.proposed_at)
    try:
        rows.put_together([(row, AdjustmentRow.pk.does_not_exist()), (listed, None)])
    except rows.ConditionFailed:
        return False
    return True


def record_change(after: Adjustment) -> Adjustment:
    """Write what was decided; returns it as written. :raises TryAgain: others were faster."""
    written = replace(after, version=after.version + 1)
    try:
        rows.put(_to_row(written), condition=AdjustmentRow.version == after.version)
    except rows.ConditionFailed as error:
        raise TryAgain("somebody else decided at this moment") from error
    return written


def find(reference: str, *, now: datetime) -> Adjustment | None:
    """The adjustment of `reference`, or None."""
    row = rows.find(AdjustmentRow, _pk(reference), "adjustment", now=now)
    return _to_adjustment(row) if row else None


def list_open(*, now: datetime) -> list[str]:
    """The references of those that wait, in their order, at most 1,000."""
    found = rows.list_prefixed(OpenAdjustmentRow, _OPEN, "", now=now, limit=OPEN_READ_MAX)
    return [row.sk for row in found]


def drop_open(reference: str) -> None:
    """It waits for nothing any more; again changes nothing."""
    rows.delete(OpenAdjustmentRow(_OPEN, reference))


def _pk(reference: str) -> str:
    return f"adjustment#{reference}"


def _to_row(adjustment: Adjustment) -> AdjustmentRow:
    row = AdjustmentRow(_pk(adjustment.reference), "adjustment", version=adjustment.version)
    inside = _Inside(
        member_id=adjustment.member_id,
        amount=adjustment.amount,
        reason=adjustment.reason,
        proposed_by=adjustment.proposed_by,
        proposed_at=adjustment.proposed_at,
        state=adjustment.state,
        decided_by=adjustment.decided_by,
        decided_at=adjustment.decided_at,
    )
    row.sealed = vault.seal(inside, key=_key(), place=_place(row), kept=_SEALED)
    return row.keep_from(adjustment.decided_at or adjustment.proposed_at)


def _to_adjustment(row: AdjustmentRow) -> Adjustment:
    inside = vault.open_sealed(row.sealed, _Inside, key=_key(), place=_place(row))
    return Adjustment(
        reference=row.pk.partition("#")[2],
        member_id=inside.member_id,
        amount=inside.amount,
        reason=inside.reason,
        proposed_by=inside.proposed_by,
        proposed_at=inside.proposed_at,
        state=inside.state,
        decided_by=inside.decided_by,
        decided_at=inside.decided_at,
        version=int(row.version),
    )


def _key() -> vault.SealingKey:
    return vault.platform_key("adjustments")


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
