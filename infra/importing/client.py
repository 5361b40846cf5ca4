"""The public API as an importer uses it: client credentials, batches, patience.

A passing obstacle (503, 429, no answer) is waited for, as long as the server asks; the receiver is
idempotent, so that a batch may always be sent again.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec
import urllib3

from chalicelib.kernel.personal import Personal
from chalicelib.runtime import wire
from chalicelib.tills.entries import BatchAnswer
from chalicelib.tills.native_shapes import NativeReceipt

ATTEMPTS_MAX = 8  # With doubling waits, about five minutes of patience.
WAIT_SECONDS_MAX = 120
TIMEOUT_SECONDS = 35.0  # API Gateway gives up after 29.
SCOPE = "receipts:write"

T = TypeVar("T")

_PASSING = frozenset({408, 429, 500, 502, 503, 504})


class ImportStopped(Exception):
    """The import cannot go on now; what was sent is remembered, and it can be started again."""


class BatchRefused(Exception):
    """The API refused a batch as a whole, with the problem it named."""

    def __init__(self, code: str, detail: str, field: str | None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


class _Problem(msgspec.Struct):
    code: str = "refused"
    detail: str = "the API refused the batch"
    field: str | None = None


class _Token(msgspec.Struct):
    access_token: str


class ReceiptsClient:
    """Posts batches of receipts for one retailer. `sleep` is given seconds."""

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str,
        client_secret: Personal[str],
        sleep: Callable[[float], None],
    ) -> None:
        if urlsplit(base_url).scheme not in ("http", "https"):
            raise ImportStopped("the URL must begin with https://")
        self._base_url = base_url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._sleep = sleep
        self._pool = urllib3.PoolManager(timeout=TIMEOUT_SECONDS, retries=False)
        self._token: Personal[str] | None = None

    def post(self, receipts: Sequence[NativeReceipt]) -> BatchAnswer:
        """Send `receipts` (at most 100); returns which of them were refused.

        :raises BatchRefused: the batch as a whole is not taken. :raises ImportStopped: the
            credentials are not, or the API does not answer.
        """
        body = wire.to_json(receipts)
        status, answer = self._send(body)
        if status == 401:  # The token lives for an hour; an import may last longer.
            self._token = None
            status, answer = self._send(body)
        if status in (401, 403):
            raise ImportStopped("the API does not let this client send receipts")
        if 200 <= status < 300:
            return _decoded(answer, BatchAnswer)
        if 400 <= status < 500:
            problem = _decoded(answer, _Problem)
            raise BatchRefused(problem.code, problem.detail, problem.field)
        raise ImportStopped(f"the API answers with status {status}")

    def _send(self, body: bytes) -> tuple[int, bytes]:
        if self._token is None:
            self._token = self._ask_token()
        headers = {
            "Authorization": f"Bearer {self._token.reveal()}",
            "Content-Type": "application/json",
        }
        return self._request("/v1/receipts", body, headers)

    def _ask_token(self) -> Personal[str]:
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": self._client_id,
                "client_secret": self._client_secret.reveal(),
                "scope": SCOPE,
            }
        ).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = self._request("/auth/oauth/token", form, headers)
        if status != 200:
            raise ImportStopped("the API does not take the client's credentials")
        return Personal(_decoded(answer, _Token).access_token)

    def _request(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """POST, and again after passing obstacles. Redirects are not followed."""
        for attempt in range(ATTEMPTS_MAX):
            try:
                response = self._pool.request(
                    "POST", self._base_url + path, body=body, headers=headers, redirect=False
                )
            except urllib3.exceptions.HTTPError:
                self._sleep(_wait_seconds(attempt, None))
                continue
            if response.status not in _PASSING:
                return response.status, response.data
            self._sleep(_wait_seconds(attempt, response.headers.get("Retry-After")))
        raise ImportStopped("the API does not answer; start the import again later")


def _wait_seconds(attempt: int, retry_after: str | None) -> float:
    """What the server asks for, else a doubling wait; two minutes at most."""
    if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), WAIT_SECONDS_MAX)
    return min(2.0**attempt, WAIT_SECONDS_MAX)


def _decoded(answer: bytes, as_type: type[T]) -> T:
    try:
        return msgspec.json.decode(answer, type=as_type)
    except msgspec.DecodeError as error:
        raise ImportStopped("the API answers something that cannot be read") from error
