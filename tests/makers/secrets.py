"""Secrets Manager as tests meet it: a ring that is given, and a service that refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse

from chalicelib.runtime import aws, ring, settings, vault


def nothing_sealed(_number: int) -> int:
    """Nothing is sealed under any master key."""
    return 0


def hold_ring(held: ring.Ring, *, forgetting: bool = True) -> None:
    """Make `held` the stage's ring; unless said, this process has then to fetch it."""
    aws.client("secretsmanager").put_secret_value(
        SecretId=settings.secret(ring.NAME), SecretString=ring.encode(held)
    )
    if forgetting:
        vault.forget_keys()


@contextmanager
def refusing_secrets(code: str) -> Iterator[list[str]]:
    """Secrets Manager answers every call with the error `code`; yields the calls it got."""
    got: list[str] = []

    def refuse(request: Any, **_: object) -> AWSResponse:
        got.append(request.headers["X-Amz-Target"].decode().rpartition(".")[2])
        body = f'{{"__type":"{code}","message":"no"}}'.encode()
        return Refusal(request.url, body)

    events = aws.client("secretsmanager").meta.events
    events.register_first("before-send.secrets-manager", refuse)
    try:
        yield got
    finally:
        events.unregister("before-send.secrets-manager", refuse)


class Refusal(AWSResponse):
    """An answer of status 400 whose body is here already."""

    def __init__(self, url: str, body: bytes) -> None:
        super().__init__(url, 400, {"content-type": "application/x-amz-json-1.1"}, None)
        self._content = body
