"""Connecting a bank by OAuth: tickets for banks' machines, redirects for people's browsers."""

import secrets
from datetime import datetime
from typing import Annotated

import msgspec
from chalice import Blueprint
from msgspec import Meta

from chalicelib.api import callers
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.banks import connecting
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.refusals import Malformed, NotFound
from chalicelib.members.connecting.model import TokenState
from chalicelib.network.access.clients import MEMBERS_READ, MEMBERS_WRITE
from chalicelib.network.model import Connection
from chalicelib.runtime import clock, settings, wire

SECRET_BYTES = 32
_NOT_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_STATUS = {TokenState.PENDING_APPROVAL: 202}

bp = Blueprint(__name__)


class TicketBody(msgspec.Struct):
    """Whose consent is asked for: the bank's own user id."""

    user: Annotated[str, Meta(max_length=200)]


class TicketAnswer(msgspec.Struct):
    """A link that is good once, for ten minutes. Send the person's browser there."""

    url: str
    expires_in: int


class ConsentAnswer(msgspec.Struct):
    """`pending_approval` (approve in the bank's app), `connected`, or `lost` (connect again)."""

    status: str


@operation(
    bp,
    "POST",
    "/connect/{connection}/tickets",
    summary="Get a link with which one user can connect the bank",
    takes=TicketBody,
    answers={201: TicketAnswer, 404: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=("connect",),
)
def give_ticket(request: Inbound) -> Answer:
    """Make a link for a person's browser. The user has to be switched on already."""
    now = clock.now()
    body = wire.convert(request.json(), TicketBody)
    connection = _own_connection(request, request.known_caller, now=now)
    callers.check_user(request.known_caller, body.user)
    ticket = secrets.token_urlsafe(SECRET_BYTES)
    connecting.give_ticket(connection, body.user, ticket=ticket, now=now)
    path = f"/connect/{connection.connection_id}/start?ticket={ticket}"
    lasts = connecting.TICKET_SECONDS
    return Answer(TicketAnswer(settings.public_url() + path, lasts), 201, _NOT_KEPT)


@operation(
    bp,
    "GET",
    "/connect/{connection}/start",
    summary="Go to the bank to give the consent",
    answers={302: None, 400: Problem, 401: Problem, 403: Problem, 404: Problem},
    query={
        "ticket": "From a link made for this person.",
        "user": "Instead of a ticket, with a bearer token: the bank's own user id.",
    },
    tags=("connect",),
)
def start_consent(request: Inbound) -> Answer:
    """Redirect to the bank. Proved by a ticket, which is spent, or by a bank's bearer token."""
    now = clock.now()
    state = secrets.token_urlsafe(SECRET_BYTES)
    if ticket := request.query.get("ticket"):
        connection = _connection(request, now=now)
        url = connecting.start_by_ticket(connection, ticket, state=state, now=now)
    else:
        caller = callers.authenticate(request.headers, (MEMBERS_WRITE,), now=now)
        connection = _own_connection(request, caller, now=now)
        user = _user_asked(request, caller)
        url = connecting.start(connection, user, state=state, now=now)
    return Answer(status=302, headers={"Location": url, **_NOT_KEPT})


@operation(
    bp,
    "GET",
    "/connect/{connection}/callback",
    summary="Come back from the bank with the consent",
    answers={200: ConsentAnswer, 202: ConsentAnswer, 400: Problem, 404: Problem},
    query={"code": "From the bank.", "state": "As we gave it; good once, for ten minutes."},
    tags=("connect",),
)
def finish_consent(request: Inbound) -> Answer:
    """Take the bank's code: 200 when connected, 202 while the bank's app awaits the approval.

    A state that is unknown, used or too old is answered 400, and nothing is stored.
    """
    state = connecting.complete(
        _connection(request, now=clock.now()),
        code=request.query.get("code"),
        state=request.query.get("state", ""),
        now=clock.now(),
    )
    return Answer(ConsentAnswer(state.value), _STATUS.get(state, 200), _NOT_KEPT)


@operation(
    bp,
    "GET",
    "/connect/{connection}/status",
    summary="See how far a user's consent is",
    answers={200: ConsentAnswer, 202: ConsentAnswer, 400: Problem, 404: Problem},
    scopes=(MEMBERS_READ,),
    query={"user!": "The bank's own user id."},
    tags=("connect",),
)
def see_consent(request: Inbound) -> Answer:
    """How far it is. While the approval is awaited, the bank is asked for it at each call."""
    now = clock.now()
    connection = _own_connection(request, request.known_caller, now=now)
    user = _user_asked(request, request.known_caller)
    state = connecting.see_state(connection, user, now=now)
    return Answer(ConsentAnswer(state.value), _STATUS.get(state, 200), _NOT_KEPT)


def _connection(request: Inbound, *, now: datetime) -> Connection:
    return connecting.connectable(ConnectionId(request.parameters["connection"]), now=now)


def _own_connection(request: Inbound, caller: callers.Caller, *, now: datetime) -> Connection:
    if callers.bank_of(caller) != request.parameters["connection"]:
        raise NotFound("there is no such connection")
    return _connection(request, now=now)


def _user_asked(request: Inbound, caller: callers.Caller) -> str:
    user = request.query.get("user", "")
    if not user:
        raise Malformed("the query parameter `user` is missing", field="user", code="missing")
    callers.check_user(caller, user)
    return user
