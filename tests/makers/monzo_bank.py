"""A bank on loopback that speaks Monzo's OAuth and webhooks: codes and refresh tokens good once."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CLIENT = {"client_id": "oauth2client_1", "client_secret": "our-secret-at-the-bank"}
Reply = tuple[int, object]


@dataclass
class MonzoBank:
    """What the bank knows. `users` maps a code to who gave the consent."""

    url: str = ""
    users: dict[str, str] = field(default_factory=dict)
    access: dict[str, str] = field(default_factory=dict)  # token → user
    refresh: dict[str, str] = field(default_factory=dict)
    webhooks: dict[str, dict[str, str]] = field(default_factory=dict)
    is_approved: bool = False
    is_away: bool = False
    refreshes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, query: str, body: str, bearer: str) -> Reply:
        """Status and JSON body."""
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if self.is_away:
            return 503, {}
        if (method, path) == ("POST", "/oauth2/token"):
            return self._token(form)
        if bearer not in self.access:
            return 401, {"code": "unauthorized.bad_access_token"}
        if (method, path) == ("POST", "/oauth2/logout"):
            del self.access[bearer]
            return 200, {}
        if not self.is_approved:
            return 403, {"code": "forbidden.insufficient_permissions"}
        if path == "/ping/whoami":
            return 200, {"authenticated": True, "user_id": self.access[bearer]}
        return self._webhooks(method, path, parse_qs(query), form)

    def _webhooks(
        self, method: str, path: str, query: dict[str, list[str]], form: dict[str, str]
    ) -> Reply:
        if method == "GET":
            account = query["account_id"][0]
            own = [one for one in self.webhooks.values() if one["account_id"] == account]
            return 200, {"webhooks": own}
        if method == "DELETE":
            return (200, {}) if self.webhooks.pop(path.rpartition("/")[2], None) else (404, {})
        hook = {"id": f"webhook_{len(self.webhooks)}", **form}
        self.webhooks[hook["id"]] = hook
        return 200, {"webhook": hook}

    def _token(self, form: dict[str, str]) -> Reply:
        if {name: form.get(name) for name in CLIENT} != CLIENT:
            return 401, {"code": "unauthorized.bad_client"}
        is_refresh = form["grant_type"] == "refresh_token"
        held = self.refresh if is_refresh else self.users
        user = held.pop(form["refresh_token" if is_refresh else "code"], None)
        if user is None:
            return 401, {"code": "unauthorized.bad_grant"}
        self.refreshes += is_refresh
        name = f"{user}-{self.refreshes}"
        self.access = {token: of for token, of in self.access.items() if of != user}
        self.access[f"MARKER-access-{name}"] = user
        self.refresh[f"MARKER-refresh-{name}"] = user
        return 200, {
            "access_token": f"MARKER-access-{name}",
            "refresh_token": f"MARKER-refresh-{name}",
            "expires_in": 21_600,
            "token_type": "Bearer",
            "user_id": user,
        }


@contextmanager
def monzo_bank() -> Iterator[MonzoBank]:
    """Run the bank on 127.0.0.1; it stops by itself."""
    bank = MonzoBank()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
            parts = urlsplit(self.path)
            with bank.lock:
                status, said = bank.answer(self.command, parts.path, parts.query, body, bearer)
            encoded = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the library's own names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    bank.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield bank
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
