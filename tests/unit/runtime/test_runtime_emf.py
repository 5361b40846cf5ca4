"""Metrics in a log: as few lines as hold them, each as CloudWatch's specification wants it."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.runtime.emf import VALUES_PER_METRIC_MAX, Meter, Metric, Unit

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def written(meter: Meter) -> list[dict[str, Any]]:
    return [json.loads(line) for line in meter.write_out(at=NOON, namespace="Counterfoil")]


def read(lines: list[dict[str, Any]]) -> Counter[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """What CloudWatch would take out of `lines`: the sum of each metric, by unit and dimensions."""
    sums: Counter[tuple[str, str, tuple[tuple[str, str], ...]]] = Counter()
    for line in lines:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            (keys,) = directive["Dimensions"]
            dimensions = tuple((key, line[key]) for key in keys)
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                values = values if isinstance(values, list) else [values]
                assert len(values) <= VALUES_PER_METRIC_MAX
                sums[metric["Name"], metric["Unit"], dimensions] += sum(values)
    return sums


def test_puts_facts_of_other_dimensions_on_one_line_and_contradicting_ones_on_the_next() -> None:
    meter = Meter()
    meter.count(Metric("dropped", Unit.COUNT, (("reason", "a"),)), 1)
    meter.count(Metric("received", Unit.COUNT, (("provider", "m"),)), 2)
    meter.count(Metric("dropped", Unit.COUNT, (("reason", "b"),)), 3)
    meter.count(Metric("waiting", Unit.COUNT, (("reason", "b"),)), 4)

    lines = written(meter)

    assert [{k: v for k, v in line.items() if k != "_aws"} for line in lines] == [
        {"reason": "a", "dropped": 1, "provider": "m", "received": 2},
        {"reason": "b", "dropped": 3, "waiting": 4},
    ]
    assert lines[1]["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Counterfoil",
            "Dimensions": [["reason"]],
            "Metrics": [
                {"Name": "dropped", "Unit": "Count"},
                {"Name": "waiting", "Unit": "Count"},
            ],
        }
    ]


def test_keeps_nothing_once_it_is_written() -> None:
    meter = Meter()
    meter.count(Metric("received", Unit.COUNT), 1)
    meter.observe(Metric("lag", Unit.SECONDS), 1)
    written(meter)

    assert written(meter) == []


def test_splits_more_values_than_a_line_may_hold() -> None:
    meter = Meter()
    for value in range(250):
        meter.observe(Metric("lag", Unit.SECONDS), value)

    lines = written(meter)

    assert [len(line["lag"]) for line in lines] == [100, 100, 50]
    assert [value for line in lines for value in line["lag"]] == list(range(250))


WORDS = st.sampled_from(["a", "b", "c"])
DIMENSIONS = st.dictionaries(st.sampled_from(["reason", "provider", "area"]), WORDS, max_size=2)
FACTS = st.lists(
    st.tuples(st.sampled_from(["m", "n", "reason"]), DIMENSIONS, st.integers(0, 9), st.booleans()),
    max_size=30,
)


@given(FACTS)
def test_loses_and_mixes_up_nothing(facts: list[tuple[str, dict[str, str], int, bool]]) -> None:
    meter = Meter()
    expected: Counter[tuple[str, str, tuple[tuple[str, str], ...]]] = Counter()
    for name, named, value, is_count in facts:
        unit = Unit.COUNT if is_count else Unit.SECONDS
        dimensions = tuple(sorted((key, text) for key, text in named.items() if key != name))
        metric = Metric(name + ("" if is_count else "_seconds"), unit, dimensions)
        (meter.count if is_count else meter.observe)(metric, value)
        expected[metric.name, unit.value, dimensions] += value

    lines = written(meter)

    assert +read(lines) == +expected


def test_says_what_powertools_would_say_of_one_set_of_dimensions() -> None:
    meter = Meter()
    meter.count(Metric("dropped", Unit.COUNT, (("reason", "a"),)), 2)
    theirs = AmazonCloudWatchEMFProvider(
        metric_set={}, dimension_set={}, metadata_set={}, namespace="Counterfoil", service=None
    )
    theirs.add_dimension("reason", "a")
    theirs.add_metric("dropped", MetricUnit.Count, 2)
    said: dict[str, Any] = dict(theirs.serialize_metric_set())

    (line,) = written(meter)

    assert line["_aws"]["CloudWatchMetrics"] == said["_aws"]["CloudWatchMetrics"]
    assert (line["reason"], [line["dropped"]]) == (said["reason"], said["dropped"])
