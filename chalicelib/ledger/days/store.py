"""The daybook, in table `money`: every entry once more, by the day on which it was recorded.

    daybook#<UTC date>#<shard>    <owner> <key>          the entry; it never changes
    daybook#<UTC date>#late       <day> <owner> <key>    leads to an entry that was filed later

It follows the books and can be written again from them. What is folded every night is folded from
here, so that nobody has to know whose books were written.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.books.layout import from_bytes, to_bytes
from chalicelib.ledger.books.pages import Page
from chalicelib.ledger.books.store import COUNTED, ENTRIES, JOURNAL
from chalicelib.runtime import rows

SHARDS = 16  # Of a day: each takes 1,000 writes a second. Days that there are keep their number.


class DaybookRow(rows.Row):
    """An entry with its hash and the one before. `filed_on` is the day on which it was written."""

    Meta = rows.table_meta("money")
    privacy = {"content": ENTRIES, "filed_on": COUNTED}
    retention = JOURNAL

    content = BinaryAttribute(legacy_encoding=False)
    filed_on = UnicodeAttribute()


class LateRow(rows.Row):
    """Leads from the day on which an entry was filed to the day on which it was recorded."""

    Meta = rows.table_meta("money")
    privacy = {"place": COUNTED}
    retention = JOURNAL

    place = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class Filed:
    """An entry as it stands in the daybook."""

    posting: Posting
    before: bytes
    hash: bytes
    filed_on: date


def file_posting(posting: Posting, before: bytes, *, now: datetime) -> None:
    """Enter a posting in the daybook of the day it was recorded; again changes nothing.

    An entry that is filed on a later day than it was recorded is pointed at from that day first:
    the totals of a day, once made, do not change, and it belongs to those of the day of filing.
    """
    recorded_on = posting.recorded_at.date()
    filed_on = max(recorded_on, now.date())
    pk, sk = daybook_key(posting)
    content = to_bytes(_alone(posting, before))
    row = DaybookRow(pk, sk, content=content, filed_on=filed_on.isoformat()).keep_from(now)
    if filed_on > recorded_on:
        late = LateRow(f"daybook#{filed_on}#late", f"{recorded_on} {sk}", place=pk)
        rows.put(late.keep_from(now))
    try:
        rows.put_new(row)
    except rows.ConditionFailed:
        return


def list_of(postings: Sequence[Posting], *, now: datetime) -> list[Filed]:
    """Those of `postings` that are in the daybook, as they stand there, in no order."""
    return [_to_filed(row) for row in _find_rows(postings, is_consistent=True, now=now)]


def list_of_owner(owner: str, on: date, *, now: datetime) -> list[Filed]:
    """What the daybook has of one owner's book, of the day on which it was recorded."""
    found: list[DaybookRow] = []
    pk, after = _shard_pk(on, shard_of(owner)), ""
    while True:
        first = f"{owner} {after}\x00" if after else f"{owner} "
        page = rows.list_between(DaybookRow, pk, first, f"{owner} ~", now=now)
        found += page
        if len(page) < rows.ROWS_READ_MAX:
            return [_to_filed(row) for row in found]
        after = page[-1].sk.partition(" ")[2]


def list_keys_filed(postings: Iterable[Posting], *, now: datetime) -> frozenset[tuple[str, str]]:
    """Where those of `postings` stand that are in the daybook; a call for a hundred of them.

    A page holds a dozen entries. What a person enters by hand may be so much alike, and packed so
    small, that it holds more than a call gives.
    """
    found = _find_rows(tuple(postings), is_consistent=False, now=now)
    return frozenset((row.pk, row.sk) for row in found)


def _find_rows(
    postings: Sequence[Posting], *, is_consistent: bool, now: datetime
) -> Iterator[DaybookRow]:
    for first in range(0, len(postings), rows.BATCH_ROWS_MAX):
        keys = [daybook_key(posting) for posting in postings[first : first + rows.BATCH_ROWS_MAX]]
        yield from rows.find_many(DaybookRow, keys, now=now, consistent=is_consistent)


def is_filed(posting: Posting, *, now: datetime) -> bool:
    """Whether a posting stands in the daybook. Half a read unit."""
    return rows.find(DaybookRow, *daybook_key(posting), now=now, consistent=False) is not None


def list_filed(
    on: date, shard: int, *, after: str, now: datetime, limit: int = rows.ROWS_READ_MAX
) -> tuple[list[Filed], str | None]:
    """A stretch of one shard of a day, and where to go on (None: that was all).

    Those that were filed on a later day are left out: that day's late ones have them.
    """
    found = rows.list_between(
        DaybookRow, _shard_pk(on, shard), after + "\x00", "~", now=now, limit=limit
    )
    filed = [one for row in found if (one := _to_filed(row)).filed_on == on]
    return filed, found[-1].sk if len(found) == limit else None


def list_filed_late(
    on: date, *, after: str, now: datetime, limit: int = rows.BATCH_ROWS_MAX
) -> tuple[list[Filed], str | None]:
    """As `list_filed`, of what was recorded before the day `on` and filed on it."""
    found = rows.list_between(
        LateRow, f"daybook#{on}#late", after + "\x00", "~", now=now, limit=limit
    )
    keys = [(row.place, row.sk.partition(" ")[2]) for row in found]
    read = rows.find_many(DaybookRow, keys, now=now) if keys else []
    filed = sorted((_to_filed(row) for row in read), key=lambda one: one.posting.entry.key)
    goes_on = found[-1].sk if len(found) == limit else None
    return [one for one in filed if one.filed_on == on], goes_on


def daybook_key(posting: Posting) -> tuple[str, str]:
    """Where a posting stands in the daybook."""
    owner = posting.entry.owner
    pk = _shard_pk(posting.recorded_at.date(), shard_of(owner))
    return pk, f"{owner} {posting.entry.key}"


def shard_of(owner: str) -> int:
    """The shard of each day that an owner's entries stand in."""
    return zlib.crc32(owner.encode()) % SHARDS


def _shard_pk(on: date, shard: int) -> str:
    return f"daybook#{on}#{shard:02}"


def _alone(posting: Posting, before: bytes) -> Page:
    return Page(posting.entry.owner, 0, before=before, postings=(posting,), first_seq=posting.seq)


def _to_filed(row: DaybookRow) -> Filed:
    read = from_bytes(row.content, row.sk.partition(" ")[0])
    filed_on = date.fromisoformat(row.filed_on)
    return Filed(read.page.postings[0], read.page.before, read.said_hash, filed_on)
