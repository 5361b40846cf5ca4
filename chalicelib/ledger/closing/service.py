"""The journal's part of closing a day, in steps that may each be repeated.

Fold each shard of the daybook; make what fell due available; add up what retailers owe. A step goes
from a place to the next, so that a run that ends early is gone on with.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Rejected
from chalicelib.ledger import giving
from chalicelib.ledger.accounts import Holding, member_account
from chalicelib.ledger.closing import store
from chalicelib.ledger.days import store as daybook
from chalicelib.ledger.days import totals
from chalicelib.ledger.days.folding import Due, Fold, Line, add_up
from chalicelib.ledger.days.store import Filed
from chalicelib.ledger.days.totals import RetailerDay
from chalicelib.ledger.model import Entry
from chalicelib.members import announcing
from chalicelib.members.announcing import Announcement, NoticeKind, notice_id_of
from chalicelib.runtime import observability

LATE = "late"
PARTS = (*(f"{shard:02}" for shard in range(daybook.SHARDS)), LATE)
CLOSED_AFTER = timedelta(hours=1)  # No run lasts longer, so nothing more is filed on the day.
GIFTS_AT_ONCE_MAX = 10  # Of one member, in one write.


def fold_part(on: date, part: str, *, now: datetime) -> int:
    """Fold one of `PARTS` of the day's entries; returns how many there were.

    A part is folded whole: a run that dies in it begins it anew.
    """
    lines: list[Line] = []
    entries, stretch, after = 0, 0, ""
    while True:
        filed, goes_on = _list_part(on, part, after, now=now)
        fold = Fold(on)
        for one in filed:
            fold.add(one.posting.entry)
        lines = list(add_up([*lines, *fold.lines.values()]))
        entries += fold.entries
        _record_stretch(fold, part, stretch)
        if goes_on is None:
            break
        stretch, after = stretch + 1, goes_on
    if entries:
        store.record_lines(on, part, lines, entries)
    observability.count("journal_entries_folded", by=entries)
    return entries


def mature(due: Iterable[Due], *, now: datetime) -> int:
    """Make gifts available that are due and not taken back, tell their members, and return how
    many there were.

    :raises TryAgain: somebody changes a member's book all the time, or DynamoDB did not answer.
    """
    made = 0
    by_member = sorted(due, key=lambda one: (one.member_id, one.at))
    for member_id, gifts in groupby(by_member, key=lambda one: one.member_id):
        made += _mature_of(member_id, list(gifts), now=now)
    observability.count("gifts_made_available", by=made)
    return made


def add_up_day(on: date, *, now: datetime) -> tuple[RetailerDay, ...]:
    """Write what each retailer's campaigns gave and took back on the day, chained to its last.

    Days are added up in order: a day is never put before one that stands there.
    """
    lines, _ = store.list_lines(on, now=now)
    days = []
    for retailer_id, of_retailer in groupby(add_up(lines), key=lambda line: line.retailer_id):
        before = store.find_day_before(retailer_id, on, now=now)
        chained_to = before.hash if before else totals.FIRST
        day = totals.make_day(retailer_id, on, list(of_retailer), before=chained_to)
        stands = store.record_day(day)
        if stands.lines != day.lines:
            observability.count("conflicts", code="day_total")
        days.append(stands)
    return tuple(days)


def lines_of_day(on: date, *, now: datetime) -> tuple[Line, ...]:
    """What the entries of a day come to, folded from the daybook once more. Nothing is written."""
    lines: list[Line] = []
    for part in PARTS:
        after: str | None = ""
        while after is not None:
            filed, after = _list_part(on, part, after, now=now)
            fold = Fold(on)
            for one in filed:
                fold.add(one.posting.entry)
            lines = list(add_up([*lines, *fold.lines.values()]))
    return tuple(lines)


def may_be_closed(on: date, *, now: datetime) -> bool:
    """Whether the day is over, and with it everything that could still be filed on it."""
    return (now - CLOSED_AFTER).date() > on


def _list_part(on: date, part: str, after: str, *, now: datetime) -> tuple[list[Filed], str | None]:
    if part == LATE:
        return daybook.list_filed_late(on, after=after, now=now)
    return daybook.list_filed(on, int(part), after=after, now=now)


def _record_stretch(fold: Fold, part: str, stretch: int) -> None:
    if fold.moved:
        store.record_moved(fold.on, part, stretch, tuple(fold.moved))
    if fold.set_aside:
        store.record_set_aside(fold.on, part, stretch, fold.set_aside)
    for due_on, due in fold.due.items():
        store.record_due(fold.on, part, stretch, due_on, due)


def _mature_of(member_id: MemberId, gifts: list[Due], *, now: datetime) -> int:
    made = 0
    for first in range(0, len(gifts), GIFTS_AT_ONCE_MAX):
        some = gifts[first : first + GIFTS_AT_ONCE_MAX]
        try:
            posted = giving.make_available(
                member_id,
                [gift.key for gift in some],
                originated_at=min(gift.at for gift in some),
                now=now,
            )
        except Rejected:  # A book that lost an entry must not keep everybody else waiting.
            observability.count("books_broken")
            observability.warn("a gift that is due is not in its book", member=member_id)
            continue
        announcing.announce(_announcement(member_id, one.entry) for one in posted)
        made += sum(one.is_new for one in posted)
    return made


def _announcement(member_id: MemberId, available: Entry) -> Announcement:
    """That a reward may be paid now; it is said again where a run died before it was heard."""
    kind = NoticeKind.REWARD_AVAILABLE
    minor = available.minor_on(member_account(member_id, Holding.AVAILABLE))
    return Announcement(
        notice_id=notice_id_of(
            kind, member_id=member_id, subject=available.campaign_id, cause=available.key
        ),
        kind=kind,
        member_id=member_id,
        at=available.at,
        subject=available.campaign_id,
        retailer_id=available.retailer_id,
        amount=Money(minor, available.currency),
    )
