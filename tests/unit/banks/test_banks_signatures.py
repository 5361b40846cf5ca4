"""Signatures against the vendors' own vectors, independent libraries, and every way to be wrong."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jws
from standardwebhooks.webhooks import Webhook

from chalicelib.banks import jws as detached
from chalicelib.banks import signatures
from chalicelib.kernel.refusals import SignatureMismatch
from tests.makers.banks import NOON, rsa_pem, spki, vector, whsec

BODY = '{"café": 1}'.encode()
SEED = bytes(range(32))
WHSK = "whsk_" + base64.b64encode(SEED).decode()
WHPK = (
    "whpk_"
    + base64.b64encode(
        Ed25519PrivateKey.from_private_bytes(SEED)
        .public_key()
        .public_bytes(Encoding.Raw, PublicFormat.Raw)
    ).decode()
)


def standard_headers(*keys: str, at: datetime = NOON, message_id: str = "msg_1") -> dict[str, str]:
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signatures.sign_standard(
            keys, message_id=message_id, at=at, body=BODY
        ),
    }


def refused(verify, *args, **kwargs) -> str:  # type: ignore[no-untyped-def]
    """The words of the refusal."""
    with pytest.raises(SignatureMismatch) as refusal:
        verify(*args, **kwargs)
    assert refusal.value.field is None
    return refusal.value.detail


@pytest.mark.requirement("SEC-02")
@pytest.mark.parametrize("found", vector("standard_webhooks"), ids=["good", "bad-last-character"])
def test_agrees_with_the_vectors_of_standard_webhooks(found: dict[str, str]) -> None:
    then = datetime.fromtimestamp(int(found["webhook-timestamp"]), UTC)
    arguments = {"headers": found, "body": found["body"].encode(), "now": then}
    if found["holds"]:
        signatures.verify_standard([found["secret"]], **arguments)  # type: ignore[arg-type]
    else:
        refused(signatures.verify_standard, [found["secret"]], **arguments)


def test_agrees_with_the_vector_of_starling() -> None:
    found = vector("starling_webhook")
    headers = {"x-hook-signature": found["signature"]}
    signatures.verify_starling([found["public_key"]], headers=headers, body=found["body"].encode())
    refused(
        signatures.verify_starling,
        [found["public_key"]],
        headers=headers,
        body=found["body"].encode() + b" ",
    )


def test_another_library_verifies_what_we_sign_with_standard_webhooks() -> None:
    now = datetime.now(UTC)  # the library reads the clock itself
    headers = standard_headers(whsec(), at=now)
    assert Webhook(whsec()).verify(BODY, headers) == {"café": 1}


def test_verifies_what_another_library_signs_with_standard_webhooks() -> None:
    signed = Webhook(whsec()).sign("msg_1", NOON, BODY.decode())
    headers = {**standard_headers(whsec()), "webhook-signature": signed}
    signatures.verify_standard([whsec()], headers=headers, body=BODY, now=NOON)


@pytest.mark.parametrize(
    ("keys", "signing"),
    [
        ([whsec(1), whsec(2)], [whsec(1)]),
        ([whsec(1), whsec(2)], [whsec(2)]),
        ([whsec(2)], [whsec(1), whsec(2)]),
        ([WHPK], [WHSK]),
        ([whsec(1), WHPK], [whsec(3), WHSK]),
    ],
)
def test_any_of_two_keys_verifies_any_of_two_signatures(
    keys: list[str], signing: list[str]
) -> None:
    headers = standard_headers(*signing)
    signatures.verify_standard(keys, headers=headers, body=BODY, now=NOON)


def test_signs_with_an_ed25519_key_that_is_followed_by_its_public_half() -> None:
    public = base64.b64decode(WHPK.removeprefix("whpk_"))
    long_key = "whsk_" + base64.b64encode(SEED + public).decode()
    headers = standard_headers(long_key)
    assert headers["webhook-signature"].startswith("v1a,")
    signatures.verify_standard([WHPK], headers=headers, body=BODY, now=NOON)


@pytest.mark.requirement("SEC-02")
@pytest.mark.parametrize("off", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)])
def test_refuses_a_stale_and_a_future_timestamp(off: timedelta) -> None:
    headers = standard_headers(whsec(), at=NOON + off)
    refused(signatures.verify_standard, [whsec()], headers=headers, body=BODY, now=NOON)


@pytest.mark.parametrize("off", [timedelta(minutes=5), -timedelta(minutes=5)])
def test_accepts_a_timestamp_at_the_edge_of_five_minutes(off: timedelta) -> None:
    headers = standard_headers(whsec(), at=NOON + off)
    signatures.verify_standard([whsec()], headers=headers, body=BODY, now=NOON)


def test_every_wrong_standard_webhook_is_refused_with_the_same_words() -> None:
    good = standard_headers(whsec())
    wrong = [
        ([whsec(9)], good, BODY),
        ([], good, BODY),
        (["whsec_"], good, BODY),
        (["not a key"], good, BODY),
        ([whsec()], good, BODY + b" "),
        ([whsec()], {**good, "webhook-id": "msg_2"}, BODY),
        ([whsec()], {**good, "webhook-timestamp": str(int(NOON.timestamp()) + 1)}, BODY),
        ([whsec()], {**good, "webhook-timestamp": "soon"}, BODY),
        ([whsec()], {**good, "webhook-signature": ""}, BODY),
        ([whsec()], {**good, "webhook-signature": good["webhook-signature"][3:]}, BODY),
        ([whsec()], {**good, "webhook-signature": "v1a" + good["webhook-signature"][2:]}, BODY),
        ([whsec()], {**good, "webhook-signature": "v1,ÿ"}, BODY),
        ([whsec()], {}, BODY),
    ]
    words = {
        refused(signatures.verify_standard, keys, headers=headers, body=body, now=NOON)
        for keys, headers, body in wrong
    }
    assert words == {"the signature does not verify"}


def test_refuses_to_sign_with_a_key_of_neither_form() -> None:
    with pytest.raises(ValueError, match="signing key"):
        signatures.sign_standard(["plain"], message_id="msg_1", at=NOON, body=BODY)


def test_refuses_a_message_without_an_id_though_it_is_signed() -> None:
    headers = standard_headers(whsec(), message_id="")
    refused(signatures.verify_standard, [whsec()], headers=headers, body=BODY, now=NOON)


def test_starling_verifies_under_either_key_in_rotation() -> None:
    keys = [spki(rsa_pem("first")), spki(rsa_pem("second"))]
    for name in ("first", "second"):
        headers = {"x-hook-signature": signatures.sign_starling(rsa_pem(name), BODY)}
        signatures.verify_starling(keys, headers=headers, body=BODY)


def test_every_wrong_starling_signature_is_refused_with_the_same_words() -> None:
    good = signatures.sign_starling(rsa_pem(), BODY)
    key = spki(rsa_pem())
    legacy = base64.b64encode(hashlib.sha512(key.encode() + BODY).digest()).decode()
    wrong = [
        ([spki(rsa_pem("second"))], good),
        ([], good),
        (["not base64!"], good),
        ([key], ""),
        ([key], "%%%"),
        ([key], good[:-8]),
        ([key], legacy),
    ]
    words = {
        refused(
            signatures.verify_starling, keys, headers={"x-hook-signature": signature}, body=BODY
        )
        for keys, signature in wrong
    }
    assert words == {"the signature does not verify"}


URL = "https://api.counterfoil.test/hooks/abc?event=transaction.auth"


def test_fidel_is_an_hmac_of_an_hmac_over_body_url_and_timestamp() -> None:
    millis = str(int(NOON.timestamp() * 1000))
    inner = hmac.new(b"k1", BODY + URL.encode() + millis.encode(), hashlib.sha256).digest()
    outer = hmac.new(b"k1", base64.b64encode(inner), hashlib.sha256).digest()
    headers = {
        "x-fidel-timestamp": millis,
        "x-fidel-signature": base64.b64encode(outer).decode(),
    }
    assert signatures.sign_fidel("k1", body=BODY, registered_url=URL, at=NOON) == headers
    signatures.verify_fidel(
        ["k2", "k1"], headers=headers, body=BODY, registered_urls=["https://x/", URL], now=NOON
    )


def test_every_wrong_fidel_signature_is_refused_with_the_same_words() -> None:
    good = signatures.sign_fidel("k1", body=BODY, registered_url=URL, at=NOON)
    stale = signatures.sign_fidel(
        "k1", body=BODY, registered_url=URL, at=NOON - timedelta(minutes=5, milliseconds=1)
    )
    seconds = {**good, "x-fidel-timestamp": str(int(NOON.timestamp()))}
    wrong = [
        (["k2"], good, BODY, [URL]),
        ([], good, BODY, [URL]),
        (["k1"], good, BODY, []),
        (["k1"], good, BODY, [URL + "&x=1"]),
        (["k1"], good, BODY + b"\n", [URL]),
        (["k1"], stale, BODY, [URL]),
        (["k1"], seconds, BODY, [URL]),
        (["k1"], {**good, "x-fidel-signature": "\udcff"}, BODY, [URL]),
        (["k1"], {}, BODY, [URL]),
    ]
    words = {
        refused(
            signatures.verify_fidel,
            keys,
            headers=headers,
            body=body,
            registered_urls=urls,
            now=NOON,
        )
        for keys, headers, body, urls in wrong
    }
    assert words == {"the signature does not verify"}


def test_flux_request_signature_agrees_with_our_published_vector() -> None:
    found = vector("flux_request")
    at = datetime.fromtimestamp(found["epoch"], UTC)
    body = found["body"].encode()
    request = {"method": found["method"], "host": found["host"], "path": found["path"]}
    made = signatures.sign_flux(found["key"], **request, body=body, nonce=found["nonce"], at=at)
    assert made == found["X-Request-Signature"]
    signatures.verify_flux([found["key"]], header=made, **request, body=body, now=at)


def test_every_wrong_flux_request_signature_is_refused_with_the_same_words() -> None:
    request = {"method": "POST", "host": "api.test", "path": "/bank", "body": BODY}
    good = signatures.sign_flux("key", **request, nonce="n1", at=NOON)  # type: ignore[arg-type]
    scheme, epoch, nonce, digest = good.split(":")
    wrong = [
        (["other"], good, {}),
        ([], good, {}),
        (["key"], good, {"path": "/bank/"}),
        (["key"], good, {"host": "api.test.evil"}),
        (["key"], good, {"method": "PUT"}),
        (["key"], good, {"body": BODY + b" "}),
        (["key"], good, {"now": NOON + timedelta(minutes=5, seconds=1)}),
        (["key"], f"{scheme}:{epoch}:n2:{digest}", {}),
        (["key"], f"HmacSHA1:{epoch}:{nonce}:{digest}", {}),
        (["key"], f"{scheme}:{int(epoch) + 1}:{nonce}:{digest}", {}),
        (["key"], "", {}),
    ]
    words = {
        refused(signatures.verify_flux, keys, header=header, **{**request, "now": NOON, **changed})
        for keys, header, changed in wrong
    }
    assert words == {"the signature does not verify"}


def test_another_library_verifies_our_detached_jws() -> None:
    signature = detached.sign_detached(BODY, rsa_pem())
    public = detached.public_jwk(rsa_pem())
    protected, payload, _ = signature.split(".")
    header = json.loads(base64.urlsafe_b64decode(protected + "=="))
    assert payload == ""
    assert header == {
        "alg": "RS256",
        "kid": public["kid"],
        "typ": "JOSE",
        "cty": "application/json",
        "b64": False,
        "crit": ["b64"],
    }
    jws.deserialize_compact(signature, jwk.RSAKey.import_key(public), payload=BODY)
    detached.verify_detached(signature, BODY, public)


def test_the_detached_jws_covers_the_header_a_dot_and_the_raw_body() -> None:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    signature = detached.sign_detached(BODY, rsa_pem())
    protected, _, raw = signature.split(".")
    public = serialization.load_pem_private_key(rsa_pem().encode(), None).public_key()
    public.verify(  # type: ignore[union-attr,call-arg]
        base64.urlsafe_b64decode(raw + "=="),
        protected.encode() + b"." + BODY,
        padding.PKCS1v15(),
        hashes.SHA256(),
    )


def test_detaches_a_body_of_url_safe_characters_too() -> None:
    signature = detached.sign_detached(b"plain", rsa_pem())
    assert signature.split(".")[1] == ""
    detached.verify_detached(signature, b"plain", detached.public_jwk(rsa_pem()))


def test_refuses_a_detached_jws_over_another_body_or_key_or_with_an_encoded_payload() -> None:
    signature = detached.sign_detached(BODY, rsa_pem())
    public = detached.public_jwk(rsa_pem())
    encoded = jws.serialize_compact({"alg": "RS256"}, BODY, jwk.RSAKey.import_key(rsa_pem()))
    refused(detached.verify_detached, signature, BODY + b" ", public)
    refused(detached.verify_detached, signature, BODY, detached.public_jwk(rsa_pem("second")))
    refused(detached.verify_detached, "nonsense", BODY, public)
    refused(detached.verify_detached, encoded, BODY, public)


def test_the_published_key_is_public_only() -> None:
    public = detached.public_jwk(rsa_pem())
    assert set(public) == {"kty", "n", "e", "kid", "use", "alg"}
    assert (public["kty"], public["use"], public["alg"]) == ("RSA", "sig", "RS256")


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature",
    "x-hook-signature", "x-fidel-timestamp", "x-fidel-signature"]), st.text(max_size=120)),
    st.binary(max_size=50))  # fmt: skip
def test_any_headers_and_any_body_end_in_a_refusal(headers: dict[str, str], body: bytes) -> None:
    refused(signatures.verify_standard, [whsec(), WHPK], headers=headers, body=body, now=NOON)
    refused(signatures.verify_starling, [spki(rsa_pem())], headers=headers, body=body)
    refused(
        signatures.verify_fidel, ["k"], headers=headers, body=body, registered_urls=[URL], now=NOON
    )
    refused(
        signatures.verify_flux,
        ["k"],
        header=headers.get("webhook-id", ""),
        method="POST",
        host="h",
        path="/",
        body=body,
        now=NOON,
    )
