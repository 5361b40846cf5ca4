"""The dashboard: one row per question that an operator asks, from left to right along the road."""

import json
from typing import Any

from infra import resources
from infra.resources import DEAD_LETTER_SUFFIX
from infra.template import queues
from infra.template.alarms import OURS
from infra.template.naming import Part, physical, sub
from infra.template.stages import Stage

HEIGHT = 6
ROW_WIDTH = 24
MINUTES_5 = 300

_Graph = tuple[str, list[Any]]


def make_dashboard(stage: Stage, functions: list[str]) -> Part:
    """The stage's dashboard; `functions` are its Lambdas."""
    rows: list[list[_Graph]] = [
        [
            ("Payments received", [_ours("payments_received")]),
            ("Receipts received", [_ours("receipts_received")]),
            ("Matched, by why", [_ours("matched")]),
            ("Delivered", [_ours("delivered")]),
        ],
        [
            ("Dropped, by reason", [_ours("payments_dropped")]),
            ("Waiting, by reason", [_ours("payments_waiting")]),
            ("Ended without a receipt", [_ours("payments_ended")]),
            ("Quarantined, by area and reason", [_ours("quarantined")]),
        ],
        [
            ("Seconds from payment to match, half", [_ours("match_lag_seconds", "p50")]),
            ("Seconds from payment to bank, nine in ten", [_ours("delivery_lag_seconds", "p90")]),
            ("Seconds from bank to us, the worst", [_ours("connection_lag_seconds", "Maximum")]),
            ("Till clocks, seconds ahead, half", [_ours("clock_skew_seconds", "p50")]),
        ],
        [
            ("Connections, by outcome", [_ours("connection_events")]),
            ("Refused, by code", [_ours("requests_refused")]),
            ("Contradictions", [_ours("conflicts")]),
            ("Put off, by queue", [_ours("messages_put_off")]),
        ],
        _queue_row(stage),
        _lambda_row(stage, functions),
        _api_row(stage),
        _table_row(stage),
    ]
    body = {"widgets": [widget for y, row in enumerate(rows) for widget in _placed(row, y)]}
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            "DashboardName": physical(stage.name, "road"),
            "DashboardBody": sub(json.dumps(body, separators=(",", ":"))),
        },
    }


def _queue_row(stage: Stage) -> list[_Graph]:
    own = [physical(stage.name, queue.name) for queue in queues.queues_of(stage)]
    return [
        ("Messages on queues", [_sqs("ApproximateNumberOfMessagesVisible", q) for q in own]),
        ("Oldest message, seconds", [_sqs("ApproximateAgeOfOldestMessage", q) for q in own]),
        (
            "Dead letters",
            [_sqs("ApproximateNumberOfMessagesVisible", q + DEAD_LETTER_SUFFIX) for q in own],
        ),
        ("Quarantine", [_ours("quarantine_size", "Maximum")]),
    ]


def _lambda_row(stage: Stage, functions: list[str]) -> list[_Graph]:
    own = [physical(stage.name, name) for name in functions]
    return [
        ("Errors", [_of_lambda("Errors", name, "Sum") for name in own]),
        ("Throttles", [_of_lambda("Throttles", name, "Sum") for name in own]),
        ("Milliseconds, 99 in 100", [_of_lambda("Duration", name, "p99") for name in own]),
        (
            "Running at once",
            [_of_lambda("ConcurrentExecutions", name, "Maximum") for name in own],
        ),
    ]


def _api_row(stage: Stage) -> list[_Graph]:
    public = ["ApiName", physical(stage.name, "public")]
    hooks = ["ApiId", "${HooksApi}"]

    def both(rest_name: str, http_name: str, statistic: str) -> list[Any]:
        shown = {"stat": statistic}
        return [
            ["AWS/ApiGateway", rest_name, *public, shown | {"label": "public"}],
            ["AWS/ApiGateway", http_name, *hooks, shown | {"label": "hooks"}],
        ]

    return [
        ("Requests", both("Count", "Count", "Sum")),
        ("4xx", both("4XXError", "4xx", "Sum")),
        ("5xx", both("5XXError", "5xx", "Sum")),
        ("Milliseconds, 99 in 100", both("Latency", "Latency", "p99")),
    ]


def _table_row(stage: Stage) -> list[_Graph]:
    def each(name: str) -> list[Any]:
        return [
            ["AWS/DynamoDB", name, "TableName", physical(stage.name, table), {"stat": "Sum"}]
            for table in resources.TABLES
        ]

    return [
        ("Write units", _with_cost_units(each("ConsumedWriteCapacityUnits"))),
        ("Read units", _with_cost_units(each("ConsumedReadCapacityUnits"))),
        ("Writes refused", each("WriteThrottleEvents")),
        ("Reads refused", each("ReadThrottleEvents")),
    ]


def _with_cost_units(lines: list[Any]) -> list[Any]:
    """`lines`, and on the right what they come to for one matched receipt: what it costs."""
    named = [[*line[:-1], line[-1] | {"id": f"u{at}"}] for at, line in enumerate(lines)]
    matched = f"SUM({_search('matched', 'Sum')})"
    each_receipt = {"expression": f"SUM(METRICS('u')) / {matched}", "label": "a matched receipt"}
    return [*named, [each_receipt | {"yAxis": "right"}]]


def _ours(name: str, statistic: str = "Sum") -> list[Any]:
    """Every line of a metric of ours, whatever its dimensions hold."""
    return [{"expression": _search(name, statistic), "label": ""}]


def _search(name: str, statistic: str) -> str:
    return f"SEARCH('Namespace=\"{OURS}\" MetricName=\"{name}\"', '{statistic}', {MINUTES_5})"


def _sqs(name: str, queue: str) -> list[Any]:
    return ["AWS/SQS", name, "QueueName", queue, {"stat": "Maximum"}]


def _of_lambda(name: str, function: str, statistic: str) -> list[Any]:
    return ["AWS/Lambda", name, "FunctionName", function, {"stat": statistic}]


def _placed(row: list[_Graph], y: int) -> list[dict[str, Any]]:
    width = ROW_WIDTH // len(row)
    return [
        {
            "type": "metric",
            "x": x * width,
            "y": y * HEIGHT,
            "width": width,
            "height": HEIGHT,
            "properties": {
                "title": title,
                "region": "${AWS::Region}",
                "period": MINUTES_5,
                "view": "timeSeries",
                "metrics": metrics,
            },
        }
        for x, (title, metrics) in enumerate(row)
    ]
