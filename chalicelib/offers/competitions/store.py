"""Competitions, who entered them, and the pool of numbers that a draw is made from.

    network  competitions  <competition id>    the competition, and its draw once it was made
    wallets  <member id>   competition#<id>    that the member entered, and under which number
    wallets  pool#<id>     shard#<shard>       how many entries of the pool stand in one shard
    wallets  pool#<id>#<shard>  <entry id>     an entry, and nothing of whose it is

An entry is the last three, written together. The row that counts a shard is also its gate: a draw
closes it, and from then on nothing is added and nothing withdrawn, so that what is drawn from is
what was counted.
"""

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.offers.competitions.model import Competition, Entry
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

KEPT_MAX = 1_000  # All are listed at once.
SHARDS = 16  # So many entries may be counted at the same moment.
_PK = "competitions"
_KEPT_FOR = timedelta(days=400)

COMPETITIONS = Retention(
    name="competitions",
    reason="A competition and its draw are kept for thirteen months, so that it can be checked.",
    lasts=_KEPT_FOR,
    since="the competition's end",
)
ENTRIES = Retention(
    name="competition_entries",
    reason="That you entered a competition is kept for thirteen months; when you leave, not at all "
    "before it is drawn, and thirty days after that.",
    lasts=_KEPT_FOR,
    since="the competition's end",
)
_CONFIGURATION = Kept(Category.CONFIGURATION, Purpose.OFFERS, Erasure.KEEP)
_COUNT = Kept(Category.OPERATION, Purpose.OFFERS, Erasure.KEEP)


class CompetitionRow(rows.Row):
    """A competition, as JSON."""

    Meta = rows.table_meta("network")
    privacy = {
        "document": Kept(
            Category.CONFIGURATION,
            Purpose.OFFERS,
            Erasure.KEEP,
            holds={"draw.winners": Category.PSEUDONYM, "draw.drawn_by": Category.STAFF},
        ),
        "version": _CONFIGURATION,
    }
    retention = COMPETITIONS

    document = UnicodeAttribute()
    version = NumberAttribute()


class EntryRow(rows.Row):
    """That a member entered. Withdrawn, it has no number any more and has expired."""

    Meta = rows.table_meta("wallets")
    privacy = {
        "entry_id": Kept(Category.PSEUDONYM, Purpose.OFFERS, Erasure.DELETE),
        "terms_version": Kept(Category.CONSENT, Purpose.OFFERS, Erasure.DELETE),
        "at": Kept(Category.CONSENT, Purpose.OFFERS, Erasure.DELETE),
    }
    retention = ENTRIES

    entry_id = UnicodeAttribute(null=True)
    terms_version = UnicodeAttribute()
    at = UnicodeAttribute()


class PooledRow(rows.Row):
    """An entry that may be drawn."""

    Meta = rows.table_meta("wallets")
    privacy = {}
    retention = COMPETITIONS


class ShardRow(rows.Row):
    """How many entries stand in a shard of a pool. `is_closed` is there once it is drawn from."""

    Meta = rows.table_meta("wallets")
    privacy = {"entries": _COUNT, "is_closed": _COUNT}
    retention = COMPETITIONS

    entries = NumberAttribute(default=0)
    is_closed = NumberAttribute(null=True)


def find_competition(competition_id: str, *, now: datetime) -> Competition | None:
    """The competition of this id, or None."""
    row = rows.find(CompetitionRow, _PK, competition_id, now=now)
    return None if row is None else _to_competition(row)


def list_competitions(retailer_id: RetailerId | None, *, now: datetime) -> tuple[Competition, ...]:
    """The competitions of the retailer, or with None of all, in order of id."""
    prefix = "" if retailer_id is None else f"{retailer_id}."
    found = rows.list_prefixed(
        CompetitionRow, _PK, prefix, now=now, limit=KEPT_MAX, consistent=False
    )
    read = (_to_competition(row) for row in found)
    return tuple(one for one in read if retailer_id in (None, one.retailer_id))


def record_competition(competition: Competition, *, after_version: int) -> bool:
    """Write `competition` over `after_version` (0: where there is none); False where it changed."""
    document = msgspec.json.encode(competition).decode()
    row = CompetitionRow(
        _PK, competition.competition_id, document=document, version=competition.version
    ).keep_from(competition.ends_at)
    missing = CompetitionRow.pk.does_not_exist()
    try:
        rows.put(
            row, condition=CompetitionRow.version == after_version if after_version else missing
        )
    except rows.ConditionFailed:
        return False
    return True


def remove_competition(competition: Competition) -> bool:
    """Remove `competition`; False where it changed meanwhile."""
    row = CompetitionRow(_PK, competition.competition_id)
    try:
        rows.delete(row, condition=CompetitionRow.version == competition.version)
    except rows.ConditionFailed:
        return False
    return True


def record_entry(member_id: MemberId, entry: Entry, competition: Competition) -> bool:
    """Write `entry`; False where the member has one already, or the pool is closed.

    :raises TryAgain: others were counted in the same shard at this moment.
    """
    row = EntryRow(
        member_id,
        _sk(entry.competition_id),
        entry_id=entry.entry_id,
        terms_version=entry.terms_version,
        at=entry.entered_at.isoformat(),
    ).keep_from(competition.ends_at)
    shard = _shard_row(entry.competition_id, _shard_of(entry.entry_id))
    counted = [ShardRow.entries.add(1), ShardRow.expires_at.set(_until(competition))]
    pooled = _pooled(entry).keep_from(competition.ends_at)
    written = [(row, EntryRow.pk.does_not_exist()), (pooled, PooledRow.pk.does_not_exist())]
    try:
        rows.put_together(written, updated=[(shard, counted, ShardRow.is_closed.does_not_exist())])
    except rows.ConditionFailed:
        return False
    return True


def withdraw_entry(member_id: MemberId, entry: Entry, *, now: datetime) -> bool:
    """Take `entry` out of its pool; False where it was drawn from, or the entry is withdrawn.

    :raises TryAgain: others were counted in the same shard at this moment.
    """
    row, over = EntryRow(member_id, _sk(entry.competition_id)), rows.epoch(now)
    gone = [EntryRow.entry_id.remove(), EntryRow.expires_at.set(over)]
    shard = _shard_row(entry.competition_id, _shard_of(entry.entry_id))
    try:
        rows.put_together(
            (),
            updated=[
                (row, gone, EntryRow.entry_id == entry.entry_id),
                (_pooled(entry), [PooledRow.expires_at.set(over)], PooledRow.pk.exists()),
                (shard, [ShardRow.entries.add(-1)], ShardRow.is_closed.does_not_exist()),
            ],
        )
    except rows.ConditionFailed:
        return False
    return True


def end_entry(member_id: MemberId, entry: Entry, *, left_at: datetime, now: datetime) -> None:
    """Put the entry of a member who left on its last clock."""
    row = rows.find(EntryRow, member_id, _sk(entry.competition_id), now=now)
    until = rows.epoch(left_at + KEPT_AFTER_LEAVING)
    if row is not None and (row.expires_at is None or row.expires_at > until):
        rows.update(row, [EntryRow.expires_at.set(until)])


def find_entry(member_id: MemberId, competition_id: str, *, now: datetime) -> Entry | None:
    """The member's entry in the competition, or None."""
    row = rows.find(EntryRow, member_id, _sk(competition_id), now=now)
    return None if row is None or row.entry_id is None else _to_entry(row)


def list_entries(member_id: MemberId, *, now: datetime) -> tuple[Entry, ...]:
    """The member's entries, in order of the competitions' ids."""
    found = rows.list_prefixed(EntryRow, member_id, _sk(""), now=now)
    return tuple(_to_entry(row) for row in found if row.entry_id is not None)


def count_entries(competition_id: str, *, now: datetime) -> int:
    """How many entries are in the pool."""
    found = rows.list_prefixed(ShardRow, f"pool#{competition_id}", "shard#", now=now)
    return sum(int(row.entries) for row in found)


def close_pool(competition: Competition) -> int:
    """Let nothing be added or withdrawn any more; how many entries there are. Again is the same."""
    counted = 0
    for shard in range(SHARDS):
        row = _shard_row(competition.competition_id, shard)
        until = ShardRow.expires_at.set(_until(competition))
        rows.update(row, [ShardRow.is_closed.set(1), until])
        counted += int(row.entries or 0)
    return counted


def list_pool(competition_id: str, *, now: datetime) -> Iterator[str]:
    """The numbers in the pool, a thousand at a time."""
    for shard in range(SHARDS):
        after = "\x00"
        pk = _pool_pk(competition_id, shard)
        while found := rows.list_between(PooledRow, pk, after, "~", now=now):
            yield from (row.sk for row in found)
            after = found[-1].sk + "\x00"


def _to_competition(row: CompetitionRow) -> Competition:
    """The row's competition; fields of a later release are passed over, missing ones defaults."""
    return msgspec.json.decode(row.document, type=Competition)


def _to_entry(row: EntryRow) -> Entry:
    return Entry(
        competition_id=row.sk.removeprefix(_sk("")),
        entry_id=row.entry_id,
        terms_version=row.terms_version,
        entered_at=datetime.fromisoformat(row.at),
    )


def _until(competition: Competition) -> int:
    return rows.epoch(competition.ends_at + _KEPT_FOR)


def _sk(competition_id: str) -> str:
    return f"competition#{competition_id}"


def _shard_of(entry_id: str) -> int:
    return zlib.crc32(entry_id.encode()) % SHARDS


def _shard_row(competition_id: str, shard: int) -> ShardRow:
    return ShardRow(f"pool#{competition_id}", f"shard#{shard:02}")


def _pool_pk(competition_id: str, shard: int) -> str:
    return f"pool#{competition_id}#{shard:02}"


def _pooled(entry: Entry) -> PooledRow:
    return PooledRow(_pool_pk(entry.competition_id, _shard_of(entry.entry_id)), entry.entry_id)
