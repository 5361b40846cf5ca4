"""Time of the embedded queues: real time plus whatever was skipped.

moto counts delays, back-offs and retention by the machine's clock. A day that plays in seconds
would leave a message that waits ten minutes waiting ten real ones, so the local stack lets the
queues' time run ahead.
"""

import threading
import time
from typing import Any

import moto.sqs.models

_lock = threading.Lock()
_skipped_seconds = 0.0


def skip(seconds: float) -> None:
    """Let `seconds` pass for the queues, at once."""
    global _skipped_seconds
    with _lock:
        _skipped_seconds += max(seconds, 0.0)


def rule() -> None:
    """Make moto's queues in this process read this time, for good."""
    queues: Any = moto.sqs.models
    queues.unix_time = _seconds
    queues.unix_time_millis = _milliseconds


def _seconds() -> float:
    return time.time() + _skipped_seconds


def _milliseconds() -> float:
    return _seconds() * 1000.0
