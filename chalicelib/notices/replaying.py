"""The log of notices, read by a bank since a cursor, and told again from there.

A cursor is the name of a page, and a reader gets what stands after it. Pages are written by many at
once, so the last minute is not read yet: nobody can write before a cursor that was given out. A
notice may stand on two pages where a run died in between; its id says that it is the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.banks.standard_notices import NoticeEvent, event_of
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.refusals import Misshapen
from chalicelib.kernel.times import parse_instant
from chalicelib.members.messages import encode
from chalicelib.network import service as network
from chalicelib.notices.log import store
from chalicelib.notices.log.store import KEPT_DAYS, Page
from chalicelib.notices.messages import ReplayMessage, TellPageMessage
from chalicelib.notices.rendering import bank_notice, why_not_told
from chalicelib.notices.sending import Run
from chalicelib.runtime import queues

SETTLED_SECONDS = 90  # Longer than a run may last, from reading the clock to its last write.
NOTICES_READ_MAX = 200  # In one answer; a page is given whole, so it may be some more.
PAGES_AT_ONCE = 20  # That one message of a replay turns into messages of their own.


@dataclass(frozen=True, slots=True)
class Since:
    """A place in a bank's log: the text after which it is read, and the day on which that lies."""

    after: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """Notices in the order of the log, and the cursor from which to go on. `is_all`: that was all
    there is up to a minute ago.
    """

    events: tuple[NoticeEvent, ...]
    cursor: str
    is_all: bool


def parse_since(text: str, *, now: datetime) -> Since:
    """A cursor that was given out, or a time (RFC 3339). What is older than the log is its start.

    :raises Misshapen: it is neither.
    """
    if "_" in text:
        try:
            name = store.name_from_text(text)
        except ValueError as error:
            raise Misshapen("the cursor is none that was given out", field="since") from error
        after, at = name.to_text(), name.written_at
    else:
        at = parse_instant(text, field="since")
        after = store.instant_text(at)
    start = now - timedelta(days=KEPT_DAYS)
    if at < start:
        return Since(store.instant_text(start), start)
    return Since(after, at)


def list_for_bank(connection_id: ConnectionId, since: Since, *, now: datetime) -> Listed:
    """What the bank was to be told after `since`, of members who are still with it."""
    connection = network.get_connection(connection_id, now=now)
    run = Run(now, has_time=lambda: True)
    events: dict[str, NoticeEvent] = {}
    cursor, read = since.after, 0
    for page in _pages(connection_id, since, until=now, now=now):
        if read >= NOTICES_READ_MAX:
            return Listed(tuple(events.values()), cursor, is_all=False)
        for announcement in page.notices:
            member = run.member(announcement.member_id)
            if member is None or why_not_told(member, announcement.kind) is not None:
                continue
            notice = bank_notice(announcement, member, connection, now=now)
            events.setdefault(notice.notice_id, event_of(notice))
        cursor, read = page.name.to_text(), read + len(page.notices)
    return Listed(tuple(events.values()), cursor, is_all=True)


def request_replay(connection_id: ConnectionId, since: Since, *, now: datetime) -> None:
    """Have the bank told again of everything after `since` that was logged by now."""
    message = ReplayMessage(connection_id, since.after, now)
    queues.send(queues.NOTICES, [encode(message)])


def replay(message: ReplayMessage, *, now: datetime) -> int:
    """Queue the next pages of a replay, and the rest of it; returns how many pages.

    Done again, it queues them again: the bank knows each notice by its id.
    """
    after = message.after
    since = Since(after, datetime.fromisoformat(after.partition("_")[0]))
    bodies: list[str] = []
    for page in _pages(message.connection_id, since, until=message.until, now=now):
        if len(bodies) == PAGES_AT_ONCE:
            rest = ReplayMessage(message.connection_id, after, message.until)
            bodies.append(encode(rest))
            break
        after = page.name.to_text()
        bodies.append(encode(TellPageMessage(message.connection_id, after)))
    if bodies:
        queues.send(queues.NOTICES, bodies)
    return min(len(bodies), PAGES_AT_ONCE)


def _pages(
    connection_id: ConnectionId, since: Since, *, until: datetime, now: datetime
) -> Iterator[Page]:
    """The pages after `since` that were written by `until` and stand for good."""
    last = min(until, now - timedelta(seconds=SETTLED_SECONDS)).astimezone(UTC)
    after, day = since.after, since.at.astimezone(UTC).date()
    while day <= last.date():
        found = store.list_pages(
            connection_id, day, after=after, limit=store.PAGES_READ_MAX, now=now
        )
        for page in found:
            if page.name.written_at > last:
                return
            yield page
        if len(found) < store.PAGES_READ_MAX:
            after, day = "", day + timedelta(days=1)
        else:
            after = found[-1].name.to_text()
