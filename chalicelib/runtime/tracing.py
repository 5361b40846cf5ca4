"""The trace: one id that goes from the request that began something through every message after it.

It has the form of an X-Ray trace id (X-Ray developer guide, “Concepts”: `1-<8 hex digits of epoch
seconds>-<24 random hex digits>`), and where Lambda has one, it is that one, so that the same id
finds logs and X-Ray's own picture. Messages carry it as a message attribute: Lambda passes X-Ray's
header on with a whole batch only, and we follow each message. It names nobody.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

MESSAGE_ATTRIBUTE = "trace"
RANDOM_BYTES = 12

_TRACE = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_current: ContextVar[str | None] = ContextVar("trace", default=None)


def current() -> str | None:
    """The trace of what is being done now; None outside a request or message."""
    return _current.get()


@contextmanager
def following(trace: str | None) -> Iterator[None]:
    """Everything logged and sent meanwhile belongs to `trace`."""
    before = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(before)


def new_trace(header: str | None, *, fresh: bytes, now: datetime) -> str:
    """The trace that X-Ray's `header` names, or one made of `fresh` (12 random bytes)."""
    for part in (header or "").split(";"):
        key, _, value = part.partition("=")
        if key == "Root" and is_trace(value):
            return value
    return f"1-{int(now.timestamp()):08x}-{fresh.hex()}"


def is_trace(text: str) -> bool:
    """Whether `text` is a trace. What others send us is only believed if it is."""
    return _TRACE.fullmatch(text) is not None
