"""Reading a whole book, and a retailer's days, to verify them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

from chalicelib.kernel.ids import RetailerId
from chalicelib.ledger.accounts import retailer_owner
from chalicelib.ledger.books import store as books
from chalicelib.ledger.books.layout import ReadPage
from chalicelib.ledger.closing import service as closing
from chalicelib.ledger.closing import store as days_store
from chalicelib.ledger.days import store as daybook
from chalicelib.ledger.days import totals
from chalicelib.ledger.days.folding import Line, add_up
from chalicelib.ledger.days.totals import RetailerDay
from chalicelib.ledger.verifying import (
    Broken,
    Fault,
    verify_beginning,
    verify_book,
    verify_filed,
    verify_filing,
)

_DAY = timedelta(days=1)


def read_book(owner: str, *, now: datetime) -> tuple[ReadPage, ...]:
    """Every page of `owner`'s book that is kept, oldest first."""
    opened = books.read_open_page(owner, now=now)
    if opened is None:
        return ()
    read, number = [opened], opened.page.number
    while found := books.list_closed_pages(owner, before_number=number, now=now):
        read = [*found, *read]
        number = found[0].page.number
    return tuple(read)


def check_pages(read: tuple[ReadPage, ...], *, now: datetime) -> tuple[Fault, ...]:
    """What is broken on the pages of a book, and of them in the daybook.

    :raises TryAgain: DynamoDB did not answer.
    """
    pages = (*verify_book(read), *verify_beginning(read, now=now))
    return (*pages, *(fault for one in read for fault in _check_filing(one, now=now)))


def check_daybook(owner: str, *, since: date, now: datetime) -> tuple[Fault, ...]:
    """What the daybook has of `owner` since the day `since`, and the book has not. A query a day.

    :raises TryAgain: DynamoDB did not answer.
    """
    filed = []
    for number in range((now.date() - since).days + 1):
        filed += daybook.list_of_owner(owner, since + number * _DAY, now=now)
    # Read after the daybook, which follows the book: whatever comes meanwhile is on a page.
    return verify_filed(owner, read_book(owner, now=now), filed, now=now)


def check_chain(retailer_id: RetailerId, *, is_whole: bool, now: datetime) -> tuple[Fault, ...]:
    """Which days of a retailer are not what their hashes say. `is_whole`: none is past its
    retention, so that the first begins the chain.
    """
    days = tuple(_list_days(retailer_id, now=now))
    broken = totals.breaks(days, before=totals.FIRST if is_whole else None)
    return tuple(_day_fault(retailer_id, on, Broken.DAY_CHAIN) for on in broken)


def check_totals(on: date, retailers: frozenset[RetailerId], *, now: datetime) -> tuple[Fault, ...]:
    """Of which retailers the day `on`, which is closed, is not what its entries come to."""
    lines = add_up(closing.lines_of_day(on, now=now))
    of_retailer: dict[RetailerId, tuple[Line, ...]] = {
        retailer_id: tuple(some)
        for retailer_id, some in groupby(lines, key=lambda line: line.retailer_id)
    }
    found = []
    for retailer_id in sorted(retailers | of_retailer.keys()):
        stands = days_store.list_days(retailer_id, on, on, now=now)
        if (stands[0].lines if stands else ()) != of_retailer.get(retailer_id, ()):
            found.append(_day_fault(retailer_id, on, Broken.DAY_TOTAL))
    return tuple(found)


def _list_days(retailer_id: RetailerId, *, now: datetime) -> Iterator[RetailerDay]:
    first, last = (now - books.KEPT).date(), now.date()
    while found := days_store.list_days(retailer_id, first, last, now=now):
        yield from found
        first = found[-1].on + _DAY


def _day_fault(retailer_id: RetailerId, on: date, what: Broken) -> Fault:
    return Fault(retailer_owner(retailer_id), 0, what, on.isoformat())


def _check_filing(read: ReadPage, *, now: datetime) -> Iterator[Fault]:
    yield from verify_filing(read, daybook.list_of(read.page.postings, now=now), now=now)
