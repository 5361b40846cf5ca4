"""Time of the embedded queues: real time plus whatever was skipped.

moto counts delays, back-offs and retention by the machine's clock. A day that plays in seconds
would leave a message that waits ten minutes waiting ten real ones, so the local stack lets the
queues' time run ahead.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import moto.sqs.models

_lock = threading.Lock()
_skipped_seconds = 0.0


def skip(seconds: float) -> None:
    """Let `seconds` pass for the queues, at once."""
    global _skipped_seconds
    with _lock:
        _skipped_seconds += max(seconds, 0.0)


def rule() -> Callable[[], None]:
    """Make moto's queues read this time; returns what gives them the machine's clock back."""
    global _skipped_seconds
    _skipped_seconds = 0.0
    queues: Any = moto.sqs.models
    seconds, milliseconds = queues.unix_time, queues.unix_time_millis
    queues.unix_time = _seconds
    queues.unix_time_millis = _milliseconds

    def restore() -> None:
        queues.unix_time = seconds
        queues.unix_time_millis = milliseconds

    return restore


def _seconds() -> float:
    return time.time() + _skipped_seconds


def _milliseconds() -> float:
    return _seconds() * 1000.0
