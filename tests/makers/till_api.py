"""A loopback HTTP server that takes receipts as the API does: tokens, batches, idempotent by id."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from chalicelib.kernel.refusals import Rejected
from chalicelib.runtime import wire
from chalicelib.tills.entries import answer
from chalicelib.tills.native_reading import read_batch

SECRET = "till-secret"


@dataclass
class TillApi:
    """What the server was told, and how it is to misbehave.

    `scripted` statuses are answered first, one per post; 0 closes the connection without an answer.
    `held` set stops the server after storing a batch until `release` is set.
    """

    url: str = ""
    taken: dict[str, int] = field(default_factory=dict)
    posts: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    scripted: list[int] = field(default_factory=list)
    refused_whole: frozenset[str] = frozenset()
    hold_at_post: int | None = None
    holding: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


@contextmanager
def till_api() -> Iterator[TillApi]:
    """A running server; it stops with the block."""
    api = TillApi()

    class Handler(_Handler):
        state = api

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        api.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: TillApi
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep quiet."""

    def do_POST(self) -> None:
        """Answer a token or take a batch."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/auth/oauth/token":
            self._token(parse_qs(body.decode()))
        elif self.headers.get("Authorization") not in [f"Bearer {t}" for t in self.state.tokens]:
            self._answer(401, {"code": "signature_mismatch", "detail": "not authenticated"})
        else:
            self._receipts(body)

    def _token(self, form: dict[str, list[str]]) -> None:
        if form.get("client_secret") != [SECRET] or form.get("grant_type") != [
            "client_credentials"
        ]:
            self._answer(401, {"error": "invalid_client"})
            return
        self.state.tokens.append(f"token-{len(self.state.tokens)}")
        self._answer(200, {"access_token": self.state.tokens[-1], "expires_in": 3600})

    def _receipts(self, body: bytes) -> None:
        state = self.state
        scripted = state.scripted.pop(0) if state.scripted else 200
        if scripted == 0:
            self.close_connection = True
            return
        if scripted == 401:
            state.tokens.clear()
        if scripted != 200:
            self._answer(scripted, {"code": "try_again", "detail": "later"}, retry="0")
            return
        try:
            reading = read_batch(body, now=datetime.now(UTC))
        except Rejected as refusal:
            self._answer(400, {"code": refusal.code, "detail": refusal.detail})
            return
        references = [one.receipt.reference for one in reading.taken]
        if state.refused_whole.intersection(references):
            self._answer(
                422, {"code": "store_unknown", "detail": "no such store", "field": "store"}
            )
            return
        for reference in references:
            state.taken[reference] = state.taken.get(reference, 0) + 1
        state.posts.append(len(references))
        if state.hold_at_post == len(state.posts):
            state.holding.set()
            state.release.wait(20)
            self.close_connection = True
            return
        self._send(202, wire.to_json(answer(reading)))

    def _answer(self, status: int, body: dict[str, object], *, retry: str | None = None) -> None:
        self._send(status, json.dumps(body).encode(), retry=retry)

    def _send(self, status: int, body: bytes, *, retry: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry is not None:
            self.send_header("Retry-After", retry)
        self.end_headers()
        self.wfile.write(body)
