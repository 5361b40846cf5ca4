"""Each adapter proves its sender with the connection's own keys and registered URLs."""

from datetime import timedelta

import pytest

from chalicelib.banks import fidel, flux_v1, flux_v2, signatures, standard, starling
from chalicelib.banks.payments import HookRequest
from chalicelib.kernel.refusals import SignatureMismatch
from chalicelib.network.model import Connection, KeyUse, Provider
from tests.makers.banks import (
    NOON,
    connection,
    event_bytes,
    key,
    request,
    rsa_pem,
    spki,
    whsec,
)

HOOK = "https://api.counterfoil.test/hooks/heron"
BODY = event_bytes("fidel_transaction_auth")


def standard_request(secret: str) -> HookRequest:
    body = event_bytes("standard_payment_authorised")
    signature = signatures.sign_standard([secret], message_id="msg-1", at=NOON, body=body)
    return request(
        body,
        headers={
            "webhook-id": "msg-1",
            "webhook-timestamp": str(int(NOON.timestamp())),
            "webhook-signature": signature,
        },
    )


def fidel_request(*, event: str, signed_url: str, secret: str = "fidel-key") -> HookRequest:
    headers = signatures.sign_fidel(secret, body=BODY, registered_url=signed_url, at=NOON)
    return request(BODY, headers=headers, query={"event": event})


def fidel_connection(registered_url: str) -> Connection:
    return connection(
        Provider.FIDEL, key(KeyUse.VERIFY, "fidel-key"), registered_url=registered_url
    )


@pytest.mark.requirement("SEC-02")
def test_a_key_in_rotation_verifies_until_it_expires() -> None:
    old = key(KeyUse.VERIFY, whsec(1), until=NOON)
    bank = connection(Provider.STANDARD, key(KeyUse.VERIFY, whsec(2)), old)
    inbound = standard_request(whsec(1))
    standard.verify(inbound, bank, now=NOON - timedelta(seconds=1))
    with pytest.raises(SignatureMismatch):
        standard.verify(inbound, bank, now=NOON)
    standard.verify(standard_request(whsec(2)), bank, now=NOON)


def test_a_key_for_another_use_verifies_nothing() -> None:
    bank = connection(Provider.STANDARD, key(KeyUse.SIGN, whsec(1)), key(KeyUse.API, whsec(1)))
    with pytest.raises(SignatureMismatch):
        standard.verify(standard_request(whsec(1)), bank, now=NOON)


def test_starling_proves_itself_over_the_raw_body() -> None:
    body = event_bytes("starling_feed_item_pending")
    bank = connection(Provider.STARLING, key(KeyUse.VERIFY, spki(rsa_pem())))
    headers = {"x-hook-signature": signatures.sign_starling(rsa_pem(), body)}
    starling.verify(request(body, headers=headers), bank, now=NOON)
    with pytest.raises(SignatureMismatch):
        starling.verify(request(body.strip(), headers=headers), bank, now=NOON)


@pytest.mark.parametrize(
    "registered",
    [
        HOOK,
        HOOK + "?event={event}",
        HOOK + "?event=transaction.auth",
        f"{HOOK}?event=transaction.auth {HOOK}?event=transaction.refund",
    ],
)
def test_fidel_proves_itself_over_the_url_registered_for_its_event(registered: str) -> None:
    inbound = fidel_request(event="transaction.auth", signed_url=HOOK + "?event=transaction.auth")
    fidel.verify(inbound, fidel_connection(registered), now=NOON)


@pytest.mark.parametrize(
    "registered",
    [
        HOOK,
        HOOK + "?event={event}",
        HOOK + "?event=transaction.auth",
        f"{HOOK}?event=transaction.auth {HOOK}?event=transaction.refund",
    ],
)
def test_a_fidel_message_cannot_be_turned_into_another_event(registered: str) -> None:
    inbound = fidel_request(event="transaction.refund", signed_url=HOOK + "?event=transaction.auth")
    with pytest.raises(SignatureMismatch):
        fidel.verify(inbound, fidel_connection(registered), now=NOON)


@pytest.mark.parametrize("event", ["", "transaction.auth&x=1", "Transaction.Auth", "a" * 61])
def test_a_fidel_event_with_an_odd_name_is_not_verified(event: str) -> None:
    inbound = fidel_request(event=event, signed_url=f"{HOOK}?event={event}")
    with pytest.raises(SignatureMismatch):
        fidel.verify(inbound, fidel_connection(HOOK), now=NOON)


@pytest.mark.parametrize(("module", "path"), [(flux_v1, "/bank"), (flux_v2, "/webhooks/v2/bank")])
def test_flux_signs_the_public_host_and_path_where_it_signs(module, path: str) -> None:  # type: ignore[no-untyped-def]
    bank = connection(Provider.FLUX_V1, key(KeyUse.VERIFY, "flux-key"))
    made = signatures.sign_flux(
        "flux-key",
        method="POST",
        host="api.counterfoil.test",
        path=path,
        body=b"[]",
        nonce="n1",
        at=NOON,
    )
    headers = {"x-request-signature": made, "host": "evil.test"}
    module.verify(request(b"[]", headers=headers, path="/evil"), bank, now=NOON)
    with pytest.raises(SignatureMismatch):
        module.verify(request(b"[1]", headers=headers), bank, now=NOON)


def test_flux_may_leave_the_signature_out() -> None:
    flux_v1.verify(request(b"[]"), connection(Provider.FLUX_V1), now=NOON)
    flux_v2.verify(request(b"[]"), connection(Provider.FLUX_V2), now=NOON)


def test_a_flux_signature_that_cannot_be_checked_is_refused() -> None:
    headers = {"x-request-signature": "HmacSHA256:1:n:abcd"}
    with pytest.raises(SignatureMismatch):
        flux_v1.verify(request(b"[]", headers=headers), connection(Provider.FLUX_V1), now=NOON)


def test_flux_signs_the_registered_url_where_there_is_one() -> None:
    bank = connection(
        Provider.FLUX_V1, key(KeyUse.VERIFY, "k"), registered_url="https://gate.example/flux/bank"
    )
    made = signatures.sign_flux(
        "k", method="POST", host="gate.example", path="/flux/bank", body=b"[]", nonce="n", at=NOON
    )
    flux_v1.verify(request(b"[]", headers={"x-request-signature": made}), bank, now=NOON)


def test_flux_signs_the_hooks_url_where_hooks_have_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COUNTERFOIL_HOOKS_URL", "https://hooks.counterfoil.test")
    bank = connection(Provider.FLUX_V1, key(KeyUse.VERIFY, "k"))
    by_host = {
        host: signatures.sign_flux(
            "k", method="POST", host=host, path="/bank", body=b"[]", nonce="n", at=NOON
        )
        for host in ("hooks.counterfoil.test", "api.counterfoil.test")
    }

    good = {"x-request-signature": by_host["hooks.counterfoil.test"]}
    flux_v1.verify(request(b"[]", headers=good), bank, now=NOON)
    wrong = {"x-request-signature": by_host["api.counterfoil.test"]}
    with pytest.raises(SignatureMismatch):
        flux_v1.verify(request(b"[]", headers=wrong), bank, now=NOON)
