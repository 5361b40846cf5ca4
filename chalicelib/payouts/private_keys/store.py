"""The private halves of the envelopes' keys, as the secret `payout-envelope-keys`.

Only the roles of the paying workers may read it, and the operator who makes a key.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.runtime import secretsmanager
from chalicelib.runtime.settings import InvalidSetting

_SECRET = "payout-envelope-keys"  # noqa: S105 - a name
_REMEMBERED_MAX = 20


@dataclass(frozen=True, slots=True)
class _PrivateKey:
    number: int
    private: str  # base64


@dataclass(frozen=True, slots=True)
class _PrivateKeys:
    keys: tuple[_PrivateKey, ...]


def add(number: int, private: Personal[bytes], *, keys_max: int) -> None:
    """Write the private half of the key of `number`, over another of that number; the newest
    `keys_max` are kept.
    """
    held, version_id = _read_secret()
    new = _PrivateKey(number, base64.b64encode(private.reveal()).decode())
    kept = tuple(one for one in held.keys if one.number != number)
    text = msgspec.json.encode(_PrivateKeys((*kept, new)[-keys_max:])).decode()
    secretsmanager.write(_SECRET, text, version_id=secretsmanager.following(version_id))


def get(number: int) -> Personal[bytes]:
    """The private half of the key of `number`: from memory but for the first time in a process.

    :raises TryAgain: Secrets Manager does not give it now.
    """
    found = _private_by_number(number)
    if found is None:
        _private_by_number.cache_clear()  # It may be written at this moment.
        raise TryAgain("the private half of the envelope key is missing")
    return found


def forget() -> None:
    """Remember no keys. For tests and local stacks."""
    _private_by_number.cache_clear()


@lru_cache(maxsize=_REMEMBERED_MAX)
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
