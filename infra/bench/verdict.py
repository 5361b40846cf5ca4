"""The budgets, what was measured against each, and a page to read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.bench.scenarios import PLAIN_MONTH

READ_UNITS_MAX = 3.0
DOLLARS_PER_MILLION_MAX = 8.0
CALLS_TO_2XX_MAX = 1.0
WEBHOOK_TIMES_MAX = 2.0
IMPORT_TIMES_MAX = 1.35
PAIRS_PER_SECOND_MIN = 50_000.0
WHAT_IF_MS_MAX = 1.0  # Of a basket of twenty lines, on any machine of these years.
BACK_TEST_SECONDS_MAX = 60.0  # Of a million purchases, on two cores.
STAMP_WRITE_UNITS = 1.0  # The budget's receipt is stamped too; a shift's is not, so this is kept.


@dataclass(frozen=True, slots=True)
class Verdict:
    """One budget. `bound` is what may not be passed, upwards or, for a `least`, downwards."""

    what: str
    measured: float
    bound: float
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the measured figure keeps within the bound."""
        return self.measured >= self.bound if self.is_least else self.measured <= self.bound


def judge(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every budget that the report has a figure for."""
    scenarios: Mapping[str, Any] = report["scenarios"]
    found = [
        verdict
        for one in scenarios.values()
        if not one["is_month"]
        for verdict in _of_scenario(one)
    ]
    found += [
        Verdict(f"write units more, {one['title']}", more, one["more_writes_max"])
        for one, more in rewarded_months(scenarios)
        if one["more_writes_max"] is not None
    ]
    speed = report["speed"]
    found.append(
        Verdict("webhook, in raw botocore calls", speed["webhook"]["times"], WEBHOOK_TIMES_MAX)
    )
    for name, times in speed["imports"]["times_pynamodb"].items():
        found.append(Verdict(f"import of {name}, in PynamoDB's", times, IMPORT_TIMES_MAX))
    found.append(
        Verdict(
            "pairs weighed a second", speed["pairs_per_second"], PAIRS_PER_SECOND_MIN, is_least=True
        )
    )
    what_if = speed["what_if"]
    found.append(Verdict("ms of a what-if, plain scheme", what_if["plain_ms"], WHAT_IF_MS_MAX))
    found.append(Verdict("ms of a what-if, eight rules", what_if["crowded_ms"], WHAT_IF_MS_MAX))
    back_test = speed["back_test"]
    found.append(
        Verdict(
            "seconds of a back-test of a million purchases",
            back_test["seconds_for_a_million"],
            BACK_TEST_SECONDS_MAX,
        )
    )
    return [
        {"what": v.what, "measured": v.measured, "bound": v.bound, "met": v.is_met} for v in found
    ]


def rewarded_months(
    scenarios: Mapping[str, Any],
) -> list[tuple[Mapping[str, Any], float]]:
    """The months in which something was given, each with the write units that it took beyond the
    month in which nothing was; none where that month was not played.
    """
    plain = scenarios.get(PLAIN_MONTH)
    if plain is None:
        return []
    units = plain["per_matched_receipt"]["write_units"]
    return [
        (one, one["per_matched_receipt"]["write_units"] - units)
        for one in scenarios.values()
        if one["is_month"] and one is not plain
    ]


def _of_scenario(one: Mapping[str, Any]) -> list[Verdict]:
    each, title = one["per_matched_receipt"], one["title"]
    found = [
        Verdict(
            f"dollars a million, {title}", one["total_dollars_per_million"], DOLLARS_PER_MILLION_MAX
        ),
        Verdict(f"read units, {title}", each["read_units"], READ_UNITS_MAX),
    ]
    if one["write_units_max"] is not None:
        bound = one["write_units_max"] - STAMP_WRITE_UNITS
        found.insert(0, Verdict(f"write units before stamps, {title}", each["write_units"], bound))
    hooks = one["counted"]["api: hooks"]
    calls = hooks["sqs.SendMessageBatch"] / hooks["invocations"]
    return [*found, Verdict(f"calls to a webhook's 2xx, {title}", calls, CALLS_TO_2XX_MAX)]


def show(report: Mapping[str, Any]) -> None:
    """Print what a matched receipt costs in each scenario, by part, and the budgets."""
    console = Console(width=140)
    for one in report["scenarios"].values():
        console.print(_parts(one))
        services = ", ".join(f"{k} {v:.2f}" for k, v in one["dollars_per_million"].items())
        console.print(
            f"dollars for a million matched receipts: {one['total_dollars_per_million']:.2f} "
            f"({services}); one message a run {one['total_with_one_message_a_run']:.2f}; "
            f"behind a REST API {one['total_behind_a_rest_api']:.2f}\n"
        )
    imports = report["speed"]["imports"]["seconds"]
    console.print("imports, seconds: " + ", ".join(f"{k} {v:.3f}" for k, v in imports.items()))
    webhook = report["speed"]["webhook"]
    console.print(
        f"webhook {webhook['webhook_ms']:.2f} ms of processor time, "
        f"one raw call {webhook['raw_call_ms']:.2f} ms\n"
    )
    back_test = report["speed"]["back_test"]
    console.print(
        f"a back-test of {back_test['purchases']:,} purchases; of a million: "
        f"{back_test['seconds_for_a_million']:.0f} s of processor time on each of two cores, "
        f"{back_test['clock_seconds_for_a_million']:.0f} s on the clock, at a load of "
        f"{report['speed']['load']:.1f}\n"
    )
    console.print(_budgets(report["budgets"]))


def _parts(one: Mapping[str, Any]) -> Table:
    title = (
        f"{one['title']}: {one['matched']} matched of {one['members_sales']} members' sales, "
        f"{one['receipts']} receipts of {one['lines_per_receipt']:.1f} lines"
    )
    table = Table(title=title)
    table.add_column("per matched receipt")
    names = ("write_units", "read_units", "aws_calls", "messages", "queue_bytes", "egress_bytes")
    for name in (*names, "log_bytes", "dollars a million"):
        table.add_column(name.replace("_", " "), justify="right")
    total = one["total_dollars_per_million"]
    rows = {**one["by_part"], "all": one["per_matched_receipt"]}
    for part, work in rows.items():
        figures = [f"{work[name]:,.2f}" for name in (*names, "log_bytes")]
        dollars = one["part_dollars_per_million"].get(part, total)
        table.add_row(part, *figures, f"{dollars:.2f}")
    return table


def _budgets(budgets: list[dict[str, Any]]) -> Table:
    table = Table("budget", title="Budgets")
    for name in ("measured", "bound", ""):
        table.add_column(name, justify="right")
    for one in budgets:
        verdict = "met" if one["met"] else "missed"
        table.add_row(one["what"], f"{one['measured']:,.2f}", f"{one['bound']:,.2f}", verdict)
    return table
