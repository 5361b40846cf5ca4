"""Giving tokens: the OAuth 2 grants of RFC 6749 §4.4 (client credentials) and §6 (refresh).

A refresh token is good once. Its use makes a successor; a second use of the same one means that two
parties hold it, and ends the whole family (RFC 9700 §4.14). Nothing is lost by that: a machine
still has its secret.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.ids import PROVIDER_ID_LENGTH_MAX
from chalicelib.kernel.pan import holds_issued_number
from chalicelib.kernel.refusals import NotAllowed, TryAgain
from chalicelib.network.access import store, tokens
from chalicelib.network.access.store import RefreshGrant
from chalicelib.network.access.tokens import Access
from chalicelib.network.model import Client, ClientKind
from chalicelib.network.signing.store import SigningKey
from chalicelib.runtime import observability, settings, vault

USER_SCOPE = "user:"
SCOPE_CHARACTERS_MAX = 1_000
REFRESH_CHARACTERS_MAX = 400


class InvalidScope(NotAllowed):
    """The scope is unknown, malformed, or more than this client may have."""

    code = "invalid_scope"


class InvalidGrant(NotAllowed):
    """The refresh token is unknown, used, ended, or another client's."""

    code = "invalid_grant"


@dataclass(frozen=True, slots=True)
class Granted:
    """The tokens that were given."""

    access_token: str
    refresh_token: str
    scope: str
    expires_in_seconds: int = tokens.LASTS_SECONDS


def decide_scopes(requested: str, client: Client) -> tuple[tuple[str, ...], str | None]:
    """The scopes, and the one user, that `requested` (space-separated) asks for.

    Empty asks for all that the client has. `user:<id>` narrows the token to one of the bank's
    users; so does Flux's own way, where the scope is the bare user id (a word without a colon).

    :raises InvalidScope: more than the client has, two users, or a user of no bank.
    """
    words = tuple(dict.fromkeys(requested.split()))
    users = [word.removeprefix(USER_SCOPE) for word in words if _names_user(word)]
    scopes = tuple(word for word in words if not _names_user(word))
    if len(requested) > SCOPE_CHARACTERS_MAX or not set(scopes) <= set(client.scopes):
        raise InvalidScope("the client may not have such a scope", field="scope")
    if len(users) > 1 or (users and client.kind is not ClientKind.BANK):
        raise InvalidScope("a token is for one user of a bank at most", field="scope")
    user = users[0] if users else None
    if user is not None and (
        not 0 < len(user) <= PROVIDER_ID_LENGTH_MAX or holds_issued_number(user)
    ):
        raise InvalidScope("the user is not a user id", field="scope")
    return scopes or client.scopes, user


def _names_user(word: str) -> bool:
    return word.startswith(USER_SCOPE) or ":" not in word


def grant_by_credentials(
    client: Client,
    requested: str,
    key: SigningKey,
    *,
    new_secret: Callable[[], str],
    now: datetime,
) -> Granted:
    """Tokens for a client that has just shown its secret.

    `new_secret` gives unguessable text without dots, fresh at each call.

    :raises InvalidScope: see `decide_scopes`.
    """
    scopes, user = decide_scopes(requested, client)
    family, secret = new_secret(), new_secret()
    grant = RefreshGrant(family, client.client_id, scopes, user, _hash(family, secret))
    store.record_refresh(grant, after_token_hash=None, now=now)
    access = Access(client.client_id, client.kind, client.subject, scopes, user)
    return _granted(access, key, f"{family}.{secret}", token_id=new_secret(), now=now)


def grant_by_refresh(
    client: Client,
    refresh_token: str,
    key: SigningKey,
    *,
    new_secret: Callable[[], str],
    now: datetime,
) -> Granted:
    """Tokens in exchange for `refresh_token`, which is spent by this.

    A scope that the client lost meanwhile is not given again.

    :raises InvalidGrant: the token is not good; if it was spent before, its family has ended now.
    """
    family, _, secret = refresh_token[:REFRESH_CHARACTERS_MAX].partition(".")
    grant = store.find_refresh(family, now=now) if family else None
    if grant is None or grant.client_id != client.client_id:
        raise InvalidGrant("the refresh token is not good")
    if not hmac.compare_digest(grant.token_hash, _hash(family, secret)):
        raise _ended(grant)
    scopes = tuple(scope for scope in grant.scopes if scope in client.scopes)
    successor = new_secret()
    next_grant = RefreshGrant(
        family, client.client_id, scopes, grant.user, _hash(family, successor)
    )
    try:
        store.record_refresh(next_grant, after_token_hash=grant.token_hash, now=now)
    except TryAgain as error:
        raise _ended(grant) from error
    access = Access(client.client_id, client.kind, client.subject, scopes, grant.user)
    return _granted(access, key, f"{family}.{successor}", token_id=new_secret(), now=now)


def _ended(grant: RefreshGrant) -> InvalidGrant:
    """End the family of a token that was used twice, and say no more than that it is not good."""
    store.revoke_refresh(grant.family)
    observability.count("refresh_tokens_reused")
    observability.warn("a refresh token was used twice; its family ended", client=grant.client_id)
    return InvalidGrant("the refresh token is not good")


def _granted(
    access: Access, key: SigningKey, refresh_token: str, *, token_id: str, now: datetime
) -> Granted:
    token = tokens.sign(access, key, issuer=settings.public_url(), token_id=token_id, now=now)
    words = (*access.scopes, *([USER_SCOPE + access.user] if access.user else []))
    return Granted(token, refresh_token, " ".join(words))


def _hash(family: str, secret: str) -> str:
    return vault.lookup_key("refresh_token", family, secret)
