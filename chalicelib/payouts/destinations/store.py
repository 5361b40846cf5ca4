"""Payout destinations, the keys of their envelopes, and the table of the modulus check, as rows.

    people   <member id>      destination    where the member is paid
    people   <member id>      removed        what the one that was removed last is known by
    network  envelope_keys    <number>       the public half of a key
    network  modulus_table    current        the two published text files, as an operator gave them

The private halves are a secret (`payouts.private_keys`). A destination is sealed twice: inside, an
envelope that only the paying workers open; around it the member's own key, so that it is shredded
with everything else of the member.
"""

import zlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.payouts.destinations.envelope import Envelope, EnvelopeKey
from chalicelib.payouts.private_keys import store as private_keys
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import (
    CONFIGURED,
    Category,
    Erasure,
    Kept,
    Purpose,
    Retention,
)

KEYS_MAX = 20
_KEYS = "envelope_keys"
_TABLE_BYTES_MAX = 2_000_000  # The published files have some 80 kB.
_OPERATION = Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.DELETE)
_CONFIGURATION = Kept(Category.CONFIGURATION, Purpose.SECURITY, Erasure.KEEP)
_SEALED = Kept(
    Category.REFERENCE,
    Purpose.DELIVERY,
    Erasure.SHRED,
    encrypted=True,
    holds={"envelope": Category.REFERENCE, "shown": Category.REFERENCE}
    | {"fingerprint": Category.REFERENCE, "only_currency": Category.REFERENCE}
    | {"changed_at": Category.OPERATION, "usable_from": Category.OPERATION},
)

_SEALED_REMOVED = Kept(
    Category.REFERENCE,
    Purpose.SECURITY,
    Erasure.SHRED,
    encrypted=True,
    holds={"fingerprint": Category.REFERENCE}
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


class RemovedRow(rows.Row):
    """That a member's destination was removed, and a keyed hash of it; nobody can be paid by it."""

    Meta = rows.table_meta("people")
    privacy = {"sealed": _SEALED_REMOVED}
    retention = Retention(
        name="payout_destination_removed",
        reason="That you removed your account for cashback is kept for thirty days, so that nobody "
        "else puts another in its place at once.",
        lasts=timedelta(days=30),
        since="its removal",
    )

    sealed = BinaryAttribute(legacy_encoding=False)


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

    Before `usable_from` nothing new is sent to it. `only_currency` is the one that it can be paid
    in; empty where there are others, or where it was named before this was kept. `version` 0 is one
    that is not written yet.
    """

    envelope: Envelope
    shown: str
    fingerprint: str
    changed_at: datetime
    usable_from: datetime
    only_currency: str = ""
    version: int = 0

    def takes(self, currency: str) -> bool:
        """Whether `currency` can be paid there, as far as is known without opening it."""
        return self.only_currency in ("", currency)


@dataclass(frozen=True, slots=True)
class Removed:
    """What is remembered of a destination that was removed: the fields are those of `Held`."""

    fingerprint: str
    changed_at: datetime
    usable_from: datetime


@dataclass(frozen=True, slots=True)
class _Inside:
    envelope: Envelope
    shown: str
    fingerprint: str
    changed_at: datetime
    usable_from: datetime
    only_currency: str = ""


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
        inside.only_currency,
        int(row.version),
    )


def record_held(member_id: MemberId, held: Held, *, key: vault.SealingKey) -> Held:
    """Write `held` over the version it was read at (0: there was none); returns it as written.

    :raises TryAgain: it was changed meanwhile.
    """
    row = DestinationRow(member_id, "destination", version=held.version + 1)
    inside = _Inside(
        held.envelope,
        held.shown,
        held.fingerprint,
        held.changed_at,
        held.usable_from,
        held.only_currency,
    )
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


def record_removed(
    member_id: MemberId, removed: Removed, *, key: vault.SealingKey, now: datetime
) -> None:
    """Remember for thirty days what was removed, in place of what was removed before."""
    row = RemovedRow(member_id, "removed")
    row.sealed = vault.seal(removed, key=key, place=_place(row), kept=_SEALED_REMOVED)
    rows.put(row.keep_from(now))


def find_removed(member_id: MemberId, *, key: vault.SealingKey, now: datetime) -> Removed | None:
    """What was removed last, within thirty days."""
    row = rows.find(RemovedRow, member_id, "removed", now=now)
    if row is None:
        return None
    return vault.open_sealed(row.sealed, Removed, key=key, place=_place(row))


def forget_removed(member_id: MemberId) -> None:
    """Remember no more that anything was removed."""
    rows.delete(RemovedRow(member_id, "removed"))


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
    private_keys.add(key.number, private, keys_max=KEYS_MAX)
    try:
        rows.put_new(EnvelopeKeyRow(_KEYS, f"{key.number:06}", public=key.public))
    except rows.ConditionFailed as error:
        raise TryAgain("another process made the envelope key first") from error


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


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
