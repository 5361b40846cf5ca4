"""What operators see: constant sentences with keys, and counted facts. Ids, never people.

`count` adds one to a metric (CloudWatch embedded metric format through Powertools where it runs in
Lambda). A local stack adds a listener, so that a run can be judged by what was counted.
"""

import logging
from collections.abc import Callable
from typing import Any

_log = logging.getLogger("counterfoil")

Listener = Callable[[str, dict[str, str], int], None]
_listeners: list[Listener] = []


def log(sentence: str, **keys: str | int | None) -> None:
    """Log a constant `sentence` with `keys` (ids and codes only)."""
    _log.info(sentence, extra={"keys": keys})


def warn(sentence: str, **keys: str | int | None) -> None:
    """Log a constant `sentence` that somebody should look at."""
    _log.warning(sentence, extra={"keys": keys})


def count(name: str, *, by: int = 1, **dimensions: str) -> None:
    """Count a fact, such as `count("payments_dropped", reason="not_in_network")`."""
    _log.info("counted", extra={"keys": {"metric": name, "by": by, **dimensions}})
    for listener in _listeners:
        listener(name, dimensions, by)


def listen(listener: Listener) -> Callable[[], None]:
    """Let `listener(name, dimensions, by)` hear every count; returns a function that stops it."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def keys_of(record: logging.LogRecord) -> dict[str, Any]:
    """The keys of a log record made here."""
    return dict(getattr(record, "keys", {}))
