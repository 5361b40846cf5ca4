"""What operators see: constant sentences with keys, and counted facts. Ids, never people.

In Lambda, a sentence is a JSON line (Powertools Logger, imported at first use, because most cold
starts log nothing), and what was counted or observed is written once, at the end of the invocation,
in CloudWatch's embedded format (`emf.py`). Elsewhere both go to Python's logging at once. Only keys
in `KEYS` are written: a key that may hold a personal value is not among them. A sentence that names
no payment says which trace it belongs to. Whatever any library logs in this process, card numbers
in it are masked.

A local stack adds listeners, so that a run can be judged by what was counted.
"""

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from chalicelib.kernel.pan import holds_card_number, mask_card_numbers
from chalicelib.runtime import settings, tracing
from chalicelib.runtime.emf import Meter, Metric, Number, Unit

NAMESPACE = "Counterfoil"
# Not `counterfoil`: that is the app's name, and Chalice sets up the logger called so by itself.
LOGGER_NAME = "counterfoil-platform"
VALUE_CHARACTERS_MAX = 200

_OUR_IDS = (
    "client connection delivery id member message payment programme purchase receipt retailer "
    "sender store till trace version"
)
_OUR_WORDS = (
    "area attempt cause code ending field format job kind outcome provider purchases queue reason "
    "retention seconds state status table why"
)
KEYS = frozenset(_OUR_IDS.split()) | frozenset(_OUR_WORDS.split())

_log = logging.getLogger(LOGGER_NAME)
_log.setLevel(logging.INFO)

Value = str | int | None
Listener = Callable[[str, dict[str, str], int], None]
Watcher = Callable[[str, dict[str, str], Number, Unit], None]
_listeners: list[Listener] = []
_watchers: list[Watcher] = []
_meter = Meter()


def log(sentence: str, **keys: Value) -> None:
    """Log a constant `sentence` with `keys` (ids and codes only)."""
    _say(logging.INFO, sentence, keys)


def warn(sentence: str, **keys: Value) -> None:
    """Log a constant `sentence` that somebody should look at."""
    _say(logging.WARNING, sentence, keys)


def failure(sentence: str, **keys: Value) -> None:
    """Log a constant `sentence` with the traceback of the exception that is being handled."""
    if settings.in_lambda():  # Powertools' formatter would write the exception anew, unmasked.
        trace = mask_card_numbers(traceback.format_exc())
        _logger().error(sentence, extra={"keys": _traced(keys), "exception": trace}, stacklevel=3)
    else:
        _log.exception(sentence, extra={"keys": _traced(keys)}, stacklevel=2)


def count(name: str, *, by: int = 1, **dimensions: str) -> None:
    """Count a fact, such as `count("payments_dropped", reason="not_in_network")`."""
    allowed = _dimensions(dimensions)
    if settings.in_lambda():
        _meter.count(Metric(name, Unit.COUNT, tuple(allowed.items())), by)
    else:
        _log.info("counted", extra={"keys": {"metric": name, "by": by, **allowed}})
    for listener in _listeners:
        listener(name, allowed, by)


def observe(name: str, value: Number, unit: Unit, **dimensions: str) -> None:
    """Observe a value, such as `observe("match_lag_seconds", 3.5, Unit.SECONDS)`.

    Unlike a count it is not added up: CloudWatch gives its average, extremes and percentiles.
    """
    allowed = _dimensions(dimensions)
    value = round(value, 1)  # A tenth of a second says enough of what lasts seconds to days.
    value = int(value) if value == int(value) else value
    if settings.in_lambda():
        _meter.observe(Metric(name, unit, tuple(allowed.items())), value)
    else:
        _log.info("observed", extra={"keys": {"metric": name, "value": value, **allowed}})
    for watcher in _watchers:
        watcher(name, allowed, value, unit)


@contextmanager
def invocation(read_clock: Callable[[], datetime]) -> Iterator[None]:
    """Write out what was counted and observed when what is done inside ends, however it ends.

    Whoever answers AWS (the rims of api/ and workers/) wraps this around all it does. What is
    counted in a process that is killed, at a timeout, is not written.
    """
    try:
        yield
    finally:
        for line in _meter.write_out(at=read_clock(), namespace=NAMESPACE):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()


def listen(listener: Listener) -> Callable[[], None]:
    """Let `listener(name, dimensions, by)` hear every count; returns a function that stops it."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def watch(watcher: Watcher) -> Callable[[], None]:
    """Let `watcher(name, dimensions, value, unit)` see every observed value; returns its end."""
    _watchers.append(watcher)
    return lambda: _watchers.remove(watcher)


def keys_of(record: logging.LogRecord) -> dict[str, Any]:
    """The keys of a log record made here."""
    return dict(getattr(record, "keys", {}))


def _say(level: int, sentence: str, keys: dict[str, Any]) -> None:
    """Hand on a sentence; its place is where `log` or `warn` was called, three frames up."""
    said = _logger().info if level == logging.INFO else _logger().warning
    said(sentence, extra={"keys": _traced(keys)}, stacklevel=4 if settings.in_lambda() else 3)


def _allowed(keys: dict[str, Any]) -> dict[str, Value]:
    """The keys that may be written. A value is an id or a code: short, and no card number."""
    kept = {key: _tidied(value) for key, value in keys.items() if key in KEYS}
    if dropped := sorted(set(keys) - KEYS):
        kept["dropped_keys"] = ",".join(dropped)
    return kept


def _traced(keys: dict[str, Any]) -> dict[str, Value]:
    """The keys of a sentence that may be written, and its trace where no payment names it."""
    trace = None if "payment" in keys else tracing.current()
    return _allowed(keys) | ({"trace": trace} if trace else {})


def _dimensions(keys: dict[str, Any]) -> dict[str, str]:
    """The dimensions of a metric. CloudWatch takes no empty one."""
    return {key: str(value) or "none" for key, value in _allowed(keys).items()}


def _tidied(value: Any) -> Value:
    if value is None or isinstance(value, int):
        return value
    return mask_card_numbers(str(value))[:VALUE_CHARACTERS_MAX]


@lru_cache(maxsize=1)
def _logger() -> Any:
    if not settings.in_lambda():
        return _log
    from aws_lambda_powertools.logging import Logger  # 50 ms that a quiet cold start saves

    return Logger(service=LOGGER_NAME, level="INFO", json_serializer=_written)


# CloudWatch keeps the time of each line and the function's name by itself, and the trace is ours:
# one line of a batch may belong to another trace than the next.
_KEPT_ELSEWHERE = ("timestamp", "service", "xray_trace_id")
_to_json = partial(json.dumps, separators=(",", ":"), default=str)


def _written(line: dict[str, Any]) -> str:
    """A line of the log as JSON. Its bytes are paid for: nothing that is plain stands in it."""
    plain = (*_KEPT_ELSEWHERE, "level", "location") if line["level"] == "INFO" else _KEPT_ELSEWHERE
    return _to_json({key: value for key, value in line.items() if key not in plain})


_make_record = logging.getLogRecordFactory()


def _record_without_card_numbers(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """A log record whose message and traceback hold no card number, whoever makes it (SEC-05).

    It stands where records are made and not in a filter of one logger, so that nothing that any
    library logs goes past it.
    """
    record = _make_record(*args, **kwargs)
    if record.exc_info and record.exc_info[0] is not None:
        trace = "".join(traceback.format_exception(*record.exc_info))
        if holds_card_number(trace):
            record.exc_text = mask_card_numbers(trace).rstrip("\n")
            record.exc_info = None
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):  # Its arguments do not fit: let logging say so.
        return record
    if holds_card_number(message):
        record.msg, record.args = mask_card_numbers(message), None
    return record


logging.setLogRecordFactory(_record_without_card_numbers)
