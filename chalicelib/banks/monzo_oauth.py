"""Monzo's OAuth and webhooks: the calls, and the token that every other call to Monzo needs.

Source: monzo/docs, `source/includes/_authentication.md` and `_webhooks.md`. Access tokens last
about six hours; only confidential clients get refresh tokens, each good once; there is one live
token per user and client. A fresh token may do nothing until the person approves it in Monzo's app:
until then calls are answered 403. Everything here is form-encoded.
"""

from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from chalicelib.banks import http
from chalicelib.banks.telling import BankRefused
from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Malformed, Rejected, TryAgain
from chalicelib.members.connecting import tokens
from chalicelib.members.connecting.model import BankToken
from chalicelib.members.connecting.tokens import RefreshRefused
from chalicelib.network import service as network
from chalicelib.network.model import Connection, KeyUse
from chalicelib.runtime import settings, wire

FORM = "application/x-www-form-urlencoded"
TOKEN_SECONDS_MAX = 7 * 24 * 3600  # Whatever a bank says, a token is looked at again in a week.

T = TypeVar("T")


class CodeRefused(Malformed):
    """Monzo does not take the code: used, made up, or for another redirect."""

    code = "code_refused"


class MonzoToken(msgspec.Struct):
    """The answer of `POST /oauth2/token`. `user_id` is Monzo's name of who gave the consent."""

    access_token: str
    expires_in: int
    refresh_token: str = ""
    user_id: str = ""

    def __post_init__(self) -> None:
        if not self.access_token or not self.expires_in > 0:
            raise ValueError("the token is empty or has ended")


class MonzoWebhook(msgspec.Struct):
    """A webhook as Monzo knows it."""

    id: str
    url: str


class _Registered(msgspec.Struct):
    webhook: MonzoWebhook


class _Webhooks(msgspec.Struct):
    webhooks: list[MonzoWebhook]


def redirect_uri(connection: Connection) -> str:
    """Where Monzo sends the person back to; registered with Monzo exactly like this."""
    return f"{settings.public_url()}/connect/{quote(connection.connection_id, safe='')}/callback"


def authorize_url(connection: Connection, *, state: str) -> str:
    """Where the person goes to give the consent."""
    asked = urlencode(
        {
            "client_id": connection.client_id,
            "redirect_uri": redirect_uri(connection),
            "response_type": "code",
            "state": state,
        }
    )
    return f"{connection.auth_url}{'&' if '?' in connection.auth_url else '?'}{asked}"


def exchange(
    code: str, connection: Connection, *, now: datetime
) -> tuple[BankToken, Personal[str] | None]:
    """The token for `code`, and Monzo's name of the person, where it says so.

    :raises CodeRefused: Monzo does not take the code. :raises TryAgain: it does not answer.
    """
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri(connection),
        "code": code,
    }
    try:
        answer = _ask_for_token(form, connection, now=now)
    except BankRefused as error:
        raise CodeRefused("the bank does not take the code", field="code") from error
    return _to_token(answer, now=now), Personal(answer.user_id) if answer.user_id else None


def refresh(refresh_token: Personal[str], connection: Connection, *, now: datetime) -> BankToken:
    """The next token. The one given is spent by this.

    :raises RefreshRefused: Monzo does not take it any more. :raises TryAgain: no answer.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    try:
        return _to_token(_ask_for_token(form, connection, now=now), now=now)
    except BankRefused as error:
        raise RefreshRefused("the bank does not take the refresh token") from error


def access_token(
    member_id: MemberId,
    connection: Connection,
    *,
    refused: Personal[str] | None = None,
    now: datetime,
) -> Personal[str]:
    """A token that Monzo takes now for the member; `refused` is one that it has just not taken.

    :raises tokens.NotConnected: the person has to connect again. :raises TryAgain: soon.
    """
    return tokens.access_token(
        member_id,
        connection.connection_id,
        refresh=lambda spent: refresh(spent, connection, now=now),
        refused=refused,
        now=now,
    )


def is_approved(access: Personal[str], connection: Connection, *, now: datetime) -> bool:
    """Whether the person has approved the token in Monzo's app.

    :raises http.AccessRefused: the token has ended. :raises TryAgain: Monzo does not answer.
    """
    try:
        _call("GET", "/ping/whoami", access, connection, now=now)
    except BankRefused:
        return False
    return True


def ensure_webhook(
    access: Personal[str], connection: Connection, *, account: str, now: datetime
) -> str:
    """Have Monzo tell us the account's transactions, once; returns Monzo's id of the webhook.

    :raises BankRefused: the account is not this person's. :raises TryAgain: no answer.
    """
    url = hook_url(connection)
    query = urlencode({"account_id": account})
    listed = _call("GET", f"/webhooks?{query}", access, connection, now=now)
    for webhook in _read(listed, _Webhooks).webhooks:
        if webhook.url == url:
            return webhook.id
    form = {"account_id": account, "url": url}
    made = _call("POST", "/webhooks", access, connection, form=form, now=now)
    return _read(made, _Registered).webhook.id


def hook_url(connection: Connection) -> str:
    """Where Monzo sends transactions: as it was registered, else our own secret path."""
    return connection.registered_url or f"{settings.hooks_url()}/hooks/{connection.hook}"


def revoke(
    token: BankToken, webhooks: tuple[str, ...], connection: Connection, *, now: datetime
) -> None:
    """Take our webhooks away and hand the token back. What is gone already is success.

    :raises TryAgain: Monzo does not answer.
    """
    for webhook in webhooks:
        _call_if_live("DELETE", f"/webhooks/{quote(webhook, safe='')}", token, connection, now=now)
    _call_if_live("POST", "/oauth2/logout", token, connection, now=now)


def _call_if_live(
    method: str, path: str, token: BankToken, connection: Connection, *, now: datetime
) -> None:
    try:
        _call(method, path, token.access, connection, now=now)
    except Rejected:
        return  # The token or the webhook is not known any more, which is what was wanted.


def _ask_for_token(form: dict[str, str], connection: Connection, *, now: datetime) -> MonzoToken:
    client = {"client_id": connection.client_id, "client_secret": _secret(connection, now=now)}
    body = urlencode({**form, **client}).encode()
    url = f"{connection.api_url}/oauth2/token"
    reply = http.call("POST", url, headers={"Content-Type": FORM}, body=body)
    return _read(http.accept(reply, now=now), MonzoToken)


def _secret(connection: Connection, *, now: datetime) -> str:
    secrets = network.with_keys(connection).keys_for(KeyUse.CLIENT, now=now)
    if not secrets:
        raise BankRefused("the connection has no client secret", code="not_configured")
    return secrets[0]


def _call(
    method: str,
    path: str,
    access: Personal[str],
    connection: Connection,
    *,
    form: dict[str, str] | None = None,
    now: datetime,
) -> http.Reply:
    headers = {"Authorization": f"Bearer {access.reveal()}"}
    body = None
    if form is not None:
        headers["Content-Type"] = FORM
        body = urlencode(form).encode()
    reply = http.call(method, connection.api_url + path, headers=headers, body=body)
    return http.accept(reply, now=now, token_is_members=True)


def _to_token(answer: MonzoToken, *, now: datetime) -> BankToken:
    lasts = timedelta(seconds=min(answer.expires_in, TOKEN_SECONDS_MAX))
    refresh_token = Personal(answer.refresh_token) if answer.refresh_token else None
    return BankToken(Personal(answer.access_token), refresh_token, now + lasts)


def _read(reply: http.Reply, as_type: type[T]) -> T:
    """The answer, or TryAgain: a bank whose answer we cannot read is not working right now."""
    try:
        return wire.convert(wire.read_json(reply.body), as_type)
    except Rejected as error:
        raise TryAgain("the bank's answer does not read") from error
