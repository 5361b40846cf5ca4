"""What operators see: constant sentences with keys, and counted facts. Ids, never people.

In Lambda, a sentence is a JSON line (Powertools Logger) and a count is a metric in CloudWatch's
embedded format (Powertools Metrics); both are imported at first use, because most cold starts log
nothing. Elsewhere both go to Python's logging. Only keys in `KEYS` are written: a key that may hold
a personal value is not among them. Whatever any library logs in this process, card numbers in it
are masked.

A local stack adds a listener, so that a run can be judged by what was counted.
"""

import logging
import traceback
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from chalicelib.kernel.pan import holds_card_number, mask_card_numbers
from chalicelib.runtime import settings

NAMESPACE = "Counterfoil"
# Not `counterfoil`: that is the app's name, and Chalice sets up the logger called so by itself.
LOGGER_NAME = "counterfoil-platform"
VALUE_CHARACTERS_MAX = 200

_OUR_IDS = (
    "client connection delivery id member message payment programme purchase receipt retailer "
    "sender store till version"
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
_listeners: list[Listener] = []


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
        _logger().error(sentence, extra={"keys": _allowed(keys), "exception": trace}, stacklevel=3)
    else:
        _log.exception(sentence, extra={"keys": _allowed(keys)}, stacklevel=2)


def count(name: str, *, by: int = 1, **dimensions: str) -> None:
    """Count a fact, such as `count("payments_dropped", reason="not_in_network")`."""
    allowed = {key: str(value) for key, value in _allowed(dimensions).items()}
    if settings.in_lambda():
        _emit_metric(name, by, allowed)
    else:
        _log.info("counted", extra={"keys": {"metric": name, "by": by, **allowed}})
    for listener in _listeners:
        listener(name, allowed, by)


def listen(listener: Listener) -> Callable[[], None]:
    """Let `listener(name, dimensions, by)` hear every count; returns a function that stops it."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def keys_of(record: logging.LogRecord) -> dict[str, Any]:
    """The keys of a log record made here."""
    return dict(getattr(record, "keys", {}))


def _say(level: int, sentence: str, keys: dict[str, Any]) -> None:
    """Hand on a sentence; its place is where `log` or `warn` was called, three frames up."""
    said = _logger().info if level == logging.INFO else _logger().warning
    said(sentence, extra={"keys": _allowed(keys)}, stacklevel=4 if settings.in_lambda() else 3)


def _allowed(keys: dict[str, Any]) -> dict[str, Value]:
    """The keys that may be written. A value is an id or a code: short, and no card number."""
    kept = {key: _tidied(value) for key, value in keys.items() if key in KEYS}
    if dropped := sorted(set(keys) - KEYS):
        kept["dropped_keys"] = ",".join(dropped)
    return kept


def _tidied(value: Any) -> Value:
    if value is None or isinstance(value, int):
        return value
    return mask_card_numbers(str(value))[:VALUE_CHARACTERS_MAX]


@lru_cache(maxsize=1)
def _logger() -> Any:
    if not settings.in_lambda():
        return _log
    from aws_lambda_powertools.logging import Logger  # 50 ms that a quiet cold start saves

    return Logger(service=LOGGER_NAME, level="INFO", use_rfc3339=True, utc=True)


def _emit_metric(name: str, by: int, dimensions: dict[str, str]) -> None:
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # as above

    with single_metric(name, MetricUnit.Count, by, namespace=NAMESPACE) as metric:
        for key, value in dimensions.items():
            metric.add_dimension(key, value or "none")


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
