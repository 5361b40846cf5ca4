"""The sandboxes' HTTP server: what it says of clients that hang up, and of bugs."""

import socket
import struct
from threading import Event
from urllib.parse import urlsplit

import pytest

from infra.local.serving import LoopbackServer, Reply, Request

HANGS_UP_AT_ONCE = struct.pack("ii", 1, 0)
LARGE = b"x" * 1_000_000
SECONDS_MAX = 10.0


def test_says_nothing_of_a_client_that_hung_up_before_it_was_answered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked, gone = Event(), Event()

    def answer(_request: Request) -> Reply:
        asked.set()
        gone.wait(SECONDS_MAX)
        return Reply(body=LARGE)

    with LoopbackServer(answer) as server:
        port = urlsplit(server.url).port
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HANGS_UP_AT_ONCE)
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert asked.wait(SECONDS_MAX)
        client.close()
        gone.set()

    assert capsys.readouterr().err == ""


def test_shows_a_bug(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(_request: Request) -> Reply:
        raise LookupError("a bug")

    with LoopbackServer(answer) as server:
        client = socket.create_connection(("127.0.0.1", urlsplit(server.url).port))
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert client.recv(1) == b""
        client.close()

    assert "LookupError: a bug" in capsys.readouterr().err
