"""The platform's signing keys, as rows of the table `network`, and one secret.

    signing_keys  <number>    what everybody may know of a key

The private halves are the secret `signing-keys`, which only those who sign read. So tokens are
verified, and the keys are published, without a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import msgspec
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.network.signing import rsa
from chalicelib.runtime import rows, secretsmanager, vault
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose
from chalicelib.runtime.settings import InvalidSetting

SIGNING_KEYS_MAX = 20
_SIGNING_KEYS = "signing_keys"
_NAME = "signing-keys"
_CONFIGURATION = Kept(Category.CONFIGURATION, Purpose.SECURITY, Erasure.KEEP)
_OPERATION = Kept(Category.OPERATION, Purpose.SECURITY, Erasure.KEEP)
_KEY_SEALED = Kept(
    Category.CREDENTIAL,
    Purpose.SECURITY,
    Erasure.KEEP,
    encrypted=True,
    holds={"private_pem": Category.CREDENTIAL},
)


class SigningKeyRow(rows.Row):
    """One of the platform's keys, by its number in order of making. `public` is a JWK.

    A row that was written before private halves stood in Secrets Manager has `sealed` instead.
    """

    Meta = rows.table_meta("network")
    privacy = {
        "kid": _OPERATION,
        "signs_from": _OPERATION,
        "public": _CONFIGURATION,
        "sealed": _KEY_SEALED,
    }
    retention = CONFIGURED

    kid = UnicodeAttribute()
    signs_from = NumberAttribute()
    public = UnicodeAttribute(null=True)
    sealed = BinaryAttribute(legacy_encoding=False, null=True)


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """What everybody may know of a signing key, and when it begins to sign."""

    number: int
    kid: str
    signs_from: datetime
    public: str  # JSON Web Key (RFC 7517)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half of a signing key, as PKCS#8 PEM."""

    kid: str
    private_pem: Personal[str]


@dataclass(frozen=True, slots=True)
class _Private:
    kid: str
    private_pem: str


@dataclass(frozen=True, slots=True)
class _Privates:
    keys: tuple[_Private, ...]


@dataclass(frozen=True, slots=True)
class _Pem:
    private_pem: str


def list_signing_keys(*, now: datetime) -> tuple[PublishedKey, ...]:
    """Every key that is still published, oldest first."""
    found = rows.list_prefixed(SigningKeyRow, _SIGNING_KEYS, "", now=now, limit=SIGNING_KEYS_MAX)
    return tuple(_to_key(row, now=now) for row in found)


def record_signing_key(
    key: PublishedKey,
    privates: Sequence[SigningKey],
    *,
    ends: PublishedKey | None,
    ends_at: datetime | None,
) -> None:
    """Write a new key, `privates` first; the one it follows is published until `ends_at`.

    `privates` are its private half and that of the key which goes on signing until then: an old row
    loses it by this.

    :raises TryAgain: another process made the key of this number first, or wrote the secret.
    """
    _record_privates(privates)
    written: list[tuple[rows.Row, Condition | None]] = [
        (_from_key(key), SigningKeyRow.pk.does_not_exist())
    ]
    if ends is not None and ends_at is not None:
        ending = _from_key(ends)
        ending.expires_at = rows.epoch(ends_at)
        written.append((ending, None))
    try:
        rows.put_together(written)
    except rows.ConditionFailed as error:
        raise TryAgain("another process made the signing key first") from error


def signing_key_of(key: PublishedKey, *, now: datetime) -> SigningKey:
    """The private half of `key`, from memory but for the first time in a process.

    :raises TryAgain: Secrets Manager does not give it now.
    """
    found = _private_by_kid(key.kid)
    if found is None:
        _private_by_kid.cache_clear()  # It may be written at this moment.
        found = _private_of_old_row(key, now=now)
    return SigningKey(key.kid, found)


def forget() -> None:
    """Remember no private halves. For tests and local stacks."""
    _private_by_kid.cache_clear()


@lru_cache(maxsize=SIGNING_KEYS_MAX)
def _private_by_kid(kid: str) -> Personal[str] | None:
    held, _ = _read_privates()
    return next((Personal(one.private_pem) for one in held.keys if one.kid == kid), None)


def _private_of_old_row(key: PublishedKey, *, now: datetime) -> Personal[str]:
    row = rows.find(SigningKeyRow, _SIGNING_KEYS, f"{key.number:06}", now=now)
    if row is None or row.sealed is None:
        raise TryAgain("the private half of the signing key is missing")
    return Personal(_open_pem(row))


def _record_privates(privates: Sequence[SigningKey]) -> None:
    """Append those that are new; one whose row was never written goes when twenty have followed."""
    held, version_id = _read_privates()
    known = {one.kid for one in held.keys}
    new = [_Private(k.kid, k.private_pem.reveal()) for k in privates if k.kid not in known]
    text = msgspec.json.encode(_Privates((*held.keys, *new)[-SIGNING_KEYS_MAX:])).decode()
    secretsmanager.write(_NAME, text, version_id=secretsmanager.following(version_id))


def _read_privates() -> tuple[_Privates, str]:
    """The private halves and the version that holds them; none and no version before the first."""
    try:
        secret = secretsmanager.read(_NAME)
    except secretsmanager.NoSuchSecret:
        return _Privates(()), ""
    try:
        held = msgspec.json.decode(secret.text, type=_Privates)
    except msgspec.MsgspecError as error:
        raise InvalidSetting("the secret signing-keys is not the documented JSON") from error
    return held, secret.version_id


def _from_key(key: PublishedKey) -> SigningKeyRow:
    return SigningKeyRow(
        _SIGNING_KEYS,
        f"{key.number:06}",
        kid=key.kid,
        signs_from=rows.epoch(key.signs_from),
        public=key.public,
    )


def _to_key(row: SigningKeyRow, *, now: datetime) -> PublishedKey:
    signs_from = datetime.fromtimestamp(row.signs_from, tz=now.tzinfo)
    public = row.public or rsa.public_jwk(_open_pem(row))
    return PublishedKey(int(row.sk), row.kid, signs_from, public)


def _open_pem(row: SigningKeyRow) -> str:
    opened = vault.open_sealed(
        row.sealed, _Pem, key=vault.platform_key("network"), place=f"{row.pk}|{row.sk}"
    )
    return opened.private_pem
