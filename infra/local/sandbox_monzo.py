"""A sandbox that speaks Monzo's API: OAuth, webhooks, transactions, receipts, feed.

Facts are Monzo's public documentation (monzo/docs). Where it is silent: a token that the user has
not approved in the app yet is answered 403 everywhere, `/ping/whoami` included.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from infra.local.monzo_rules import RuleBroken, check_receipt
from infra.local.moods import Moods
from infra.local.serving import LoopbackServer, Reply, Request

ACCESS_SECONDS = 21_600
FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class _Token:
    access: str
    refresh: str
    client_id: str
    user_id: str
    expires_at: datetime


@dataclass(slots=True)
class MonzoBooks:
    """What the bank knows: accounts by user, transactions, and every receipt it was given.

    `receipt_puts` counts each accepted PUT by external id, so that an update can be told from a
    first delivery; `refused` holds the rule of each receipt that was turned away.
    """

    account_by_user: dict[str, str] = field(default_factory=dict)
    transactions: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipt_puts: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    webhooks: dict[str, dict[str, str]] = field(default_factory=dict)
    feed: list[dict[str, str]] = field(default_factory=list)


class SandboxMonzo:
    """The server and its controls. `now` is its clock, `clients` its OAuth clients' secrets."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        clients: Mapping[str, str],
        learns: bool = False,
    ) -> None:
        """`learns` takes receipts for transactions that it never booked, as the token's user's
        own: for clients that send the hooks themselves.
        """
        self.books = MonzoBooks()
        self._learns = learns
        self.moods = Moods()
        self._now = now
        self._clients = dict(clients)
        self._codes: dict[str, tuple[str, str, str]] = {}
        self._tokens: list[_Token] = []
        self._approved: set[str] = set()
        self._lock = threading.RLock()
        self.server = LoopbackServer(self.answer)

    @property
    def url(self) -> str:
        """The API's base URL; the authorisation page is `/` of the same server."""
        return self.server.url

    def stop(self) -> None:
        """Stop serving."""
        self.server.stop()

    def open_account(self, user_id: str, account_id: str) -> None:
        """Let `user_id` bank here."""
        with self._lock:
            self.books.account_by_user[user_id] = account_id

    def approve(self, user_id: str) -> None:
        """The user taps “approve” in the bank's app."""
        with self._lock:
            self._approved.add(user_id)

    def enter(self, transaction: dict[str, Any]) -> None:
        """Book a transaction, in the shape of the API."""
        with self._lock:
            self.books.transactions[transaction["id"]] = transaction

    def hook_urls(self, account_id: str) -> list[str]:
        """Where events of `account_id` are sent."""
        with self._lock:
            return [
                hook["url"]
                for hook in self.books.webhooks.values()
                if hook["account_id"] == account_id
            ]

    def answer(self, request: Request) -> Reply:
        """Answer one request, as the real API would."""
        with self._lock:
            parts = request.parts
            match (request.method, *parts):
                case ("GET", ""):
                    return self._authorise(request)
                case ("POST", "oauth2", "token"):
                    return self._token(request.form())
            token = self._token_of(request.bearer)
            if token is None:
                return _error(401, "unauthorized.bad_access_token")
            if (request.method, *parts) == ("POST", "oauth2", "logout"):
                self._tokens.remove(token)
                return Reply(200, {})
            if token.user_id not in self._approved:
                return _error(403, "forbidden.insufficient_permissions")
            return self._authorised(request, parts, token)

    def _authorised(self, request: Request, parts: list[str], token: _Token) -> Reply:
        match (request.method, *parts):
            case ("GET", "ping", "whoami"):
                known = {"client_id": token.client_id, "user_id": token.user_id}
                return Reply(200, {"authenticated": True} | known)
            case ("GET", "accounts"):
                account = self.books.account_by_user[token.user_id]
                return Reply(200, {"accounts": [{"id": account, "type": "uk_retail"}]})
            case ("GET", "transactions", transaction_id):
                found = self._own(transaction_id, token)
                return Reply(200, {"transaction": found}) if found else _error(404, "not_found")
            case (_, "webhooks", *_):
                return self._webhooks(request, parts, token)
            case (_, "transaction-receipts"):
                return self.moods.next() or self._receipts(request, token)
            case ("POST", "feed"):
                return self._feed(request.form(), token)
        return _error(404, "not_found")

    def _authorise(self, request: Request) -> Reply:
        """The authorisation page. `login` is what the person would type into it."""
        query = request.query
        user_id = query.get("login", "")
        if query.get("client_id") not in self._clients or query.get("response_type") != "code":
            return _error(400, "bad_request.bad_param")
        if user_id not in self.books.account_by_user:
            return _error(403, "forbidden.unknown_user")
        code = secrets.token_urlsafe(24)
        self._codes[code] = (query["client_id"], query["redirect_uri"], user_id)
        back = urlencode({"code": code, "state": query.get("state", "")})
        return Reply(302, None, {"Location": f"{query['redirect_uri']}?{back}"})

    def _token(self, form: dict[str, str]) -> Reply:
        client_id = form.get("client_id", "")
        if not secrets.compare_digest(
            self._clients.get(client_id, secrets.token_hex()), form.get("client_secret", "")
        ):
            return _error(401, "unauthorized.bad_client")
        match form.get("grant_type"):
            case "authorization_code":
                granted = self._codes.pop(form.get("code", ""), None)
                if granted is None or granted[:2] != (client_id, form.get("redirect_uri")):
                    return _error(401, "unauthorized.bad_authorization_code")
                return self._issue(client_id, granted[2])
            case "refresh_token":
                old = self._by_refresh(form.get("refresh_token", ""), client_id)
                if old is None:
                    return _error(401, "unauthorized.bad_refresh_token")
                return self._issue(client_id, old.user_id)
        return _error(400, "bad_request.bad_param.grant_type")

    def _issue(self, client_id: str, user_id: str) -> Reply:
        """One live token per user and client: the new one ends the old, its refresh token too."""
        self._tokens = [t for t in self._tokens if (t.client_id, t.user_id) != (client_id, user_id)]
        token = _Token(
            access=secrets.token_urlsafe(32),
            refresh=secrets.token_urlsafe(32),
            client_id=client_id,
            user_id=user_id,
            expires_at=self._now() + timedelta(seconds=ACCESS_SECONDS),
        )
        self._tokens.append(token)
        answer = {
            "access_token": token.access,
            "client_id": client_id,
            "expires_in": ACCESS_SECONDS,
            "refresh_token": token.refresh,
            "token_type": "Bearer",
            "user_id": user_id,
        }
        return Reply(200, answer)

    def _token_of(self, access: str) -> _Token | None:
        found = (token for token in self._tokens if token.access == access)
        token = next(found, None)
        return token if token is not None and self._now() < token.expires_at else None

    def _by_refresh(self, refresh: str, client_id: str) -> _Token | None:
        found = (t for t in self._tokens if (t.refresh, t.client_id) == (refresh, client_id))
        return next(found, None)

    def _own(self, transaction_id: str, token: _Token) -> dict[str, Any] | None:
        found = self.books.transactions.get(transaction_id)
        if found is None and self._learns:
            return {"id": transaction_id, "user_id": token.user_id}
        return found if found is not None and found["user_id"] == token.user_id else None

    def _webhooks(self, request: Request, parts: list[str], token: _Token) -> Reply:
        own = self.books.account_by_user[token.user_id]
        if request.method == "POST":
            form = request.form()
            if form.get("account_id") != own or not form.get("url"):
                return _error(400, "bad_request.bad_param.account_id")
            hook = {"id": f"webhook_{secrets.token_hex(8)}", "account_id": own, "url": form["url"]}
            self.books.webhooks[hook["id"]] = hook
            return Reply(200, {"webhook": hook})
        if request.method == "GET":
            mine = [hook for hook in self.books.webhooks.values() if hook["account_id"] == own]
            return Reply(200, {"webhooks": mine})
        hook_id = parts[-1]
        if self.books.webhooks.get(hook_id, {}).get("account_id") != own:
            return _error(404, "not_found")
        del self.books.webhooks[hook_id]
        return Reply(200, {})

    def _receipts(self, request: Request, token: _Token) -> Reply:
        if request.method == "PUT":
            return self._put_receipt(request, token)
        external_id = request.query.get("external_id", "")
        held = self.books.receipts.get(external_id)
        if held is None or self._own(held["transaction_id"], token) is None:
            return _error(404, "not_found")
        if request.method == "DELETE":
            del self.books.receipts[external_id]
            return Reply(200, {})
        return Reply(200, {"receipt": held})

    def _put_receipt(self, request: Request, token: _Token) -> Reply:
        try:
            receipt = request.json()
            check_receipt(receipt)
        except ValueError:
            return _error(400, "bad_request.bad_json")
        except RuleBroken as broken:
            self.books.refused.append(str(broken))
            return _error(400, "bad_request.bad_param", str(broken))
        if self._own(receipt["transaction_id"], token) is None:
            self.books.refused.append("transaction_id: is one of the authorised user's")
            return _error(403, "forbidden.insufficient_permissions")
        external_id = receipt["external_id"]
        held = self.books.receipts.get(external_id, {"id": f"receipt_{secrets.token_hex(8)}"})
        self.books.receipts[external_id] = receipt | {"id": held["id"]}
        self.books.receipt_puts[external_id] = self.books.receipt_puts.get(external_id, 0) + 1
        return Reply(200, {"receipt_id": held["id"]})

    def _feed(self, form: dict[str, str], token: _Token) -> Reply:
        own = self.books.account_by_user[token.user_id]
        wanted = ("params[title]", "params[image_url]")  # Both are required, says Monzo.
        is_whole = form.get("type") == "basic" and all(form.get(name) for name in wanted)
        if form.get("account_id") != own or not is_whole:
            return _error(400, "bad_request.bad_param")
        self.books.feed.append(form)
        return Reply(200, {})


def _error(status: int, code: str, message: str = "") -> Reply:
    return Reply(status, {"code": code, "message": message or code})
