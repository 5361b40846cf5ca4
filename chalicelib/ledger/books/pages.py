"""Pages of a book: the newest entries of one owner, with what stood there before them. Pure.

A book is one open page and the closed ones before it. A page knows the balances and the hash that
it opens with, so it can be checked by itself and against its neighbours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.ledger.accounts import Holding
from chalicelib.ledger.books import chain
from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.model import Balances, Entry, to_balances

AccountBalances = tuple[tuple[str, str, int], ...]  # account, currency, minor; in that order


@dataclass(frozen=True, slots=True)
class Page:
    """The `number`-th page (from 1) of `owner`'s book.

    `opening` are the owner's own accounts and `before` the hash, both before its first entry.
    `closed_until` is when the last entry of the page before was recorded, None on the first page.
    """

    owner: str
    number: int = 1
    opening: AccountBalances = ()
    before: bytes = chain.FIRST
    postings: tuple[Posting, ...] = ()
    first_seq: int = 1
    closed_until: datetime | None = None

    @property
    def balances(self) -> AccountBalances:
        """The owner's own accounts after the last entry; those at nought are left out."""
        return balances_after(self.opening, self.postings, owner=self.owner)

    @property
    def last_hash(self) -> bytes:
        """The hash of the last entry, or of the one before the page where it is empty."""
        last = self.before
        for posting in self.postings:
            last = chain.hash_after(last, posting)
        return last

    @property
    def next_seq(self) -> int:
        """The number that the next entry gets."""
        return self.first_seq + len(self.postings)


def balances_after(
    opening: AccountBalances, postings: Iterable[Posting], *, owner: str
) -> AccountBalances:
    """What stands on the owner's own accounts after `postings`."""
    minor: dict[tuple[str, str], int] = {(a, currency): m for a, currency, m in opening}
    own = f"{owner}#"
    for posting in postings:
        for leg in posting.entry.legs:
            if leg.account.startswith(own):
                at = (leg.account, posting.entry.currency)
                minor[at] = minor.get(at, 0) + leg.minor
    return tuple((*at, left) for at, left in sorted(minor.items()) if left)


def append(page: Page, entries: Sequence[Entry], *, now: datetime) -> Page:
    """`page` with `entries` after what stands there, recorded now.

    Clocks differ between machines: what comes later is never recorded as earlier. Whole seconds.
    """
    last = page.postings[-1].recorded_at if page.postings else page.closed_until
    recorded_at = now.replace(microsecond=0)
    if last is not None and last > recorded_at:
        recorded_at = last
    added = tuple(
        Posting(page.next_seq + place, recorded_at, entry) for place, entry in enumerate(entries)
    )
    return replace(page, postings=page.postings + added)


def after_closed(page: Page, closed: Page) -> Page:
    """What is left open of `page` once its beginning stands on the page `closed`."""
    taken = len(closed.postings)
    return Page(
        owner=page.owner,
        number=closed.number + 1,
        opening=closed.balances,
        before=closed.last_hash,
        postings=page.postings[taken:],
        first_seq=closed.next_seq,
        closed_until=closed.postings[-1].recorded_at if closed.postings else closed.closed_until,
    )


def hashes(page: Page) -> tuple[tuple[bytes, bytes], ...]:
    """For each entry of the page, the hash before it and its own."""
    found, before = [], page.before
    for posting in page.postings:
        own = chain.hash_after(before, posting)
        found.append((before, own))
        before = own
    return tuple(found)


def find(postings: Iterable[Posting], key: str) -> Posting | None:
    """The entry called `key`, or None."""
    return next((posting for posting in postings if posting.entry.key == key), None)


def member_balances(balances: AccountBalances) -> tuple[Balances, ...]:
    """A member's balances by currency, from those of the accounts; a retailer has none."""
    by_currency: dict[str, dict[Holding, int]] = {}
    for account, currency, minor in balances:
        if not account.startswith("member#"):
            continue
        by_currency.setdefault(currency, {})[Holding(account.rpartition("#")[2])] = minor
    return tuple(to_balances(currency, by_currency[currency]) for currency in sorted(by_currency))


def balances_in(balances: AccountBalances, currency: str) -> Balances:
    """A member's balances in `currency`, nought where there are none."""
    of_currency = (one for one in member_balances(balances) if one.currency == currency)
    return next(of_currency, Balances(currency))
