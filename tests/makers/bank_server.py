"""A bank on loopback: answers what it is told to and keeps what it heard. It stops by itself."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext

HELD_SECONDS_MAX = 10


@dataclass(frozen=True)
class Heard:
    """One request. Header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class BankServer:
    """`answers` are used up in order, the last one again and again.

    With `holds_first`, the first request is heard, and kept waiting until `go_on` is set.
    """

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    holds_first: bool = False
    holding: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def next_answer(self) -> tuple[int, dict[str, str], bytes]:
        """What the next request gets."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def bank_server(
    *answers: tuple[int, dict[str, str], bytes], tls: SSLContext | None = None
) -> Iterator[BankServer]:
    """Run a bank on 127.0.0.1 that gives `answers` (200 without a body by default)."""
    bank = BankServer(answers=list(answers) or [(200, {}, b"")])

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            if bank.holds_first and not bank.holding.is_set():
                bank.holding.set()
                bank.go_on.wait(HELD_SECONDS_MAX)
            bank.heard.append(Heard(self.command, self.path, headers, body))
            status, sent, answer = bank.next_answer()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **sent}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the library's own names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    host = "https://localhost" if tls is not None else "http://127.0.0.1"
    bank.url = f"{host}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield bank
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
