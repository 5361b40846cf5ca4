"""The one place that makes AWS clients. Made at first use and kept for the life of the process."""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

from chalicelib.runtime import settings

CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 5
ATTEMPTS_MAX = 3


@cache
def client(service: str, *, read_timeout_seconds: int = READ_TIMEOUT_SECONDS) -> Any:
    """A low-level client of `service` (`sqs`, `kms`, …) with short timeouts and few retries."""
    session = botocore.session.get_session()
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout_seconds,
        retries={"max_attempts": ATTEMPTS_MAX, "mode": "standard"},
    )
    return session.create_client(service, region_name=settings.region(), config=config)


def forget_clients() -> None:
    """Drop every client, so that the next use connects anew. For tests and local stacks."""
    client.cache_clear()
