"""Verifying every book that there is, and every retailer's days, found by sweeping the table.

Each entry stands in a book and in the daybook. That the daybook has what the book has is asked book
by book; that the book has what the daybook has, by counting: where the two counts of an owner
differ, the owner's days are read. So a book that is gone is found too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from chalicelib.kernel.ids import RetailerId
from chalicelib.ledger import checking
from chalicelib.ledger.books.store import KEPT
from chalicelib.ledger.closing import store as closing
from chalicelib.ledger.verifying import Broken, Fault
from chalicelib.runtime import sweeping

ROWS_AT_ONCE = 500
_TABLE = "money"
_RETAILER = "retailer#"


@dataclass
class _Seen:
    """What was found of one owner: entries on pages and in the daybook, and its first day there."""

    has_book: bool = False
    has_closed_pages: bool = False
    entries: int = 0
    filed: int = 0
    first_on: date = date.max


@dataclass
class _Swept:
    """What was found in the table. `days` are those of the daybook, by when entries were filed."""

    owners: dict[str, _Seen] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)
    retailer_days: dict[RetailerId, set[date]] = field(default_factory=dict)

    def add(self, pk: str, sk: str) -> None:
        """Take one key in."""
        if sk == "account":
            self._of(pk).has_book = True
        elif sk.startswith("account#"):
            self._of(pk).has_closed_pages = True
        elif pk.startswith("daybook#"):
            _, day, part = pk.split("#")
            on = date.fromisoformat(day)
            self.days.add(on)
            if part != "late":
                seen = self._of(sk.partition(" ")[0])
                seen.filed, seen.first_on = seen.filed + 1, min(seen.first_on, on)
        elif pk.startswith(_RETAILER) and sk.startswith("total#"):
            on = date.fromisoformat(sk.partition("#")[2])
            self.retailer_days.setdefault(RetailerId(pk.removeprefix(_RETAILER)), set()).add(on)

    def _of(self, owner: str) -> _Seen:
        return self.owners.setdefault(owner, _Seen())


def rows_about() -> int:
    """How many rows the table has, about."""
    return sweeping.rows_about(_TABLE)


def has_book(owner: str, *, now: datetime) -> bool:
    """Whether anything was ever entered in the book of `owner`."""
    return bool(checking.read_book(owner, now=now))


def verify_one(owner: str, *, now: datetime) -> tuple[Fault, ...]:
    """What is broken in one book, and in a retailer's days.

    The daybook is read from the book's first entry on, or where there is no book as far back as it
    is kept.
    """
    read = checking.read_book(owner, now=now)
    postings = [posting for one in read for posting in one.page.postings]
    since = postings[0].recorded_at.date() if postings else (now - KEPT).date()
    found = [*checking.check_pages(read, now=now)]
    found += checking.check_daybook(owner, since=since, now=now)
    if owner.startswith(_RETAILER):
        retailer_id = RetailerId(owner.removeprefix(_RETAILER))
        found += checking.check_chain(retailer_id, is_whole=False, now=now)
    return tuple(found)


def verify_all(done: Callable[[int], object], *, now: datetime) -> tuple[int, list[Fault]]:
    """How many books there are, and what is broken in them and in the days of retailers; `done`
    hears of rows that were read. A book and an entry in the daybook are each read about once.
    """
    swept = _Swept()
    faults: list[Fault] = []
    after: tuple[str, str] | None = None
    while True:
        page = sweeping.list_keys(_TABLE, after=after, rows_max=ROWS_AT_ONCE)
        for pk, sk in page.found:
            swept.add(pk, sk)
            if sk == "account":
                read = checking.read_book(pk, now=now)
                faults += checking.check_pages(read, now=now)
                swept.owners[pk].entries = sum(len(one.page.postings) for one in read)
        done(len(page.found))
        if page.stopped_at is None:
            break
        after = page.stopped_at
    for owner, seen in swept.owners.items():
        faults += _verify_counts(owner, seen, now=now)
    faults += _verify_days(swept, now=now)
    return sum(seen.has_book for seen in swept.owners.values()), faults


def _verify_counts(owner: str, seen: _Seen, *, now: datetime) -> tuple[Fault, ...]:
    if seen.filed != seen.entries and seen.filed:
        found = checking.check_daybook(owner, since=seen.first_on, now=now)
        if found:
            return found
    if seen.has_closed_pages and not seen.has_book:
        return (Fault(owner, 0, Broken.BOOK_GONE),)
    return ()


def _verify_days(swept: _Swept, *, now: datetime) -> list[Fault]:
    """The chains of days, and each closed day against its entries, from the first on that anybody
    has: before it, no days were closed.
    """
    oldest = min(swept.days, default=now.date())
    is_whole = oldest > (now - KEPT).date()
    faults: list[Fault] = []
    for retailer_id in sorted(swept.retailer_days):
        faults += checking.check_chain(retailer_id, is_whole=is_whole, now=now)
    progress = closing.find_progress(now=now)
    every = {on for days in swept.retailer_days.values() for on in days}
    if progress is None or not every:
        return faults
    first = max(min(every), (now - KEPT).date() + timedelta(days=1))
    for on in sorted(swept.days | every):
        if first <= on < progress.day:
            having = frozenset(one for one, days in swept.retailer_days.items() if on in days)
            faults += checking.check_totals(on, having, now=now)
    return faults
