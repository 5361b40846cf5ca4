"""Sealing anew what a master key sealed, so that the key can be retired.

Receipt pages, waiting payments and quarantine live less than a retired key has to wait, so they are
left to expire. Each row is one conditional write of one attribute: a row that somebody writes
meanwhile is sealed under the newer key by that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import NotFound
from chalicelib.members import service as members
from chalicelib.runtime import ring, sweeping, vault
from chalicelib.runtime.sweeping import SealedRow
from infra import master_keys
from infra.resources import TABLES

RESEALED = ("wallets", "people", "network")
ROWS_PER_PAGE = 1_000
Report = Callable[[int], None]  # Called with how many rows were read since it was called last.


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows that the master key sealed; `unreadable` ones open to nobody: their salt is gone."""

    rows: int
    unreadable: int


def rows_about(tables: tuple[str, ...]) -> int:
    """How many rows `tables` have, about: DynamoDB counts every six hours."""
    return sum(sweeping.rows_about(table) for table in tables)


def reseal(number: int, *, now: datetime, report: Report = lambda _: None) -> Counted:
    """Seal anew what the master key of `number` sealed in rows that are kept for long.

    :raises NotFound: there is no such key, and nothing to read the tables for.
    :raises ring.StillSealing: it seals now, so that there would be no end.
    """
    if all(one.number != number for one in master_keys.list_keys()):
        raise NotFound("the ring has no master key of that number")
    if ring.sealing_key().number == number:
        raise ring.StillSealing("this master key seals now")
    done = unreadable = 0
    for row in _rows(RESEALED, number, report):
        anew = _sealed_anew(row, now=now)
        if anew is None:
            unreadable += 1
        else:
            done += sweeping.replace_sealed(row, anew)
    return Counted(done, unreadable)


def count(number: int, *, now: datetime, report: Report = lambda _: None) -> Counted:
    """How many rows of all tables the master key of `number` sealed."""
    found = unreadable = 0
    for row in _rows(TABLES, number, report):
        is_lost = row.table in RESEALED and _sealed_anew(row, now=now) is None
        unreadable += is_lost
        found += not is_lost
    return Counted(found, unreadable)


def _rows(tables: tuple[str, ...], number: int, report: Report) -> Iterator[SealedRow]:
    for table in tables:
        after: tuple[str, str] | None = None
        while True:
            page = sweeping.list_sealed(table, number, after=after, rows_max=ROWS_PER_PAGE)
            yield from page.found
            report(page.read)
            after = page.stopped_at
            if after is None:
                break


def _sealed_anew(row: SealedRow, *, now: datetime) -> bytes | None:
    key = _key_of(row, now=now)
    if key is None:
        return None
    try:
        return vault.reseal(row.sealed, key=key, place=f"{row.pk}|{row.sk}")
    except vault.Unreadable:
        return None


def _key_of(row: SealedRow, *, now: datetime) -> vault.SealingKey | None:
    """Whose key the row is sealed with, as its store has it; None where the member is forgotten."""
    if row.table == "network":
        return vault.platform_key("network")
    if row.table == "wallets" or row.sk.startswith("token#"):
        return members.member_key_of(MemberId(row.pk), now=now)
    if row.pk.startswith("payment#") and row.member_id is not None:
        return members.member_key_of(MemberId(row.member_id), now=now)
    return vault.platform_key("people")
