"""`python -m infra.bench.page`: put the figures of `build/bench.json` into the documents.

A table of which the report has not all figures stays as it is.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.bench.monthly import Month, markdown
from infra.bench.prices import price_list
from infra.bench.scenarios import PLAIN_MONTH, SCENARIOS
from infra.bench.verdict import rewarded_months
from infra.pages import with_tables

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "build" / "bench.json"
REWARDING = ("settle_rewards", "send_notices")
_FIGURES = ("write_units", "read_units", "aws_calls", "messages", "log_bytes")


def main() -> int:
    """Write the tables; 2 where there is no report."""
    if not REPORT.exists():
        sys.stderr.write("there is no build/bench.json; run `make bench` first\n")
        return 2
    report = json.loads(REPORT.read_text())
    costs, deploy = ROOT / "docs" / "costs.md", ROOT / "docs" / "deploy.md"
    costs.write_text(with_tables(costs.read_text(), tables_of(report)))
    if "months" in report:
        months = markdown([Month(**one) for one in report["months"]], price_list())
        deploy.write_text(with_tables(deploy.read_text(), {"costs": months}))
    return 0


def tables_of(report: Mapping[str, Any]) -> dict[str, str]:
    """The tables that the report has all figures of; the others stay as they are in the page."""
    played = set(report["scenarios"])
    shifts = {one.name for one in SCENARIOS if not one.is_month}
    tables: dict[str, str] = {}
    if shifts <= played:
        tables |= {
            "scenarios": _scenarios(report),
            "parts": _parts(report),
            "budgets": _budgets(report),
        }
    if {one.name for one in SCENARIOS} - shifts <= played:
        tables["rewards"] = _rewards(report)
    return tables


def _scenarios(report: Mapping[str, Any]) -> str:
    lines = [
        "| sent | matched | write units | read units | dollars | one message a run | REST API |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one['title']} | {one['matched']} of {one['members_sales']} "
        f"| {one['per_matched_receipt']['write_units']:.2f} "
        f"| {one['per_matched_receipt']['read_units']:.2f} "
        f"| {one['total_dollars_per_million']:.2f} | {one['total_with_one_message_a_run']:.2f} "
        f"| {one['total_behind_a_rest_api']:.2f} |"
        for one in report["scenarios"].values()
        if not one["is_month"]
    ]
    return "\n".join(lines)


def _rewards(report: Mapping[str, Any]) -> str:
    """What a month in which something was given took beyond the one in which nothing was."""
    scenarios = report["scenarios"]
    plain = scenarios[PLAIN_MONTH]
    title = f"{plain['title']}: {plain['per_matched_receipt']['write_units']:.2f} write units"
    columns = "more | budget | card, offer | journal, lease | codes | told | reads | dollars"
    lines = [f"| {title} | {columns} |", f"|---|{'---:|' * 8}"]
    for one, more in rewarded_months(scenarios):
        each, units = one["per_matched_receipt"], _units_by_table(one)
        lines.append(
            f"| {one['title']} | {more:.2f} | {one['more_writes_max'] or ''} "
            f"| {units['wallets']:.2f} | {units['money']:.2f} "
            f"| {units['people']:.2f} | {units['cases']:.2f} "
            f"| {each['read_units'] - plain['per_matched_receipt']['read_units']:.2f} "
            f"| {one['total_dollars_per_million'] - plain['total_dollars_per_million']:.2f} |"
        )
    return "\n".join([*lines, "", _of_processor(report["speed"])])


def _of_processor(speed: Mapping[str, Any]) -> str:
    """The processor time of a what-if and of a back-test, in a sentence."""
    what_if, back_test = speed["what_if"], speed["back_test"]
    return (
        f"A what-if for twenty lines took {what_if['plain_ms']:.2f} ms of processor time, "
        f"{what_if['crowded_ms']:.2f} ms where eight rules want the same lines (budget: 1). "
        f"A back-test of {back_test['purchases']:,} purchases took as much processor time as "
        f"{back_test['seconds_for_a_million']:.0f} s on two cores for a million (budget: 60), "
        f"{back_test['clock_seconds_for_a_million']:.0f} s on the clock. "
        f"The machine's load was {speed['load']:.1f}."
    )


def _units_by_table(one: Mapping[str, Any]) -> Counter[str]:
    """Write units by table, for a matched receipt, of what settles rewards and of what tells."""
    found: Counter[str] = Counter()
    for part in REWARDING:
        for what, units in one["counted"].get(part, {}).items():
            if what.startswith("write_units."):
                found[what.rpartition(".")[2]] += units / one["matched"]
    return found


def _parts(report: Mapping[str, Any]) -> str:
    base = report["scenarios"]["batches"]
    lines = [
        "| part | write units | read units | AWS calls | messages | bytes of log | dollars |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    rows = {**base["by_part"], "all": base["per_matched_receipt"]}
    for part, work in rows.items():
        figures = " | ".join(f"{work[name]:,.2f}" for name in _FIGURES)
        dollars = base["part_dollars_per_million"].get(part, base["total_dollars_per_million"])
        lines.append(f"| {part} | {figures} | {dollars:.2f} |")
    services = ", ".join(f"{k} {v:.2f}" for k, v in base["dollars_per_million"].items())
    return "\n".join([*lines, "", f"By service, in dollars a million: {services}."])


def _budgets(report: Mapping[str, Any]) -> str:
    lines = ["| budget | measured | bound | |", "|---|---:|---:|---|"]
    lines += [
        f"| {one['what']} | {one['measured']:,.2f} | {one['bound']:,.2f} "
        f"| {'met' if one['met'] else 'missed'} |"
        for one in report["budgets"]
    ]
    webhook = report["speed"]["webhook"]
    imports = ", ".join(f"{k} {v:.3f}" for k, v in report["speed"]["imports"]["seconds"].items())
    told = (
        f"A webhook took {webhook['webhook_ms']:.2f} ms of processor time, one raw call "
        f"{webhook['raw_call_ms']:.2f} ms. Imports, in seconds: {imports}. "
        f"The machine's load was {report['speed']['load']:.1f}."
    )
    return "\n".join([*lines, "", told])


if __name__ == "__main__":
    sys.exit(main())
