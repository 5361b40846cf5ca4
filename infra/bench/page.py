"""`python -m infra.bench.page`: put the figures of `build/bench.json` into the documents.

Each table stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`, so that nobody copies a
figure by hand.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.bench.monthly import Month, markdown
from infra.bench.prices import price_list
from infra.bench.scenarios import PLAIN_MONTH
from infra.bench.verdict import rewarded_months

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "build" / "bench.json"
REWARDING = ("settle_rewards", "send_notices")
_FIGURES = ("write_units", "read_units", "aws_calls", "messages", "log_bytes")


def main() -> int:
    """Write the tables; 2 where there is no report of all scenarios."""
    if not REPORT.exists():
        sys.stderr.write("there is no build/bench.json; run `make bench` first\n")
        return 2
    report = json.loads(REPORT.read_text())
    months = markdown([Month(**one) for one in report["months"]], price_list())
    costs, deploy = ROOT / "docs" / "costs.md", ROOT / "docs" / "deploy.md"
    costs.write_text(
        _with(
            costs.read_text(),
            {
                "scenarios": _scenarios(report),
                "parts": _parts(report),
                "rewards": _rewards(report),
                "budgets": _budgets(report),
            },
        )
    )
    deploy.write_text(_with(deploy.read_text(), {"costs": months}))
    return 0


def _with(text: str, tables: Mapping[str, str]) -> str:
    """`text` with each table in its place.

    :raises ValueError: a table has no place, or several.
    """
    for name, table in tables.items():
        place = re.compile(f"(<!-- {name}: begin -->).*?(<!-- {name}: end -->)", re.DOTALL)
        if len(place.findall(text)) != 1:
            raise ValueError(f"the document has not one place for {name}")
        before, begin, end, after = place.split(text)
        text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return text


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
    columns = "write units more | card, offer | journal, budget | codes | told | read units more"
    lines = [f"| {title} | {columns} | dollars more |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for one, more in rewarded_months(scenarios):
        each, units = one["per_matched_receipt"], _units_by_table(one)
        lines.append(
            f"| {one['title']} | {more:.2f} | {units['wallets']:.2f} | {units['money']:.2f} "
            f"| {units['people']:.2f} | {units['cases']:.2f} "
            f"| {each['read_units'] - plain['per_matched_receipt']['read_units']:.2f} "
            f"| {one['total_dollars_per_million'] - plain['total_dollars_per_million']:.2f} |"
        )
    return "\n".join(lines)


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
