"""Who has money available and was not paid, in table `money`.

    unpaid#<shard>    <member> <currency>    since when, and why

It is the list that the night goes through, so that nobody is forgotten whom nothing wakes, and the
list of whom the operator owes.
"""

import zlib
from dataclasses import dataclass
from datetime import date, datetime

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import MemberId
from chalicelib.ledger.books.store import JOURNAL
from chalicelib.payouts.netting.deciding import Why
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose

SHARDS = 8
_OWED = Kept(Category.TRANSACTION, Purpose.ACCOUNTING, Erasure.UNLINK)


class UnpaidRow(rows.Row):
    """That a member has money available, or owes some, and why it is not paid."""

    Meta = rows.table_meta("money")
    privacy = {"since": _OWED, "why": _OWED, "minor": _OWED, "has_left": _OWED}
    retention = JOURNAL

    since = UnicodeAttribute()
    why = UnicodeAttribute()
    minor = NumberAttribute()
    has_left = BooleanAttribute(null=True)


@dataclass(frozen=True, slots=True)
class Unpaid:
    """`minor` units of `currency` that a member has available since the day `since`.

    Below nought they are owed by the member. `has_left`: they left since, so that the next night
    pays them, however little it is.
    """

    member_id: MemberId
    currency: str
    minor: int
    why: Why
    since: date
    has_left: bool = False


def find(member_id: MemberId, currency: str, *, now: datetime) -> Unpaid | None:
    """Why the member was not paid the last time, or None."""
    row = rows.find(UnpaidRow, *_place(member_id, currency), now=now)
    return _to_unpaid(row) if row else None


def record(unpaid: Unpaid, *, now: datetime) -> None:
    """Write why a member is not paid."""
    row = UnpaidRow(*_place(unpaid.member_id, unpaid.currency))
    row.since, row.why = unpaid.since.isoformat(), unpaid.why.value
    row.minor, row.has_left = unpaid.minor, unpaid.has_left or None
    rows.put(row.keep_from(now))


def drop(member_id: MemberId, currency: str) -> None:
    """The member was paid, or has nothing left; where nothing stands, nothing happens."""
    rows.delete(UnpaidRow(*_place(member_id, currency)))


def list_unpaid(
    shard: int, *, after: str = "", now: datetime, limit: int = rows.ROWS_READ_MAX
) -> tuple[list[Unpaid], str | None]:
    """A stretch of one shard's list, and where to go on, None at the end."""
    found = rows.list_between(UnpaidRow, _pk(shard), after + "\x00", "~", now=now, limit=limit)
    return [_to_unpaid(row) for row in found], found[-1].sk if len(found) == limit else None


def _place(member_id: MemberId, currency: str) -> tuple[str, str]:
    return _pk(zlib.crc32(member_id.encode()) % SHARDS), f"{member_id} {currency}"


def _pk(shard: int) -> str:
    return f"unpaid#{shard}"


def _to_unpaid(row: UnpaidRow) -> Unpaid:
    member_id, _, currency = row.sk.partition(" ")
    since = date.fromisoformat(row.since)
    why, has_left = Why(row.why), bool(row.has_left)
    return Unpaid(MemberId(member_id), currency, int(row.minor), why, since, has_left)
