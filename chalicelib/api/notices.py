"""Notices, for banks: their log, telling them again, and what a member chose."""

from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.notice_shapes import (
    InboxAnswer,
    NoticePreferences,
    NoticePreferencesBody,
    NoticesAnswer,
    ReadBody,
    ReplayAnswer,
    ReplayBody,
    changed_choices,
    to_item,
    to_preferences,
)
from chalicelib.api.paging import limit_of
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.times import parse_instant
from chalicelib.members import service as members
from chalicelib.members.model import LinkKind, Reference
from chalicelib.network import service as network
from chalicelib.network.access.clients import (
    MEMBERS_READ,
    MEMBERS_WRITE,
    NOTICES_READ,
    NOTICES_WRITE,
)
from chalicelib.notices import inbox, replaying
from chalicelib.notices.rendering import transaction_of
from chalicelib.runtime import clock, wire

bp = Blueprint(__name__)
TAGS = ("notices",)
INBOX_DEFAULT = 20


@operation(
    bp,
    "GET",
    "/v1/notices",
    summary="What the bank was to be told since a place in its log",
    answers={200: NoticesAnswer, 400: Problem, 403: Problem, 422: Problem},
    scopes=(NOTICES_READ,),
    tags=TAGS,
    query={"since!": "A time (RFC 3339) to begin with, then the cursor of the answer before."},
)
def list_notices(inbound: Inbound) -> Answer:
    """In order of the log, some two hundred at a time, up to ninety seconds ago, for thirty days.

    An event may come twice; `data.id` says so. Members who left since are left out.
    """
    now = clock.now()
    connection_id = _bank(inbound)
    since = replaying.parse_since(inbound.query["since"], now=now)
    listed = replaying.list_for_bank(connection_id, since, now=now)
    return Answer(NoticesAnswer(listed.events, listed.cursor, listed.is_all))


@operation(
    bp,
    "POST",
    "/v1/notices/replay",
    summary="Have the bank told again of everything since a place in its log",
    takes=ReplayBody,
    answers={202: ReplayAnswer, 400: Problem, 403: Problem, 422: Problem},
    scopes=(NOTICES_WRITE,),
    tags=TAGS,
)
def replay_notices(inbound: Inbound) -> Answer:
    """By the bank's own way, in the background, each notice under the id it had."""
    now = clock.now()
    body = wire.convert(inbound.json(), ReplayBody)
    connection_id = _bank(inbound)
    since = replaying.parse_since(body.since, now=now)
    replaying.request_replay(connection_id, since, now=now)
    return Answer(ReplayAnswer(since.after), 202)


@operation(
    bp,
    "GET",
    "/v1/members/{user}/notices",
    summary="What a member was told of rewards",
    answers={200: InboxAnswer, 404: Problem, 422: Problem},
    scopes=(NOTICES_READ,),
    tags=TAGS,
    query={"cursor": "Of the page before.", "limit": "1 to 50 notices; 20 unless said."},
)
def list_inbox(inbound: Inbound) -> Answer:
    """Newest first, of the last ninety days, as it stands now, by the member's choices."""
    now = clock.now()
    member = members.get_member(_user(inbound), now=now)
    connection = network.get_connection(member.connection_id, now=now)
    listed = inbox.list_inbox(
        member,
        cursor=inbound.query.get("cursor"),
        limit=limit_of(inbound, default=INBOX_DEFAULT, most=inbox.PAGE_MAX),
        now=now,
    )
    items = tuple(
        to_item(one, transaction_of(one.announcement.payment_id, member, connection, now=now))
        for one in listed.items
    )
    return Answer(InboxAnswer(items, listed.unread, listed.cursor))


@operation(
    bp,
    "POST",
    "/v1/members/{user}/notices/read",
    summary="The member has read their notices",
    takes=ReadBody,
    answers={204: None, 400: Problem, 404: Problem, 422: Problem},
    scopes=(NOTICES_WRITE,),
    tags=TAGS,
)
def mark_inbox_read(inbound: Inbound) -> Answer:
    """Everything up to `through`. What was read stays read, whatever is said later."""
    now = clock.now()
    body = wire.convert(inbound.json(), ReadBody)
    through = parse_instant(body.through, field="through")
    inbox.mark_read(members.get_member(_user(inbound), now=now), through, now=now)
    return Answer(status=204)


@operation(
    bp,
    "GET",
    "/v1/members/{user}/notice-preferences",
    summary="What a member is told, and where",
    answers={200: NoticePreferences, 404: Problem},
    scopes=(MEMBERS_READ,),
    tags=TAGS,
)
def get_notice_preferences(inbound: Inbound) -> Answer:
    """Every kind of notice with where it is shown, and every topic of marketing."""
    now = clock.now()
    return Answer(to_preferences(members.get_member(_user(inbound), now=now).choices))


@operation(
    bp,
    "PATCH",
    "/v1/members/{user}/notice-preferences",
    summary="Change what a member is told, and where",
    takes=NoticePreferencesBody,
    answers={200: NoticePreferences, 400: Problem, 404: Problem, 422: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=TAGS,
)
def patch_notice_preferences(inbound: Inbound) -> Answer:
    """What is left out stays. A topic set to true is the member's consent to marketing about it,
    given now; to false, it is taken back, and nothing more is sent.
    """
    now = clock.now()
    body = wire.convert(inbound.json(), NoticePreferencesBody)
    member = members.change_choices(
        _user(inbound), lambda choices: changed_choices(choices, body, now=now), now=now
    )
    return Answer(to_preferences(member.choices))


def _bank(inbound: Inbound) -> ConnectionId:
    """The caller's connection; a token for one user does not reach a whole bank's log."""
    connection_id = callers.bank_of(inbound.known_caller)
    if inbound.known_caller.user is not None:
        raise callers.NotPermitted("a token for one user does not reach the bank's log")
    return connection_id


def _user(inbound: Inbound) -> Reference:
    user = inbound.parameters["user"]
    connection_id = callers.bank_of(inbound.known_caller)
    callers.check_user(inbound.known_caller, user)
    return Reference(LinkKind.USER, connection_id, user)
