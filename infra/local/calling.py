"""A small HTTP client for the sandboxes: what a bank's or a till's own sender would be."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import urllib3

TIMEOUT_SECONDS = 20.0  # Fidel's, the longest any provider waits for us.
CONNECTIONS_MAX = 16
_pool = urllib3.PoolManager(maxsize=CONNECTIONS_MAX, retries=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the other side answered. Status 0 means that it did not answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body as JSON. :raises ValueError: it is not."""
        return json.loads(self.body)


def call(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answered:
    """Send one request and wait for the answer. Redirects are answers too."""
    try:
        answer = _pool.request(
            method,
            url,
            body=body,
            headers=dict(headers or {}),
            redirect=False,
            timeout=TIMEOUT_SECONDS,
        )
    except urllib3.exceptions.HTTPError:
        return Answered(0)
    names = {name.lower(): value for name, value in answer.headers.items()}
    return Answered(answer.status, answer.data, names)


def call_json(
    method: str, url: str, value: object, *, headers: Mapping[str, str] | None = None
) -> Answered:
    """Send `value` as compact JSON."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return call(
        method, url, body=body, headers={"Content-Type": "application/json"} | dict(headers or {})
    )


def call_form(
    method: str, url: str, fields: Mapping[str, str], *, headers: Mapping[str, str] | None = None
) -> Answered:
    """Send `fields` as a form."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return call(method, url, body=urlencode(fields).encode(), headers=form | dict(headers or {}))


def resend(
    attempt: Callable[[], Answered],
    *,
    accepted: Callable[[int], bool],
    attempts_max: int,
    pause: Callable[[int], None],
) -> list[Answered]:
    """Send until accepted, as a provider with a back-off does; returns every answer in order.

    `pause(n)` waits before attempt n+1: for real where a person watches, not at all in a demo whose
    clock is simulated.
    """
    answers: list[Answered] = []
    while True:
        answers.append(attempt())
        if accepted(answers[-1].status) or len(answers) == attempts_max:
            return answers
        pause(len(answers))
