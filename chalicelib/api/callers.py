"""Who is calling: the bearer token of a machine client, checked without an AWS call.

What reads tokens is imported when the first comes: hooks are signed otherwise, and the JOSE library
would be a tenth of their cold start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.ids import ConnectionId, RetailerId
from chalicelib.kernel.refusals import NotFound, Rejected, SignatureMismatch
from chalicelib.network.access import keys
from chalicelib.network.model import ClientKind
from chalicelib.runtime import settings


class NotPermitted(Rejected):
    """The caller is known and may not do this."""

    code = "not_permitted"


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified machine client. `subject` is the connection id or retailer id it acts for.

    `user` narrows the token to one of the bank's users, where the token was asked for with one.
    """

    client_id: str
    kind: ClientKind
    subject: str
    scopes: tuple[str, ...]
    user: str | None = None


def authenticate(headers: Mapping[str, str], scopes: tuple[str, ...], *, now: datetime) -> Caller:
    """The caller whose bearer token stands in `headers`.

    :raises SignatureMismatch: no token, or one that does not verify or has expired.
    :raises NotPermitted: the token lacks one of `scopes`.
    """
    from chalicelib.network.access import tokens  # As said above.

    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SignatureMismatch("no credential was given")
    published = keys.list_published(now=now)
    access = tokens.read(token.strip(), published, issuer=settings.public_url(), now=now)
    if not set(scopes) <= set(access.scopes):
        raise NotPermitted("the token lacks the scope that this asks for")
    return Caller(access.client_id, access.kind, access.subject, access.scopes, access.user)


def bank_of(caller: Caller) -> ConnectionId:
    """The connection that the bank `caller` acts for.

    :raises NotPermitted: the caller is not a bank's machine.
    """
    if caller.kind is not ClientKind.BANK:
        raise NotPermitted("only a bank may do this")
    return ConnectionId(caller.subject)


def retailer_of(caller: Caller) -> RetailerId:
    """The retailer that `caller` acts for.

    :raises NotPermitted: the caller is not a retailer's machine.
    """
    if caller.kind is not ClientKind.RETAILER:
        raise NotPermitted("only a retailer may do this")
    return RetailerId(caller.subject)


def check_user(caller: Caller, user: str) -> None:
    """Let a token that is narrowed to one user reach that user only.

    :raises NotFound: it is another user; that there is one is not said.
    """
    if caller.user is not None and caller.user != user:
        raise NotFound("there is no such member")
