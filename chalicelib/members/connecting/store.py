"""Bank tokens, tickets and revocations, as rows of the table `people`.

<member id>      token#<connection id>     a bank's token, sealed under the member's key
ticket#<hash>    ticket                    one step of a consent, for ten minutes
revocations      <member id>#<version>     a token that is still to be revoked at the bank
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.members.connecting.model import BankToken, Departure, HeldToken, TokenState
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
_DEPARTURE_SEALED = Kept(
    Category.CREDENTIAL, Purpose.SECURITY, Erasure.EXPIRE, encrypted=True, holds=_TOKEN_FIELDS
)
_TICKET_SEALED = Kept(
    Category.REFERENCE,
    Purpose.MEMBERSHIP,
    Erasure.EXPIRE,
    encrypted=True,
    holds={"user": Category.REFERENCE},
)


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


class DepartureRow(rows.Row):
    """Somebody left: until a token was handed back to the bank, and what is kept runs out."""

    Meta = rows.table_meta("people")
    privacy = {"connection_id": _CONNECTION, "left_at": _OPERATION, "sealed": _DEPARTURE_SEALED}
    retention = Retention(
        name="departure",
        reason="When you leave, the bank's token is handed back; after 7 days it has ended anyway.",
        lasts=timedelta(days=7),
    )

    connection_id = UnicodeAttribute()
    left_at = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False, null=True)


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
class _Sealed:
    access: str
    refresh: str | None
    expires_at: datetime
    webhooks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _User:
    user: str


def find_token(
    member_id: MemberId, connection_id: ConnectionId, *, key: vault.SealingKey, now: datetime
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


def record_token(held: HeldToken, *, key: vault.SealingKey) -> HeldToken:
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


def token_row(member_id: MemberId, connection_id: ConnectionId) -> TokenRow:
    """The row to delete when a member leaves. For `members.store` only."""
    return TokenRow(member_id, f"token#{connection_id}")


def departure_row(departure: Departure) -> DepartureRow:
    """The row that lasts until `departure` is finished. For stores only."""
    row = DepartureRow("departures", _departure_name(departure))
    row.connection_id, row.left_at = departure.connection_id, departure.left_at.isoformat()
    if departure.token is not None:
        row.sealed = vault.seal(
            _from_token(departure.token, departure.webhooks),
            key=vault.platform_key("people"),
            place=_place(row),
            kept=_DEPARTURE_SEALED,
        )
    return row.keep_from(departure.left_at)


def record_departure(departure: Departure) -> None:
    """Note a token that came after its member left, to be revoked, and wipe it."""
    rows.put(departure_row(departure))
    rows.delete(token_row(departure.member_id, departure.connection_id))


def list_departures(*, now: datetime) -> tuple[Departure, ...]:
    """Departures that are not finished, at most 100."""
    limit = rows.BATCH_ROWS_MAX
    found = rows.list_prefixed(DepartureRow, "departures", "", now=now, limit=limit)
    return tuple(_to_departure(row) for row in found)


def forget_departure(departure: Departure) -> None:
    """The departure is finished."""
    rows.delete(DepartureRow("departures", _departure_name(departure)))


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


def _to_departure(row: DepartureRow) -> Departure:
    key = vault.platform_key("people")
    sealed = row.sealed
    opened = vault.open_sealed(sealed, _Sealed, key=key, place=_place(row)) if sealed else None
    member_id, _, version = row.sk.partition("#")
    return Departure(
        MemberId(member_id),
        ConnectionId(row.connection_id),
        datetime.fromisoformat(row.left_at),
        _to_token(opened) if opened else None,
        opened.webhooks if opened else (),
        int(version),
    )


def _departure_name(departure: Departure) -> str:
    return f"{departure.member_id}#{departure.version}"


def _from_token(token: BankToken, webhooks: tuple[str, ...]) -> _Sealed:
    refresh = token.refresh.reveal() if token.refresh else None
    return _Sealed(token.access.reveal(), refresh, token.expires_at, webhooks)


def _to_token(opened: _Sealed) -> BankToken:
    refresh = Personal(opened.refresh) if opened.refresh else None
    return BankToken(Personal(opened.access), refresh, opened.expires_at)


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
