"""Watching what operators see: sentences of the log, counts, observed values."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.runtime import observability


@dataclass
class Seen:
    """What was logged, counted and observed, in order.

    - `lines`: the sentence and keys of each line.
    - `counts`, `values`: name, dimensions, and by how much or what.
    """

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    counts: list[tuple[str, dict[str, str], int]] = field(default_factory=list)
    values: list[tuple[str, dict[str, str], float]] = field(default_factory=list)

    def counted(self, name: str) -> list[tuple[dict[str, str], int]]:
        """The counts of `name`, in order."""
        return [(dimensions, by) for said, dimensions, by in self.counts if said == name]

    def observed(self, name: str) -> list[tuple[dict[str, str], float]]:
        """The values of `name`, in order."""
        return [(dimensions, value) for said, dimensions, value in self.values if said == name]

    def of_payment(self, payment_id: str) -> list[tuple[str, dict[str, Any]]]:
        """The lines that name the payment, without its id."""
        return [
            (sentence, {key: value for key, value in keys.items() if key != "payment"})
            for sentence, keys in self.lines
            if keys.get("payment") == payment_id
        ]


class _Lines(logging.Handler):
    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self._seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        self._seen.lines.append((record.getMessage(), observability.keys_of(record)))


@contextmanager
def observing() -> Iterator[Seen]:
    """Everything an operator could see meanwhile."""
    seen = Seen()
    logger, handler = logging.getLogger(observability.LOGGER_NAME), _Lines(seen)
    logger.addHandler(handler)
    stops = (
        observability.listen(lambda *fact: seen.counts.append(fact)),
        observability.watch(lambda name, dims, value, _: seen.values.append((name, dims, value))),
    )
    try:
        yield seen
    finally:
        logger.removeHandler(handler)
        for stop in stops:
            stop()
