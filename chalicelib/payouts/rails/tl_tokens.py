"""TrueLayer's access tokens: client credentials, asked for once an hour and process.

Source: docs.truelayer.com, "Authenticate": `POST {auth}/connect/token` with `grant_type`,
`client_id`, `client_secret` and `scope=payments`; answers `{access_token, expires_in}`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from chalicelib.banks import http
from chalicelib.kernel.refusals import Malformed, TryAgain
from chalicelib.payouts.rails.model import Handed
from chalicelib.runtime import wire

SCOPE = "payments"
RENEWED_BEFORE = timedelta(minutes=5)
LIFE_MAX = timedelta(hours=1)
TOKENS_MAX = 100

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class _Held:
    token: str = field(repr=False)
    until: datetime


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: int


_by_client: dict[tuple[str, str], _Held] = {}


def access_token(handed: Handed, *, now: datetime) -> str:
    """A token for the payments scope, from memory while it is good.

    :raises TryAgain: none is given now; an operator sees to what does not pass.
    """
    held = _by_client.get(_name(handed))
    if held is not None and now < held.until:
        return held.token
    granted = _ask(handed)
    life = min(timedelta(seconds=max(granted.expires_in, 0)), LIFE_MAX)
    if len(_by_client) >= TOKENS_MAX:
        _by_client.clear()
    _by_client[_name(handed)] = _Held(granted.access_token, now + life - RENEWED_BEFORE)
    return granted.access_token


def forget_token(handed: Handed) -> None:
    """Ask for a new one the next time: this one was refused."""
    _by_client.pop(_name(handed), None)


def forget() -> None:
    """Remember no token. For tests and local stacks."""
    _by_client.clear()


def _name(handed: Handed) -> tuple[str, str]:
    return handed.account.auth_url, handed.account.client_id


def _ask(handed: Handed) -> _Granted:
    form = {
        "grant_type": "client_credentials",
        "client_id": handed.account.client_id,
        "client_secret": handed.secrets.client_secret.reveal(),
        "scope": SCOPE,
    }
    url = f"{handed.account.auth_url}/connect/token"
    reply = http.call("POST", url, headers=_FORM, body=urlencode(form).encode())
    if reply.status != 200:
        raise TryAgain("TrueLayer gave no token")
    try:
        return wire.convert(wire.parse_json(reply.body), _Granted)
    except Malformed as error:
        raise TryAgain("TrueLayer gave no token that can be read") from error
