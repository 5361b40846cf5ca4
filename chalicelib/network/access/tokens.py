"""Access tokens: signed JWTs (RFC 9068 profile, RS256) that are checked without asking anybody.

They say which client calls, for which connection or retailer, with which scopes, and, where it was
asked for, for which one of the bank's users. They last an hour, so a removed client is gone within
one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from chalicelib.kernel.refusals import SignatureMismatch
from chalicelib.network.model import ClientKind
from chalicelib.network.signing.store import PublishedKey, SigningKey

LASTS_SECONDS = 3600
ISSUED_AHEAD_SECONDS = 60  # Clocks of two Lambdas differ by less.
TOKEN_CHARACTERS_MAX = 4_000
ALGORITHM = "RS256"
TYPE = "at+jwt"

_REGISTRY = JWSRegistry(algorithms=[ALGORITHM])


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token says. `subject` is the connection or retailer the client acts for."""

    client_id: str
    kind: ClientKind
    subject: str
    scopes: tuple[str, ...]
    user: str | None = None


@dataclass(frozen=True, slots=True)
class _Claims:
    iss: str
    aud: str
    sub: str
    iat: int
    exp: int
    jti: str
    scope: str
    client_kind: ClientKind
    acts_for: str
    user: str | None = None


def sign(access: Access, key: SigningKey, *, issuer: str, token_id: str, now: datetime) -> str:
    """An access token for `access`, good for an hour from `now`."""
    issued = int(now.timestamp())
    claims = _Claims(
        iss=issuer,
        aud=issuer,
        sub=access.client_id,
        iat=issued,
        exp=issued + LASTS_SECONDS,
        jti=token_id,
        scope=" ".join(access.scopes),
        client_kind=access.kind,
        acts_for=access.subject,
        user=access.user,
    )
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
    private = _private_key(key.private_pem.reveal(), key.kid)
    return jwt.encode(header, msgspec.to_builtins(claims), private, registry=_REGISTRY)


def read(token: str, keys: Sequence[PublishedKey], *, issuer: str, now: datetime) -> Access:
    """What `token` says, if one of `keys` signed it for this service and it is not too old.

    :raises SignatureMismatch: anything else. Which check failed is not said.
    """
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise SignatureMismatch("the access token is too long")
    public_by_kid = {key.kid: key.public for key in keys}

    def key_of(signed: Any) -> RSAKey:
        kid = signed.headers().get("kid")
        if not isinstance(kid, str) or kid not in public_by_kid:
            raise SignatureMismatch("the access token names no key of ours")
        return _public_key(public_by_kid[kid], kid)

    try:
        decoded = jwt.decode(token, key_of, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError) as error:
        raise SignatureMismatch("the access token does not verify") from error
    if decoded.header.get("typ") != TYPE:
        raise SignatureMismatch("the token is not an access token")
    return _to_access(decoded.claims, issuer=issuer, now=now)


def published(keys: Sequence[PublishedKey]) -> list[dict[str, Any]]:
    """`keys` as the JSON Web Keys (RFC 7517) that everybody may know."""
    return [
        {**json.loads(key.public), "use": "sig", "alg": ALGORITHM, "kid": key.kid} for key in keys
    ]


def _to_access(decoded: dict[str, Any], *, issuer: str, now: datetime) -> Access:
    try:
        claims = msgspec.convert(decoded, _Claims)
    except msgspec.ValidationError as error:
        raise SignatureMismatch("the access token lacks a claim") from error
    moment = now.timestamp()
    if claims.iss != issuer or claims.aud != issuer:
        raise SignatureMismatch("the access token is for another service")
    if not claims.iat - ISSUED_AHEAD_SECONDS <= moment < claims.exp:
        raise SignatureMismatch("the access token is not valid now")
    return Access(
        claims.sub, claims.client_kind, claims.acts_for, tuple(claims.scope.split()), claims.user
    )


@lru_cache(maxsize=8)
def _private_key(private_pem: str, kid: str) -> RSAKey:
    return RSAKey.import_key(private_pem, {"kid": kid})


@lru_cache(maxsize=8)
def _public_key(public_jwk: str, kid: str) -> RSAKey:
    return RSAKey.import_key(json.loads(public_jwk), {"kid": kid})
