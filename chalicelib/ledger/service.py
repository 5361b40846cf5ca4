"""The journal, as everyone else uses it: entries in, balances and statements out.

An entry is decided from the book as it stands and written on condition that it still stands so;
where it does not, the book is read and decided anew. So whatever is done at once is done one after
the other, and whatever is done twice finds the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.books import newest, pages, store
from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.books.newest import Place, Stretch
from chalicelib.ledger.books.pages import Page
from chalicelib.ledger.days import store as daybook
from chalicelib.ledger.model import Balances, ConflictingEntry, Entry, Posted
from chalicelib.runtime import observability

ATTEMPTS_MAX = 12  # Sixteen at once on one book; whoever loses so often comes again later.
FROM_THE_START = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Book:
    """What a decision sees: the entries since the time that it asked for, and all balances."""

    page: Page
    postings: tuple[Posting, ...]

    def find(self, key: str) -> Entry | None:
        """The entry called `key` among those that were read, or None."""
        found = pages.find(self.postings, key)
        return found.entry if found else None

    def balances(self, currency: str) -> Balances:
        """The member's balances in `currency`."""
        return pages.balances_in(self.page.balances, currency)


Decide = Callable[[Book], Sequence[Entry]]


def record(entry: Entry, *, originated_at: datetime, now: datetime) -> Posted:
    """Enter `entry`, once for ever under its key.

    `originated_at` is a time before which it cannot have been recorded: when the payment, claim or
    payout behind it came to be. It says how far back to look for the key.

    :raises ConflictingEntry: the key stands there with other content; it is counted.
    :raises TryAgain: the book was changed by others all the time, or DynamoDB did not answer.
    """
    (posted,) = post(entry.owner, lambda _book: (entry,), originated_at=originated_at, now=now)
    return posted


def post(
    owner: str, decide: Decide, *, originated_at: datetime, now: datetime
) -> tuple[Posted, ...]:
    """Enter what `decide` makes of `owner`'s book; what stands there already stays as it is.

    `decide` is pure and may be asked several times. It sees every entry since `originated_at`.

    :raises ConflictingEntry: as `record`. :raises TryAgain: as `record`.
    """
    for _ in range(ATTEMPTS_MAX):
        opened = store.find_open_page(owner, now=now)
        seen = store.list_postings_since(opened.page, originated_at, now=now)
        wanted = tuple(decide(Book(opened.page, seen)))
        standing = [_find_same(seen, entry) for entry in wanted]
        new = [entry for entry, stands in zip(wanted, standing, strict=True) if stands is None]
        after = _write(opened, new, now=now)
        if after is not None:
            _file(after, len(new), [one for one in standing if one], now=now)
            return tuple(
                Posted(entry, stands is None, pages.balances_in(after.balances, entry.currency))
                for entry, stands in zip(wanted, standing, strict=True)
            )
    raise TryAgain("the book was changed by others meanwhile")


def balances_of(member_id: MemberId, *, now: datetime) -> tuple[Balances, ...]:
    """What a member has, by currency. One read unit."""
    opened = store.find_open_page(member_owner(member_id), now=now)
    return pages.member_balances(opened.page.balances)


def list_postings(owner: str, *, since: datetime, now: datetime) -> tuple[Posting, ...]:
    """The entries of `owner`'s book that were recorded since `since`, and perhaps some before, in
    order: what a statement is made of. A read unit for every 4 KB of pages.
    """
    opened = store.find_open_page(owner, now=now)
    return store.list_postings_since(opened.page, since, now=now)


def list_newest(owner: str, *, before: Place | None, limit: int, now: datetime) -> Stretch:
    """Some entries of `owner`'s book, newest first: before a place that was given out, or of its
    end without one. See `books/newest.py` for what that reads.
    """
    return newest.list_newest(owner, before=before, limit=limit, now=now)


def _find_same(seen: Sequence[Posting], entry: Entry) -> Posting | None:
    """Where `entry` stands already. :raises ConflictingEntry: its key stands for another."""
    found = pages.find(seen, entry.key)
    if found is not None and not _says_the_same(found.entry, entry):
        observability.count("conflicts", code=ConflictingEntry.code)
        raise ConflictingEntry("an entry of this key stands there with other content")
    return found


def _says_the_same(one: Entry, other: Entry) -> bool:
    """Whether two entries of one key move the same for the same. The order of legs says nothing."""
    return _said(one) == _said(other)


def _said(entry: Entry) -> tuple[object, ...]:
    legs = frozenset((leg.account, leg.minor) for leg in entry.legs)
    about = (entry.campaign_id, entry.retailer_id, entry.cause)
    return (entry.kind, entry.currency, legs, *about)


def _write(opened: store.OpenPage, new: Sequence[Entry], *, now: datetime) -> Page | None:
    """The open page with `new` on it, written; None where somebody else was faster."""
    if not new:
        return opened.page
    page = opened.page
    while page.postings and not store.fits(pages.append(page, new, now=now)):
        closed = store.close_page(page, now=now)
        if closed.postings != page.postings[: len(closed.postings)] or not closed.postings:
            return None
        _file_all(closed, now=now)
        page = pages.after_closed(page, closed)
    after = pages.append(page, new, now=now)
    return after if store.record_page(opened, after, now=now) else None


def _file_all(closed: Page, *, now: datetime) -> None:
    """See to it that whatever leaves the open page is in the daybook: its writer may have died."""
    filed = daybook.list_keys_filed(closed.postings, now=now)
    for posting, (before, _) in zip(closed.postings, pages.hashes(closed), strict=True):
        if daybook.daybook_key(posting) not in filed:
            daybook.file_posting(posting, before, now=now)


def _file(after: Page, new: int, standing: Sequence[Posting], *, now: datetime) -> None:
    """Enter the last `new` entries in the daybook, and the `standing` ones that are not in it.

    What stands on a closed page was filed when that was closed.
    """
    before_by_seq = {
        posting.seq: before
        for posting, (before, _) in zip(after.postings, pages.hashes(after), strict=True)
    }
    for posting in after.postings[len(after.postings) - new :]:
        daybook.file_posting(posting, before_by_seq[posting.seq], now=now)
    for posting in standing:
        if posting.seq in before_by_seq and not daybook.is_filed(posting, now=now):
            daybook.file_posting(posting, before_by_seq[posting.seq], now=now)
