"""Rewards in money, and books to put them in. Invented members, campaigns and amounts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib.kernel.ids import MemberId, RetailerId, natural_id
from chalicelib.kernel.money import Money
from chalicelib.ledger import service
from chalicelib.ledger.accounts import (
    PLATFORM_ADJUSTMENTS,
    Holding,
    member_account,
    member_owner,
)
from chalicelib.ledger.books import pages, store
from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.days import store as daybook
from chalicelib.ledger.days.store import DaybookRow
from chalicelib.ledger.giving import Gift
from chalicelib.ledger.model import Balances, Entry, EntryKind, Leg
from chalicelib.runtime import rows

BOUGHT_AT = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
RETURN_PERIOD = timedelta(days=30)
DUE_AT = BOUGHT_AT + RETURN_PERIOD
MEMBER = MemberId("membermembermembermember22")
CAMPAIGN = "campaigncampaigncampaign22"
RETAILER = RetailerId("retailerretailerretailer22")


def make_gift(number: int = 1, minor: int = 500, **changes: object) -> Gift:
    """The `number`-th gift of £5, bought on 1 November, due thirty days later."""
    payment = f"payment{number:019}"
    gift = Gift(
        key=f"offer:{CAMPAIGN}:{payment}",
        member_id=MEMBER,
        amount=Money(minor, "GBP"),
        campaign_id=CAMPAIGN,
        retailer_id=RETAILER,
        cause=payment,
        at=BOUGHT_AT,
        available_at=DUE_AT,
    )
    return replace(gift, **changes)  # type: ignore[arg-type]


def pounds(minor: int) -> Money:
    """Pence as money."""
    return Money(minor, "GBP")


def balances(member_id: MemberId = MEMBER, *, now: datetime = BOUGHT_AT) -> Balances:
    """The member's pounds."""
    found = service.balances_of(member_id, now=now)
    assert len(found) <= 1
    return found[0] if found else Balances("GBP")


def book_of(member_id: MemberId = MEMBER, *, now: datetime = BOUGHT_AT) -> tuple[Posting, ...]:
    """Every entry of the member's book, in order."""
    opened = store.find_open_page(member_owner(member_id), now=now)
    return store.list_postings_since(opened.page, service.FROM_THE_START, now=now)


def lose_daybook_row(posting: Posting) -> None:
    """As if the worker that recorded an entry had died before it was filed."""
    rows.delete(DaybookRow(*daybook.daybook_key(posting)))


def fill_pages(member_id: MemberId = MEMBER, *, now: datetime) -> int:
    """Adjust the member's money by pennies until whatever was entered before stands on a closed
    page, and the open one is full: the next entry closes it. Returns how many pages are closed.
    """
    owner, closed = member_owner(member_id), pages_closed(member_id, now=now)
    for _ in range(2):
        page = store.find_open_page(owner, now=now).page
        pennies = [
            adjusted_by_a_penny(member_id, natural_id(f"{page.next_seq}.{n}"), now=now)
            for n in range(60)
        ]
        fitting = sum(
            store.fits(pages.append(page, pennies[:many], now=now)) for many in range(1, 61)
        )
        some = tuple(pennies[: max(fitting, 1)])  # One entry is taken by a full page: it closes.
        post_all(member_id, some, now=now)
        if pages_closed(member_id, now=now) == closed:
            one = adjusted_by_a_penny(member_id, "the-first-of-a-page", now=now)
            service.record(one, originated_at=now, now=now)
    return pages_closed(member_id, now=now)


def post_all(member_id: MemberId, entries: Sequence[Entry], *, now: datetime) -> None:
    """Enter them all at once, with one write."""
    service.post(member_owner(member_id), lambda _book: entries, originated_at=now, now=now)


def pages_closed(member_id: MemberId = MEMBER, *, now: datetime) -> int:
    """How many pages of the member's book are closed."""
    return store.find_open_page(member_owner(member_id), now=now).page.number - 1


def adjusted_by_a_penny(member_id: MemberId, name: str, *, now: datetime) -> Entry:
    """An entry under `name` by which the member has a penny more."""
    available = Leg(member_account(member_id, Holding.AVAILABLE), 1)
    return Entry(
        key=f"adjusted:{name}",
        kind=EntryKind.ADJUSTED,
        member_id=member_id,
        at=now,
        currency="GBP",
        legs=(Leg(PLATFORM_ADJUSTMENTS, -1), available),
    )
