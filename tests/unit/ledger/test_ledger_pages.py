"""Entries that balance or do not exist, and pages whose balances and hashes follow from them."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.ledger.accounts import Holding, liability_account, member_account, member_owner
from chalicelib.ledger.books import chain, pages
from chalicelib.ledger.books.pages import Page
from chalicelib.ledger.model import Balances, Entry, EntryKind, Leg, NotAnEntry
from tests.makers.ledger import BOUGHT_AT, CAMPAIGN, MEMBER, RETAILER

OWNER = member_owner(MEMBER)
PENDING = member_account(MEMBER, Holding.PENDING)
LIABILITY = liability_account(CAMPAIGN)
LATER = BOUGHT_AT + timedelta(hours=1)


def entry(key: str = "offer:1", minor: int = 500, **more: object) -> Entry:
    made = Entry(
        key=key,
        kind=EntryKind.REWARD_GIVEN,
        member_id=MEMBER,
        at=BOUGHT_AT,
        currency="GBP",
        legs=(Leg(LIABILITY, -minor), Leg(PENDING, minor)),
        campaign_id=CAMPAIGN,
        retailer_id=RETAILER,
    )
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "legs",
    [
        (Leg(LIABILITY, -500), Leg(PENDING, 499)),
        (Leg(PENDING, 500),),
        (Leg(PENDING, 500), Leg(PENDING, -500)),
        (Leg("nobody", -500), Leg(PENDING, 500)),
        (Leg(LIABILITY, -500), Leg(PENDING, 500), Leg(member_account(MEMBER, Holding.PAID), 0)),
    ],
)
def test_an_entry_that_does_not_balance_does_not_exist(legs: tuple[Leg, ...]) -> None:
    with pytest.raises(NotAnEntry):
        entry(legs=legs)


def test_what_was_earned_is_what_is_owed_and_what_left_and_stayed_away() -> None:
    held = Balances("GBP", 100, available=200, in_payment=30, paid=50, returned=20, written_off=7)

    assert held.earned == 100 + 200 + 30 + 50 - 20 - 7


def test_numbers_and_balances_go_on_where_a_page_ends() -> None:
    half = pages.append(Page(OWNER), [entry("offer:1")], now=BOUGHT_AT)
    full = pages.append(half, [entry("offer:2", 70)], now=BOUGHT_AT)
    opened = pages.append(pages.after_closed(full, full), [entry("offer:3", 9)], now=LATER)

    assert [posting.seq for posting in full.postings + opened.postings] == [1, 2, 3]
    assert opened.balances == ((PENDING, "GBP", 579),)
    assert (opened.number, opened.opening, opened.closed_until) == (2, full.balances, BOUGHT_AT)


def test_the_chain_goes_on_where_a_page_ends() -> None:
    one = pages.append(Page(OWNER), [entry("offer:1"), entry("offer:2")], now=BOUGHT_AT)
    first = pages.append(Page(OWNER), [entry("offer:1")], now=BOUGHT_AT)
    rest = pages.append(pages.after_closed(first, first), [entry("offer:2")], now=BOUGHT_AT)

    assert rest.before == first.last_hash
    assert rest.last_hash == one.last_hash


def test_what_was_added_while_a_page_was_closed_stays_open() -> None:
    first = pages.append(Page(OWNER), [entry("offer:1")], now=BOUGHT_AT)
    both = pages.append(first, [entry("offer:2")], now=LATER)

    left = pages.after_closed(both, first)

    assert [posting.entry.key for posting in left.postings] == ["offer:2"]
    assert (left.balances, left.last_hash) == (both.balances, both.last_hash)


def test_a_clock_that_is_behind_records_nothing_as_earlier() -> None:
    page = pages.append(Page(OWNER), [entry("offer:1")], now=LATER)

    page = pages.append(page, [entry("offer:2")], now=BOUGHT_AT)

    assert [posting.recorded_at for posting in page.postings] == [LATER, LATER]


def test_accounts_of_others_are_no_balances_of_the_owner() -> None:
    page = pages.append(Page(OWNER), [entry()], now=BOUGHT_AT)

    assert page.balances == ((PENDING, "GBP", 500),)


def test_the_hash_is_sha_256_over_the_one_before_and_the_canonical_bytes() -> None:
    (posting,) = pages.append(Page(OWNER), [entry(reason="why")], now=BOUGHT_AT).postings
    canonical = (
        '{"at":"2026-11-01T09:30:00Z","book":"member#membermembermembermember22",'
        '"campaign":"campaigncampaigncampaign22","cause":"","currency":"GBP","due_at":null,'
        '"key":"offer:1","kind":"reward_given","legs":[["campaign#campaigncampaigncampaign22'
        '#liability",-500],["member#membermembermembermember22#pending",500]],"reason":"why",'
        '"recorded_at":"2026-11-01T09:30:00Z","retailer":"retailerretailerretailer22","seq":1}'
    )

    hashed = hashlib.sha256(bytes(32) + canonical.encode()).digest()

    assert chain.hash_after(chain.FIRST, posting) == hashed
