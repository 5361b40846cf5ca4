"""Connections as rows of the table `network`, and their keys in Secrets Manager.

    connections  <connection id>    the connection, sealed, without its keys

All stand in one partition: there are some hundred, they are read whole once a minute per process,
and so an unknown hook costs no read at all. The keys of a connection are one secret, and its row
names the version of it: a process asks for each version once, and only for the connections whose
keys it needs.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import msgspec
from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.network.model import Connection, ConnectionKey, KeyUse
from chalicelib.runtime import rows, secretsmanager, vault
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose
from chalicelib.runtime.settings import InvalidSetting

CONNECTIONS_MAX = 500
_CONNECTIONS = "connections"
_OPERATION = Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP)
_SEALED = Kept(
    Category.CREDENTIAL,
    Purpose.SECURITY,
    Erasure.KEEP,
    encrypted=True,
    holds={"connection": Category.CONFIGURATION, "keys": Category.CREDENTIAL},
)


class ConnectionRow(rows.Row):
    """A connection. `version` counts its changes, so that two at once do not undo each other."""

    Meta = rows.table_meta("network")
    privacy = {"sealed": _SEALED, "version": _OPERATION}
    retention = CONFIGURED

    sealed = BinaryAttribute(legacy_encoding=False)
    version = NumberAttribute()


@dataclass(frozen=True, slots=True)
class _Key:
    use: KeyUse
    value: str
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class _Keys:
    keys: tuple[_Key, ...]


@dataclass(frozen=True, slots=True)
class _SealedConnection:
    """`keys` are those of a row that was written before keys stood in Secrets Manager."""

    connection: Connection  # without its keys
    keys: tuple[_Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Versioned:
    """A connection with the version at which it was read; 0 for one that is new."""

    connection: Connection
    version: int


def list_connections(*, now: datetime) -> tuple[Versioned, ...]:
    """Every connection, in order of id, without keys."""
    found = rows.list_prefixed(ConnectionRow, _CONNECTIONS, "", now=now, limit=CONNECTIONS_MAX)
    return tuple(_to_connection(row) for row in found)


def find_connection(connection_id: ConnectionId, *, now: datetime) -> Versioned | None:
    """The connection as it stands now, not as it is remembered, without keys."""
    row = rows.find(ConnectionRow, _CONNECTIONS, connection_id, now=now)
    return None if row is None else _to_connection(row)


def record_connection(connection: Connection, *, after_version: int) -> None:
    """Write `connection` over the one of `after_version`; its keys, where it has any, before it.

    Keys that were written for a row that was not are a version that no row names.

    :raises TryAgain: somebody else changed it meanwhile, or the keys could not be written.
    """
    if connection.keys:
        connection = _record_keys(connection, after_version=after_version)
    row = ConnectionRow(_CONNECTIONS, connection.connection_id, version=after_version + 1)
    row.sealed = vault.seal(
        _SealedConnection(connection),
        key=vault.platform_key("network"),
        place=f"{row.pk}|{row.sk}",
        kept=_SEALED,
    )
    unchanged = (
        ConnectionRow.version == after_version
        if after_version
        else ConnectionRow.pk.does_not_exist()
    )
    try:
        rows.put(row, condition=unchanged)
    except rows.ConditionFailed as error:
        raise TryAgain("the connection was changed by somebody else meanwhile") from error


def with_keys(connection: Connection) -> Connection:
    """`connection` with its keys, from memory but for the first time in a process.

    :raises TryAgain: Secrets Manager does not give them now.
    """
    if connection.keys or not connection.keys_version:
        return connection
    keys = _read_keys(connection.connection_id, connection.keys_version)
    return replace(connection, keys=keys)


def forget() -> None:
    """Remember no keys. For tests and local stacks."""
    _read_keys.cache_clear()


def _record_keys(connection: Connection, *, after_version: int) -> Connection:
    """Write the keys; returns the connection that names them.

    The version's id is a keyed hash of what it holds and of the row it is for, so that a repeat
    writes the same and the id says nothing of the keys.
    """
    held = _Keys(tuple(_Key(k.use, k.value.reveal(), k.valid_until) for k in connection.keys))
    text = msgspec.json.encode(held).decode()
    made_of = (connection.connection_id, str(after_version), text)
    version_id = f"connection-keys-{vault.lookup_key('connection_keys', *made_of)}"
    secretsmanager.write(_name(connection.connection_id), text, version_id=version_id)
    return replace(connection, keys=(), keys_version=version_id)


@lru_cache(maxsize=CONNECTIONS_MAX)
def _read_keys(connection_id: ConnectionId, version_id: str) -> tuple[ConnectionKey, ...]:
    """The keys of that version, which never change. Where it is gone, the current ones.

    It is gone where newer keys were written, and the row that names them was not.
    """
    try:
        secret = secretsmanager.read(_name(connection_id), version_id=version_id)
    except secretsmanager.NoSuchSecret:
        secret = _read_current(connection_id)
    try:
        held = msgspec.json.decode(secret.text, type=_Keys)
    except msgspec.MsgspecError as error:
        raise InvalidSetting("the keys of a connection are not the documented JSON") from error
    return _to_keys(held.keys)


def _read_current(connection_id: ConnectionId) -> secretsmanager.Secret:
    try:
        return secretsmanager.read(_name(connection_id))
    except secretsmanager.NoSuchSecret as error:
        raise TryAgain("the keys of the connection are missing") from error


def _to_connection(row: ConnectionRow) -> Versioned:
    opened = vault.open_sealed(
        row.sealed,
        _SealedConnection,
        key=vault.platform_key("network"),
        place=f"{row.pk}|{row.sk}",
    )
    return Versioned(replace(opened.connection, keys=_to_keys(opened.keys)), int(row.version))


def _to_keys(held: tuple[_Key, ...]) -> tuple[ConnectionKey, ...]:
    return tuple(ConnectionKey(k.use, Personal(k.value), k.valid_until) for k in held)


def _name(connection_id: ConnectionId) -> str:
    return f"connections/{connection_id}"
