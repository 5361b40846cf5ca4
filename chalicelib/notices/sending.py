"""Telling banks of notices: written into the bank's log first, then told, each once.

One run takes what gathered on the queue, writes one page of the log for each bank, and tells. What
a bank does not take now is told from the page later, by a message that names it; so the log has
each notice once, and a bank that is away for days costs one message a page. What a bank refuses for
good is counted and stays on the page, from where it can be told again (`replaying`).

A webhook has the notice's id, by which a bank knows a repeat. A feed item has none, so it is
written down before it is sent, and one of which nobody can tell whether it was put is not sent
again (docs/decisions/0080-a-feed-item-at-most-once.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.banks import monzo_feed, monzo_oauth, standard_notices
from chalicelib.banks.http import AccessRefused
from chalicelib.banks.monzo_feed import MayBeShown
from chalicelib.banks.noticing import Way, url_of, way_to
from chalicelib.banks.telling import EndpointGone
from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import NotFound, Rejected, TryAgain
from chalicelib.members import service as members
from chalicelib.members.announcing import Announcement
from chalicelib.members.messages import encode
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.access import keys
from chalicelib.network.model import Connection
from chalicelib.notices.log import store
from chalicelib.notices.log.store import Page
from chalicelib.notices.messages import TellPageMessage
from chalicelib.notices.rendering import bank_notice, why_not_told
from chalicelib.runtime import observability, queues

FIRST_WAIT_SECONDS = 30  # Before a page is told on; after that the queue's back-off grows.


@dataclass(slots=True)
class Run:
    """One run: its time, whether there is time for one more call, and whom it has read."""

    now: datetime
    has_time: Callable[[], bool]
    _members: dict[MemberId, Member | None] = field(default_factory=dict)

    def member(self, member_id: MemberId) -> Member | None:
        """The member, read once in a run."""
        if member_id not in self._members:
            self._members[member_id] = members.find_member(member_id, now=self.now)
        return self._members[member_id]


@dataclass(frozen=True, slots=True)
class Left:
    """What was not told: places on the page. `passing` is what the bank met, if it met anything."""

    places: tuple[int, ...] = ()
    passing: TryAgain | None = None


def send(announced: Sequence[Announcement], run: Run, *, new_page_id: Callable[[], str]) -> None:
    """Log and tell what was `announced`: in order, as it was said, and what was said twice once.

    :raises TryAgain: something could not be read or logged; all of it may come again.
    """
    by_bank: dict[ConnectionId, list[Announcement]] = {}
    once = {one.notice_id: one for one in announced}
    if fewer := len(announced) - len(once):
        observability.count("notices_dropped", by=fewer, reason="said_twice")
    for announcement in once.values():
        member = run.member(announcement.member_id)
        reason = why_not_told(member, announcement.kind)
        if member is None or reason is not None:
            observability.count("notices_dropped", reason=reason or "member_left")
        else:
            by_bank.setdefault(member.connection_id, []).append(announcement)
    for connection_id, notices in by_bank.items():
        page = store.page_of(notices, page_id=new_page_id(), now=run.now)
        store.record_page(connection_id, page)
        places = tuple(range(len(notices)))
        left = tell_page(connection_id, page, places, run)
        if left.places:
            tell_later(connection_id, page, left)


def tell_on(message: TellPageMessage, run: Run) -> None:
    """Tell what `message` says is left of a page. Of a page that is forgotten, nothing.

    :raises TryAgain: the bank takes nothing now.
    """
    name = store.name_from_text(message.page)
    page = store.find_page(message.connection_id, name, now=run.now)
    if page is None:
        return observability.count("notices_dropped", reason="page_forgotten")
    wanted = range(len(page.notices)) if message.left is None else message.left
    places = tuple(place for place in wanted if 0 <= place < len(page.notices))
    left = tell_page(message.connection_id, page, places, run)
    if left.passing is not None and len(left.places) == len(places):
        raise left.passing
    if left.places:
        tell_later(message.connection_id, page, left)
    return None


def tell_later(connection_id: ConnectionId, page: Page, left: Left) -> None:
    """Queue the rest of `page`: at once where only time gave out, else when the bank may answer."""
    wait = 0
    if left.passing is not None:
        wait = left.passing.after_seconds or FIRST_WAIT_SECONDS
    message = TellPageMessage(connection_id, page.name.to_text(), left.places)
    queues.send(queues.NOTICES, [encode(message)], delay_seconds=wait)


def tell_page(connection_id: ConnectionId, page: Page, places: tuple[int, ...], run: Run) -> Left:
    """Tell the notices of `page` at `places`; what is left where the bank or the time gives out."""
    connection = _connection(connection_id, run)
    if connection is None:
        return Left()
    left: list[int] = []
    passing: TryAgain | None = None
    for index, place in enumerate(places):
        if not run.has_time():
            return Left((*left, *places[index:]), passing)
        try:
            _tell(page.notices[place], connection, run)
        except EndpointGone:
            return _gone(connection, run, count=len(places) - index)
        except Rejected as refusal:
            _refused(connection, page.notices[place], refusal)
        except TryAgain as error:
            passing = error
            if way_to(connection) is not Way.FEED:
                return Left((*left, *places[index:]), passing)
            left.append(place)
    return Left(tuple(left), passing)


def _connection(connection_id: ConnectionId, run: Run) -> Connection | None:
    """The connection with its keys, if its bank is told of notices."""
    try:
        connection = network.get_connection(connection_id, now=run.now)
    except NotFound:
        observability.count("notices_dropped", reason="connection_not_told")
        return None
    is_stopped = connection.told_until is not None and url_of(connection) == connection.told_at_url
    if way_to(connection) is None or is_stopped:
        observability.count("notices_dropped", reason="connection_not_told")
        return None
    return network.with_keys(connection)


def _tell(announcement: Announcement, connection: Connection, run: Run) -> None:
    member = run.member(announcement.member_id)
    reason = why_not_told(member, announcement.kind)
    if member is None or reason is not None:
        return observability.count("notices_dropped", reason=reason or "member_left")
    if way_to(connection) is Way.FEED:
        _put_into_feed(announcement, member, connection, run)
    else:
        notice = bank_notice(announcement, member, connection, now=run.now)
        key = _signing_key(connection, now=run.now)
        standard_notices.tell(notice, connection, signing_key=key, now=run.now)
    return observability.count(
        "notices_told", provider=connection.provider.value, kind=announcement.kind.value
    )


def _signing_key(connection: Connection, *, now: datetime) -> Personal[str] | None:
    if way_to(connection) is not Way.JWS:
        return None
    return keys.get_signing_key(now=now).private_pem


def _put_into_feed(
    announcement: Announcement, member: Member, connection: Connection, run: Run
) -> None:
    """Once: nothing is put where it was tried before, unless it is certain that it failed."""
    token = monzo_oauth.access_token(member.member_id, connection, now=run.now)
    if not store.record_try(member.member_id, announcement.notice_id, now=run.now):
        return observability.count("notices_dropped", reason="told_before")
    try:
        _put_with_access(announcement, member, connection, token, run)
    except MayBeShown:
        return observability.count("notices_unsure", provider=connection.provider.value)
    except (Rejected, TryAgain):
        store.forget_try(member.member_id, announcement.notice_id)
        raise
    return None


def _put_with_access(
    announcement: Announcement,
    member: Member,
    connection: Connection,
    token: Personal[str],
    run: Run,
) -> None:
    """Put it; where the member's token at the bank has run out, renew it once."""
    now = run.now
    notice = bank_notice(announcement, member, connection, access_token=token, now=now)
    try:
        return monzo_feed.tell(notice, connection, now=now)
    except AccessRefused:
        renewed = monzo_oauth.access_token(member.member_id, connection, refused=token, now=now)
    notice = bank_notice(announcement, member, connection, access_token=renewed, now=now)
    return monzo_feed.tell(notice, connection, now=now)


def _gone(connection: Connection, run: Run, *, count: int) -> Left:
    """The bank listens no more: what is left stays in the log. Where receipts go there too, they
    stop as well.
    """
    if url_of(connection) == connection.told_at_url:
        network.stop_telling(connection.connection_id, now=run.now)
    observability.count(
        "notices_refused", by=count, provider=connection.provider.value, code=EndpointGone.code
    )
    return Left()


def _refused(connection: Connection, announcement: Announcement, refusal: Rejected) -> None:
    observability.count("notices_refused", provider=connection.provider.value, code=refusal.code)
    observability.log(
        "a bank took no notice",
        connection=connection.connection_id,
        kind=announcement.kind.value,
        id=announcement.notice_id,
        code=refusal.code,
    )
