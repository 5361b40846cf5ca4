"""Whether a book is what it was: its chain, its balances, its order, and its daybook. Pure.

An entry's hash is made of all entries before it, so that whoever changes, adds, moves or removes
one has to write anew every page from there on, and each later entry in the daybook. Balances are
not hashed: they are added up again, from nought on the first page. The hashes have no key: who
rewrites pages and daybook alike, to the end, is not found here, but by what was given out before (a
statement's hash, a backup).

Older pages may be past their retention, so a book may begin with another page than its first. What
that page opens with is then believed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise

from chalicelib.ledger.books import chain
from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.books.layout import ReadPage
from chalicelib.ledger.books.pages import hashes
from chalicelib.ledger.books.store import CLOCKS_DIFFER, KEPT
from chalicelib.ledger.days.store import Filed


class Broken(Enum):
    """What a book breaks."""

    CHAIN = "chain"  # an entry or its place is not what its hash says
    LINK = "link"  # a page does not begin where the one before ends
    BALANCE = "balance"  # the balances written are not what the entries come to
    ORDER = "order"  # numbers or times of entries do not go up
    KEY_TWICE = "key_twice"
    NOT_FILED = "not_filed"  # an entry is not in the daybook
    FILED_OTHERWISE = "filed_otherwise"  # the daybook has it with other content
    NOT_IN_BOOK = "not_in_book"  # the daybook has an entry that is on no page
    PAGES_GONE = "pages_gone"  # pages before it are missing, and not past their retention
    BOOK_GONE = "book_gone"  # there is no open page, though there was a book
    DAY_CHAIN = "day_chain"  # a retailer's day is not what its hash says, or one before is missing
    DAY_TOTAL = "day_total"  # a retailer's day is not what the entries of the day come to


@dataclass(frozen=True, slots=True)
class Fault:
    """What is broken in `owner`'s book, on which page (0: on none). `key` names an entry or a day
    where it is about one.
    """

    owner: str
    page: int
    what: Broken
    key: str = ""


def verify_book(read: Sequence[ReadPage]) -> tuple[Fault, ...]:
    """What is broken on the pages of one book, oldest first, the open one last."""
    found = [*_verify_first(read[0])] if read else []
    found += [fault for one in read for fault in _verify_page(one)]
    for before, after in pairwise(read):
        found += _verify_link(before, after)
    seen: set[str] = set()
    for one in read:
        for posting in one.page.postings:
            if posting.entry.key in seen:
                found.append(_fault(one, Broken.KEY_TWICE, posting.entry.key))
            seen.add(posting.entry.key)
    return tuple(found)


def verify_beginning(read: Sequence[ReadPage], *, now: datetime) -> tuple[Fault, ...]:
    """Whether pages before the first one that is kept are missing before their time.

    A page is closed after its last entry was recorded, and kept from then on.
    """
    if not read or read[0].page.number == 1:
        return ()
    until = read[0].page.closed_until
    is_past = until is not None and until - CLOCKS_DIFFER + KEPT <= now
    return () if is_past else (_fault(read[0], Broken.PAGES_GONE),)


def verify_filed(
    owner: str, read: Sequence[ReadPage], filed: Iterable[Filed], *, now: datetime
) -> tuple[Fault, ...]:
    """What the daybook has of `owner` that is on none of the pages of the book."""
    kept = {posting.entry.key for one in read for posting in one.page.postings}
    missing = [
        one.posting.entry.key
        for one in filed
        if one.posting.entry.key not in kept and not is_past_retention(one.posting, now=now)
    ]
    if missing and not read:
        return (Fault(owner, 0, Broken.BOOK_GONE),)
    return tuple(Fault(owner, 0, Broken.NOT_IN_BOOK, key) for key in sorted(missing))


def is_past_retention(posting: Posting, *, now: datetime) -> bool:
    """Whether page or daybook may have forgotten an entry by now."""
    return posting.recorded_at - CLOCKS_DIFFER + KEPT <= now


def verify_filing(read: ReadPage, filed: Iterable[Filed], *, now: datetime) -> tuple[Fault, ...]:
    """What of a page is not in the daybook as it stands on the page."""
    by_key = {one.posting.entry.key: one for one in filed}
    found = []
    for posting, (before, own) in zip(read.page.postings, hashes(read.page), strict=True):
        one = by_key.get(posting.entry.key)
        if one is None and is_past_retention(posting, now=now):
            continue
        if one is None:
            found.append(_fault(read, Broken.NOT_FILED, posting.entry.key))
        elif (one.posting, one.before, one.hash) != (posting, before, own):
            found.append(_fault(read, Broken.FILED_OTHERWISE, posting.entry.key))
    return tuple(found)


def _verify_first(read: ReadPage) -> Iterator[Fault]:
    """A book begins at nought: with no balance, no hash and the first number."""
    page = read.page
    if page.number != 1:
        return
    if page.opening:
        yield _fault(read, Broken.BALANCE)
    if page.before != chain.FIRST:
        yield _fault(read, Broken.LINK)
    if page.first_seq != 1:
        yield _fault(read, Broken.ORDER)


def _verify_page(read: ReadPage) -> Iterator[Fault]:
    page = read.page
    if read.said_hash != page.last_hash:
        yield _fault(read, Broken.CHAIN)
    if read.said_balances != page.balances:
        yield _fault(read, Broken.BALANCE)
    times = [posting.recorded_at for posting in page.postings]
    if page.closed_until is not None:
        times.insert(0, page.closed_until)
    if times != sorted(times):
        yield _fault(read, Broken.ORDER)


def _verify_link(before: ReadPage, after: ReadPage) -> Iterator[Fault]:
    earlier, later = before.page, after.page
    if later.before != earlier.last_hash or later.number != earlier.number + 1:
        yield _fault(after, Broken.LINK)
    if later.opening != earlier.balances:
        yield _fault(after, Broken.BALANCE)
    if later.first_seq != earlier.next_seq:
        yield _fault(after, Broken.ORDER)


def _fault(read: ReadPage, what: Broken, key: str = "") -> Fault:
    return Fault(read.page.owner, read.page.number, what, key)
