"""What the local stack counts, put where an operator's commands look for it: CloudWatch's metrics.

In AWS the metrics come out of the log. Here a listener collects them, and whoever keeps time puts
them together once in a while, because a call for each would cost more than the work it counts.
"""

from collections import deque
from datetime import datetime
from typing import Any

from chalicelib.runtime import aws, observability
from chalicelib.runtime.emf import Number, Unit
from chalicelib.runtime.observability import NAMESPACE

DATA_PER_CALL_MAX = 1_000  # CloudWatch's own limit.


class CountedMetrics:
    """Hears everything from when it is made until it is stopped; `put` sends what it heard."""

    def __init__(self) -> None:
        self._heard: deque[dict[str, Any]] = deque()
        self._stops = (observability.listen(self._count), observability.watch(self._take))

    def stop(self) -> None:
        """Hear no more."""
        for stop in self._stops:
            stop()

    def put(self, *, now: datetime) -> int:
        """Put what was heard since the last time into CloudWatch; returns how many values."""
        count = len(self._heard)  # Others may go on adding at the other end.
        data = [self._heard.popleft() | {"Timestamp": now} for _ in range(count)]
        for first in range(0, count, DATA_PER_CALL_MAX):
            aws.client("cloudwatch").put_metric_data(
                Namespace=NAMESPACE, MetricData=data[first : first + DATA_PER_CALL_MAX]
            )
        return count

    def _count(self, name: str, dimensions: dict[str, str], by: int) -> None:
        self._take(name, dimensions, by, Unit.COUNT)

    def _take(self, name: str, dimensions: dict[str, str], value: Number, unit: Unit) -> None:
        self._heard.append(
            {
                "MetricName": name,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                "Value": float(value),
                "Unit": unit.value,
            }
        )
