"""Mending what an older release did not write: the rows by which those who consented are found."""

from collections.abc import Callable
from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.members.subscribing import service as subscribing
from chalicelib.runtime import sweeping

ROWS_AT_ONCE = 500
_TABLE = "wallets"


def rows_about() -> int:
    """How many rows the table has, about."""
    return sweeping.rows_about(_TABLE)


def mend_topics(done: Callable[[int], object], *, now: datetime) -> tuple[int, int]:
    """How many members there are, and of how many the topics were written; `done` hears of rows
    that were read. Again is the same, also where a run broke off.
    """
    found, mended = 0, 0
    after: tuple[str, str] | None = None
    while True:
        page = sweeping.list_partitions(_TABLE, "head", after=after, rows_max=ROWS_AT_ONCE)
        for member_id in page.found:
            found += 1
            mended += subscribing.mend(MemberId(member_id), now=now)
        done(page.read)
        if page.stopped_at is None:
            return found, mended
        after = page.stopped_at
