"""Metrics as CloudWatch reads them out of a log: its embedded metric format, in few lines.

Source: CloudWatch user guide, “Specification: Embedded metric format”. A line is a JSON object; its
member `_aws` says which other members are metrics and which are dimensions. A line may hold metrics
of several sets of dimensions, as long as no member would have to have two values, so the facts of
one invocation usually fit one or two lines. Every line costs money, so there are no others.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

VALUES_PER_METRIC_MAX = 100  # The specification's own limit of an array of values.

Dimensions = tuple[tuple[str, str], ...]
Number = int | float


class Unit(Enum):
    """What a metric counts in: the words of CloudWatch."""

    COUNT = "Count"
    SECONDS = "Seconds"


@dataclass(frozen=True, slots=True)
class Metric:
    """The name of what was counted or observed, with its unit and the values of its dimensions."""

    name: str
    unit: Unit
    dimensions: Dimensions = ()


class Meter:
    """What was counted and observed since it was last written out. For one thread."""

    def __init__(self) -> None:
        self._counts: dict[Metric, int] = {}
        self._values: dict[Metric, list[Number]] = {}

    def count(self, metric: Metric, by: int) -> None:
        """Add `by` to the sum of `metric`; nought adds no line."""
        if by:
            self._counts[metric] = self._counts.get(metric, 0) + by

    def observe(self, metric: Metric, value: Number) -> None:
        """Add `value` to those of `metric`; CloudWatch keeps each, for percentiles."""
        self._values.setdefault(metric, []).append(value)

    def write_out(self, *, at: datetime, namespace: str) -> list[str]:
        """All of it as lines of JSON, none where there was nothing; then nothing is left here."""
        facts: list[tuple[Metric, list[Number]]] = [(m, [by]) for m, by in self._counts.items()]
        for metric, values in self._values.items():
            for first in range(0, len(values), VALUES_PER_METRIC_MAX):
                facts.append((metric, values[first : first + VALUES_PER_METRIC_MAX]))
        self._counts, self._values = {}, {}
        milliseconds = int(at.timestamp() * 1000)
        return [line.written(milliseconds, namespace) for line in _packed(facts)]


@dataclass(slots=True)
class _Line:
    """One JSON object in the making: its members, and which metrics each set of dimensions has."""

    members: dict[str, Any] = field(default_factory=dict)
    metrics: dict[tuple[str, ...], list[Metric]] = field(default_factory=dict)

    def take(self, metric: Metric, values: list[Number]) -> bool:
        """Add the metric, unless a member of the line has another value already."""
        named = dict(metric.dimensions)
        if metric.name in self.members or metric.name in named:
            return False
        if any(self.members.get(key, value) != value for key, value in named.items()):
            return False
        self.members |= named
        self.members[metric.name] = values[0] if len(values) == 1 else values
        self.metrics.setdefault(tuple(named), []).append(metric)
        return True

    def written(self, milliseconds: int, namespace: str) -> str:
        described = [
            {
                "Namespace": namespace,
                "Dimensions": [list(keys)],
                "Metrics": [{"Name": one.name, "Unit": one.unit.value} for one in metrics],
            }
            for keys, metrics in self.metrics.items()
        ]
        head = {"Timestamp": milliseconds, "CloudWatchMetrics": described}
        return json.dumps({"_aws": head, **self.members}, separators=(",", ":"))


def _packed(facts: Iterable[tuple[Metric, list[Number]]]) -> list[_Line]:
    """The facts on as few lines as the first that has room gives."""
    lines: list[_Line] = []
    for metric, values in facts:
        if not any(line.take(metric, values) for line in lines):
            lines.append(_Line())
            lines[-1].take(metric, values)
    return lines
