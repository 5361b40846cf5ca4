"""What closing a day leaves behind, in table `money`.

    day#<date>            fold#<shard>                     the lines of one shard, added up
    day#<date>            moved#<shard>#<stretch>          members whose available money moved
    day#<date>            set_aside#<shard>#<stretch>      what was set aside for payouts
    due#<date>            <folded day>#<shard>#<stretch>   gifts that become available on that day
    retailer#<id>         total#<date>                     a day of a retailer, chained
    closing               days                             which day is closed, and how far

What is folded follows from the daybook and may be written again: the same comes of it. DynamoDB
forgets it by itself when it has served; a retailer's days stay as long as the journal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.ledger.accounts import retailer_owner
from chalicelib.ledger.books.store import JOURNAL
from chalicelib.ledger.days.folding import Due, Line, SetAside
from chalicelib.ledger.days.totals import RetailerDay
from chalicelib.runtime import packing, rows
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose, Retention

DAYS_READ_MAX = 400  # A year of a retailer's days and a little.

FOLDED = Retention(
    name="folded",
    reason="What a night's accounting worked with is kept for sixty days, to be checked.",
    lasts=timedelta(days=60),
    since="the day that it is of",
)
_PASSING = Kept(Category.TRANSACTION, Purpose.ACCOUNTING, Erasure.EXPIRE)
_OWED = Kept(Category.CONFIGURATION, Purpose.ACCOUNTING, Erasure.KEEP)
_PROGRESS = Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP)


class FoldRow(rows.Row):
    """A part of what was folded of a day."""

    Meta = rows.table_meta("money")
    privacy = {"content": _PASSING}
    retention = FOLDED

    content = BinaryAttribute(legacy_encoding=False)


class RetailerDayRow(rows.Row):
    """What a retailer's campaigns gave and took back on a day; it never changes."""

    Meta = rows.table_meta("money")
    privacy = {"content": _OWED}
    retention = JOURNAL

    content = BinaryAttribute(legacy_encoding=False)


class ClosingRow(rows.Row):
    """Which day is being closed, which step of it, and where in the step to go on."""

    Meta = rows.table_meta("money")
    privacy = {"day": _PROGRESS, "step": _PROGRESS, "place": _PROGRESS, "version": _PROGRESS}
    retention = CONFIGURED

    day = UnicodeAttribute()
    step = UnicodeAttribute()
    place = UnicodeAttribute(null=True)
    version = NumberAttribute()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the closing of days has come: `step` of `day`, from `place` on."""

    day: date
    step: str
    place: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class _Fold:
    lines: tuple[Line, ...] = ()
    entries: int = 0
    members: tuple[MemberId, ...] = ()
    due: tuple[Due, ...] = ()
    set_aside: tuple[SetAside, ...] = ()


@dataclass(frozen=True, slots=True)
class _Day:
    lines: tuple[Line, ...]
    before: bytes
    hash: bytes


def record_moved(on: date, part: str, stretch: int, members: Sequence[MemberId]) -> None:
    """Write whose available money moved, of one stretch of a shard."""
    _put_fold(f"day#{on}", f"moved#{part}#{stretch:06}", _Fold(members=tuple(members)), on)


def record_set_aside(on: date, part: str, stretch: int, set_aside: Sequence[SetAside]) -> None:
    """Write what was set aside for payouts, of one stretch of a shard."""
    fold = _Fold(set_aside=tuple(set_aside))
    _put_fold(f"day#{on}", f"set_aside#{part}#{stretch:06}", fold, on)


def record_due(on: date, part: str, stretch: int, due_on: date, due: Sequence[Due]) -> None:
    """Write what becomes available on the day `due_on`, of one stretch of a shard of `on`."""
    _put_fold(f"due#{due_on}", f"{on}#{part}#{stretch:06}", _Fold(due=tuple(due)), due_on)


def record_lines(on: date, part: str, lines: Sequence[Line], entries: int) -> None:
    """Write the lines of a whole shard; it is folded now."""
    _put_fold(f"day#{on}", f"fold#{part}", _Fold(lines=tuple(lines), entries=entries), on)


def list_lines(on: date, *, now: datetime) -> tuple[tuple[Line, ...], int]:
    """The lines of every shard of the day, and how many entries they were folded of."""
    found = [_to_fold(row) for row in rows.list_prefixed(FoldRow, f"day#{on}", "fold#", now=now)]
    lines = tuple(line for fold in found for line in fold.lines)
    return lines, sum(fold.entries for fold in found)


def find_moved(on: date, *, after: str, now: datetime) -> tuple[str, tuple[MemberId, ...]] | None:
    """The next stretch of members whose money moved, with its place; None at the end."""
    found = _find_next(on, "moved#", after, now=now)
    return (found[0], found[1].members) if found else None


def find_set_aside(
    on: date, *, after: str, now: datetime
) -> tuple[str, tuple[SetAside, ...]] | None:
    """The next stretch of what was set aside for payouts, with its place; None at the end."""
    found = _find_next(on, "set_aside#", after, now=now)
    return (found[0], found[1].set_aside) if found else None


def find_due(on: date, *, after: str, now: datetime) -> tuple[str, tuple[Due, ...]] | None:
    """The next stretch of gifts that become available on the day, with its place."""
    found = rows.list_between(FoldRow, f"due#{on}", after + "\x00", "~", now=now, limit=1)
    return (found[0].sk, _to_fold(found[0]).due) if found else None


def record_day(day: RetailerDay) -> RetailerDay:
    """Write a retailer's day unless it stands there; returns the one that stands."""
    row = RetailerDayRow(retailer_owner(day.retailer_id), _total_sk(day.on))
    row.content = packing.pack(_Day(day.lines, day.before, day.hash))
    closed_at = datetime.combine(day.on, time(), UTC)
    try:
        rows.put_new(row.keep_from(closed_at))
    except rows.ConditionFailed:
        (stands,) = list_days(day.retailer_id, day.on, day.on, now=closed_at)
        return stands
    return day


def find_day_before(retailer_id: RetailerId, on: date, *, now: datetime) -> RetailerDay | None:
    """The retailer's last day with lines before the day `on`, or None."""
    until = _total_sk(on - timedelta(days=1))
    found = rows.list_between(
        RetailerDayRow,
        retailer_owner(retailer_id),
        "total#",
        until,
        now=now,
        limit=1,
        last_first=True,
    )
    return _to_day(found[0], retailer_id) if found else None


def list_days(
    retailer_id: RetailerId, first: date, last: date, *, now: datetime
) -> tuple[RetailerDay, ...]:
    """The retailer's days with lines from `first` to `last`, in order, at most 400."""
    found = rows.list_between(
        RetailerDayRow,
        retailer_owner(retailer_id),
        _total_sk(first),
        _total_sk(last),
        now=now,
        limit=DAYS_READ_MAX,
    )
    return tuple(_to_day(row, retailer_id) for row in found)


def find_progress(*, now: datetime) -> Progress | None:
    """How far the closing of days has come; None before the first."""
    row = rows.find(ClosingRow, "closing", "days", now=now)
    if row is None:
        return None
    return Progress(date.fromisoformat(row.day), row.step, row.place or "", int(row.version))


def record_progress(progress: Progress) -> bool:
    """Write how far it came, over the version before; False where another run did so."""
    row = ClosingRow(
        "closing",
        "days",
        day=progress.day.isoformat(),
        step=progress.step,
        place=progress.place or None,
        version=progress.version,
    )
    before = ClosingRow.version == progress.version - 1
    try:
        rows.put(row, condition=before if progress.version > 1 else ClosingRow.pk.does_not_exist())
    except rows.ConditionFailed:
        return False
    return True


def _find_next(on: date, which: str, after: str, *, now: datetime) -> tuple[str, _Fold] | None:
    first = (after or which) + "\x00"
    found = rows.list_between(FoldRow, f"day#{on}", first, f"{which}~", now=now, limit=1)
    return (found[0].sk, _to_fold(found[0])) if found else None


def _put_fold(pk: str, sk: str, fold: _Fold, on: date) -> None:
    row = FoldRow(pk, sk, content=packing.pack(fold))
    rows.put(row.keep_from(datetime.combine(on, time(), UTC)))


def _to_fold(row: FoldRow) -> _Fold:
    return packing.unpack(row.content, _Fold)


def _to_day(row: RetailerDayRow, retailer_id: RetailerId) -> RetailerDay:
    held = packing.unpack(row.content, _Day)
    on = date.fromisoformat(row.sk.partition("#")[2])
    return RetailerDay(retailer_id, on, held.lines, held.before, held.hash)


def _total_sk(on: date) -> str:
    return f"total#{on}"
