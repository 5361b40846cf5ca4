"""Access tokens: believed only when we signed them, for us, and now."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import SignatureMismatch
from chalicelib.network.access import tokens
from chalicelib.network.access.tokens import Access
from chalicelib.network.model import ClientKind
from chalicelib.network.signing import rsa
from chalicelib.network.signing.store import PublishedKey, SigningKey
from tests.conftest import NOON

ISSUER = "https://api.counterfoil.test"
ACCESS = Access("client-1", ClientKind.BANK, "harbour-bank", ("members:read",), "ada")


def make_key(kid: str) -> SigningKey:
    return SigningKey(kid, Personal(rsa.new_private_pem()))


def published(key: SigningKey) -> PublishedKey:
    return PublishedKey(1, key.kid, NOON, rsa.public_jwk(key.private_pem.reveal()))


OURS = make_key("ours")
NEXT = make_key("next")
FOREIGN = make_key("foreign")
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": ISSUER,
    "sub": "client-1",
    "iat": int(NOON.timestamp()),
    "exp": int(NOON.timestamp()) + 3600,
    "jti": "t",
    "scope": "members:read",
    "client_kind": "bank",
    "acts_for": "harbour-bank",
    "user": "ada",
}
HEADER = {"alg": "RS256", "typ": "at+jwt", "kid": "ours"}


def forged(key: Any, header: dict[str, str], claims: dict[str, Any]) -> str:
    return jwt.encode(header, claims, key, algorithms=[header["alg"]])


def ours() -> RSAKey:
    return RSAKey.import_key(OURS.private_pem.reveal())


def encoded(*parts: dict[str, Any]) -> str:
    raw = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts)
    return ".".join(one.decode().rstrip("=") for one in raw)


def unsigned() -> str:
    return encoded({**HEADER, "alg": "none"}, CLAIMS) + "."


def signed_with_our_public_key_as_secret() -> str:
    signed = encoded({**HEADER, "alg": "HS256"}, CLAIMS)
    mac = hmac.new(ours().as_pem(private=False), signed.encode(), "sha256").digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def read(token: str, *, now: datetime = NOON, known: tuple[SigningKey, ...] = (OURS,)) -> Access:
    return tokens.read(token, [published(one) for one in known], issuer=ISSUER, now=now)


def test_a_token_says_what_was_signed_until_its_hour_is_over() -> None:
    token = tokens.sign(ACCESS, OURS, issuer=ISSUER, token_id="t", now=NOON)

    assert read(token) == ACCESS
    assert read(token, now=NOON + timedelta(seconds=3599), known=(NEXT, OURS)) == ACCESS
    with pytest.raises(SignatureMismatch):
        read(token, now=NOON + timedelta(seconds=3600))
    with pytest.raises(SignatureMismatch):
        read(token, now=NOON - timedelta(seconds=61))


@pytest.mark.parametrize(
    "make",
    [
        unsigned,
        signed_with_our_public_key_as_secret,
        lambda: forged(ours(), {**HEADER, "alg": "RS512"}, CLAIMS),
        lambda: forged(ours(), {**HEADER, "alg": "PS256"}, CLAIMS),
        lambda: forged(ours(), {**HEADER, "typ": "JWT"}, CLAIMS),
        lambda: forged(ours(), {**HEADER, "kid": "unknown"}, CLAIMS),
        lambda: forged(ours(), {"alg": "RS256", "typ": "at+jwt"}, CLAIMS),
        lambda: forged(RSAKey.import_key(FOREIGN.private_pem.reveal()), HEADER, CLAIMS),
        lambda: forged(ours(), HEADER, {**CLAIMS, "iss": "https://elsewhere.test"}),
        lambda: forged(ours(), HEADER, {**CLAIMS, "aud": "https://elsewhere.test"}),
        lambda: forged(ours(), HEADER, {**CLAIMS, "client_kind": "emperor"}),
        lambda: forged(ours(), HEADER, {k: v for k, v in CLAIMS.items() if k != "exp"}),
        lambda: forged(ours(), HEADER, {**CLAIMS, "exp": "never"}),
        lambda: tokens.sign(ACCESS, OURS, issuer=ISSUER, token_id="t", now=NOON)[:-4] + "AAAA",
        lambda: "x" * 5000,
    ],
)
def test_refuses_a_token_that_is_not_ours_as_it_stands(make: Callable[[], str]) -> None:
    with pytest.raises(SignatureMismatch):
        read(make())


def test_the_forgeries_differ_from_a_good_token_in_one_thing_only() -> None:
    assert read(forged(ours(), HEADER, CLAIMS)) == ACCESS


@given(st.text(max_size=300) | st.builds(".".join, st.lists(st.text(max_size=40), max_size=5)))
@example("..")
@example("eyJhbGciOiJSUzI1NiJ9.e30.AAAA")
@example("W10.e30.AAAA")
def test_any_text_is_a_token_or_is_refused(text: str) -> None:
    with pytest.raises(SignatureMismatch):
        read(text)


def test_publishes_public_keys_only() -> None:
    (known,) = tokens.published([published(OURS)])

    assert set(known) == {"kty", "n", "e", "use", "alg", "kid"}
    assert (known["kid"], known["alg"], known["use"]) == ("ours", "RS256", "sig")
