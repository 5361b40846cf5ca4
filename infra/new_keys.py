"""A new key of a connection: made here, or given by the bank and looked at before it is used."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from chalicelib.banks import signatures
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.network.model import Connection, KeyUse, Provider

SECRET_BYTES = 32
KEY_CHARACTERS_MAX = 4_000
_A_TIME = datetime(2026, 1, 1, tzinfo=UTC)


_OURS_TO_MAKE = {
    Provider.STANDARD: (KeyUse.VERIFY, KeyUse.SIGN),
    Provider.FIDEL: (KeyUse.SIGN,),  # What we tell goes to the bank's own URL.
}


class UnusableKey(NotAllowed):
    """The key has not the form that the provider's signatures need."""

    code = "unusable_key"


def generate(connection: Connection, use: KeyUse, random: Callable[[int], bytes]) -> Personal[str]:
    """A fresh `whsec_` secret. :raises UnusableKey: keys of this use are the provider's to make."""
    if use not in _OURS_TO_MAKE.get(connection.provider, ()):
        raise UnusableKey(
            f"the provider makes the key of the use `{use.value}` itself; give it with "
            f"`--key-file {use.value}=FILE`, or to rotate-connection-key with `--file FILE`"
        )
    return Personal(whsec(random(SECRET_BYTES)))


def whsec(key: bytes) -> str:
    """`key` as Standard Webhooks writes a shared secret."""
    return "whsec_" + base64.b64encode(key).decode()


def checked(text: str, connection: Connection, use: KeyUse) -> Personal[str]:
    """The key that `text` holds, without the blank space around it.

    :raises UnusableKey: nothing would ever verify by it, or it would sign nothing.
    """
    value = text.strip()
    if not value or len(value) > KEY_CHARACTERS_MAX or len(value.split()) > 1:
        raise UnusableKey("the key is empty, too long, or more than one word")
    match connection.provider, use:
        case ((Provider.STANDARD | Provider.FIDEL), KeyUse.SIGN):
            is_usable = _signs(value)
        case Provider.STANDARD, KeyUse.VERIFY:
            is_usable = _signs(value) if value.startswith("whsec_") else _is_public(value)
        case Provider.STARLING, KeyUse.VERIFY:
            is_usable = _is_spki(value)
        case _:
            is_usable = True
    if not is_usable:
        raise UnusableKey("the key has not the form that the provider's signatures need")
    return Personal(value)


def _signs(value: str) -> bool:
    try:
        signatures.sign_standard([value], message_id="m", at=_A_TIME, body=b"")
    except ValueError:
        return False
    return True


def _is_public(value: str) -> bool:
    """Ed25519's public half, as Standard Webhooks writes it."""
    prefix, _, text = value.partition("_")
    return prefix == "whpk" and len(_decoded(text)) == 32


def _is_spki(value: str) -> bool:
    try:
        key = load_der_public_key(_decoded(value))
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(key, RSAPublicKey)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""
