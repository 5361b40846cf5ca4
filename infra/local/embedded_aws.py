"""moto's server in a process of its own, on a loopback port, with connections kept alive.

moto's own server opens a connection and lists its backends anew for every call, which is most of
what a call costs. This one serves the same application from `LoopbackServer` and remembers which
backend a host means; in its own process it has a processor to itself. It ends when its standard
input does, so it never outlives whoever started it.
"""

import io
import subprocess
import sys
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from infra.local.calling import call_form
from infra.local.serving import LoopbackServer, Reply, Request

SKIP_PATH = "/-local/skip"


class EmbeddedAws:
    """An empty AWS. `url` is the endpoint of every service."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.embedded_aws"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            self._process.wait()
            raise RuntimeError("the embedded AWS did not start")

    def skip(self, seconds: float) -> None:
        """Let `seconds` pass for the queues, at once."""
        call_form("POST", self.url + SKIP_PATH, {"seconds": str(seconds)})

    def stop(self) -> None:
        """Stop it; everything in it is gone."""
        self._process.communicate()


def main() -> None:
    """Serve until standard input ends; the first line of output is the URL."""
    from infra.local import queue_time  # moto is only needed in this process

    queue_time.rule()
    with LoopbackServer(_answering()) as server:
        print(server.url, flush=True)
        sys.stdin.read()


def _answering() -> Any:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from infra.local import queue_time

    application: Any = DomainDispatcherApplication(create_backend_app)
    # It lists a directory for every call otherwise.
    application.get_backend_for_host = cache(application.get_backend_for_host)
    _compare_texts_quickly()

    def answer(request: Request) -> Reply:
        if request.path == SKIP_PATH:
            queue_time.skip(float(request.form()["seconds"]))
            return Reply(204)
        return _answer(application, request)

    return answer


def _compare_texts_quickly() -> None:
    """moto asks six questions about each text it compares, and a Query compares whole partitions:
    half of all its work here. A text is compared as it is.
    """
    from moto.dynamodb.models.dynamo_type import DynamoType

    of_others: Any = DynamoType.cast_value
    value_of: Any = property(
        lambda held: held.value if held.type == "S" else of_others.__get__(held)
    )
    DynamoType.cast_value = value_of  # type: ignore[method-assign]


def _answer(application: Any, request: Request) -> Reply:
    """Hand the request over by WSGI (PEP 3333)."""
    started: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        started.update(status=int(status.split(" ", 1)[0]), headers=dict(headers))

    chunks = application(_environ(request), start_response)
    body = b"".join(chunks)
    return Reply(started["status"], body, _without_length(started["headers"]))


def _without_length(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() != "content-length"}


def _environ(request: Request) -> dict[str, Any]:
    target = urlsplit(request.target or request.path)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(target.path, "latin-1"),
        "QUERY_STRING": target.query,
        "RAW_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name not in ("content-type", "content-length"):
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ


if __name__ == "__main__":
    main()
