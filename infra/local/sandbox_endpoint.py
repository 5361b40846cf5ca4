"""A bank's own webhook endpoint, which verifies what we send before it believes it.

It checks Standard Webhooks with that project's own library and Flux's detached JWS (RFC 7797)
against our published JWKS, neither with any code of ours, and keeps every receipt it was told.
"""

import base64
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from standardwebhooks.webhooks import Webhook

from infra.local.calling import call
from infra.local.moods import Moods
from infra.local.serving import LoopbackServer, Reply, Request

TOLERANCE_SECONDS = 300
JWS_HEADER = "x-jws-signature"


class Unverified(Exception):
    """The message does not prove that we sent it. The text says which check failed."""


@dataclass(frozen=True, slots=True)
class Told:
    """A verified message. `message_id` is `webhook-id`, where the format has one."""

    endpoint: str
    body: dict[str, Any]
    message_id: str | None


@dataclass(slots=True)
class EndpointBooks:
    """What was told and believed, and why the rest was not."""

    told: list[Told] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)


class SandboxEndpoint:
    """Answers `POST /told/{name}`: by Standard Webhooks where the name has a secret, else JWS.

    `secrets` maps a name to its `whsec_` secret; `jwks_url` is asked for when a key id is new.
    """

    def __init__(self, *, now: Callable[[], datetime], secrets: dict[str, str]) -> None:
        self.books = EndpointBooks()
        self.moods = Moods()
        self.jwks_url = ""
        self._now = now
        self._secrets = dict(secrets)
        self._keys: dict[str, rsa.RSAPublicKey] = {}
        self._lock = threading.Lock()
        self.server = LoopbackServer(self.answer)

    @property
    def url(self) -> str:
        """The base URL."""
        return self.server.url

    def use_secret(self, name: str, secret: str) -> None:
        """Verify what comes to `name` with another `whsec_` secret from now on."""
        with self._lock:
            self._secrets[name] = secret

    def stop(self) -> None:
        """Stop serving."""
        self.server.stop()

    def answer(self, request: Request) -> Reply:
        """Answer one request, as the real API would."""
        _, kind, name = ["", *request.parts, "", ""][:3]
        if request.method != "POST" or kind != "told":
            return Reply(404)
        wrong = self.moods.next()
        if wrong is not None:
            return wrong
        try:
            self._verify(request, name)
        except Unverified as reason:
            with self._lock:
                self.books.unverified.append(str(reason))
            return Reply(401)
        told = Told(name, json.loads(request.body), request.headers.get("webhook-id"))
        with self._lock:
            self.books.told.append(told)
        return Reply(204)

    def _verify(self, request: Request, name: str) -> None:
        if name in self._secrets:
            verify_standard(request, self._secrets[name], now=self._now())
        else:
            self._verify_jws(request)

    def _verify_jws(self, request: Request) -> None:
        encoded, _, signature = request.headers.get(JWS_HEADER, "").partition("..")
        header = _header(encoded)
        if header.get("alg") != "RS256" or header.get("b64") is not False:
            raise Unverified("the JWS header is not RS256 with b64 false")
        if header.get("crit") != ["b64"]:
            raise Unverified("the JWS header does not mark b64 as critical")
        key = self._key(str(header.get("kid")))
        signed = encoded.encode() + b"." + request.body
        try:
            key.verify(_unbase64(signature), signed, padding.PKCS1v15(), SHA256())
        except InvalidSignature as error:
            raise Unverified("the JWS does not verify") from error

    def _key(self, kid: str) -> rsa.RSAPublicKey:
        if kid not in self._keys:
            for jwk in call("GET", self.jwks_url).json()["keys"]:
                numbers = rsa.RSAPublicNumbers(e=_integer(jwk["e"]), n=_integer(jwk["n"]))
                self._keys[jwk["kid"]] = numbers.public_key()
        if kid not in self._keys:
            raise Unverified("the key id is not published")
        return self._keys[kid]


def verify_standard(request: Request, secret: str, *, now: datetime) -> None:
    """Verify Standard Webhooks headers over the raw body.

    The library signs; the comparison is here, because its own `verify` reads the machine's clock.

    :raises Unverified: no signature of the secret fits, or the timestamp is out of tolerance.
    """
    message_id = request.headers.get("webhook-id", "")
    stamp = request.headers.get("webhook-timestamp", "")
    if not stamp.isdecimal() or abs(int(stamp) - now.timestamp()) > TOLERANCE_SECONDS:
        raise Unverified("the timestamp is out of tolerance")
    sent_at = datetime.fromtimestamp(int(stamp), UTC)
    expected = Webhook(secret).sign(message_id, sent_at, request.body.decode())
    given = request.headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(expected, signature) for signature in given):
        raise Unverified("no Standard Webhooks signature fits")


def _header(encoded: str) -> dict[str, Any]:
    try:
        header = json.loads(_unbase64(encoded))
    except ValueError as error:
        raise Unverified("there is no readable JWS header") from error
    if not isinstance(header, dict):
        raise Unverified("the JWS header is not an object")
    return header


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _integer(text: str) -> int:
    return int.from_bytes(_unbase64(text), "big")
