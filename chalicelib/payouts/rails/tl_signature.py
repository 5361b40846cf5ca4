"""`Tl-Signature`: the detached JWS with which TrueLayer and its clients sign requests, both ways.

Source: TrueLayer/truelayer-signing, `request-signing-v2.md`. The JOSE header is
`{"alg":"ES512","kid":…,"tl_version":"2","tl_headers":"A,B"[,"jku":…]}`. The payload is
`METHOD SP path LF`, then `Name: value LF` for each name in `tl_headers` (in that order and
spelling, values found whatever the case), then the raw body. The signing input is
`base64url(header) "." base64url(payload)`, and what is sent is `base64url(header)..base64url(r‖s)`
with r and s of 66 bytes each (P-521, SHA-512).
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from chalicelib.kernel.refusals import SignatureMismatch

HEADER = "Tl-Signature"
SIGNATURE_CHARACTERS_MAX = 2_000  # A header and 132 bytes; those of TrueLayer have under 500.
HEADERS_MAX = 20
_ALGORITHM, _VERSION = "ES512", "2"
_COORDINATE_BYTES = 66  # 521 bits.
_BASE64URL = re.compile(r"[0-9A-Za-z_-]*")


@dataclass(frozen=True, slots=True)
class SignedHead:
    """What a signature says of itself. It is worth nothing before it is verified."""

    kid: str
    signed_headers: tuple[str, ...]
    jku: str


def sign(
    private_pem: str,
    *,
    kid: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    jku: str = "",
) -> str:
    """The `Tl-Signature` of a request, over `headers` in their order. `jku` is for webhooks."""
    said = {"alg": _ALGORITHM, "kid": kid, "tl_version": _VERSION, "tl_headers": ",".join(headers)}
    if jku:
        said["jku"] = jku
    head = _encode(json.dumps(said, separators=(",", ":")).encode())
    signed = _signing_input(head, method, path, tuple(headers.items()), body)
    r, s = decode_dss_signature(_private_key(private_pem).sign(signed, ec.ECDSA(hashes.SHA512())))
    raw = r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")
    return f"{head}..{_encode(raw)}"


def read_head(signature: str) -> SignedHead:
    """What `signature` says of itself.

    :raises SignatureMismatch: it is no `Tl-Signature` of version 2.
    """
    head, _, raw = signature.partition("..")
    if len(signature) > SIGNATURE_CHARACTERS_MAX or not raw:
        raise _mismatch()
    try:
        said = json.loads(_decode(head))
    except (ValueError, RecursionError) as error:
        raise _mismatch() from error
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise _mismatch()
    if said.get("alg") != _ALGORITHM or said.get("tl_version") != _VERSION or not said.get("kid"):
        raise _mismatch()
    names = tuple(name for name in said.get("tl_headers", "").split(",") if name)
    if len(names) > HEADERS_MAX:
        raise _mismatch()
    return SignedHead(said["kid"], names, said.get("jku", ""))


def verify(
    signature: str,
    jwks: Sequence[Mapping[str, Any]],
    *,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    required: Sequence[str] = (),
) -> None:
    """Check `signature` against the key of its `kid` among `jwks` (RFC 7517).

    As TrueLayer's own libraries do, the path is tried with and without a slash at its end: some
    gateways add or take one. Every header in `required` must be among those signed.

    :raises SignatureMismatch: it does not verify, whatever the reason.
    """
    said = read_head(signature)
    sent = {name.lower(): value for name, value in headers.items()}
    signed_names = {name.lower() for name in said.signed_headers}
    if not signed_names <= set(sent) or not {name.lower() for name in required} <= signed_names:
        raise _mismatch()
    key = _public_key(said.kid, jwks)
    head, _, encoded = signature.partition("..")
    raw = _decode(encoded)
    if key is None or len(raw) != 2 * _COORDINATE_BYTES:
        raise _mismatch()
    r = int.from_bytes(raw[:_COORDINATE_BYTES], "big")
    s = int.from_bytes(raw[_COORDINATE_BYTES:], "big")
    pairs = tuple((name, sent[name.lower()]) for name in said.signed_headers)
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    for tried in (path, other):
        if _holds(key, (r, s), _signing_input(head, method, tried, pairs, body)):
            return
    raise _mismatch()


def _signing_input(
    head: str, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes
) -> bytes:
    lines = "".join(f"{name}: {value}\n" for name, value in headers)
    payload = f"{method.upper()} {path}\n{lines}".encode() + body
    return f"{head}.{_encode(payload)}".encode()


def _holds(key: ec.EllipticCurvePublicKey, found: tuple[int, int], signed: bytes) -> bool:
    try:
        key.verify(encode_dss_signature(*found), signed, ec.ECDSA(hashes.SHA512()))
    except InvalidSignature:
        return False
    return True


def _public_key(kid: str, jwks: Sequence[Mapping[str, Any]]) -> ec.EllipticCurvePublicKey | None:
    """The P-521 key of `kid`. Coordinates may lack leading zeros: TrueLayer's own once did."""
    for jwk in jwks:
        if jwk.get("kid") == kid and jwk.get("kty") == "EC" and jwk.get("crv") == "P-521":
            return _point(str(jwk.get("x", "")), str(jwk.get("y", "")))
    return None


def _point(x: str, y: str) -> ec.EllipticCurvePublicKey | None:
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(_decode(x), "big"), int.from_bytes(_decode(y), "big"), ec.SECP521R1()
    )
    try:
        return numbers.public_key()
    except (ValueError, UnsupportedAlgorithm):  # Not a point of the curve.
        return None


@lru_cache(maxsize=4)
def _private_key(private_pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp521r1":
        raise TypeError("TrueLayer's requests are signed with a P-521 key")
    return key


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """:raises SignatureMismatch: it is not base64url without padding."""
    if not _BASE64URL.fullmatch(text):
        raise _mismatch()
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise _mismatch() from error


def _mismatch() -> SignatureMismatch:
    return SignatureMismatch("the signature does not verify")
