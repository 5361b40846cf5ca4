"""The banks' outboxes: real webhooks with real signatures, sent again until they count as received.

Each provider signs, addresses and retries as it does in life. Waiting between attempts is left to
the caller's `pause`, because a day that plays in seconds does not wait.
"""

import base64
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from threading import Lock

from standardwebhooks.webhooks import Webhook

from chalicelib.network.model import Provider
from infra.local.bank_messages import message_of
from infra.local.calling import Answered, call, resend
from infra.local.card_payments import Phase, Telling

ATTEMPTS_MAX = {Provider.MONZO: 5, Provider.FIDEL: 3}
ATTEMPTS_MAX_ELSEWHERE = 5
FIDEL_EVENTS = {
    Phase.AUTHORISED: "transaction.auth",
    Phase.CLEARED: "transaction.clearing",
    Phase.REFUNDED: "transaction.refund",
}
FLUX_PATHS = {Provider.FLUX_V1: "/bank", Provider.FLUX_V2: "/webhooks/v2/bank"}


@dataclass(slots=True)
class Line:
    """How one bank reaches us: where its hook is, and what it signs with.

    - `hook_url`: the hook's URL; for Flux banks the base URL of the API.
    - `registered_url`: what Fidel signs.
    - `secret`: Fidel's HMAC secret or the `whsec_` secret of Standard Webhooks.
    - `sign`: Starling's signature of a raw body.
    - `token`: a fresh bearer token, for Flux banks.
    """

    provider: Provider
    hook_url: str
    registered_url: str = ""
    secret: str = ""
    sign: Callable[[bytes], str] | None = None
    token: Callable[[], str] | None = None


@dataclass(slots=True)
class Outbox:
    """Sends, and keeps count: messages handed over, and those that never counted as received."""

    now: Callable[[], datetime]
    pause: Callable[[int], None] = lambda _attempt: None
    sent: int = 0
    undelivered: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def send(self, line: Line, tellings: Sequence[Telling]) -> list[Answered]:
        """Send `tellings` of one bank: Flux banks in one array, the others one by one."""
        if line.provider in FLUX_PATHS:
            return [self._post_flux(line, tellings)]
        return [self.post_one(line, telling) for telling in tellings]

    def post_one(
        self, line: Line, telling: Telling, *, sign: Callable[[bytes], str] | None = None
    ) -> Answered:
        """Send one hook; `sign` replaces the bank's own signature, for a forger."""
        body = json.dumps(message_of(telling), separators=(",", ":")).encode()
        url = line.hook_url
        if line.provider is Provider.FIDEL:
            url += f"?event={FIDEL_EVENTS[telling.phase]}"

        def attempt() -> Answered:
            headers = self.headers_of(line, telling, body, sign or line.sign)
            return call("POST", url, body=body, headers=headers)

        return self._deliver(line.provider, telling.message_id, attempt)

    def _post_flux(self, line: Line, tellings: Sequence[Telling]) -> Answered:
        entries = [message_of(telling) for telling in tellings]
        body = json.dumps(entries, separators=(",", ":")).encode()

        def attempt() -> Answered:
            token = line.token() if line.token else ""
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            url = line.hook_url + FLUX_PATHS[line.provider]
            return call("POST", url, body=body, headers=headers)

        return self._deliver(line.provider, tellings[0].message_id, attempt)

    def _deliver(self, provider: Provider, name: str, attempt: Callable[[], Answered]) -> Answered:
        answers = resend(
            attempt,
            accepted=lambda status: _counts_as_received(provider, status),
            attempts_max=ATTEMPTS_MAX.get(provider, ATTEMPTS_MAX_ELSEWHERE),
            pause=self.pause,
        )
        with self._lock:
            self.sent += 1
            if not _counts_as_received(provider, answers[-1].status):
                self.undelivered.append(name)
        return answers[-1]

    def headers_of(
        self, line: Line, telling: Telling, body: bytes, sign: Callable[[bytes], str] | None
    ) -> dict[str, str]:
        """The headers with which the bank of `line` sends `body` now, its signature among them."""
        headers = {"Content-Type": "application/json"}
        match line.provider:
            case Provider.STARLING if sign is not None:
                headers["X-Hook-Signature"] = sign(body)
            case Provider.FIDEL:
                url = line.registered_url.replace("{event}", FIDEL_EVENTS[telling.phase])
                headers |= _fidel_headers(line.secret, body, url, at=self.now())
                headers["fidel-message-id"] = telling.message_id
            case Provider.STANDARD:
                at = self.now()
                signature = _standard_signature(line.secret, telling.message_id, body, at=at)
                headers["webhook-id"] = telling.message_id
                headers["webhook-timestamp"] = str(int(at.timestamp()))
                headers["webhook-signature"] = signature
        return headers


def _counts_as_received(provider: Provider, status: int) -> bool:
    return status == 200 if provider is Provider.STARLING else 200 <= status < 300


def _standard_signature(secret: str, message_id: str, body: bytes, *, at: datetime) -> str:
    """By the vendor's library, which signs text only; what is no text is signed by its recipe."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{message_id}.{int(at.timestamp())}.".encode() + body
        return "v1," + base64.b64encode(hmac.new(key, content, sha256).digest()).decode()
    signature: str = Webhook(secret).sign(message_id, at, text)
    return signature


def _fidel_headers(secret: str, body: bytes, url: str, *, at: datetime) -> dict[str, str]:
    """Two rounds of HMAC-SHA256: over body, URL and milliseconds; then over the base64 of that."""
    stamp = str(int(at.timestamp() * 1000))
    key = secret.encode()
    first = base64.b64encode(hmac.new(key, body + url.encode() + stamp.encode(), sha256).digest())
    second = base64.b64encode(hmac.new(key, first, sha256).digest()).decode()
    return {"x-fidel-timestamp": stamp, "x-fidel-signature": second}
