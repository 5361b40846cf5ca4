"""A day on which everybody was rewarded: one night closes a day of fifty thousand entries.

The books and the daybook are written as the journal would write them, only a batch at a time:
giving is not what is played here. Closing is the night's own, from its first step to its last.
"""

import resource
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.kernel.refusals import TryAgain
from infra.baddays.street import Ledger, Street

if TYPE_CHECKING:
    from chalicelib.ledger.books.pages import Page
    from chalicelib.ledger.model import Entry

GIFTS_EACH = 10  # As many as a page of a book holds.
MINOR = 25
RETURN_DAYS = 30
RETAILER, CAMPAIGN = RetailerId("busy-retailer"), "everybody-wins"
NIGHT = timedelta(days=1, hours=3, minutes=10)  # When the schedule wakes it.
RUNS_EVERY, RUNS_MAX = timedelta(minutes=15), 24
ROWS_AT_ONCE = 25  # DynamoDB's own limit.


def play(street: Street, ledger: Ledger, *, size: int) -> None:
    """`size` gifts on one day, ten to a member; then the night after it."""
    from chalicelib.ledger.closing import store

    on = street.clock.now().date()
    given_at = datetime.combine(on, datetime.min.time(), UTC) + timedelta(hours=8)
    _write(_books(size, given_at), given_at)
    used, began, peak = time.process_time(), time.monotonic(), _peak_megabytes()
    night = datetime.combine(on, datetime.min.time(), UTC) + NIGHT
    runs, next_day = _close(night)
    ledger.check_within("runs that it took", runs, 1, RUNS_MAX)
    ledger.note("milliseconds of processor time", int((time.process_time() - used) * 1_000))
    ledger.note("milliseconds on the clock", int((time.monotonic() - began) * 1_000))
    ledger.note("megabytes at its peak, the local stack's own among them", _peak_megabytes())
    ledger.note("megabytes more than at the peak before", _peak_megabytes() - peak)
    ledger.check("days left to close", (night.date() - next_day).days, 0)
    (day,) = store.list_days(RETAILER, on, on, now=night)
    (line,) = day.lines
    ledger.check("gifts on the retailer's statement", line.given, size)
    ledger.check("pence that it owes", line.owed_minor, size * MINOR)
    due = list(_due(on + timedelta(days=RETURN_DAYS), night))
    ledger.check("gifts that become available", len(due), size)
    ledger.check("of them each once", len(set(due)), size)


def _close(night: datetime) -> tuple[int, date]:
    """Run after run, as the schedule does; how many it took, and the day that comes next.

    The embedded AWS looks at the whole of a partition for every query, which on a busy machine
    takes longer than anybody waits for DynamoDB. Then the next run goes on.
    """
    from chalicelib.payouts import closing

    for run in range(RUNS_MAX):
        now = night + run * RUNS_EVERY
        try:
            closed = closing.close_days(now=now, has_time=lambda: True)
        except TryAgain:
            continue
        return run + 1, closed.next_day
    return RUNS_MAX, night.date() - timedelta(days=1)


def _books(size: int, at: datetime) -> Iterator["Page"]:
    """One page for each member, with ten gifts; the last one's with what is left."""
    from chalicelib.ledger.accounts import member_owner
    from chalicelib.ledger.books import pages

    for first in range(0, size, GIFTS_EACH):
        member_id = MemberId(f"busy-{first // GIFTS_EACH:06}")
        numbers = range(first, min(first + GIFTS_EACH, size))
        entries = [_given(member_id, number, at) for number in numbers]
        yield pages.append(pages.Page(member_owner(member_id)), entries, now=at)


def _given(member_id: MemberId, number: int, at: datetime) -> "Entry":
    from chalicelib.ledger.accounts import Holding, liability_account, member_account
    from chalicelib.ledger.model import Entry, EntryKind, Leg

    return Entry(
        key=f"gift-{number:07}",
        kind=EntryKind.REWARD_GIVEN,
        member_id=member_id,
        at=at,
        currency="GBP",
        legs=(
            Leg(liability_account(CAMPAIGN), -MINOR),
            Leg(member_account(member_id, Holding.PENDING), MINOR),
        ),
        campaign_id=CAMPAIGN,
        retailer_id=RETAILER,
        cause=f"payment-{number:07}",
        due_at=at + timedelta(days=RETURN_DAYS),
    )


def _write(books: Iterable["Page"], at: datetime) -> None:
    """Write each page, and each of its entries in the daybook."""
    waiting: list[tuple[str, dict[str, Any]]] = []
    for page in books:
        waiting += [(row.Meta.table_name, row.serialize()) for row in _rows_of(page, at)]
        while len(waiting) >= ROWS_AT_ONCE:
            _put(waiting[:ROWS_AT_ONCE])
            waiting = waiting[ROWS_AT_ONCE:]
    if waiting:
        _put(waiting)


def _put(items: Sequence[tuple[str, dict[str, Any]]]) -> None:
    from chalicelib.runtime import aws

    ((table, _), *_) = items  # Books and the daybook stand in one table.
    puts = [{"PutRequest": {"Item": item}} for _, item in items]
    left = aws.client("dynamodb").batch_write_item(RequestItems={table: puts})["UnprocessedItems"]
    if left:
        raise RuntimeError("the embedded AWS was too busy to take a batch")


def _rows_of(page: "Page", at: datetime) -> Iterator[Any]:
    from chalicelib.ledger.books import layout, pages
    from chalicelib.ledger.books.store import BookRow
    from chalicelib.ledger.days.store import DaybookRow, daybook_key

    content = layout.to_bytes(page)
    yield BookRow(page.owner, "account", version=1, content=content).keep_from(at)
    for posting, (before, _) in zip(page.postings, pages.hashes(page), strict=True):
        alone = pages.Page(page.owner, 0, before=before, postings=(posting,), first_seq=posting.seq)
        filed_on = posting.recorded_at.date().isoformat()
        row = DaybookRow(*daybook_key(posting), content=layout.to_bytes(alone), filed_on=filed_on)
        yield row.keep_from(at)


def _due(on: date, now: datetime) -> Iterator[str]:
    """The keys of all gifts that are noted as becoming available on a day."""
    from chalicelib.ledger.closing import store

    after = ""
    while found := store.find_due(on, after=after, now=now):
        after, due = found
        yield from (one.key for one in due if one.member_id.startswith("busy-"))


def _peak_megabytes() -> int:
    """The most memory that this process ever had; the embedded AWS is another process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
