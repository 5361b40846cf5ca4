"""A bank in memory, reached through the real HTTP client: urllib3 writes its bytes to a wire that
ends here instead of at a socket.

Two banks listen. One takes Standard Webhooks and does as we ask it to: the same `webhook-id` twice
is one message, and the highest version stays. The other speaks Monzo's API, where a receipt is put
under its `external_id` and whatever is put last stands.
"""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import urllib3
from urllib3.connection import HTTPConnection

from infra.simulation.faults import BANK, Call, Crash, Injector, Kind
from infra.simulation.rail import PATH, RailState, SimRail

URL = "http://127.0.0.1:9"  # Nobody listens at the discard port: only the wire answers.
_RECEIPTS = ("/receipts", "/transaction-receipts")


@dataclass(frozen=True, slots=True)
class Shown:
    """A receipt as the bank's app shows it: what was said last, and in which version (or 0).

    `is_withdrawn`: what was said last is that none is to be shown.
    """

    version: int
    said: str
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class BankState:
    """Everything the banks know, to come back to."""

    shown: Mapping[str, Shown]
    bodies: Mapping[str, str]
    contradictions: tuple[str, ...]
    notices: Mapping[str, str]
    rail: RailState


class SimBank:
    """Both banks. `shown` is by transaction; `contradictions` are messages that changed."""

    def __init__(self, injector: Injector, *, now: Callable[[], datetime]) -> None:
        self.rail = SimRail(now=now)
        self.notices: dict[str, str] = {}
        self.shown: dict[str, Shown] = {}
        self.contradictions: list[str] = []
        self._bodies: dict[str, str] = {}
        self._injector = injector

    def state(self) -> BankState:
        """What they know now."""
        return BankState(
            dict(self.shown),
            dict(self._bodies),
            tuple(self.contradictions),
            dict(self.notices),
            self.rail.state(),
        )

    def restore(self, state: BankState) -> None:
        """Know what they knew at `state`."""
        self.shown, self._bodies = dict(state.shown), dict(state.bodies)
        self.contradictions = list(state.contradictions)
        self.notices = dict(state.notices)
        self.rail.restore(state.rail)

    def attach(self) -> Callable[[], None]:
        """Let every plain HTTP connection of urllib3 end here; returns what undoes it."""
        bank = self

        class Connection(HTTPConnection):
            """A connection whose socket is the bank's wire."""

            def connect(self) -> None:
                """Reach the bank."""
                self.sock = _Wire(bank.answer)

        before = urllib3.HTTPConnectionPool.ConnectionCls
        urllib3.HTTPConnectionPool.ConnectionCls = Connection

        def detach() -> None:
            urllib3.HTTPConnectionPool.ConnectionCls = before

        return detach

    def answer(self, raw: bytes) -> bytes:
        """Hear one request and answer it, or let it meet what goes wrong.

        :raises Crash: the worker dies. :raises TimeoutError: no answer comes.
        """
        head, _, body = raw.partition(b"\r\n\r\n")
        method, path = head.decode().split(" ", 2)[:2]
        kind = self._injector.meet(Call(BANK, method))
        match kind:
            case Kind.REQUEST_LOST:
                raise ConnectionResetError("the request was lost")
            case Kind.BANK_BUSY:
                return _reply(429, "Retry-After: 30\r\n")
            case Kind.BANK_FAILED:
                return _reply(503)
        status, said = 200, None
        path, _, query = path.partition("?")
        if path in _RECEIPTS and method == "DELETE":
            status = self._forgets(query)
        elif path.startswith(PATH):
            status, said = self.rail.answer(method, path, _headers(head), body)
        elif path in _RECEIPTS:  # Otherwise a member's access is given back, which is no news.
            self._hear(method, _headers(head), json.loads(body))
        if kind is Kind.CRASH_AFTER:
            raise Crash
        if kind is Kind.ANSWER_LOST:
            raise TimeoutError("the answer was lost")
        return _reply(status, said=said)

    def _hear(self, method: str, headers: Mapping[str, str], body: dict[str, Any]) -> None:
        if method == "PUT":
            self._shows(body["transaction_id"], Shown(0, _said(body)))
            return
        news = body["data"]
        said, name = _said({"type": body["type"], "data": news}), headers["webhook-id"]
        if self._bodies.setdefault(name, said) != said:
            self.contradictions.append(f"webhook-id {name} came again with other content")
        if not body["type"].startswith("receipt."):
            self.notices[name] = said
            return
        standing = self.shown.get(news["transaction"])
        if standing is None or standing.version < news["version"]:
            is_withdrawn = body["type"] == "receipt.withdrawn"
            shown = Shown(news["version"], _said(news), is_withdrawn)
            self._shows(news["transaction"], shown)

    def _forgets(self, query: str) -> int:
        """Take the receipt of that name off its transaction; the status that says so."""
        name = parse_qs(query)["external_id"][0]
        for transaction, shown in self.shown.items():
            if json.loads(shown.said)["external_id"] == name:
                self.shown[transaction] = replace(shown, is_withdrawn=True)
                return 200
        return 404

    def _shows(self, transaction: str, shown: Shown) -> None:
        name = json.loads(shown.said).get("external_id") or json.loads(shown.said)["id"]
        others = [t for t, s in self.shown.items() if t != transaction and f'"{name}"' in s.said]
        if others:
            self.contradictions.append(f"receipt {name} was told of two transactions")
        self.shown[transaction] = shown


class _Reply(io.RawIOBase):
    """What is read of an answer, which is made by the first read."""

    def __init__(self, answer: Callable[[], bytes]) -> None:
        self._answer = answer
        self._left: io.BytesIO | None = None

    def readable(self) -> bool:
        """It is only read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`. :raises Crash: the worker dies. :raises OSError: no answer comes."""
        if self._left is None:
            self._left = io.BytesIO(self._answer())
        return self._left.readinto(buffer)


class _Wire:
    """A socket as `http.client` uses one."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._sent = io.BytesIO()

    def sendall(self, data: bytes) -> None:
        """Keep what the client says."""
        self._sent.write(data)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """The answer to what was said; asked for once, when the client begins to read."""
        return io.BufferedReader(_Reply(lambda: self._answer(self._sent.getvalue())))

    def settimeout(self, seconds: float | None) -> None:
        """Nothing here takes time."""

    def setsockopt(self, *_: Any) -> None:
        """There is nothing to set."""

    def shutdown(self, how: int) -> None:
        """There is nothing to shut."""

    def close(self) -> None:
        """There is nothing to close."""


def _said(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True)


def _headers(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode().split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _reply(status: int, more: str = "", *, said: Any = None) -> bytes:
    body = b"" if said is None else json.dumps(said).encode()
    head = f"HTTP/1.1 {status} said\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
