"""The vault: encryption of what is stored, and the keyed names under which people are found.

One 32-byte master key exists per stage, wrapped by KMS and unwrapped once per process. Every other
key is derived from it (HKDF-SHA256, RFC 5869): one per purpose, and one per member from the salt in
the member's head row. Delete the salt and every copy of that member's ciphertext is unreadable.

A sealed value is `version(1) | nonce(12) | AES-256-GCM(zlib(msgpack(value)))`. The associated data
is where the value stands (`pk|sk`), so ciphertext moved to another row does not open. Values are
compressed before encryption: this shows their size only, and no secret shares a value with text
that an outsider chooses.
"""

import base64
import hmac
import os
import zlib
from functools import lru_cache
from typing import TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chalicelib.kernel.ids import encode_id
from chalicelib.kernel.refusals import TryAgain
from chalicelib.runtime import aws, settings
from chalicelib.runtime.register import Kept

SALT_BYTES = 16
MASTER_KEY_BYTES = 32
SEALED_BYTES_MAX = 390_000  # A DynamoDB item holds 400 KB.
OPENED_BYTES_MAX = 4_000_000  # Against a compressed bomb that somebody managed to have sealed.
_VERSION = b"\x01"
_NONCE_BYTES = 12

# zlib looks back into this text, so short values need not spell out their field names.
_DICTIONARY = (
    b"fiscal barcode notes return_by return_reference collection_number refers_to change_minor "
    b"rounding_minor tax_included reference version retailer_id store_id till issued_at "
    b"currency GBP total_minor lines discounts charges tenders taxes scheme visa mastercard "
    b"amex last_four digits kind card auth_code tid mid rate 0.20 0.00 code label description "
    b"quantity unit unit_price_minor amount_minor gtin sku lot serial category modifiers "
    b"returnable_until warranty_until service delivery tip gift_card cash account unknown sale "
    b"return exchange Europe/London connection_id transaction_id event_key occurred_at made_at "
    b"amount local_amount merchant identifiers value account_ref user_ref card_ref refers_to "
    b"authorised cleared refunded reversed payment receipt evidence minor"
)

T = TypeVar("T")


class Unreadable(Exception):
    """The sealed value does not open: wrong place, wrong key, or a shredded member."""


class UndeclaredField(TypeError):
    """A value to be sealed has a field that the privacy register of its attribute does not name."""


@lru_cache(maxsize=1)
def _master_key() -> bytes:
    wrapped = base64.b64decode(settings.wrapped_master_key())
    try:
        answer = aws.client("kms").decrypt(CiphertextBlob=wrapped)
    except (BotoCoreError, ClientError) as error:
        raise TryAgain("KMS did not unwrap the master key") from error
    key: bytes = answer["Plaintext"]
    if len(key) != MASTER_KEY_BYTES:
        raise settings.InvalidSetting("COUNTERFOIL_MASTER_KEY does not hold 32 bytes")
    return key


def forget_keys() -> None:
    """Drop unwrapped keys from memory. For tests and local stacks."""
    _master_key.cache_clear()
    platform_key.cache_clear()
    member_key.cache_clear()


def _derive(info: bytes, salt: bytes | None = None) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(_master_key())


@lru_cache(maxsize=64)
def platform_key(purpose: str) -> bytes:
    """The platform's key for one `purpose` (`pages`, `waiting`, `network`, …)."""
    return _derive(b"counterfoil platform " + purpose.encode())


@lru_cache(maxsize=4096)
def member_key(salt: bytes) -> bytes:
    """The key of the member whose head row holds `salt`."""
    return _derive(b"counterfoil member", salt)


def new_salt() -> bytes:
    """A fresh member salt."""
    return os.urandom(SALT_BYTES)


def lookup_key(kind: str, *parts: str) -> str:
    """The keyed hash under which a reference to a person is found; the reference is not stored."""
    mac = hmac.new(platform_key("lookup"), digestmod="sha256")
    for part in (kind, *parts):
        raw = part.encode()
        mac.update(len(raw).to_bytes(4, "big") + raw)
    return encode_id(mac.digest())


def seal(value: object, *, key: bytes, place: str, kept: Kept) -> bytes:
    """Encrypt `value` (a dataclass, struct or dict) for the row at `place` (`pk|sk`).

    A list or tuple is sealed too; then `kept.holds` names the fields of its elements.

    :raises UndeclaredField: a field of `value` is not in `kept.holds`, or `kept` says that the
        attribute is not encrypted.
    """
    if not kept.encrypted:
        raise UndeclaredField("the privacy register says that the attribute is not encrypted")
    plain = msgspec.to_builtins(value, builtin_types=(bytes,))
    if undeclared := _field_names(plain) - set(kept.holds):
        raise UndeclaredField(f"not in the privacy register: {', '.join(sorted(undeclared))}")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=_DICTIONARY)
    packed = packer.compress(msgspec.msgpack.encode(value)) + packer.flush()
    nonce = os.urandom(_NONCE_BYTES)
    sealed = _VERSION + nonce + AESGCM(key).encrypt(nonce, packed, place.encode())
    if len(sealed) > SEALED_BYTES_MAX:
        raise ValueError("the value is too large to store in one row")
    return sealed


def _field_names(plain: object) -> set[str]:
    if isinstance(plain, list | tuple):
        return {name for element in plain for name in _field_names(element)}
    return set(plain) if isinstance(plain, dict) else set()


def open_sealed(sealed: bytes, as_type: type[T], *, key: bytes, place: str) -> T:
    """Decrypt what `seal` made, as `as_type`. Unknown fields are ignored.

    :raises Unreadable: it does not open.
    """
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if sealed[:1] != _VERSION or not ciphertext:
        raise Unreadable("sealed by an unknown version")
    try:
        packed = AESGCM(key).decrypt(nonce, ciphertext, place.encode())
    except InvalidTag as error:
        raise Unreadable("the sealed value does not open here") from error
    unpacker = zlib.decompressobj(-15, zdict=_DICTIONARY)
    plain = unpacker.decompress(packed, OPENED_BYTES_MAX)
    if not unpacker.eof:
        raise Unreadable("the sealed value is larger than anything that is stored")
    return msgspec.msgpack.decode(plain, type=as_type)
