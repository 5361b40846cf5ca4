"""The daybook has every entry once, on the day that it is folded, whoever died before filing it."""

from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier, Thread

import pytest

from chalicelib.kernel.money import Money
from chalicelib.ledger import service
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.books import store as books
from chalicelib.ledger.books.pages import append
from chalicelib.ledger.books.store import OpenPage
from chalicelib.ledger.days import store as daybook
from chalicelib.ledger.days.folding import Fold, Line
from chalicelib.ledger.giving import bring_to, give
from tests.makers.dying import Died, dying
from tests.makers.ledger import (
    BOUGHT_AT,
    CAMPAIGN,
    MEMBER,
    RETAILER,
    adjusted_by_a_penny,
    book_of,
    lose_daybook_row,
    make_gift,
    pages_closed,
    post_all,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

GIFT = make_gift()
TODAY, NEXT_DAY = BOUGHT_AT.date(), BOUGHT_AT + timedelta(days=1)
TO_THE_BOOK, TO_THE_DAYBOOK = 1, 2  # The writes of giving, by number.


def filed_on(on: date) -> list[str]:
    """The keys of the entries of MEMBER that are folded with the day `on`."""
    shard = daybook.shard_of(member_owner(MEMBER))
    prompt, _ = daybook.list_filed(on, shard, after="", now=NEXT_DAY)
    late, _ = daybook.list_filed_late(on, after="", now=NEXT_DAY)
    return [one.posting.entry.key for one in (*prompt, *late)]


def test_an_entry_is_filed_on_the_day_it_is_recorded() -> None:
    give(GIFT, now=BOUGHT_AT)

    assert filed_on(TODAY) == [GIFT.key]


def test_an_entry_whose_writer_died_is_filed_when_it_is_asked_for_again() -> None:
    with pytest.raises(Died), dying(TO_THE_DAYBOOK, is_heard=False):
        give(GIFT, now=BOUGHT_AT)
    assert filed_on(TODAY) == []

    give(GIFT, now=BOUGHT_AT + timedelta(minutes=2))

    assert filed_on(TODAY) == [GIFT.key]


def test_what_was_taken_back_is_filed_though_its_writer_died() -> None:
    give(GIFT, now=BOUGHT_AT)
    with pytest.raises(Died), dying(TO_THE_DAYBOOK, is_heard=False):
        bring_to(GIFT, 120, reason="returned", now=BOUGHT_AT)
    assert filed_on(TODAY) == [GIFT.key]

    posted = bring_to(GIFT, 120, reason="returned", now=BOUGHT_AT)

    assert filed_on(TODAY) == [GIFT.key, posted.entry.key]
    assert (posted.is_new, posted.balances.pending) == (False, 380)


def test_an_entry_that_is_filed_a_day_late_belongs_to_the_day_of_filing_alone() -> None:
    with pytest.raises(Died), dying(TO_THE_DAYBOOK, is_heard=False):
        give(GIFT, now=BOUGHT_AT)

    give(GIFT, now=NEXT_DAY)

    assert (filed_on(TODAY), filed_on(NEXT_DAY.date())) == ([], [GIFT.key])


def test_a_day_owes_what_was_given_less_what_was_taken_back() -> None:
    give(make_gift(2, 300), now=BOUGHT_AT)
    bring_to(GIFT, 120, reason="returned", now=BOUGHT_AT)

    fold = Fold(TODAY)
    for posting in book_of():
        fold.add(posting.entry)

    (line,) = fold.lines.values()
    assert line == Line(RETAILER, CAMPAIGN, "GBP", 2, 800, taken_back=1, taken_back_minor=120)
    assert line.owed_minor == 680


def test_a_book_that_changed_underneath_is_not_written_over() -> None:
    give(GIFT, now=BOUGHT_AT)
    owner = member_owner(MEMBER)
    seen = books.find_open_page(owner, now=BOUGHT_AT)
    give(make_gift(2), now=BOUGHT_AT)
    entry = replace(seen.page.postings[0].entry, key="offer:late")

    is_written = books.record_page(
        OpenPage(seen.page, seen.version), append(seen.page, [entry], now=BOUGHT_AT), now=BOUGHT_AT
    )

    assert not is_written
    assert [posting.entry.key for posting in book_of()] == [GIFT.key, make_gift(2).key]


def test_eight_threads_give_eight_gifts_each_once_and_in_one_chain() -> None:
    barrier = Barrier(8)

    def work(number: int) -> None:
        barrier.wait()
        for _ in range(2):
            give(make_gift(number, 100 + number), now=BOUGHT_AT)

    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (balances,) = service.balances_of(MEMBER, now=BOUGHT_AT)
    assert Money(balances.pending, "GBP") == Money(sum(range(100, 108)), "GBP")
    assert [posting.seq for posting in book_of()] == list(range(1, 9))
    assert sorted(filed_on(TODAY)) == sorted(make_gift(number).key for number in range(8))


def test_a_page_of_more_entries_than_one_call_reads_is_closed_like_any_other() -> None:
    alike = tuple(adjusted_by_a_penny(MEMBER, f"{n}", now=BOUGHT_AT) for n in range(150))
    post_all(MEMBER, alike, now=BOUGHT_AT)
    lose_daybook_row(book_of()[-1])
    lost = len(filed_on(TODAY))

    gifts = 0
    while not pages_closed(now=BOUGHT_AT) and gifts < 100:
        gifts += 1
        give(make_gift(gifts), now=BOUGHT_AT)

    assert pages_closed(now=BOUGHT_AT) == 1
    assert (lost, len(filed_on(TODAY))) == (149, 150 + gifts)
