"""A sandbox that speaks TrueLayer's payouts: tokens, signed requests, idempotency, webhooks.

It checks `Tl-Signature` with TrueLayer's own library (`truelayer-signing` on PyPI) and signs its
webhooks with it, neither with any code of ours. Shapes follow docs.truelayer.com. What it is told
to do wrong (`moods`, magic amounts in `fates.py`) real rails do by themselves.
"""

import json
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import truelayer_signing
from truelayer_signing.errors import TlSigningException

from infra.local.calling import Answered, call
from infra.local.fates import LATE_LOOKS, REASON_FAILED, REASON_RETURNED, Fate, fate_of
from infra.local.moods import Moods
from infra.local.serving import NO_ANSWER, LoopbackServer, Reply, Request
from infra.local.tl_keys import jwk_of, new_pem

POST: Any = "POST"  # The library's own enum is written as `HttpMethod.POST` from Python 3.11 on.
JWKS_PATH = "/.well-known/jwks"
ERRORS = "https://docs.truelayer.com/docs/error-types#"
PAGE_ITEMS_MAX = 50


@dataclass(slots=True)
class Payout:
    """One payout. `asked` is its request, `looks` how often it was asked about."""

    payout_id: str
    body: bytes
    asked: dict[str, Any]
    status: str
    executed_at: str | None = None
    failed_at: str | None = None
    failure_reason: str | None = None
    looks: int = 0


@dataclass(slots=True)
class TrueLayerBooks:
    """Payouts by idempotency key, what was refused and why, and what webhooks were answered."""

    by_key: dict[str, Payout] = field(default_factory=dict)
    posts: int = 0
    refused: list[str] = field(default_factory=list)
    hooked: list[int] = field(default_factory=list)
    away: set[str] = field(default_factory=set)


class SandboxTrueLayer:
    """The server. `client_keys` maps our key ids to public keys in PEM, as its console holds them.

    With `executes` False a payout stays authorized until `execute` or `fail` is called.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        client_id: str,
        client_secret: str,
        client_keys: dict[str, str],
        executes: bool = True,
    ) -> None:
        self.books = TrueLayerBooks()
        self.moods = Moods()
        self.hook_url = ""
        self._now = now
        self._client = (client_id, client_secret)
        self._client_keys = dict(client_keys)
        self._executes = executes
        self._tokens: set[str] = set()
        self._kid, self._pem = str(uuid.uuid4()), new_pem()
        self._lock = threading.RLock()
        self.server = LoopbackServer(self.answer)

    @property
    def url(self) -> str:
        """Where its API and its tokens are; the API's paths begin with `/v3`."""
        return self.server.url

    @property
    def webhook_keys_url(self) -> str:
        """Where the keys of its webhooks are published."""
        return f"{self.url}{JWKS_PATH}"

    def stop(self) -> None:
        """Stop serving."""
        self.server.stop()

    def rotate_keys(self) -> None:
        """Sign webhooks with a new key from now on, and publish only that one."""
        with self._lock:
            self._kid, self._pem = str(uuid.uuid4()), new_pem()

    def expire_tokens(self) -> None:
        """Let every token that was given be refused."""
        with self._lock:
            self._tokens.clear()

    def payouts(self) -> list[Payout]:
        """Every payout, in the order they came."""
        with self._lock:
            return list(self.books.by_key.values())

    def execute(self, payout_id: str) -> None:
        """Pay one."""
        payout = self._payout(payout_id)
        payout.status, payout.executed_at = "executed", self._now().isoformat()

    def fail(self, payout_id: str, reason: str = REASON_FAILED) -> None:
        """Fail one; of one that was executed, it was returned."""
        payout = self._payout(payout_id)
        payout.status, payout.failed_at = "failed", self._now().isoformat()
        payout.failure_reason = reason

    def fire_webhook(self, payout_id: str, *, event_id: str = "", kind: str = "") -> Answered:
        """Tell of how a payout stands, or of any other `kind` of event."""
        payout = self._payout(payout_id)
        event = {
            "type": kind or f"payout_{payout.status}",
            "event_id": event_id or str(uuid.uuid4()),
            "event_version": 1,
            "payout_id": payout_id,
            "metadata": payout.asked.get("metadata", {}),
            "beneficiary": {"type": "external_account"},
        }
        for name in ("executed_at", "failed_at", "failure_reason"):
            if getattr(payout, name):
                event[name] = getattr(payout, name)
        answer = self.send_webhook(json.dumps(event).encode())
        self.books.hooked.append(answer.status)
        return answer

    def send_webhook(self, body: bytes, *, jku: str = "", path: str = "") -> Answered:
        """Sign `body` and post it to `hook_url`. `path` is signed in place of the URL's own."""
        headers = self.sign_webhook(
            body, jku=jku, path=path or "/" + self.hook_url.split("/", 3)[3]
        )
        return call("POST", self.hook_url, body=body, headers=headers)

    def sign_webhook(
        self, body: bytes, *, path: str, jku: str = "", signs_time: bool = True
    ) -> dict[str, str]:
        """The headers of a webhook with `body`, signed by the library."""
        stamp = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        signature = (
            truelayer_signing.sign_with_pem(self._kid, self._pem)
            .set_jku(jku or self.webhook_keys_url)
            .set_method(POST)
            .set_path(path)
            .add_headers({"X-Tl-Webhook-Timestamp": stamp} if signs_time else {})
            .set_body(body.decode())
            .sign()
        )
        return {
            "Content-Type": "application/json",
            "X-Tl-Webhook-Timestamp": stamp,
            "Tl-Signature": signature,
        }

    def answer(self, request: Request) -> Reply:
        """Answer one request, as the real API would."""
        with self._lock:
            match (request.method, *request.parts):
                case ("GET", ".well-known", "jwks"):
                    return Reply(200, {"keys": [jwk_of(self._pem, self._kid)]})
                case ("POST", "connect", "token"):
                    return self._token(request)
            if request.bearer not in self._tokens:
                return _problem(401, "unauthenticated")
            match (request.method, *request.parts):
                case ("POST", "v3", "payouts"):
                    return self._post(request)
                case ("GET", "v3", "payouts", payout_id):
                    return self._get(payout_id)
                case ("GET", "v3", "merchant-accounts", account, "transactions"):
                    return self._transactions(account, request)
        return _problem(404, "not-found")

    def _token(self, request: Request) -> Reply:
        form = request.form()
        if (form.get("client_id"), form.get("client_secret")) != self._client:
            return Reply(400, {"error": "invalid_client"})
        if form.get("grant_type") != "client_credentials" or form.get("scope") != "payments":
            return Reply(400, {"error": "invalid_request"})
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return Reply(200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    def _post(self, request: Request) -> Reply:
        self.books.posts += 1
        wrong = self.moods.next()
        if wrong is not None:
            return wrong
        key = request.headers.get("idempotency-key", "")
        if not key or not self._is_signed(request):
            return _problem(401, "unauthenticated")
        known = self.books.by_key.get(key)
        if known is not None and known.body != request.body:
            self.books.refused.append(f"{key}: the same key with another body")
            return _problem(422, "idempotency-key-reuse")
        if known is None:
            return self._create(key, request)
        return Reply(202, {"id": known.payout_id})

    def _create(self, key: str, request: Request) -> Reply:
        asked = json.loads(request.body)
        fate = fate_of(asked["amount_in_minor"])
        if fate is Fate.AWAY_ONCE and key not in self.books.away:
            self.books.away.add(key)
            return Reply(503)
        payout = Payout(str(uuid.uuid4()), request.body, asked, "authorized")
        self.books.by_key[key] = payout
        return (
            Reply(NO_ANSWER) if fate is Fate.ANSWER_LOST else Reply(202, {"id": payout.payout_id})
        )

    def _get(self, payout_id: str) -> Reply:
        found = [one for one in self.books.by_key.values() if one.payout_id == payout_id]
        if not found:
            return _problem(404, "not-found")
        payout = found[0]
        payout.looks += 1
        self._move_on(payout)
        shown = {
            "id": payout_id,
            "merchant_account_id": payout.asked["merchant_account_id"],
            "amount_in_minor": payout.asked["amount_in_minor"],
            "currency": payout.asked["currency"],
            "status": payout.status,
            "metadata": payout.asked.get("metadata", {}),
        }
        for name in ("executed_at", "failed_at", "failure_reason"):
            if getattr(payout, name):
                shown[name] = getattr(payout, name)
        return Reply(200, shown)

    def _move_on(self, payout: Payout) -> None:
        fate = fate_of(payout.asked["amount_in_minor"])
        if payout.status == "executed" and fate is Fate.RETURNS:
            self.fail(payout.payout_id, REASON_RETURNED)
        if payout.status != "authorized" or not self._executes:
            return
        if fate is Fate.FAILS:
            self.fail(payout.payout_id)
        elif fate is not Fate.LATE or payout.looks >= LATE_LOOKS:
            self.execute(payout.payout_id)

    def _transactions(self, account: str, request: Request) -> Reply:
        """Payouts on the account, fifty a page; their ids are those of the transactions."""
        mine = [
            {
                "type": "payout",
                "id": one.payout_id,
                "status": one.status,
                "amount_in_minor": one.asked["amount_in_minor"],
                "currency": one.asked["currency"],
                "beneficiary": one.asked["beneficiary"],
            }
            for one in self.books.by_key.values()
            if one.asked["merchant_account_id"] == account
        ]
        first = int(request.query.get("cursor", "0"))
        rest = first + PAGE_ITEMS_MAX
        pagination = {"next_cursor": str(rest)} if len(mine) > rest else {}
        return Reply(200, {"items": mine[first:rest], "pagination": pagination})

    def _is_signed(self, request: Request) -> bool:
        signature = request.headers.get("tl-signature", "")
        try:
            head = truelayer_signing.extract_jws_header(signature)
            truelayer_signing.verify_with_pem(self._client_keys[head.kid]).set_method(
                POST
            ).set_path(request.path).add_headers(request.headers).add_required_header(
                "Idempotency-Key"
            ).set_body(request.body.decode()).verify(signature)
        except (TlSigningException, KeyError, TypeError) as error:
            self.books.refused.append(f"signature: {type(error).__name__}")
            return False
        return True

    def _payout(self, payout_id: str) -> Payout:
        return next(one for one in self.payouts() if one.payout_id == payout_id)


def _problem(status: int, kind: str) -> Reply:
    problem = {"type": f"{ERRORS}{kind}", "title": kind.replace("-", " "), "status": status}
    return Reply(status, problem, {"Content-Type": "application/problem+json"})
