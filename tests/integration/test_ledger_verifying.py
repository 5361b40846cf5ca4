"""The verifier finds what was removed or forged, wherever somebody did it, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.ledger import checking
from chalicelib.ledger.accounts import Holding, member_account, member_owner, retailer_owner
from chalicelib.ledger.books import store as books
from chalicelib.ledger.books.pages import Page
from chalicelib.ledger.books.store import BookRow
from chalicelib.ledger.closing import store as closing
from chalicelib.ledger.closing.store import RetailerDayRow
from chalicelib.ledger.days import totals
from chalicelib.ledger.days.store import DaybookRow
from chalicelib.ledger.giving import bring_to, give
from chalicelib.ledger.verifying import Broken, Fault
from chalicelib.runtime import rows, sweeping
from infra.operating import verifying
from tests.makers.ledger import (
    BOUGHT_AT,
    CAMPAIGN,
    DUE_AT,
    MEMBER,
    RETAILER,
    fill_pages,
    make_gift,
)
from tests.makers.nights import begin, close_until

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

OWNER = member_owner(MEMBER)
LATER = DUE_AT + timedelta(days=1)
FIRST = BOUGHT_AT.date()


def _every() -> list[Fault]:
    return verifying.verify_all(lambda _read: None, now=LATER)[1]


def _one(owner: str = OWNER) -> list[Fault]:
    return list(verifying.verify_one(owner, now=LATER))


def _give(count: int) -> tuple[str, ...]:
    gifts = [make_gift(number) for number in range(1, count + 1)]
    for gift in gifts:
        give(gift, now=BOUGHT_AT)
    return tuple(gift.key for gift in gifts)


def _rewrite(**changes: object) -> None:
    opened = books.find_open_page(OWNER, now=LATER)
    assert books.record_page(opened, replace(opened.page, **changes), now=BOUGHT_AT)  # type: ignore[arg-type]


def _page() -> Page:
    return books.find_open_page(OWNER, now=LATER).page


def _delete_book_row(sk: str) -> None:
    rows.delete(BookRow(OWNER, sk))


@pytest.mark.requirement("LOY-05")
def test_finds_nothing_where_nobody_changed_anything() -> None:
    begin(FIRST)
    _give(2)
    assert fill_pages(MEMBER, now=BOUGHT_AT) > 0
    bring_to(make_gift(1), 300, reason="returned", now=DUE_AT)
    close_until(LATER.date() - timedelta(days=1))

    assert (_every(), _one()) == ([], [])


@pytest.mark.requirement("LOY-05")
@pytest.mark.parametrize("place", [0, 1, 2], ids=["head", "middle", "tail"])
def test_finds_an_entry_that_was_removed_and_all_after_it_hashed_anew(place: int) -> None:
    keys = _give(3)
    postings = _page().postings
    kept = (*postings[:place], *postings[place + 1 :])

    _rewrite(postings=tuple(replace(one, seq=seq) for seq, one in enumerate(kept, start=1)))

    hashed_anew = [Fault(OWNER, 1, Broken.FILED_OTHERWISE, key) for key in keys[place + 1 :]]
    expected = [*hashed_anew, Fault(OWNER, 0, Broken.NOT_IN_BOOK, keys[place])]
    assert (_every(), _one()) == (expected, expected)


def test_finds_entries_that_changed_places() -> None:
    keys = _give(3)
    one, two, three = _page().postings

    _rewrite(postings=(replace(two, seq=1), replace(one, seq=2), three))

    assert _one() == [Fault(OWNER, 1, Broken.FILED_OTHERWISE, keys[n]) for n in (1, 0, 2)]


def test_finds_an_entry_that_was_put_in() -> None:
    keys = _give(2)
    one, two = _page().postings
    forged = replace(one, seq=2, entry=replace(one.entry, key="offer:forged"))

    _rewrite(postings=(one, forged, replace(two, seq=3)))

    expected = [
        Fault(OWNER, 1, Broken.NOT_FILED, "offer:forged"),
        Fault(OWNER, 1, Broken.FILED_OTHERWISE, keys[1]),
    ]
    assert (_every(), _one()) == (expected, expected)


@pytest.mark.requirement("LOY-05")
def test_finds_a_balance_that_a_book_was_made_to_begin_with() -> None:
    _give(1)

    _rewrite(opening=((member_account(MEMBER, Holding.AVAILABLE), "GBP", 1_000_000),))

    assert (_every(), _one()) == ([Fault(OWNER, 1, Broken.BALANCE)],) * 2


def test_finds_a_balance_that_a_later_page_was_made_to_begin_with() -> None:
    _give(1)
    assert fill_pages(MEMBER, now=BOUGHT_AT) > 0
    number = _page().number

    _rewrite(opening=((member_account(MEMBER, Holding.AVAILABLE), "GBP", 1_000_000),))

    assert _every() == [Fault(OWNER, number, Broken.BALANCE)]


@pytest.mark.requirement("LOY-05")
def test_finds_a_book_that_is_gone() -> None:
    _give(2)
    _delete_book_row("account")

    assert _every() == [Fault(OWNER, 0, Broken.BOOK_GONE)]


def test_finds_a_book_that_is_gone_of_which_the_daybook_says_nothing_either() -> None:
    _give(1)
    assert fill_pages(MEMBER, now=BOUGHT_AT) > 0
    for pk, sk in sweeping.list_keys("money", after=None, rows_max=500).found:
        if pk.startswith("daybook#") and OWNER in sk:
            rows.delete(DaybookRow(pk, sk))
    _delete_book_row("account")

    assert _every() == [Fault(OWNER, 0, Broken.BOOK_GONE)]


def test_finds_a_book_that_began_anew_after_it_was_removed() -> None:
    keys = _give(1)
    _delete_book_row("account")
    give(make_gift(2), now=DUE_AT)

    assert _every() == [Fault(OWNER, 0, Broken.NOT_IN_BOOK, keys[0])]


def test_finds_that_the_first_pages_are_gone() -> None:
    keys = _give(1)
    assert fill_pages(MEMBER, now=BOUGHT_AT) > 0
    _delete_book_row("account#000001")
    number = books.list_closed_pages(OWNER, before_number=99, now=LATER)
    first = number[0].page.number if number else _page().number

    every, one = _every(), _one()

    assert Fault(OWNER, first, Broken.PAGES_GONE) in one
    assert {
        Fault(OWNER, first, Broken.PAGES_GONE),
        Fault(OWNER, 0, Broken.NOT_IN_BOOK, keys[0]),
    } <= (set(every))


def test_finds_nothing_when_the_journal_is_past_its_retention() -> None:
    """TTL may delete what is past its end in any order; what is there may still be read."""
    _give(1)
    assert fill_pages(MEMBER, now=BOUGHT_AT) > 0
    give(make_gift(2), now=DUE_AT)
    at = BOUGHT_AT + books.KEPT + timedelta(days=1)

    faults = verifying.verify_all(lambda _read: None, now=at)[1]

    assert faults == []
    assert books.list_closed_pages(OWNER, before_number=99, now=at) == []


def _days() -> None:
    """Three closed days with a reward each."""
    begin(FIRST)
    for number in range(3):
        given_at = BOUGHT_AT + timedelta(days=number)
        give(make_gift(number + 1), now=given_at)
        close_until(given_at.date())
    assert len(closing.list_days(RETAILER, FIRST, LATER.date(), now=LATER)) == 3


def _fault(day: int, what: Broken) -> Fault:
    return Fault(retailer_owner(RETAILER), 0, what, str(FIRST + timedelta(days=day)))


@pytest.mark.requirement("LOY-05")
@pytest.mark.parametrize(
    ("removed", "expected"),
    [
        (0, [_fault(1, Broken.DAY_CHAIN)]),
        (1, [_fault(2, Broken.DAY_CHAIN), _fault(1, Broken.DAY_TOTAL)]),
        (2, [_fault(2, Broken.DAY_TOTAL)]),
    ],
    ids=["first", "middle", "last"],
)
def test_finds_a_retailers_day_that_was_removed(removed: int, expected: list[Fault]) -> None:
    _days()
    sk = f"total#{FIRST + timedelta(days=removed)}"
    rows.delete(RetailerDayRow(retailer_owner(RETAILER), sk))

    assert _every() == expected


@pytest.mark.parametrize("changed", [0, 1, 2], ids=["first", "middle", "last"])
def test_finds_a_retailers_day_that_was_changed_and_all_after_it_hashed_anew(changed: int) -> None:
    _days()
    before = totals.FIRST
    for place, day in enumerate(closing.list_days(RETAILER, FIRST, LATER.date(), now=LATER)):
        lines = (
            [replace(one, given_minor=1) for one in day.lines] if place == changed else day.lines
        )
        anew = totals.make_day(RETAILER, day.on, lines, before=before)
        rows.delete(RetailerDayRow(retailer_owner(RETAILER), f"total#{day.on}"))
        closing.record_day(anew)
        before = anew.hash

    assert [one.campaign_id for one in anew.lines] == [CAMPAIGN]
    assert _every() == [_fault(changed, Broken.DAY_TOTAL)]


def test_finds_a_retailers_day_whose_hash_is_not_its_own() -> None:
    _days()
    first, *_ = closing.list_days(RETAILER, FIRST, LATER.date(), now=LATER)
    rows.delete(RetailerDayRow(retailer_owner(RETAILER), f"total#{first.on}"))
    closing.record_day(replace(first, hash=bytes(32)))

    expected = [_fault(0, Broken.DAY_CHAIN), _fault(1, Broken.DAY_CHAIN)]
    assert _every() == expected
    assert checking.check_chain(RETAILER, is_whole=False, now=LATER) == tuple(expected)
