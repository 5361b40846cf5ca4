"""`Tl-Signature` against TrueLayer's own library and vectors, and every way to be wrong."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
import truelayer_signing
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from truelayer_signing.errors import TlSigningException

from chalicelib.kernel.refusals import SignatureMismatch
from chalicelib.payouts.rails import tl_signature
from infra.local.tl_keys import jwk_of, new_pem, public_pem_of
from tests.architecture.sources import ROOT

# The library's own enum is written as `HttpMethod.POST` from Python 3.11 on; a text is a text.
POST: Any = "POST"
VECTORS = json.loads((ROOT / "tests" / "vectors" / "truelayer.json").read_text())
KID = "key-1"
# Header values are visible ASCII (RFC 9110 §5.5); paths have no spaces.
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
PATHS = st.text(st.sampled_from("abcXYZ019-._~%/"), max_size=30).map(lambda rest: f"/{rest}")


@cache
def pem() -> str:
    return new_pem()


@dataclass(frozen=True)
class Sent:
    method: str = "POST"
    path: str = "/v3/payouts"
    headers: tuple[tuple[str, str], ...] = (("Idempotency-Key", "idem-1"),)
    body: bytes = b'{"amount_in_minor":500}'


def _sign(sent: Sent) -> str:
    return tl_signature.sign(
        pem(),
        kid=KID,
        method=sent.method,
        path=sent.path,
        headers=dict(sent.headers),
        body=sent.body,
    )


def _verify(
    signature: str,
    sent: Sent,
    *,
    keys: tuple[Mapping[str, Any], ...] | None = None,
    required: tuple[str, ...] = (),
) -> None:
    tl_signature.verify(
        signature,
        (jwk_of(pem(), KID),) if keys is None else keys,
        method=sent.method,
        path=sent.path,
        headers=dict(sent.headers),
        body=sent.body,
        required=required,
    )


@pytest.mark.parametrize("found", VECTORS, ids=lambda found: found["path"])
def test_agrees_with_the_vectors_of_truelayer(found: dict[str, Any]) -> None:
    sent = Sent(found["method"], found["path"], (), found["body"].encode())
    sent = replace(sent, headers=tuple(found["headers"].items()))

    _verify(
        found["signature"],
        sent,
        keys=tuple(found["jwks"]["keys"]),
        required=tuple(found["headers"]),
    )


@given(path=PATHS, value=VALUES, body=st.text(max_size=200))
def test_signs_what_the_library_of_truelayer_verifies(path: str, value: str, body: str) -> None:
    sent = Sent(path=path, headers=(("Idempotency-Key", value),), body=body.encode())

    truelayer_signing.verify_with_pem(public_pem_of(pem())).set_method(POST).set_path(
        path
    ).add_header("idempotency-key", value).add_required_header("Idempotency-Key").set_body(
        body
    ).verify(_sign(sent))


@given(path=PATHS, value=VALUES, body=st.text(max_size=200))
def test_verifies_what_the_library_of_truelayer_signs(path: str, value: str, body: str) -> None:
    signature = (
        truelayer_signing.sign_with_pem(KID, pem())
        .set_method(POST)
        .set_path(path)
        .add_header("X-Tl-Webhook-Timestamp", value)
        .add_header("Content-Type", "application/json")
        .set_body(body)
        .sign()
    )
    headers = (("content-type", "application/json"), ("x-tl-webhook-timestamp", value))

    _verify(
        signature,
        Sent(path=path, headers=headers, body=body.encode()),
        required=("X-TL-Webhook-Timestamp",),
    )


@pytest.mark.parametrize(
    "changed",
    [
        Sent(method="PUT"),
        Sent(path="/v3/payouts/1"),
        Sent(headers=(("Idempotency-Key", "idem-2"),)),
        Sent(headers=()),
        Sent(body=b'{"amount_in_minor":501}'),
        Sent(body=b""),
    ],
)
def test_notices_whatever_was_changed_on_the_way_as_the_library_does(changed: Sent) -> None:
    signature = _sign(Sent())

    with pytest.raises(SignatureMismatch):
        _verify(signature, changed)
    with pytest.raises(TlSigningException):
        truelayer_signing.verify_with_pem(public_pem_of(pem())).set_method(
            changed.method  # type: ignore[arg-type]
        ).set_path(changed.path).add_headers(dict(changed.headers)).set_body(
            changed.body.decode()
        ).verify(signature)


@pytest.mark.parametrize("path", ["/hooks/payouts/bank", "/hooks/payouts/bank/"])
def test_takes_a_path_with_and_without_a_slash_at_its_end(path: str) -> None:
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"

    _verify(_sign(Sent(path=path)), Sent(path=other))


def test_takes_coordinates_that_lack_their_leading_zeros() -> None:
    private = _key_with_a_leading_zero()
    numbers = private.public_key().public_numbers()
    short = {"kty": "EC", "crv": "P-521", "kid": KID}
    for name, value in (("x", numbers.x), ("y", numbers.y)):
        raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
        short[name] = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    signature = tl_signature.sign(
        _pem_of(private), kid=KID, method="POST", path="/a", headers={}, body=b""
    )

    assert min(len(short["x"]), len(short["y"])) < 88
    _verify(signature, Sent(path="/a", headers=(), body=b""), keys=(short,))


def test_refuses_a_signature_that_leaves_a_required_header_out() -> None:
    signature = _sign(Sent(headers=()))

    with pytest.raises(SignatureMismatch):
        _verify(signature, Sent(), required=("Idempotency-Key",))


def test_refuses_a_key_of_another_id_curve_or_kind() -> None:
    good = jwk_of(pem(), KID)
    wrong = (
        {**good, "kid": "key-2"},
        {**good, "crv": "P-256"},
        {**good, "kty": "RSA"},
        {**good, "x": good["y"]},
        {**good, "x": "!"},
        jwk_of(new_pem(), KID),
    )

    for key in wrong:
        with pytest.raises(SignatureMismatch):
            _verify(_sign(Sent()), Sent(), keys=(key,))
    with pytest.raises(SignatureMismatch):
        _verify(_sign(Sent()), Sent(), keys=())


@pytest.mark.parametrize(
    ("field", "value"),
    [("alg", "none"), ("alg", "ES256"), ("tl_version", "1"), ("kid", ""), ("kid", 7)],
)
def test_refuses_a_head_of_another_kind(field: str, value: object) -> None:
    head, _, signed = _sign(Sent()).partition("..")
    said = json.loads(base64.urlsafe_b64decode(head + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**said, field: value}).encode())

    with pytest.raises(SignatureMismatch):
        _verify(f"{forged.decode().rstrip('=')}..{signed}", Sent())


@given(st.text(max_size=300))
def test_refuses_any_text_that_is_no_signature(text: str) -> None:
    with pytest.raises(SignatureMismatch):
        _verify(text, Sent())


@pytest.mark.parametrize("cut", [1, 60, 131])
def test_refuses_a_signature_of_another_length(cut: int) -> None:
    head, _, signed = _sign(Sent()).partition("..")
    raw = base64.urlsafe_b64decode(signed + "==")[:-cut]

    with pytest.raises(SignatureMismatch):
        _verify(f"{head}..{base64.urlsafe_b64encode(raw).decode().rstrip('=')}", Sent())


def _key_with_a_leading_zero() -> ec.EllipticCurvePrivateKey:
    """P-521's coordinates have 521 bits in 66 bytes: the first is 0 or 1, so half have a zero."""
    for secret in range(1, 1_000):
        private = ec.derive_private_key(secret * 7_919 + 11, ec.SECP521R1())
        numbers = private.public_key().public_numbers()
        if min(numbers.x.bit_length(), numbers.y.bit_length()) <= 520:
            return private
    raise AssertionError("no such key among a thousand")


def _pem_of(private: ec.EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
