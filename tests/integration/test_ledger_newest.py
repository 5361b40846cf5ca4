"""A book is read from its end, a page at a time, while others write in it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import natural_id
from chalicelib.ledger import giving, service
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.books import pages, store
from chalicelib.ledger.books.newest import Place, list_newest
from chalicelib.ledger.giving import Gift
from tests.makers.ledger import BOUGHT_AT, MEMBER, book_of, make_gift

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

OWNER = member_owner(MEMBER)


def gift(number: int) -> Gift:
    """The `number`-th gift; its names are as long as real ones."""
    purchase, campaign = natural_id("p", str(number)), natural_id("c", str(number))
    key = f"offer:{campaign}:{purchase}"
    return make_gift(number, key=key, cause=purchase, campaign_id=campaign)


def give(first: int, last: int) -> None:
    """Gifts numbered `first` to `last`, a minute apart, as everybody gives them."""
    for number in range(first, last + 1):
        giving.give(gift(number), now=BOUGHT_AT + timedelta(minutes=number))


def write_book(entries: int, *, page: int = 8) -> None:
    """A book of so many gifts, its pages closed at `page` entries: quicker than giving each."""
    giving.give(gift(1), now=BOUGHT_AT)
    opened = store.find_open_page(OWNER, now=BOUGHT_AT)
    (posting,) = opened.page.postings
    written = opened.page
    for number in range(2, entries + 1):
        if len(written.postings) == page:
            closed = store.close_page(written, now=BOUGHT_AT)
            written = pages.after_closed(written, closed)
        entry = replace(posting.entry, key=gift(number).key)
        written = pages.append(written, (entry,), now=BOUGHT_AT)
    assert store.record_page(opened, written, now=BOUGHT_AT)


def leaf_through(limit: int, before: Place | None = None) -> list[int]:
    """The numbers of the entries, as a reader meets them from `before` on."""
    met = []
    while True:
        stretch = list_newest(OWNER, before=before, limit=limit, now=BOUGHT_AT)
        assert len(stretch.postings) <= limit
        met += [posting.seq for posting in stretch.postings]
        before = stretch.before
        if before is None:
            return met


def test_reads_every_entry_once_newest_first_whatever_the_page() -> None:
    write_book(70)
    newest_first = [posting.seq for posting in reversed(book_of())]

    assert store.find_open_page(OWNER, now=BOUGHT_AT).page.number > 5
    assert newest_first == list(range(70, 0, -1))
    assert {tuple(leaf_through(limit)) for limit in (4, 50, 100)} == {tuple(newest_first)}


def test_what_is_written_meanwhile_moves_nothing_of_what_a_reader_sees_next() -> None:
    give(1, 14)
    first = list_newest(OWNER, before=None, limit=6, now=BOUGHT_AT)
    assert first.before is not None

    give(15, 32)

    assert [posting.seq for posting in first.postings] == list(range(14, 8, -1))
    assert leaf_through(5, first.before) == list(range(8, 0, -1))


def test_a_place_whose_page_is_wrong_is_found_all_the_same() -> None:
    write_book(60)

    assert leaf_through(10, Place(45, 1)) == list(range(44, 0, -1))
    assert leaf_through(10, Place(45, 999_999)) == list(range(44, 0, -1))


def test_a_book_that_is_empty_or_read_to_its_start_has_no_more() -> None:
    assert list_newest(OWNER, before=None, limit=5, now=BOUGHT_AT).postings == ()
    give(1, 5)

    whole = service.list_newest(OWNER, before=None, limit=5, now=BOUGHT_AT)
    past_the_start = list_newest(OWNER, before=Place(1, 1), limit=5, now=BOUGHT_AT)

    assert (len(whole.postings), whole.before) == (5, None)
    assert (past_the_start.postings, past_the_start.before) == ((), None)
