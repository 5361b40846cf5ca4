"""Calling the API as clients do: over Chalice's gateway, with real tokens."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from chalice.config import Config
from chalice.local import LocalGateway, LocalGatewayException

from app import app
from chalicelib.network.access import keys
from chalicelib.network.access.clients import SCOPES_BY_KIND, hash_secret
from chalicelib.network.model import Client, ClientKind
from chalicelib.network.service import record_client
from chalicelib.network.signing import rsa
from chalicelib.runtime import clock

SECRET = "a-long-and-random-secret-of-a-client"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Said:
    """What the API answered; `body` decoded where it is JSON."""

    status: int
    headers: dict[str, Any]
    body: Any


def call(
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: object = None,
    raw: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Said:
    """One request. `body` is sent as JSON, `raw` as it is."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    content = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
    status, answered, text = _ask_gateway(method, path, sent, content)
    decoded = json.loads(text) if text.startswith(("{", "[")) else text
    return Said(status, answered, decoded)


def _ask_gateway(
    method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, Any], str]:
    """Chalice's gateway without its test client.

    That one puts a copy in the place of `os.environ` for as long as it asks: of two threads that
    ask at once the later to end leaves its copy behind, and whoever kept the real one, as rich
    does, no longer sees what tests set.
    """
    gateway = LocalGateway(app, Config())
    try:
        said = gateway.handle_request(method, path, headers, body)
    except LocalGatewayException as refusal:
        return refusal.CODE, dict(refusal.headers), (refusal.body or b"").decode()
    content = said["body"]
    text = content.decode() if isinstance(content, bytes) else content
    return said["statusCode"], dict(said["headers"]), text


def ask_for_token(headers: dict[str, str] | None = None, **form: str) -> Said:
    """`POST /auth/oauth/token` with `form`."""
    raw = urlencode(form).encode()
    return call("POST", "/auth/oauth/token", raw=raw, headers={**FORM, **(headers or {})})


@cache
def signing_pem() -> str:
    """One RSA key for a whole run of tests, because making one takes long."""
    return rsa.new_private_pem()


def make_client(
    client_id: str, subject: str, kind: ClientKind = ClientKind.BANK, *scopes: str
) -> Client:
    """A recorded client with `SECRET` and, unless said, every scope of its kind."""
    client = Client(client_id, kind, subject, scopes or SCOPES_BY_KIND[kind])
    record_client(client, secret_hash=hash_secret(client_id, SECRET))
    keys.ensure_signing_key(signing_pem, now=clock.now())
    return client


def token_of(client_id: str, scope: str = "", *, secret: str = SECRET) -> str:
    """An access token of a client made by `make_client`, or of one with another `secret`."""
    said = ask_for_token(
        grant_type="client_credentials", client_id=client_id, client_secret=secret, scope=scope
    )
    token: str = said.body["access_token"]
    return token
