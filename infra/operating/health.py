"""How each connection does, from CloudWatch's metrics: last event, what was refused, lag, told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.network import service as network
from chalicelib.network.model import Connection
from chalicelib.runtime import aws
from chalicelib.runtime.observability import NAMESPACE

PERIOD = timedelta(minutes=5)  # How exactly the last event is known.
QUERIES_PER_CALL_MAX = 300  # CloudWatch takes 500, and gives 100,800 points: a day of each.
WINDOW_MAX = timedelta(hours=24)
OUTCOMES = ("taken", "refused", "dropped", "told")


@dataclass(frozen=True, slots=True)
class Health:
    """One connection in the window. `last_event_at` is its last event, up to five minutes later.

    `lag_seconds` is the mean time from an event at the bank to its hook here, None without events.
    `told_until` is when the bank said that it no longer listens.
    """

    connection: Connection
    taken: int
    refused: int
    dropped: int
    told: int
    lag_seconds: float | None
    last_event_at: datetime | None

    @property
    def refused_share(self) -> float | None:
        """Of what came, how much was refused; None where nothing came."""
        came = self.taken + self.refused + self.dropped
        return self.refused / came if came else None

    @property
    def told_until(self) -> datetime | None:
        """When the bank said that it no longer listens; None while it does."""
        return self.connection.told_until


def health_of_all(*, window: timedelta, now: datetime) -> list[Health]:
    """Every connection in the last `window` (at most a day), in order of id."""
    connections = network.list_connections(now=now)
    queries = [query for index, one in enumerate(connections) for query in _queries(index, one)]
    since = now - min(window, WINDOW_MAX)
    found = dict(_answers(queries, since=since, until=now))
    return [_health(index, one, found, now=now) for index, one in enumerate(connections)]


Points = list[tuple[datetime, float]]


def _health(
    index: int, connection: Connection, found: dict[str, Points], *, now: datetime
) -> Health:
    points = {outcome: found.get(f"{outcome}_{index}", []) for outcome in OUTCOMES}
    sums = {outcome: round(sum(value for _, value in of)) for outcome, of in points.items()}
    counts, lags = found.get(f"lags_{index}", []), found.get(f"lag_{index}", [])
    came = sum(count for _, count in counts)
    heard = [at for o in ("taken", "refused", "dropped") for at, value in points[o] if value]
    return Health(
        connection,
        **sums,
        lag_seconds=sum(value for _, value in lags) / came if came else None,
        last_event_at=min(max(heard) + PERIOD, now) if heard else None,
    )


def _queries(index: int, connection: Connection) -> Iterator[dict[str, Any]]:
    where = {"Name": "connection", "Value": connection.connection_id}
    for outcome in OUTCOMES:
        dimensions = [where, {"Name": "outcome", "Value": outcome}]
        yield _query(f"{outcome}_{index}", "connection_events", dimensions, "Sum")
    yield _query(f"lag_{index}", "connection_lag_seconds", [where], "Sum")
    yield _query(f"lags_{index}", "connection_lag_seconds", [where], "SampleCount")


def _query(name: str, metric: str, dimensions: list[dict[str, str]], stat: str) -> dict[str, Any]:
    named = {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
    seconds = int(PERIOD.total_seconds())
    return {"Id": name, "MetricStat": {"Metric": named, "Period": seconds, "Stat": stat}}


def _answers(
    queries: list[dict[str, Any]], *, since: datetime, until: datetime
) -> Iterable[tuple[str, Points]]:
    """The points of each query, by its name; CloudWatch gives long answers in pages."""
    found: dict[str, Points] = {}
    for first in range(0, len(queries), QUERIES_PER_CALL_MAX):
        pages = (
            aws.client("cloudwatch")
            .get_paginator("get_metric_data")
            .paginate(
                MetricDataQueries=queries[first : first + QUERIES_PER_CALL_MAX],
                StartTime=since,
                EndTime=until,
            )
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                points = zip(result["Timestamps"], result["Values"], strict=True)
                found.setdefault(result["Id"], []).extend(points)
    return found.items()
