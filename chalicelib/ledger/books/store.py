"""Books, in table `money`.

    member#<id> | retailer#<id>    account              the open page of the book
    member#<id> | retailer#<id>    account#<number>     a closed page; it never changes

The open page is the only row that is changed: one write on condition of its version is journal,
balance and idempotency. A page that is full is written again as a closed one first, and dropped
from the open one by the write that adds the next entry; who dies in between has done no harm, since
the closed page says what is on it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.books.layout import ReadPage, from_bytes, to_bytes
from chalicelib.ledger.books.pages import Page
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

CONTENT_BYTES_MAX = 900  # With its keys the row stays within the 1,024 bytes of one write unit.
CLOSED_PAGES_READ = 25
# A worker's clock may be this far off another's, so an entry may seem older than its cause.
CLOCKS_DIFFER = timedelta(minutes=10)
_OPEN = "account"

KEPT = timedelta(days=7 * 365 + 2)
JOURNAL = Retention(
    name="journal",
    reason="Accounts are kept for six years after the financial year of their last entry, as tax "
    "law demands, under a pseudonym.",
    lasts=KEPT,
    since="the last entry",
)
ENTRIES = Kept(Category.TRANSACTION, Purpose.ACCOUNTING, Erasure.UNLINK)
COUNTED = Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.UNLINK)


class BookRow(rows.Row):
    """A page of a book."""

    Meta = rows.table_meta("money")
    privacy = {"version": COUNTED, "content": ENTRIES}
    retention = JOURNAL

    version = NumberAttribute()
    content = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class OpenPage:
    """The open page of a book and the version of its row, 0 where there is none yet."""

    page: Page
    version: int


def find_open_page(owner: str, *, now: datetime) -> OpenPage:
    """The open page of `owner`'s book; an empty one where there is no book."""
    row = rows.find(BookRow, owner, _OPEN, now=now)
    if row is None:
        return OpenPage(Page(owner), 0)
    return OpenPage(from_bytes(row.content, owner).page, int(row.version))


def read_open_page(owner: str, *, now: datetime) -> ReadPage | None:
    """The open page as it was written, for the verifier; None where there is no book."""
    row = rows.find(BookRow, owner, _OPEN, now=now)
    return from_bytes(row.content, owner) if row else None


def list_closed_pages(
    owner: str, *, before_number: int, now: datetime, limit: int = CLOSED_PAGES_READ
) -> list[ReadPage]:
    """The last `limit` closed pages before the one numbered `before_number`, oldest first."""
    first = max(1, before_number - limit)
    if first >= before_number:
        return []
    found = rows.list_between(
        BookRow, owner, _closed_sk(first), _closed_sk(before_number - 1), now=now, limit=limit
    )
    return [from_bytes(row.content, owner) for row in found]


def list_postings_since(open_page: Page, since: datetime, *, now: datetime) -> tuple[Posting, ...]:
    """Every entry of the book that may have been recorded since `since`, in order."""
    since -= CLOCKS_DIFFER
    postings, number, until = open_page.postings, open_page.number, open_page.closed_until
    while until is not None and until >= since and number > 1:
        found = list_closed_pages(open_page.owner, before_number=number, now=now)
        if not found:
            break  # Older pages are past their retention.
        for read in reversed(found):
            postings = read.page.postings + postings
            until = read.page.closed_until
        number = found[0].page.number
    return postings


def record_page(before: OpenPage, after: Page, *, now: datetime) -> bool:
    """Write `after` as the open page in place of `before`; False where it changed underneath."""
    row = _open_row(after, version=before.version + 1, now=now)
    untouched = BookRow.version == before.version if before.version else BookRow.pk.does_not_exist()
    try:
        rows.put(row, condition=untouched)
    except rows.ConditionFailed:
        return False
    return True


def close_page(page: Page, *, now: datetime) -> Page:
    """Write `page` as a closed one; where somebody was first, return what stands there."""
    row = BookRow(page.owner, _closed_sk(page.number), version=1, content=to_bytes(page))
    row.keep_from(now)
    try:
        rows.put_new(row)
    except rows.ConditionFailed:
        stands = rows.find(BookRow, page.owner, _closed_sk(page.number), now=now)
        if stands is None:
            raise
        return from_bytes(stands.content, page.owner).page
    return page


def fits(page: Page) -> bool:
    """Whether the page is within what one write unit holds."""
    return len(to_bytes(page)) <= CONTENT_BYTES_MAX


def _closed_sk(number: int) -> str:
    return f"{_OPEN}#{number:06}"


def _open_row(page: Page, *, version: int, now: datetime) -> BookRow:
    row = BookRow(page.owner, _OPEN, version=version, content=to_bytes(page))
    return row.keep_from(now)
