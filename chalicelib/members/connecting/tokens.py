"""A bank's token for a member: used while it is good, refreshed by one at a time, wiped for good.

A refresh token is single-use, so whoever wants to use it first becomes the only one who may, by a
conditional write, for half a minute. The others find the newer token a moment later.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Rejected, TryAgain
from chalicelib.members import service
from chalicelib.members.connecting import store
from chalicelib.members.connecting.model import (
    BankToken,
    HeldToken,
    TokenState,
    departure_of,
)
from chalicelib.members.model import MemberStatus
from chalicelib.runtime import observability

TRANSACTIONS_READ = "transactions:read"  # All that a link's token is for; it moves no money.
REFRESHED_BEFORE = timedelta(minutes=5)  # A delivery in flight must not meet the end of its token.
CLAIM_LASTS = timedelta(seconds=30)  # Longer than a call to the bank takes with its timeouts.


class NotConnected(Rejected):
    """The member has no token at this bank that is good: never had, lost, or has left."""

    code = "not_connected"


class RefreshRefused(Rejected):
    """The bank does not take the refresh token (any more)."""

    code = "refresh_refused"


class ScopeNotHeld(Rejected):
    """The token was given for reading transactions and is not used for anything else."""

    code = "scope_not_held"


Refresh = Callable[[Personal[str]], BankToken]


def find(member_id: MemberId, connection_id: ConnectionId, *, now: datetime) -> HeldToken | None:
    """The member's token at `connection_id`, in whatever state, or None."""
    key = service.member_key_of(member_id, now=now)
    if key is None:
        return None
    return store.find_token(member_id, connection_id, key=key, now=now)


def keep(
    member_id: MemberId,
    connection_id: ConnectionId,
    token: BankToken,
    *,
    state: TokenState,
    now: datetime,
) -> HeldToken:
    """Keep a token that a consent has just given, in place of an older one.

    :raises NotConnected: the member has left; the token is noted for revocation.
    :raises TryAgain: the token was changed at this moment.
    """
    before = find(member_id, connection_id, now=now)
    held = HeldToken(member_id, connection_id, token, state, TRANSACTIONS_READ)
    if before is not None:
        held = replace(held, version=before.version, webhooks=before.webhooks)
    kept = _write(held, now=now)
    member = service.find_member(member_id, now=now)
    if member is None or member.status is MemberStatus.LEFT:
        # They left between our reading and our writing: leaving has not seen this token.
        store.record_departure(departure_of(kept, left_at=now))
        raise NotConnected("the member has left")
    return kept


def change(
    held: HeldToken,
    *,
    state: TokenState,
    webhooks: tuple[str, ...] | None = None,
    now: datetime,
) -> HeldToken:
    """Note how far the consent has come, and the bank's ids of our hooks.

    :raises TryAgain: the token was changed meanwhile.
    """
    hooks = held.webhooks if webhooks is None else webhooks
    return _write(replace(held, state=state, webhooks=hooks), now=now)


def access_token(
    member_id: MemberId,
    connection_id: ConnectionId,
    *,
    refresh: Refresh,
    refused: Personal[str] | None = None,
    scope: str = TRANSACTIONS_READ,
    now: datetime,
) -> Personal[str]:
    """A token that the bank takes now, refreshed where it would soon end.

    Where the bank takes none any more, the person took the consent back there: everything stops for
    the member until it is given anew.

    `refresh` asks the bank for the next token and raises `RefreshRefused` where it gives none.
    `refused` is a token that the bank has just answered 401 to, so it is not given again.

    :raises NotConnected: there is none, and the person has to connect again.
    :raises ScopeNotHeld: it is not for `scope`.
    :raises TryAgain: another refreshes it at this moment.
    """
    held = find(member_id, connection_id, now=now)
    if held is None or held.state is TokenState.LOST:
        raise NotConnected("the member is not connected at the bank")
    if scope != held.scope:
        raise ScopeNotHeld("the token is for reading transactions only")
    if _is_good(held, refused=refused, now=now):
        return held.token.access
    return _refreshed(held, refresh, now=now).token.access


def _is_good(held: HeldToken, *, refused: Personal[str] | None, now: datetime) -> bool:
    return now < held.token.expires_at - REFRESHED_BEFORE and held.token.access != refused


def _refreshed(held: HeldToken, refresh: Refresh, *, now: datetime) -> HeldToken:
    if held.token.refresh is None:
        _lose(held, now=now)
        raise NotConnected("the bank's token has ended and cannot be refreshed")
    claimed = store.claim_refresh(held, until=now + CLAIM_LASTS, now=now)
    try:
        token = refresh(held.token.refresh)
    except RefreshRefused as error:
        _lose(claimed, now=now)
        raise NotConnected("the bank no longer takes the member's token") from error
    renewed = replace(claimed, token=token)
    try:
        return _write(renewed, now=now)
    except (TryAgain, NotConnected) as error:
        # They left while the bank answered: leaving revoked the token before this one.
        store.record_departure(departure_of(renewed, left_at=now))
        raise NotConnected("the member has left") from error


def _lose(held: HeldToken, *, now: datetime) -> None:
    observability.count("bank_tokens_lost", connection=held.connection_id)
    change(held, state=TokenState.LOST, now=now)
    service.suspend(held.member_id, now=now)


def _write(held: HeldToken, *, now: datetime) -> HeldToken:
    key = service.member_key_of(held.member_id, now=now)
    if key is None:
        raise NotConnected("the member is forgotten")
    return store.record_token(held, key=key)
