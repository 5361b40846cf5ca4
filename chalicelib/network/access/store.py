"""Clients and refresh tokens, as rows of the table `network`.

    client#<client id>  client    whose machine it is, its scopes, hashes of its secrets
    refresh#<family>    family    the one refresh token of a family that is good now

Of secrets and refresh tokens only keyed hashes are stored: the key is not in the table, so nothing
in a copy of the table can be tried against guesses.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.kernel.refusals import TryAgain
from chalicelib.network.model import Client
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose, Retention

REFRESH_TOKENS_LAST_DAYS = 30  # A machine that was silent for longer shows its secret again.
_CONFIGURATION = Kept(Category.CONFIGURATION, Purpose.SECURITY, Erasure.KEEP)
_CREDENTIAL = Kept(Category.CREDENTIAL, Purpose.SECURITY, Erasure.KEEP)
_GRANT_SEALED = Kept(
    Category.REFERENCE,
    Purpose.SECURITY,
    Erasure.EXPIRE,
    encrypted=True,
    holds={"user": Category.REFERENCE},
)


class ClientRow(rows.Row):
    """A machine client. `secrets` are pairs of hash and end of validity, newest first."""

    Meta = rows.table_meta("network")
    privacy = {"document": _CONFIGURATION, "secrets": _CREDENTIAL}
    retention = CONFIGURED

    document = UnicodeAttribute()
    secrets = UnicodeAttribute()


class RefreshRow(rows.Row):
    """A family of refresh tokens: each use replaces the token by its successor."""

    Meta = rows.table_meta("network")
    privacy = {
        "client_id": _CONFIGURATION,
        "scope": _CONFIGURATION,
        "token": _CREDENTIAL,
        "sealed": _GRANT_SEALED,
    }
    retention = Retention(
        name="refresh_token",
        reason="A machine's standing access ends when it was not used for 30 days.",
        lasts=timedelta(days=REFRESH_TOKENS_LAST_DAYS),
    )

    client_id = UnicodeAttribute()
    scope = UnicodeAttribute()
    token = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class SecretHash:
    """The keyed hash of a client's secret, good until `valid_until`, or without end."""

    value: str
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """What a refresh token gives, and the hash of the one that is good now."""

    family: str
    client_id: str
    scopes: tuple[str, ...]
    user: str | None
    token_hash: str


@dataclass(frozen=True, slots=True)
class _User:
    user: str | None


def find_client(client_id: str, *, now: datetime) -> tuple[Client, tuple[SecretHash, ...]] | None:
    """The client and the hashes of its secrets, newest first."""
    row = rows.find(ClientRow, f"client#{client_id}", "client", now=now)
    if row is None:
        return None
    secrets = msgspec.json.decode(row.secrets, type=tuple[SecretHash, ...])
    return msgspec.json.decode(row.document, type=Client), secrets


def record_client(client: Client, secrets: Sequence[SecretHash]) -> None:
    """Write `client` with `secrets` over whatever stood there."""
    document = msgspec.json.encode(client).decode()
    hashes = msgspec.json.encode(list(secrets)).decode()
    rows.put(ClientRow(f"client#{client.client_id}", "client", document=document, secrets=hashes))


def remove_client(client_id: str) -> None:
    """Remove the client; it gets no more tokens."""
    rows.delete(ClientRow(f"client#{client_id}", "client"))


def find_refresh(family: str, *, now: datetime) -> RefreshGrant | None:
    """The grant of `family`, if it was not revoked and is not too old."""
    row = rows.find(RefreshRow, f"refresh#{family}", "family", now=now)
    if row is None:
        return None
    opened = vault.open_sealed(
        row.sealed, _User, key=vault.platform_key("network"), place=f"{row.pk}|{row.sk}"
    )
    return RefreshGrant(family, row.client_id, tuple(json.loads(row.scope)), opened.user, row.token)


def record_refresh(grant: RefreshGrant, *, after_token_hash: str | None, now: datetime) -> None:
    """Write `grant` in place of the one whose token has `after_token_hash`; None for a new family.

    :raises TryAgain: the token was used meanwhile, or the family was revoked.
    """
    row = RefreshRow(
        f"refresh#{grant.family}",
        "family",
        client_id=grant.client_id,
        scope=json.dumps(grant.scopes),
        token=grant.token_hash,
    )
    row.sealed = vault.seal(
        _User(grant.user),
        key=vault.platform_key("network"),
        place=f"{row.pk}|{row.sk}",
        kept=_GRANT_SEALED,
    )
    unused = (
        RefreshRow.token == after_token_hash if after_token_hash else RefreshRow.pk.does_not_exist()
    )
    try:
        rows.put(row.keep_from(now), condition=unused)
    except rows.ConditionFailed as error:
        raise TryAgain("the refresh token was used meanwhile") from error


def revoke_refresh(family: str) -> None:
    """End the family: none of its tokens is good any more."""
    rows.delete(RefreshRow(f"refresh#{family}", "family"))
