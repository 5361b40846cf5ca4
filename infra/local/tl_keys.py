"""P-521 keys as TrueLayer uses them: PEM on one side, a JSON Web Key on the other."""

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

COORDINATE_BYTES = 66


def new_pem() -> str:
    """A fresh private key in PEM."""
    key = ec.generate_private_key(ec.SECP521R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def public_pem_of(private_pem: str) -> str:
    """The public half in PEM, as one uploads it to TrueLayer's console."""
    return (
        _key(private_pem)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def jwk_of(private_pem: str, kid: str) -> dict[str, str]:
    """The public half as a JSON Web Key (RFC 7517)."""
    numbers = _key(private_pem).public_key().public_numbers()
    return {
        "kty": "EC",
        "alg": "ES512",
        "crv": "P-521",
        "kid": kid,
        "x": _encode(numbers.x),
        "y": _encode(numbers.y),
    }


def _key(private_pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("TrueLayer's keys are elliptic curve keys")
    return key


def _encode(coordinate: int) -> str:
    raw = coordinate.to_bytes(COORDINATE_BYTES, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
