"""Payout destinations, the keys of their envelopes, and the table of the modulus check, as rows.

    people   <member id>      destination    where the member is paid
    network  envelope_keys    <number>       the public half of a key
    network  modulus_table    current        the two published text files, as an operator gave them

The private halves are the secret `payout-envelope-keys`, which only the roles of the paying workers
may read. A destination is sealed twice: inside, an envelope that only they open; around it the
member's own key, so that it is shredded with everything else of the member.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import msgspec
from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.payouts.destinations.envelope import Envelope, EnvelopeKey
from chalicelib.runtime import rows, secretsmanager, vault
from chalicelib.runtime.register import (
    CONFIGURED,
    Category,
    Erasure,
    Kept,
    Purpose,
    Retention,
)
from chalicelib.runtime.settings import InvalidSetting

KEYS_MAX = 20
_KEYS = "envelope_keys"
_SECRET = "payout-envelope-keys"  # noqa: S105 - a name
_TABLE_BYTES_MAX = 2_000_000  # The published files have some 80 kB.
_OPERATION = Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.DELETE)
_CONFIGURATION = Kept(Category.CONFIGURATION, Purpose.SECURITY, Erasure.KEEP)
_SEALED = Kept(
    Category.REFERENCE,
    Purpose.DELIVERY,
    Erasure.SHRED,
    encrypted=True,
    holds={"envelope": Category.REFERENCE, "shown": Category.REFERENCE}
    | {"fingerprint": Category.REFERENCE}
    | {"changed_at": Category.OPERATION, "usable_from": Category.OPERATION},
)


class DestinationRow(rows.Row):
    """Where a member is paid. `version` counts changes."""

    Meta = rows.table_meta("people")
    privacy = {"sealed": _SEALED, "version": _OPERATION}
    retention = Retention(
        name="payout_destination",
        reason="Your account for cashback is kept until you remove it, or leave and were paid.",
        ended_by="its removal; or leaving, when nothing is owed, at the latest thirty days after",
    )

    sealed = BinaryAttribute(legacy_encoding=False)
    version = NumberAttribute()


class EnvelopeKeyRow(rows.Row):
    """The public half of a key, by its number in order of making."""

    Meta = rows.table_meta("network")
    privacy = {"public": _CONFIGURATION}
    retention = CONFIGURED

    public = BinaryAttribute(legacy_encoding=False)


class ModulusTableRow(rows.Row):
    """The published tables, compressed."""

    Meta = rows.table_meta("network")
    privacy = {"weights": _CONFIGURATION, "substitutes": _CONFIGURATION}
    retention = CONFIGURED

    weights = BinaryAttribute(legacy_encoding=False)
    substitutes = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class Held:
    """A member's destination as it is stored: `shown` are its last digits, `fingerprint` a keyed
    hash by which the same one is known again.

    Before `usable_from` nothing new is sent to it. `version` 0 is one that is not written yet.
    """

    envelope: Envelope
    shown: str
    fingerprint: str
    changed_at: datetime
    usable_from: datetime
    version: int = 0


@dataclass(frozen=True, slots=True)
class _Inside:
    envelope: Envelope
    shown: str
    fingerprint: str
    changed_at: datetime
    usable_from: datetime


@dataclass(frozen=True, slots=True)
class _PrivateKey:
    number: int
    private: str  # base64


@dataclass(frozen=True, slots=True)
class _PrivateKeys:
    keys: tuple[_PrivateKey, ...]


def find_held(member_id: MemberId, *, key: vault.SealingKey, now: datetime) -> Held | None:
    """The member's destination, opened with the member's `key`; its envelope stays closed."""
    row = rows.find(DestinationRow, member_id, "destination", now=now)
    if row is None:
        return None
    inside = vault.open_sealed(row.sealed, _Inside, key=key, place=_place(row))
    return Held(
        inside.envelope,
        inside.shown,
        inside.fingerprint,
        inside.changed_at,
        inside.usable_from,
        int(row.version),
    )


def record_held(member_id: MemberId, held: Held, *, key: vault.SealingKey) -> Held:
    """Write `held` over the version it was read at (0: there was none); returns it as written.

    :raises TryAgain: it was changed meanwhile.
    """
    row = DestinationRow(member_id, "destination", version=held.version + 1)
    inside = _Inside(held.envelope, held.shown, held.fingerprint, held.changed_at, held.usable_from)
    row.sealed = vault.seal(inside, key=key, place=_place(row), kept=_SEALED)
    unchanged = (
        DestinationRow.version == held.version
        if held.version
        else DestinationRow.pk.does_not_exist()
    )
    try:
        rows.put(row, condition=unchanged)
    except rows.ConditionFailed as error:
        raise TryAgain("the destination was changed meanwhile") from error
    return replace(held, version=held.version + 1)


def remove_held(member_id: MemberId) -> None:
    """Remove the destination; removing what is gone is success."""
    rows.delete(DestinationRow(member_id, "destination"))


def end_retention(member_id: MemberId, *, until: datetime) -> None:
    """Let the destination of a member who left be readable no longer than `until`."""
    row = DestinationRow(member_id, "destination")
    actions = [DestinationRow.expires_at.set(rows.epoch(until))]
    try:
        rows.update(row, actions, condition=DestinationRow.pk.exists())
    except rows.ConditionFailed:
        return  # There is none, or it went meanwhile.


def list_envelope_keys(*, now: datetime) -> tuple[EnvelopeKey, ...]:
    """The public halves, oldest first."""
    found = rows.list_prefixed(EnvelopeKeyRow, _KEYS, "", now=now, limit=KEYS_MAX)
    return tuple(EnvelopeKey(int(row.sk), row.public) for row in found)


def record_envelope_key(key: EnvelopeKey, private: Personal[bytes]) -> None:
    """Write a new key, the private half first: nothing is closed that could not be opened.

    :raises TryAgain: another process made the key of this number first, or wrote the secret.
    """
    held, version_id = _read_secret()
    new = _PrivateKey(key.number, base64.b64encode(private.reveal()).decode())
    kept = tuple(one for one in held.keys if one.number != key.number)
    text = msgspec.json.encode(_PrivateKeys((*kept, new)[-KEYS_MAX:])).decode()
    secretsmanager.write(_SECRET, text, version_id=secretsmanager.following(version_id))
    try:
        rows.put_new(EnvelopeKeyRow(_KEYS, f"{key.number:06}", public=key.public))
    except rows.ConditionFailed as error:
        raise TryAgain("another process made the envelope key first") from error


def private_key(number: int) -> Personal[bytes]:
    """The private half of the key of `number`: from memory but for the first time in a process.

    :raises TryAgain: Secrets Manager does not give it now.
    """
    found = _private_by_number(number)
    if found is None:
        _private_by_number.cache_clear()  # It may be written at this moment.
        raise TryAgain("the private half of the envelope key is missing")
    return found


def record_modulus_table(weights: str, substitutes: str) -> None:
    """Write the two published text files over those that are there."""
    if len(weights) + len(substitutes) > _TABLE_BYTES_MAX:
        raise ValueError("the tables are far longer than those that are published")
    row = ModulusTableRow("modulus_table", "current")
    row.weights = zlib.compress(weights.encode(), 9)
    row.substitutes = zlib.compress(substitutes.encode(), 9)
    rows.put(row)


def find_modulus_table(*, now: datetime) -> tuple[str, str] | None:
    """The two text files, or None where no operator gave any."""
    row = rows.find(ModulusTableRow, "modulus_table", "current", now=now, consistent=False)
    if row is None:
        return None
    return zlib.decompress(row.weights).decode(), zlib.decompress(row.substitutes).decode()


def forget() -> None:
    """Remember no keys. For tests and local stacks."""
    _private_by_number.cache_clear()


@lru_cache(maxsize=KEYS_MAX)
def _private_by_number(number: int) -> Personal[bytes] | None:
    keys: Sequence[_PrivateKey] = _read_secret()[0].keys
    found = (one.private for one in keys if one.number == number)
    return next((Personal(base64.b64decode(text)) for text in found), None)


def _read_secret() -> tuple[_PrivateKeys, str]:
    """The private halves and the version that holds them; none and no version before the first."""
    try:
        secret = secretsmanager.read(_SECRET)
    except secretsmanager.NoSuchSecret:
        return _PrivateKeys(()), ""
    try:
        held = msgspec.json.decode(secret.text, type=_PrivateKeys)
    except msgspec.MsgspecError as error:
        raise InvalidSetting(
            "the secret payout-envelope-keys is not the documented JSON"
        ) from error
    return held, secret.version_id


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
