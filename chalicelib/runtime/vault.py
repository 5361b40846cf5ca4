"""The vault: encryption of what is stored, and the keyed names under which people are found.

A ring of 32-byte master keys exists per stage (`runtime/ring.py`). Every other key is derived from
one of them (HKDF-SHA256, RFC 5869): one per purpose, and one per member from the salt in the
member's head row. Delete the salt and every copy of that member's ciphertext is unreadable.

A sealed value is `number(1) | nonce(12) | AES-256-GCM(packed value)`, where the number (1
to 255) is that of the master key. The associated data is where the value stands (`pk|sk`), so
ciphertext moved to another row does not open. Values are compressed before encryption: this shows
their size only, and no secret shares a value with text that an outsider chooses.
"""

import hmac
import os
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chalicelib.kernel.ids import encode_id
from chalicelib.runtime import packing, ring
from chalicelib.runtime.register import Kept

SALT_BYTES = 16
SEALED_BYTES_MAX = 390_000  # A DynamoDB item holds 400 KB.
_NONCE_BYTES = 12

T = TypeVar("T")


class Unreadable(Exception):
    """The sealed value does not open: wrong place, wrong key, or a shredded member."""


class UndeclaredField(TypeError):
    """A value to be sealed has a field that the privacy register of its attribute does not name."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """Whose key: a purpose of the platform, or the member of a salt.

    It holds no key. The one that a value needs is derived from the master key that the value was or
    will be sealed under.
    """

    info: bytes
    salt: bytes | None = field(default=None, repr=False)


@lru_cache(maxsize=64)
def platform_key(purpose: str) -> SealingKey:
    """The platform's key for one `purpose` (`pages`, `waiting`, `network`, …)."""
    return SealingKey(b"counterfoil platform " + purpose.encode())


@lru_cache(maxsize=4096)
def member_key(salt: bytes) -> SealingKey:
    """The key of the member whose head row holds `salt`."""
    return SealingKey(b"counterfoil member", salt)


def forget_keys() -> None:
    """Drop the ring and what was derived from it. For tests and local stacks."""
    ring.forget()
    _cipher.cache_clear()
    _lookup.cache_clear()
    member_key.cache_clear()


@lru_cache(maxsize=4096)
def _cipher(master_key: bytes, info: bytes, salt: bytes | None) -> AESGCM:
    """One that seals and opens; it may be used by several threads, and is dearer than its use."""
    return AESGCM(_derive(master_key, info, salt))


def _derive(master_key: bytes, info: bytes, salt: bytes | None) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(master_key)


@lru_cache(maxsize=1)
def _lookup() -> bytes:
    """The key of names comes from the ring's own, whichever master key seals."""
    key = platform_key("lookup")
    return _derive(ring.names_key(), key.info, key.salt)


def new_salt() -> bytes:
    """A fresh member salt."""
    return os.urandom(SALT_BYTES)


def lookup_key(kind: str, *parts: str) -> str:
    """The keyed hash under which a reference to a person is found; the reference is not stored."""
    mac = hmac.new(_lookup(), digestmod="sha256")
    for part in (kind, *parts):
        raw = part.encode()
        mac.update(len(raw).to_bytes(4, "big") + raw)
    return encode_id(mac.digest())


def seal(value: object, *, key: SealingKey, place: str, kept: Kept) -> bytes:
    """Encrypt `value` (a dataclass, struct or dict) for the row at `place` (`pk|sk`).

    A list or tuple is sealed too; then `kept.holds` names the fields of its elements.

    :raises UndeclaredField: a field of `value` is not in `kept.holds`, or `kept` says that the
        attribute is not encrypted.
    """
    if not kept.encrypted:
        raise UndeclaredField("the privacy register says that the attribute is not encrypted")
    if undeclared := packing.field_names(value) - set(kept.holds):
        raise UndeclaredField(f"not in the privacy register: {', '.join(sorted(undeclared))}")
    sealed = _encrypt(packing.pack(value), key=key, place=place)
    if len(sealed) > SEALED_BYTES_MAX:
        raise ValueError("the value is too large to store in one row")
    return sealed


def open_sealed(sealed: bytes, as_type: type[T], *, key: SealingKey, place: str) -> T:
    """Decrypt what `seal` made, as `as_type`. Unknown fields are ignored.

    :raises Unreadable: it does not open. :raises TryAgain: the master keys cannot be fetched now.
    """
    packed = _decrypt(sealed, key=key, place=place)
    try:
        return packing.unpack(packed, as_type)
    except packing.TooLargeUnpacked as error:
        raise Unreadable("the sealed value is larger than anything that is stored") from error


def reseal(sealed: bytes, *, key: SealingKey, place: str) -> bytes:
    """The same value sealed under the master key that seals now.

    :raises Unreadable: it does not open. :raises TryAgain: as in `open_sealed`.
    """
    return _encrypt(_decrypt(sealed, key=key, place=place), key=key, place=place)


def _encrypt(packed: bytes, *, key: SealingKey, place: str) -> bytes:
    master_key = ring.sealing_key()
    nonce = os.urandom(_NONCE_BYTES)
    ciphertext = _cipher(master_key.key, key.info, key.salt).encrypt(nonce, packed, place.encode())
    return bytes((master_key.number,)) + nonce + ciphertext


def _decrypt(sealed: bytes, *, key: SealingKey, place: str) -> bytes:
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    master_key = ring.find_key(sealed[0]) if ciphertext else None
    if master_key is None:
        raise Unreadable("sealed under no master key that there is")
    try:
        return _cipher(master_key.key, key.info, key.salt).decrypt(
            nonce, ciphertext, place.encode()
        )
    except InvalidTag as error:
        raise Unreadable("the sealed value does not open here") from error
