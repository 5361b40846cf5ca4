"""Bank tokens, tickets and revocations, as rows of the table `people`.

<member id>      token#<connection id>     a bank's token, sealed under the member's key
ticket#<hash>    ticket                    one step of a consent, for ten minutes
revocations      <member id>#<version>     a token that is still to be revoked at the bank
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

TICKET_MINUTES = 10  # Long enough to find a password, too short to be of use to a finder.
_OPERATION = Kept(Category.OPERATION, Purpose.MEMBERSHIP, Erasure.DELETE)
_CONNECTION = Kept(Category.CONFIGURATION, Purpose.MEMBERSHIP, Erasure.DELETE)
_TOKEN_FIELDS = {
    "access": Category.CREDENTIAL,
    "refresh": Category.CREDENTIAL,
    "expires_at": Category.OPERATION,
    "webhooks": Category.REFERENCE,
}
_TOKEN_SEALED = Kept(
    Category.CREDENTIAL, Purpose.DELIVERY, Erasure.SHRED, encrypted=True, holds=_TOKEN_FIELDS
)
_REVOCATION_SEALED = Kept(
    Category.CREDENTIAL, Purpose.SECURITY, Erasure.EXPIRE, encrypted=True, holds=_TOKEN_FIELDS
)
_TICKET_SEALED = Kept(
    Category.REFERENCE,
    Purpose.MEMBERSHIP,
    Erasure.EXPIRE,
    encrypted=True,
    holds={"user": Category.REFERENCE},
)


class TokenState(Enum):
    """How far a member's consent at the bank has come."""

    PENDING_APPROVAL = "pending_approval"  # the person has still to approve in the bank's app
    CONNECTED = "connected"
    LOST = "lost"  # the bank takes neither token any more; the person has to connect again


class TokenRow(rows.Row):
    """A bank's token for a member. `version` counts changes, so that a newer one is never lost."""

    Meta = rows.table_meta("people")
    privacy = {
        "state": _OPERATION,
        "scope": _OPERATION,
        "version": _OPERATION,
        "refreshing_until": _OPERATION,
        "sealed": _TOKEN_SEALED,
    }
    retention = Retention(
        name="bank_token",
        reason="The bank's token is kept while you are a member, and wiped when you leave.",
        ended_by="the member leaves or connects again",
    )

    state = UnicodeAttribute()
    scope = UnicodeAttribute()
    version = NumberAttribute()
    refreshing_until = NumberAttribute(null=True)
    sealed = BinaryAttribute(legacy_encoding=False)


class RevocationRow(rows.Row):
    """A token of somebody who left, until the bank has taken it back."""

    Meta = rows.table_meta("people")
    privacy = {"connection_id": _CONNECTION, "sealed": _REVOCATION_SEALED}
    retention = Retention(
        name="revocation",
        reason="When you leave, the bank's token is handed back; after 7 days it has ended anyway.",
        lasts=timedelta(days=7),
    )

    connection_id = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


class TicketRow(rows.Row):
    """One step of a consent: good once."""

    Meta = rows.table_meta("people")
    privacy = {"step": _OPERATION, "connection_id": _CONNECTION, "sealed": _TICKET_SEALED}
    retention = Retention(
        name="ticket",
        reason="While you connect your bank, we remember for ten minutes that it was you.",
        lasts=timedelta(minutes=TICKET_MINUTES),
    )

    step = UnicodeAttribute()
    connection_id = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class BankToken:
    """A token as the bank gave it. Without `refresh` it ends at `expires_at` for good."""

    access: Personal[str]
    refresh: Personal[str] | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A bank's token for a member, as it is stored. `webhooks` are the bank's ids of our hooks."""

    member_id: MemberId
    connection_id: ConnectionId
    token: BankToken
    state: TokenState
    scope: str
    webhooks: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Revocation:
    """A token that is to be revoked at its bank. `name` is the row's."""

    name: str
    connection_id: ConnectionId
    token: BankToken
    webhooks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sealed:
    access: str
    refresh: str | None
    expires_at: datetime
    webhooks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _User:
    user: str


def find_token(
    member_id: MemberId, connection_id: ConnectionId, *, key: bytes, now: datetime
) -> HeldToken | None:
    """The member's token at `connection_id`, opened with the member's `key`."""
    row = rows.find(TokenRow, member_id, f"token#{connection_id}", now=now)
    if row is None:
        return None
    opened = vault.open_sealed(row.sealed, _Sealed, key=key, place=_place(row))
    return HeldToken(
        member_id,
        connection_id,
        _to_token(opened),
        TokenState(row.state),
        row.scope,
        opened.webhooks,
        int(row.version),
    )


def record_token(held: HeldToken, *, key: bytes) -> HeldToken:
    """Write `held` over the version it was read at (0: there was none); returns it as written.

    :raises TryAgain: it was changed or removed meanwhile.
    """
    row = TokenRow(held.member_id, f"token#{held.connection_id}", version=held.version + 1)
    row.state, row.scope = held.state.value, held.scope
    row.sealed = vault.seal(
        _from_token(held.token, held.webhooks), key=key, place=_place(row), kept=_TOKEN_SEALED
    )
    unchanged = TokenRow.version == held.version if held.version else TokenRow.pk.does_not_exist()
    try:
        rows.put(row, condition=unchanged)
    except rows.ConditionFailed as error:
        raise TryAgain("the token was changed meanwhile") from error
    return replace(held, version=held.version + 1)


def claim_refresh(held: HeldToken, *, until: datetime, now: datetime) -> HeldToken:
    """Be the only one who refreshes `held` until then; returns it at its new version.

    :raises TryAgain: another does, or did.
    """
    row = TokenRow(held.member_id, f"token#{held.connection_id}")
    free = TokenRow.refreshing_until.does_not_exist() | (
        TokenRow.refreshing_until <= rows.epoch(now)
    )
    actions = [
        TokenRow.version.set(held.version + 1),
        TokenRow.refreshing_until.set(rows.epoch(until)),
    ]
    try:
        rows.update(row, actions, condition=(TokenRow.version == held.version) & free)
    except rows.ConditionFailed as error:
        raise TryAgain("the token is being refreshed", after_seconds=2) from error
    return replace(held, version=held.version + 1)


def wipe_token(held: HeldToken) -> None:
    """Delete the token."""
    rows.delete(token_row(held.member_id, held.connection_id))


def token_row(member_id: MemberId, connection_id: ConnectionId) -> TokenRow:
    """The row to delete when a member leaves. For `members.store` only."""
    return TokenRow(member_id, f"token#{connection_id}")


def revocation_row(held: HeldToken, *, now: datetime) -> RevocationRow:
    """The row that keeps `held` until it is revoked. For stores only."""
    row = RevocationRow(
        "revocations", f"{held.member_id}#{held.version}", connection_id=held.connection_id
    )
    row.sealed = vault.seal(
        _from_token(held.token, held.webhooks),
        key=vault.platform_key("people"),
        place=_place(row),
        kept=_REVOCATION_SEALED,
    )
    return row.keep_from(now)


def record_revocation(held: HeldToken, *, now: datetime) -> None:
    """Note that `held` is to be revoked at its bank."""
    rows.put(revocation_row(held, now=now))


def list_revocations(*, now: datetime) -> tuple[Revocation, ...]:
    """Tokens still to be revoked, at most 100."""
    found = rows.list_prefixed(RevocationRow, "revocations", "", now=now, limit=rows.BATCH_ROWS_MAX)
    return tuple(_to_revocation(row) for row in found)


def forget_revocation(name: str) -> None:
    """The bank took the token back."""
    rows.delete(RevocationRow("revocations", name))


def record_ticket(
    ticket: str, *, step: str, connection_id: ConnectionId, user: Personal[str], now: datetime
) -> None:
    """Make `ticket` (unguessable text) good for `step`, once, for ten minutes from `now`."""
    row = TicketRow(_ticket_key(ticket), "ticket", step=step, connection_id=connection_id)
    row.sealed = vault.seal(
        _User(user.reveal()),
        key=vault.platform_key("people"),
        place=_place(row),
        kept=_TICKET_SEALED,
    )
    rows.put_new(row.keep_from(now))


def take_ticket(
    ticket: str, *, step: str, connection_id: ConnectionId, now: datetime
) -> Personal[str] | None:
    """The user whom `ticket` is for; it is spent by this. None if it is not good here."""
    row = rows.find(TicketRow, _ticket_key(ticket), "ticket", now=now)
    if row is None or row.step != step or row.connection_id != connection_id:
        return None
    try:
        rows.delete(row, condition=TicketRow.pk.exists())
    except rows.ConditionFailed:
        return None
    key = vault.platform_key("people")
    return Personal(vault.open_sealed(row.sealed, _User, key=key, place=_place(row)).user)


def _ticket_key(ticket: str) -> str:
    return f"ticket#{vault.lookup_key('ticket', ticket)}"


def _to_revocation(row: RevocationRow) -> Revocation:
    opened = vault.open_sealed(
        row.sealed, _Sealed, key=vault.platform_key("people"), place=_place(row)
    )
    return Revocation(row.sk, ConnectionId(row.connection_id), _to_token(opened), opened.webhooks)


def _from_token(token: BankToken, webhooks: tuple[str, ...]) -> _Sealed:
    refresh = token.refresh.reveal() if token.refresh else None
    return _Sealed(token.access.reveal(), refresh, token.expires_at, webhooks)


def _to_token(opened: _Sealed) -> BankToken:
    refresh = Personal(opened.refresh) if opened.refresh else None
    return BankToken(Personal(opened.access), refresh, opened.expires_at)


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
