"""Reading a whole book to verify it."""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.ledger.books import store as books
from chalicelib.ledger.books.layout import ReadPage
from chalicelib.ledger.days import store as daybook
from chalicelib.ledger.verifying import Fault, verify_book, verify_filing


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


def check_book(owner: str, *, now: datetime) -> tuple[Fault, ...]:
    """What is broken in `owner`'s book, the daybook of its entries included.

    :raises TryAgain: DynamoDB did not answer.
    """
    read = read_book(owner, now=now)
    return (*verify_book(read), *(fault for one in read for fault in _check_filing(one, now=now)))


def _check_filing(read: ReadPage, *, now: datetime) -> Iterator[Fault]:
    yield from verify_filing(read, daybook.list_of(read.page.postings, now=now))
