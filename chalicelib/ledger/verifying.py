"""Whether a book is what it was: its chain, its balances, its order, and its daybook. Pure.

Whoever changes an entry has to change every hash after it, on every page and in every day of the
daybook. Older pages may be past their retention, so a book may begin with any page.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from chalicelib.ledger.books.layout import ReadPage
from chalicelib.ledger.books.pages import hashes
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


@dataclass(frozen=True, slots=True)
class Fault:
    """What is broken in `owner`'s book, on which page; `key` names the entry, where one does."""

    owner: str
    page: int
    what: Broken
    key: str = ""


def verify_book(read: Sequence[ReadPage]) -> tuple[Fault, ...]:
    """What is broken on the pages of one book, oldest first, the open one last."""
    found = [fault for one in read for fault in _verify_page(one)]
    for before, after in pairwise(read):
        found += _verify_link(before, after)
    seen: set[str] = set()
    for one in read:
        for posting in one.page.postings:
            if posting.entry.key in seen:
                found.append(_fault(one, Broken.KEY_TWICE, posting.entry.key))
            seen.add(posting.entry.key)
    return tuple(found)


def verify_filing(read: ReadPage, filed: Iterable[Filed]) -> tuple[Fault, ...]:
    """What of a page is not in the daybook as it stands on the page."""
    by_key = {one.posting.entry.key: one for one in filed}
    found = []
    for posting, (before, own) in zip(read.page.postings, hashes(read.page), strict=True):
        one = by_key.get(posting.entry.key)
        if one is None:
            found.append(_fault(read, Broken.NOT_FILED, posting.entry.key))
        elif (one.posting, one.before, one.hash) != (posting, before, own):
            found.append(_fault(read, Broken.FILED_OTHERWISE, posting.entry.key))
    return tuple(found)


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
