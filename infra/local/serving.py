"""A small HTTP server on a loopback port, for the sandboxes: real sockets, typed requests."""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD")
BODY_BYTES_MAX = 4_000_000  # Sandboxes are told receipts; none is near this.


@dataclass(frozen=True, slots=True)
class Request:
    """What came: raw body, lower-case header names, decoded query. `target` is path and query as
    they came.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    target: str = ""

    @property
    def parts(self) -> list[str]:
        """What stands between the path's slashes, decoded."""
        return [unquote(part) for part in self.path.strip("/").split("/")]

    def json(self) -> Any:
        """The body as JSON. :raises ValueError: it is not."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """The body as `application/x-www-form-urlencoded`."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def bearer(self) -> str:
        """The bearer token, or an empty text."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. `body` None sends none; anything but bytes is sent as JSON.

    Status `NO_ANSWER` hangs up instead: what was asked may have been done, and nobody says so.
    """

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


NO_ANSWER = 0
Answering = Callable[[Request], Reply]


class LoopbackServer:
    """Serves `answer` on 127.0.0.1 from the moment it is made until `stop`; port 0 picks one."""

    def __init__(self, answer: Answering, *, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _handler_for(answer))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # Bursts of a busy minute wait instead of being turned away.

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up before it was answered; all else is a bug."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler_for(answer: Answering) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One connection, kept alive between requests."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # Head and body are two writes; waiting costs 40 ms.

        def _answer(self) -> None:
            self._send(answer(_read(self)))

        def _send(self, reply: Reply) -> None:
            if reply.status == NO_ANSWER:
                self.close_connection = True
                return
            raw = _encoded(reply.body)
            self.send_response(reply.status)
            names = {name.lower() for name in reply.headers}
            if raw and "content-type" not in names:
                self.send_header("Content-Type", "application/json")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Say nothing: a sandbox keeps what it was told and is asked for it."""

    for method in METHODS:
        setattr(Handler, f"do_{method}", Handler._answer)
    return Handler


def _read(handler: BaseHTTPRequestHandler) -> Request:
    parts = urlsplit(handler.path)
    length = min(int(handler.headers.get("content-length") or 0), BODY_BYTES_MAX)
    return Request(
        method=handler.command,
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in handler.headers.items()},
        body=handler.rfile.read(length),
        target=handler.path,
    )


def _encoded(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
