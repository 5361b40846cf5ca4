"""A book that somebody changed is found out, wherever they changed it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.ledger.accounts import Holding, liability_account, member_account
from chalicelib.ledger.books import pages
from chalicelib.ledger.books.chain import FIRST, Posting, canonical_bytes, hash_after
from chalicelib.ledger.books.layout import ReadPage, from_bytes, to_bytes
from chalicelib.ledger.books.pages import Page
from chalicelib.ledger.books.store import KEPT
from chalicelib.ledger.days.store import Filed
from chalicelib.ledger.invariants import broken
from chalicelib.ledger.model import Entry, EntryKind, Leg, NotAnEntry
from chalicelib.ledger.verifying import (
    Broken,
    Fault,
    verify_beginning,
    verify_book,
    verify_filed,
    verify_filing,
)
from tests.makers.ledger import BOUGHT_AT, CAMPAIGN, DUE_AT, RETAILER

MEMBER = MemberId("m-1")
OWNER = "member#m-1"


def _entry(number: int, minor: int = 500, **changes: object) -> Entry:
    made = Entry(
        key=f"offer:{number}",
        kind=EntryKind.REWARD_GIVEN,
        member_id=MEMBER,
        at=BOUGHT_AT,
        currency="GBP",
        legs=(
            Leg(liability_account(CAMPAIGN), -minor),
            Leg(member_account(MEMBER, Holding.PENDING), minor),
        ),
        campaign_id=CAMPAIGN,
        retailer_id=RETAILER,
        cause=f"payment-{number}",
        due_at=DUE_AT,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def _read(page: Page) -> ReadPage:
    return from_bytes(to_bytes(page), page.owner)


def _book() -> tuple[ReadPage, ReadPage]:
    first = pages.append(Page(OWNER), [_entry(1), _entry(2)], now=BOUGHT_AT)
    second = pages.append(pages.after_closed(first, first), [_entry(3)], now=DUE_AT)
    return _read(first), _read(second)


def _forged(read: ReadPage, entry: Entry) -> ReadPage:
    """As if somebody had changed the first entry of a page and nothing else."""
    postings = (replace(read.page.postings[0], entry=entry), *read.page.postings[1:])
    return replace(read, page=replace(read.page, postings=postings))


def test_a_book_that_nobody_changed_is_whole() -> None:
    assert verify_book(_book()) == ()
    assert verify_book(_book()[1:]) == ()  # Older pages are past their retention.
    assert broken(_book()) == ()


def test_what_is_laid_out_in_bytes_is_read_back_to_the_letter() -> None:
    first, second = _book()

    assert from_bytes(to_bytes(first.page), OWNER) == first
    assert second.page.opening == ((f"{OWNER}#pending", "GBP", 1_000),)
    assert second.said_balances == ((f"{OWNER}#pending", "GBP", 1_500),)


@pytest.mark.parametrize(
    "change",
    [
        {"minor": 501},
        {"campaign_id": "another"},
        {"reason": "because"},
        {"at": DUE_AT},
        {"due_at": None},
        {"cause": "payment-9"},
    ],
)
def test_whatever_of_an_entry_is_changed_breaks_the_chain(change: dict) -> None:
    first, second = _book()

    faults = verify_book((_forged(first, _entry(1, **change)), second))

    assert Fault(OWNER, 1, Broken.CHAIN) in faults
    assert Fault(OWNER, 2, Broken.LINK) in faults


def test_an_amount_that_is_changed_breaks_balances_too() -> None:
    first, second = _book()

    faults = verify_book((_forged(first, _entry(1, 900)), second))

    assert [fault.what for fault in faults if fault.page == 1] == [Broken.CHAIN, Broken.BALANCE]
    assert broken((_forged(first, _entry(1, 900)), second)) != ()


def test_a_page_that_is_left_out_and_a_key_that_stands_twice_are_found() -> None:
    first, second = _book()
    third = _read(
        pages.append(pages.after_closed(second.page, second.page), [_entry(1)], now=DUE_AT)
    )

    assert Fault(OWNER, 3, Broken.LINK) in verify_book((first, third))
    assert verify_book((first, second, third)) == (Fault(OWNER, 3, Broken.KEY_TWICE, "offer:1"),)


def test_what_the_daybook_lacks_or_has_otherwise_is_found() -> None:
    first, _ = _book()
    (before, own), (_, other) = pages.hashes(first.page)
    one, two = first.page.postings
    filed = [
        Filed(one, before, own, BOUGHT_AT.date()),
        Filed(two, own, other, BOUGHT_AT.date()),
    ]

    assert verify_filing(first, filed, now=DUE_AT) == ()
    assert verify_filing(first, filed[:1], now=DUE_AT) == (
        Fault(OWNER, 1, Broken.NOT_FILED, "offer:2"),
    )
    forged = replace(filed[1], posting=replace(two, entry=_entry(2, 501)))
    assert verify_filing(first, [filed[0], forged], now=DUE_AT) == (
        Fault(OWNER, 1, Broken.FILED_OTHERWISE, "offer:2"),
    )


@pytest.mark.requirement("LOY-05")
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"opening": ((f"{OWNER}#available", "GBP", 1_000_000),)}, Broken.BALANCE),
        ({"before": bytes(31) + b"1"}, Broken.LINK),
        ({"first_seq": 2}, Broken.ORDER),
    ],
)
def test_a_book_that_does_not_begin_at_nought_is_found(change: dict, what: Broken) -> None:
    page = pages.append(replace(Page(OWNER), **change), [_entry(1)], now=BOUGHT_AT)

    assert verify_book([_read(page)]) == (Fault(OWNER, 1, what),)


def test_pages_that_are_gone_are_missed_as_long_as_they_are_kept() -> None:
    first, second = _book()
    forgotten_at = BOUGHT_AT + KEPT - timedelta(minutes=10)  # Clocks differ.

    assert verify_beginning((first, second), now=DUE_AT) == ()
    assert verify_beginning((second,), now=forgotten_at) == ()
    before = forgotten_at - timedelta(seconds=1)
    assert verify_beginning((second,), now=before) == (Fault(OWNER, 2, Broken.PAGES_GONE),)


def test_an_entry_of_the_daybook_that_is_on_no_page_is_found_as_long_as_it_is_kept() -> None:
    first, second = _book()
    filed = [
        Filed(posting, before, own, BOUGHT_AT.date())
        for one in (first, second)
        for posting, (before, own) in zip(one.page.postings, pages.hashes(one.page), strict=True)
    ]
    late = BOUGHT_AT + KEPT

    assert verify_filed(OWNER, (first, second), filed, now=DUE_AT) == ()
    assert verify_filed(OWNER, (first,), filed, now=DUE_AT) == (
        Fault(OWNER, 0, Broken.NOT_IN_BOOK, "offer:3"),
    )
    assert verify_filed(OWNER, (), filed, now=DUE_AT) == (Fault(OWNER, 0, Broken.BOOK_GONE),)
    assert verify_filed(OWNER, (second,), filed, now=late) == ()
    assert verify_filing(first, filed[1:], now=late) == ()


def test_the_canonical_bytes_are_those_that_are_documented() -> None:
    posting = Posting(7, BOUGHT_AT, _entry(1))

    assert canonical_bytes(posting) == (
        b'{"at":"2026-11-01T09:30:00Z","book":"member#m-1",'
        b'"campaign":"campaigncampaigncampaign22","cause":"payment-1","currency":"GBP",'
        b'"due_at":"2026-12-01T09:30:00Z","key":"offer:1","kind":"reward_given",'
        b'"legs":[["campaign#campaigncampaigncampaign22#liability",-500],'
        b'["member#m-1#pending",500]],"reason":"","recorded_at":"2026-11-01T09:30:00Z",'
        b'"retailer":"retailerretailerretailer22","seq":7}'
    )
    assert len(hash_after(FIRST, posting)) == 32


@pytest.mark.parametrize(
    "changes",
    [
        {"legs": (Leg("platform#bank", 1), Leg(f"{OWNER}#pending", 1))},
        {"legs": (Leg("platform#bank", 0), Leg(f"{OWNER}#pending", 0))},
        {"legs": (Leg("platform#bank", 1),)},
        {"legs": (Leg("platform#bank", -1), Leg(f"{OWNER}#purse", 1))},
        {"legs": (Leg("platform#bank", -1), Leg("platform#bank", 1))},
        {"legs": (Leg("platform#bank", -(10**13)), Leg(f"{OWNER}#pending", 10**13))},
        {"key": ""},
        {"key": "a  b"},
        {"key": "a" * 201},
    ],
)
def test_what_does_not_balance_is_no_entry(changes: dict) -> None:
    with pytest.raises(NotAnEntry):
        replace(_entry(1), **changes)


def test_a_clock_that_goes_back_never_records_earlier() -> None:
    page = pages.append(Page(OWNER), [_entry(1)], now=DUE_AT)

    after = pages.append(page, [_entry(2)], now=BOUGHT_AT)

    assert [posting.recorded_at for posting in after.postings] == [DUE_AT, DUE_AT]
