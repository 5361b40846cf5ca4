"""Verifying every book that there is, found by sweeping the table."""

from collections.abc import Callable
from datetime import datetime

from chalicelib.ledger import checking
from chalicelib.ledger.verifying import Fault
from chalicelib.runtime import sweeping

ROWS_AT_ONCE = 500
_TABLE = "money"


def rows_about() -> int:
    """How many rows the table has, about."""
    return sweeping.rows_about(_TABLE)


def verify_one(owner: str, *, now: datetime) -> tuple[Fault, ...]:
    """What is broken in one book."""
    return checking.check_book(owner, now=now)


def verify_all(done: Callable[[int], object], *, now: datetime) -> tuple[int, list[Fault]]:
    """How many books there are, and what is broken in them; `done` hears of rows that were read."""
    books = 0
    faults: list[Fault] = []
    after: tuple[str, str] | None = None
    while True:
        page = sweeping.list_partitions(_TABLE, "account", after=after, rows_max=ROWS_AT_ONCE)
        for owner in page.found:
            books += 1
            faults += checking.check_book(owner, now=now)
        done(page.read)
        if page.stopped_at is None:
            return books, faults
        after = page.stopped_at
