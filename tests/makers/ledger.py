"""Rewards in money, and books to put them in. Invented members, campaigns and amounts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.kernel.money import Money
from chalicelib.ledger import service
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.books import store
from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.days import store as daybook
from chalicelib.ledger.days.store import DaybookRow
from chalicelib.ledger.giving import Gift
from chalicelib.ledger.model import Balances
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
