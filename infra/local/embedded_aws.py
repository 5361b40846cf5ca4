"""moto's server on a loopback port, with connections kept alive.

moto's own server opens a connection and lists its backends anew for every call, which is most of
what a call costs. This one serves the same application from `LoopbackServer` and remembers which
backend a host means.
"""

import io
import sys
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from infra.local.serving import LoopbackServer, Reply, Request


def serve_aws() -> LoopbackServer:
    """An empty AWS; `url` is the endpoint of every service."""
    application = _Dispatcher(create_backend_app)
    server = LoopbackServer(lambda request: _answer(application, request))
    _answer(application, Request("POST", "/moto-api/reset", {}, {"host": "moto"}, b""))
    return server


class _Dispatcher(DomainDispatcherApplication):
    def get_backend_for_host(self, host: str | None) -> Any:
        return _backend_for_host(super().get_backend_for_host, host)


@cache
def _backend_for_host(look_up: Any, host: str | None) -> Any:
    return look_up(host)


def _answer(application: DomainDispatcherApplication, request: Request) -> Reply:
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
