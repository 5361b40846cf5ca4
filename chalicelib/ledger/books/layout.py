"""How a page is laid out in bytes: by column, and packed.

Each field stands once with the values of all entries, which packs a third smaller than entry after
entry. A column that is added later has a default; a reader ignores columns that it does not know.
"""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.books.pages import AccountBalances, Page
from chalicelib.ledger.model import Entry, EntryKind, Leg
from chalicelib.runtime import packing

_OWN = "~"  # Stands for the owner at the beginning of its own accounts.
_MEMBER = "member#"


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page with the balances and the hash that were written beside its entries, to check them."""

    page: Page
    said_balances: AccountBalances
    said_hash: bytes


@dataclass(frozen=True, slots=True)
class _Content:
    """A page by column, which packs well: the n-th of each tuple is of the n-th entry."""

    number: int
    first_seq: int
    before: bytes
    hash: bytes
    opening: tuple[tuple[str, str, int], ...] = ()
    balances: tuple[tuple[str, str, int], ...] = ()
    closed_until: datetime | None = None
    keys: tuple[str, ...] = ()
    kinds: tuple[EntryKind, ...] = ()
    ats: tuple[datetime, ...] = ()
    recorded: tuple[datetime, ...] = ()
    currencies: tuple[str, ...] = ()
    legs: tuple[tuple[tuple[str, int], ...], ...] = ()
    campaigns: tuple[str, ...] = ()
    retailers: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    dues: tuple[datetime | None, ...] = ()
    reasons: tuple[str, ...] = ()


def to_bytes(page: Page) -> bytes:
    """`page` with its balances and its last hash beside the entries."""
    entries = [posting.entry for posting in page.postings]
    return packing.pack(
        _Content(
            number=page.number,
            first_seq=page.first_seq,
            before=page.before,
            hash=page.last_hash,
            opening=_shortened(page.opening, page.owner),
            balances=_shortened(page.balances, page.owner),
            closed_until=page.closed_until,
            keys=tuple(entry.key for entry in entries),
            kinds=tuple(entry.kind for entry in entries),
            ats=tuple(entry.at for entry in entries),
            recorded=tuple(posting.recorded_at for posting in page.postings),
            currencies=tuple(entry.currency for entry in entries),
            legs=tuple(
                tuple((_short(leg.account, page.owner), leg.minor) for leg in entry.legs)
                for entry in entries
            ),
            campaigns=tuple(entry.campaign_id for entry in entries),
            retailers=tuple(entry.retailer_id for entry in entries),
            causes=tuple(entry.cause for entry in entries),
            dues=tuple(entry.due_at for entry in entries),
            reasons=tuple(entry.reason for entry in entries),
        )
    )


def from_bytes(content: bytes, owner: str) -> ReadPage:
    """The page of `owner`'s book that `to_bytes` laid out."""
    read = packing.unpack(content, _Content)
    member = MemberId(owner.removeprefix(_MEMBER)) if owner.startswith(_MEMBER) else None
    postings = tuple(
        Posting(
            read.first_seq + place,
            read.recorded[place],
            _to_entry(read, place, member=member, owner=owner),
        )
        for place in range(len(read.keys))
    )
    page = Page(
        owner=owner,
        number=read.number,
        opening=_lengthened(read.opening, owner),
        before=read.before,
        postings=postings,
        first_seq=read.first_seq,
        closed_until=read.closed_until,
    )
    return ReadPage(page, _lengthened(read.balances, owner), read.hash)


def _to_entry(read: _Content, place: int, *, member: MemberId | None, owner: str) -> Entry:
    return Entry(
        key=read.keys[place],
        kind=read.kinds[place],
        member_id=member,
        at=read.ats[place],
        currency=read.currencies[place],
        legs=tuple(Leg(_long(account, owner), minor) for account, minor in read.legs[place]),
        campaign_id=read.campaigns[place],
        retailer_id=RetailerId(read.retailers[place]),
        cause=read.causes[place],
        due_at=read.dues[place],
        reason=read.reasons[place],
    )


def _shortened(balances: AccountBalances, owner: str) -> AccountBalances:
    return tuple((_short(account, owner), currency, minor) for account, currency, minor in balances)


def _lengthened(balances: AccountBalances, owner: str) -> AccountBalances:
    return tuple((_long(account, owner), currency, minor) for account, currency, minor in balances)


def _short(account: str, owner: str) -> str:
    return _OWN + account.removeprefix(owner) if account.startswith(f"{owner}#") else account


def _long(account: str, owner: str) -> str:
    return owner + account[1:] if account.startswith(_OWN) else account
