"""Signatures on what banks send and on what we send: the bytes each scheme covers, and nothing
else.

Every check looks at all keys and all presented signatures, compares in constant time, and fails
with the same words, so that neither time nor text says what was wrong. A key that does not parse
verifies nothing.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from chalicelib.kernel.refusals import SignatureMismatch

TOLERANCE = timedelta(minutes=5)  # Standard Webhooks' and Fidel's own figure, both ways.
SIGNATURES_MAX = 10  # Two keys in rotation make two; more is somebody trying.
FLUX_ALGORITHM = "HmacSHA256"

_FLUX_HEADER = re.compile(
    rf"{FLUX_ALGORITHM}:([0-9]{{1,12}}):([0-9A-Za-z_.~-]{{1,64}}):([0-9A-Za-z+/=]{{1,100}})"
)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_MILLISECONDS = re.compile(r"[0-9]{1,15}", re.ASCII)


def verify_standard(
    keys: Sequence[str], *, headers: Mapping[str, str], body: bytes, now: datetime
) -> None:
    """Check a Standard Webhooks message (spec/standard-webhooks.md) under any of `keys`.

    Keys are `whsec_<base64>` (HMAC-SHA256, `v1`) or `whpk_<base64>` (Ed25519, `v1a`); the header
    holds space-separated signatures, of which one has to verify.

    :raises SignatureMismatch: none does, or the timestamp is over five minutes off.
    """
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    presented = headers.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]
    content = _standard_content(message_id, timestamp, body)
    verified = False
    for key in keys:
        for signature in presented:
            verified |= _standard_signature_holds(key, signature, content)
    fresh = _is_fresh(timestamp, _SECONDS, timedelta(seconds=1), now=now)
    _require(verified and fresh and bool(message_id))


def sign_standard(keys: Sequence[str], *, message_id: str, at: datetime, body: bytes) -> str:
    """The `webhook-signature` header under each of `keys` (`whsec_` → `v1`, `whsk_` → `v1a`).

    `at` has to be sent as `webhook-timestamp` in whole seconds.
    """
    content = _standard_content(message_id, str(int(at.timestamp())), body)
    return " ".join(_standard_sign(key, content) for key in keys)


def verify_starling(keys: Sequence[str], *, headers: Mapping[str, str], body: bytes) -> None:
    """Check `X-Hook-Signature`: base64 of RSASSA-PKCS1-v1_5 with SHA-512 over the raw body.

    Keys are base64 SPKI, as the developer portal shows them. Nothing is dated, so a replay is
    found by its event, not here.

    :raises SignatureMismatch: no key verifies it.
    """
    signature = _decode(headers.get("x-hook-signature", ""))
    verified = False
    for key in keys:
        verified |= _rsa_holds(key, signature, body)
    _require(verified)


def sign_starling(private_pem: str, body: bytes) -> str:
    """The `X-Hook-Signature` of `body`, as Starling makes it. For sandboxes and tests."""
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("Starling signs with RSA")
    return _encode(key.sign(body, padding.PKCS1v15(), hashes.SHA512()))


def verify_fidel(
    keys: Sequence[str],
    *,
    headers: Mapping[str, str],
    body: bytes,
    registered_urls: Sequence[str],
    now: datetime,
) -> None:
    """Check `x-fidel-signature` over body, registered URL and `x-fidel-timestamp` (milliseconds).

    :raises SignatureMismatch: no key verifies it for any URL, or it is over five minutes off.
    """
    timestamp = headers.get("x-fidel-timestamp", "")
    presented = headers.get("x-fidel-signature", "").encode("utf-8", "replace")
    verified = False
    for key in keys:
        for url in registered_urls:
            expected = _fidel_signature(key, body, url, timestamp).encode()
            verified |= hmac.compare_digest(expected, presented)
    fresh = _is_fresh(timestamp, _MILLISECONDS, timedelta(milliseconds=1), now=now)
    _require(verified and fresh)


def sign_fidel(key: str, *, body: bytes, registered_url: str, at: datetime) -> dict[str, str]:
    """The two headers Fidel sends with `body`. For sandboxes and tests."""
    timestamp = str(int(at.timestamp() * 1000))
    signature = _fidel_signature(key, body, registered_url, timestamp)
    return {"x-fidel-timestamp": timestamp, "x-fidel-signature": signature}


def verify_flux(
    keys: Sequence[str],
    *,
    header: str,
    method: str,
    host: str,
    path: str,
    body: bytes,
    now: datetime,
) -> None:
    """Check Flux's `X-Request-Signature: HmacSHA256:<epoch>:<nonce>:<base64>`.

    Flux's own documented example does not verify under any reading of its text, so the signed
    bytes are ours: epoch seconds, nonce, upper-case method, lower-case host, path and body, joined
    by single line feeds. A vector stands in `tests/vectors/flux_request.json`.

    :raises SignatureMismatch: no key verifies it, or the epoch is over five minutes off.
    """
    found = _FLUX_HEADER.fullmatch(header)
    epoch, nonce, presented = found.groups() if found else ("", "", "")
    content = _flux_content(epoch, nonce, method, host, path, body)
    verified = False
    for key in keys:
        expected = _encode(_hmac(key.encode(), content))
        verified |= hmac.compare_digest(expected.encode(), presented.encode())
    _require(verified and _is_fresh(epoch, _SECONDS, timedelta(seconds=1), now=now))


def sign_flux(
    key: str, *, method: str, host: str, path: str, body: bytes, nonce: str, at: datetime
) -> str:
    """The `X-Request-Signature` a Flux client sends; see `verify_flux` for the signed bytes."""
    epoch = str(int(at.timestamp()))
    signature = _hmac(key.encode(), _flux_content(epoch, nonce, method, host, path, body))
    return f"{FLUX_ALGORITHM}:{epoch}:{nonce}:{_encode(signature)}"


def _require(verified: bool) -> None:  # noqa: FBT001 - one argument cannot be swapped
    if not verified:
        raise SignatureMismatch("the signature does not verify")


def _is_fresh(text: str, form: re.Pattern[str], unit: timedelta, *, now: datetime) -> bool:
    if not form.fullmatch(text):
        return False
    age = now - datetime(1970, 1, 1, tzinfo=UTC) - int(text) * unit
    return abs(age) <= TOLERANCE


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, "sha256")


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(text: str) -> bytes:
    """Base64, padded or not; empty where it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _standard_content(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body


def _standard_signature_holds(key: str, presented: str, content: bytes) -> bool:
    version, _, signature = presented.partition(",")
    raw = _decode(signature)
    if version == "v1" and key.startswith("whsec_"):
        secret = _decode(key.removeprefix("whsec_"))
        return bool(secret) and hmac.compare_digest(_hmac(secret, content), raw)
    if version == "v1a" and key.startswith("whpk_"):
        public = _decode(key.removeprefix("whpk_"))
        return _ed25519_holds(public, raw, content)
    return False


def _standard_sign(key: str, content: bytes) -> str:
    prefix, _, text = key.partition("_")
    raw = _decode(text)
    if prefix == "whsec" and raw:
        return f"v1,{_encode(_hmac(raw, content))}"
    if prefix == "whsk" and len(raw) in (32, 64):  # a seed, alone or followed by its public key
        signature = Ed25519PrivateKey.from_private_bytes(raw[:32]).sign(content)
        return f"v1a,{_encode(signature)}"
    raise ValueError("a signing key has neither the form whsec_<base64> nor whsk_<base64>")


def _holds(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _ed25519_holds(public: bytes, signature: bytes, content: bytes) -> bool:
    return _holds(lambda: Ed25519PublicKey.from_public_bytes(public).verify(signature, content))


def _rsa_holds(key: str, signature: bytes, body: bytes) -> bool:
    def verify() -> None:
        public = serialization.load_der_public_key(_decode(key))
        if not isinstance(public, RSAPublicKey):
            raise InvalidSignature
        public.verify(signature, body, padding.PKCS1v15(), hashes.SHA512())

    return _holds(verify)


def _fidel_signature(key: str, body: bytes, url: str, timestamp: str) -> str:
    secret = key.encode()
    content = body + url.encode() + timestamp.encode("utf-8", "replace")
    return _encode(_hmac(secret, _encode(_hmac(secret, content)).encode()))


def _flux_content(epoch: str, nonce: str, method: str, host: str, path: str, body: bytes) -> bytes:
    text = "\n".join((epoch, nonce, method.upper(), host.lower(), path, ""))
    return text.encode("utf-8", "replace") + body
