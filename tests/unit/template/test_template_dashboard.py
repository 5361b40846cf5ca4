"""The dashboard: every graph is a list of metrics in CloudWatch's shape, cost units among them."""

import json
from typing import Any

from infra.resources import TABLES
from infra.template.dashboard import make_dashboard
from infra.template.stages import read_stage


def graphs() -> dict[str, Any]:
    made = make_dashboard(read_stage("test"), ["api_handler", "record_payment"])
    body = json.loads(made["Properties"]["DashboardBody"]["Fn::Sub"])
    return {
        widget["properties"]["title"]: widget["properties"]["metrics"]
        for widget in body["widgets"]
        if widget["properties"]["title"] != "Milliseconds, 99 in 100"
    }


def test_every_line_is_a_metric_or_an_expression() -> None:
    for title, metrics in graphs().items():
        assert metrics, title
        for line in metrics:
            *names, shown = line
            assert isinstance(shown, dict), title
            assert all(isinstance(name, str) for name in names), title
            assert bool(names) != ("expression" in shown), title


def test_draws_the_units_that_a_matched_receipt_costs() -> None:
    *tables, cost = graphs()["Write units"]

    assert [line[3] for line in tables] == [f"counterfoil-test-{table}" for table in TABLES]
    assert [line[-1]["id"] for line in tables] == ["u0", "u1", "u2", "u3", "u4", "u5"]
    assert cost == [
        {
            "expression": "SUM(METRICS('u')) / SUM(SEARCH('Namespace=\"Counterfoil\" "
            "MetricName=\"matched\"', 'Sum', 300))",
            "label": "a matched receipt",
            "yAxis": "right",
        }
    ]
