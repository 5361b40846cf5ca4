"""A member connects a bank: away with a ticket, back with a code, approved in the bank's own app.

A ticket is unguessable, good once and for ten minutes; so is the `state` that comes back. Nothing
is stored for a state that is not good. The token counts only once the person approved it, and only
for the person it was asked for.
"""

from datetime import datetime

from chalicelib.banks import monzo_oauth
from chalicelib.banks.http import AccessRefused
from chalicelib.banks.telling import BankRefused
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Malformed, NotAllowed, NotFound, SignatureMismatch
from chalicelib.members import service as members
from chalicelib.members.connecting import store, tokens
from chalicelib.members.connecting.model import BankToken, HeldToken, TokenState
from chalicelib.members.model import LinkKind, Member, Reference
from chalicelib.network import service as network
from chalicelib.network.model import Connection, Provider
from chalicelib.runtime import observability

START = "start"
CALLBACK = "callback"
SECRET_CHARACTERS_MAX = 200
CODE_CHARACTERS_MAX = 2_000
TICKET_SECONDS = store.TICKET_MINUTES * 60


class BadState(Malformed):
    """The state was never given, was used, or is too old."""

    code = "bad_state"


class ConsentDenied(Malformed):
    """The person came back from the bank without a consent."""

    code = "consent_denied"


class SomebodyElse(NotAllowed):
    """The consent was given by another of the bank's users than it was asked of."""

    code = "somebody_else"


def connectable(connection_id: ConnectionId, *, now: datetime) -> Connection:
    """The connection, where members connect to it by OAuth. :raises NotFound: they do not."""
    connection = network.get_connection(connection_id, now=now)
    if connection.provider is not Provider.MONZO or not connection.auth_url:
        raise NotFound("there is no such connection")
    return connection


def give_ticket(connection: Connection, user: str, *, ticket: str, now: datetime) -> None:
    """Let whoever shows `ticket` (unguessable) start the consent of the bank's `user`.

    :raises NotFound: the user has not switched the programme on.
    """
    _get_member(connection, user, now=now)
    store.record_ticket(
        ticket,
        step=START,
        connection_id=connection.connection_id,
        user=Personal(user),
        now=now,
    )


def start_by_ticket(connection: Connection, ticket: str, *, state: str, now: datetime) -> str:
    """The bank's URL for whoever shows `ticket`, which is spent by this.

    :raises SignatureMismatch: the ticket is not good.
    """
    user = _take(ticket, step=START, connection=connection, now=now)
    if user is None:
        raise SignatureMismatch("the ticket is not good")
    return start(connection, user.reveal(), state=state, now=now)


def start(connection: Connection, user: str, *, state: str, now: datetime) -> str:
    """The bank's URL where `user` gives the consent; `state` (unguessable) comes back from there.

    :raises NotFound: the user has not switched the programme on.
    """
    _get_member(connection, user, now=now)
    store.record_ticket(
        state,
        step=CALLBACK,
        connection_id=connection.connection_id,
        user=Personal(user),
        now=now,
    )
    return monzo_oauth.authorize_url(connection, state=state)


def complete(connection: Connection, *, code: str | None, state: str, now: datetime) -> TokenState:
    """Take the person's consent: exchange the code, keep the token, see whether it is approved.

    :raises BadState: the state is not good. :raises ConsentDenied: no code came with it.
    :raises monzo_oauth.CodeRefused: the bank does not take the code.
    :raises SomebodyElse: another person gave the consent; the token is handed back.
    """
    user = _take(state, step=CALLBACK, connection=connection, now=now)
    if user is None:
        raise BadState("the state is not good", field="state")
    if not code or len(code) > CODE_CHARACTERS_MAX:
        raise ConsentDenied("the bank gave no code", field="code")
    member = _get_member(connection, user.reveal(), now=now)
    token, given_by = monzo_oauth.exchange(code, connection, now=now)
    if given_by is not None and given_by != user:
        monzo_oauth.revoke(token, (), connection, now=now)
        raise SomebodyElse("the consent was given by another person")
    return _keep(member, token, connection, now=now)


def see_state(connection: Connection, user: str, *, now: datetime) -> TokenState:
    """How far the consent is; where the approval is awaited, the bank is asked for it now.

    :raises NotFound: no such member, or they never came back from the bank with a consent.
    """
    member = _get_member(connection, user, now=now)
    held = tokens.find(member.member_id, connection.connection_id, now=now)
    if held is None:
        raise NotFound("the member has not connected the bank")
    if held.state is TokenState.PENDING_APPROVAL:
        held = _advance(held, member, connection, now=now)
    return held.state


def _keep(member: Member, token: BankToken, connection: Connection, *, now: datetime) -> TokenState:
    held = tokens.keep(
        member.member_id,
        connection.connection_id,
        token,
        state=TokenState.PENDING_APPROVAL,
        now=now,
    )
    return _advance(held, member, connection, now=now).state


def _advance(
    held: HeldToken, member: Member, connection: Connection, *, now: datetime
) -> HeldToken:
    """Where the person has approved: have the bank tell us each account, and count it connected."""
    access = held.token.access
    try:
        is_approved = monzo_oauth.is_approved(access, connection, now=now)
    except AccessRefused:
        return tokens.change(held, state=TokenState.LOST, now=now)
    if not is_approved:
        return held
    home = [one.reference.value for one in member.accounts]
    webhooks = []
    for account in home:
        try:
            webhook = monzo_oauth.ensure_webhook(access, connection, account=account, now=now)
        except BankRefused as refusal:
            # An account that the bank no longer has must not keep the others from being told.
            observability.warn("the bank took no webhook for an account", code=refusal.code)
            continue
        webhooks.append(webhook)
    connected = tokens.change(held, state=TokenState.CONNECTED, webhooks=tuple(webhooks), now=now)
    members.resume(member.member_id, now=now)
    observability.count("members_connected", connection=connection.connection_id)
    return connected


def _take(secret: str, *, step: str, connection: Connection, now: datetime) -> Personal[str] | None:
    if not 0 < len(secret) <= SECRET_CHARACTERS_MAX:
        return None
    return store.take_ticket(secret, step=step, connection_id=connection.connection_id, now=now)


def _get_member(connection: Connection, user: str, *, now: datetime) -> Member:
    anchor = Reference(LinkKind.USER, connection.connection_id, user)
    return members.get_member(anchor, now=now)
