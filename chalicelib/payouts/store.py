"""Instructions, in table `money`.

    payouts#<UTC date>    <payout id>    one order to pay, by the day on which it was written

The day is part of the id, so that the row is found by the id alone, and a day's payouts together.
Its state changes by one write on condition of its version.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger.books.store import ENTRIES, JOURNAL
from chalicelib.payouts.model import Instruction, PayoutState, written_on
from chalicelib.runtime import packing, rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose

_COUNTED = Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.UNLINK)


class InstructionRow(rows.Row):
    """One order to pay. `state` stands outside as well, so that a day's list can be read by eye."""

    Meta = rows.table_meta("money")
    privacy = {"version": _COUNTED, "state": _COUNTED, "content": ENTRIES}
    retention = JOURNAL

    version = NumberAttribute()
    state = UnicodeAttribute()
    content = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class _Content:
    member_id: MemberId
    connection_id: ConnectionId
    amount: Money
    rail: str
    idempotency_key: str
    reference: str
    written_at: datetime
    path: tuple[PayoutState, ...]
    provider_id: str = ""
    reason: str = ""
    attempts: int = 0
    changed_at: datetime | None = None
    is_disputed: bool = False


def record_new(instruction: Instruction, *, now: datetime) -> Instruction:
    """Write `instruction` unless it stands there; returns the one that stands."""
    row = _to_row(instruction)
    try:
        rows.put_new(row)
    except rows.ConditionFailed:
        return find(instruction.payout_id, now=now) or instruction
    return instruction


def record_change(after: Instruction) -> bool:
    """Write `after` over its version before; False where that changed underneath."""
    try:
        rows.put(_to_row(after), condition=InstructionRow.version == after.version - 1)
    except rows.ConditionFailed:
        return False
    return True


def find(payout_id: str, *, now: datetime) -> Instruction | None:
    """The payout called `payout_id`, or None. :raises NoSuchPayout: it is no payout's id."""
    row = rows.find(InstructionRow, _pk(written_on(payout_id)), payout_id, now=now)
    return _to_instruction(row) if row else None


def list_of_day(
    on: date, *, after: str = "", now: datetime, limit: int = rows.ROWS_READ_MAX
) -> tuple[list[Instruction], str | None]:
    """A stretch of the payouts written on the day `on`, and after which id to go on, None at the
    end.
    """
    first = after + "\x00" if after else "\x00"
    found = rows.list_between(InstructionRow, _pk(on), first, "~", now=now, limit=limit)
    return [_to_instruction(row) for row in found], found[-1].sk if len(found) == limit else None


def _pk(on: date) -> str:
    return f"payouts#{on}"


def _to_row(instruction: Instruction) -> InstructionRow:
    content = _Content(
        member_id=instruction.member_id,
        connection_id=instruction.connection_id,
        amount=instruction.amount,
        rail=instruction.rail,
        idempotency_key=instruction.idempotency_key,
        reference=instruction.reference,
        written_at=instruction.written_at,
        path=instruction.path,
        provider_id=instruction.provider_id,
        reason=instruction.reason,
        attempts=instruction.attempts,
        changed_at=instruction.changed_at,
        is_disputed=instruction.is_disputed,
    )
    row = InstructionRow(
        _pk(written_on(instruction.payout_id)),
        instruction.payout_id,
        version=instruction.version,
        state=instruction.state.value,
        content=packing.pack(content),
    )
    return row.keep_from(instruction.changed_at or instruction.written_at)


def _to_instruction(row: InstructionRow) -> Instruction:
    held = packing.unpack(row.content, _Content)
    made = Instruction(
        payout_id=row.sk,
        member_id=held.member_id,
        connection_id=held.connection_id,
        amount=held.amount,
        rail=held.rail,
        idempotency_key=held.idempotency_key,
        reference=held.reference,
        written_at=held.written_at,
        state=held.path[-1],
        path=held.path,
    )
    return replace(
        made,
        provider_id=held.provider_id,
        reason=held.reason,
        attempts=held.attempts,
        changed_at=held.changed_at,
        is_disputed=held.is_disputed,
        version=int(row.version),
    )
