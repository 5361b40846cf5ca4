"""Detached JWS with an unencoded payload (RFC 7797): how Flux signs the receipts it pushes.

The header is `{"alg":"RS256","kid":…,"typ":"JOSE","cty":"application/json","b64":false,
"crit":["b64"]}`, the signature covers `base64url(header) "." raw body`, and what is sent is
`base64url(header)..base64url(signature)`. Banks find the public key in the published JWKS by `kid`.

The JOSE library is imported where it is used: most Lambdas that import this module never sign, and
it would be a tenth of their cold start.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chalicelib.kernel.refusals import SignatureMismatch

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

HEADER = "x-jws-signature"
_ALGORITHM = "RS256"


def sign_detached(body: bytes, private_pem: str) -> str:
    """The detached JWS of `body` under an RSA key in PEM; its `kid` is the one in `public_jwk`."""
    from joserfc import jws

    key = _private_key(private_pem)
    header = {
        "alg": _ALGORITHM,
        "kid": key.thumbprint(),
        "typ": "JOSE",
        "cty": "application/json",
        "b64": False,
        "crit": ["b64"],
    }
    signed = jws.serialize_compact(header, body, key, algorithms=[_ALGORITHM])
    protected, _, rest = signed.partition(".")
    return f"{protected}..{rest.rpartition('.')[2]}"


def verify_detached(signature: str, body: bytes, public: dict[str, Any]) -> None:
    """Check a detached JWS over `body` under one JWK, as a bank does. For sandboxes and tests.

    :raises SignatureMismatch: it does not verify, or is not RS256 with an unencoded payload.
    """
    from joserfc import jwk, jws
    from joserfc.errors import JoseError

    key = jwk.RSAKey.import_key(public)
    try:
        verified = jws.deserialize_compact(signature, key, payload=body, algorithms=[_ALGORITHM])
    except (JoseError, ValueError) as error:
        raise SignatureMismatch("the signature does not verify") from error
    if verified.headers().get("b64") is not False:
        raise SignatureMismatch("the signature does not verify")


def public_jwk(private_pem: str) -> dict[str, Any]:
    """The public half as a JWK for the JWKS. `kid` is the RFC 7638 thumbprint, so that it follows
    from the key alone.
    """
    key = _private_key(private_pem)
    public: dict[str, Any] = dict(key.as_dict(private=False))
    return {**public, "kid": key.thumbprint(), "use": "sig", "alg": _ALGORITHM}


@lru_cache(maxsize=4)
def _private_key(private_pem: str) -> "RSAKey":
    """The parsed key. Parsing checks the primes, which costs more than a signature."""
    from joserfc.jwk import RSAKey

    return RSAKey.import_key(private_pem)
