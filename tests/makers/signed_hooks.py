"""Providers' messages, signed for real: with the vendor's own library where there is one."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from chalicelib.banks import signatures
from chalicelib.network.model import Provider
from tests.makers.api import Said
from tests.makers.banks import rsa_pem, whsec
from tests.makers.events import event
from tests.makers.journeys import FIDEL_SECRET, FIDEL_URL, FLUX_SECRET, NOON, PAID, token
from tests.makers.outside import ask

EACH = pytest.mark.parametrize("provider", list(Provider), ids=lambda one: one.value)
EACH_SIGNED = pytest.mark.parametrize(
    "provider",
    [Provider.STARLING, Provider.FIDEL, Provider.STANDARD],
    ids=lambda one: one.value,
)

UNAUTHENTICATED = {
    "title": "Signature mismatch",
    "status": 401,
    "code": "signature_mismatch",
    "detail": "The token or signature is missing, wrong or out of date.",
}

EVENT = {
    Provider.FLUX_V1: "bank_flux_v1",
    Provider.FLUX_V2: "bank_flux_v2",
    Provider.MONZO: "monzo_transaction_created",
    Provider.STARLING: "starling_feed_item_pending",
    Provider.FIDEL: "fidel_transaction_auth",
    Provider.STANDARD: "standard_payment_authorised",
}
HOST = "api.counterfoil.test"
FLUX_PATHS = {Provider.FLUX_V1: "/bank", Provider.FLUX_V2: "/webhooks/v2/bank"}


@dataclass(frozen=True)
class Sending:
    """A request ready to be sent."""

    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def send(self, *, in_base64: bool = False, **changed: str) -> Said:
        """Send it, with some headers `changed` (dashes as underscores)."""
        more = {name.replace("_", "-"): value for name, value in changed.items()}
        headers = {**self.headers, **more}
        return ask("POST", self.url, headers=headers, body=self.body, in_base64=in_base64)


def signed(
    provider: Provider,
    body: bytes | object = None,
    *,
    key: str | None = None,
    at: datetime = NOON,
    message_id: str = "msg-1",
    event_name: str = "transaction.auth",
) -> Sending:
    """The provider's sample event, or `body`, as the provider sends it."""
    raw = event(EVENT[provider]) if body is None else body
    if not isinstance(raw, bytes):
        raw = json.dumps(raw).encode()
    hook = f"/hooks/hook-of-{PAID[provider].connection_id}"
    match provider:
        case Provider.FLUX_V1 | Provider.FLUX_V2:
            return _flux(provider, raw, key or FLUX_SECRET, at)
        case Provider.MONZO:
            return Sending(hook, {}, raw)
        case Provider.STARLING:
            signature = signatures.sign_starling(key or rsa_pem(), raw)
            return Sending(hook, {"X-Hook-Signature": signature}, raw)
        case Provider.FIDEL:
            headers = _fidel(key or FIDEL_SECRET, raw, event_name, at)
            headers["fidel-message-id"] = message_id
            return Sending(f"{hook}?event={event_name}", headers, raw)
        case Provider.STANDARD:
            signature = _standard(key or whsec(1), message_id, raw, at)
            headers = {
                "webhook-id": message_id,
                "webhook-timestamp": str(int(at.timestamp())),
                "webhook-signature": signature,
            }
            return Sending(hook, headers, raw)


def _flux(provider: Provider, raw: bytes, key: str, at: datetime) -> Sending:
    path = FLUX_PATHS[provider]
    signature = signatures.sign_flux(
        key, method="POST", host=HOST, path=path, body=raw, nonce="nonce-1", at=at
    )
    bearer = token(f"client-{PAID[provider].connection_id}")
    headers = {"Authorization": f"Bearer {bearer}", "X-Request-Signature": signature}
    return Sending(path, headers, raw)


def _standard(secret: str, message_id: str, raw: bytes, at: datetime) -> str:
    """By the vendor's library, which signs text; what is no text is signed by our own."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return signatures.sign_standard([secret], message_id=message_id, at=at, body=raw)
    signature: str = Webhook(secret).sign(message_id, at, text)
    return signature


def _fidel(secret: str, raw: bytes, event_name: str, at: datetime) -> dict[str, str]:
    """Fidel's documented recipe, written out once more rather than borrowed."""
    url = FIDEL_URL.replace("{event}", event_name)
    stamp = str(int(at.timestamp() * 1000))
    content = raw + url.encode() + stamp.encode()
    first = base64.b64encode(hmac.new(secret.encode(), content, sha256).digest())
    second = base64.b64encode(hmac.new(secret.encode(), first, sha256).digest()).decode()
    return {"x-fidel-timestamp": stamp, "x-fidel-signature": second}


def changed(provider: Provider, change: dict[str, Any]) -> Any:
    """The provider's sample with dotted fields changed: `{"data.amount.minor": -5}`."""
    whole = json.loads(event(EVENT[provider]))
    change_in(whole[0] if isinstance(whole, list) else whole, change)
    return whole


def change_in(whole: Any, change: Mapping[str, Any]) -> None:
    """Set dotted fields of decoded JSON (`lines.0.amount_minor`); `...` takes a field away."""
    for path, value in change.items():
        *way, last = path.split(".")
        inner = whole
        for step in way:
            inner = inner[int(step)] if step.isdigit() else inner[step]
        if value is ...:
            del inner[last]
        else:
            inner[last] = value
