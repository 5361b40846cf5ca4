"""`python -m infra.matchbench.page`: put the figures of a run into `docs/matching-benchmark.md`.

Each table stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`, so that nobody copies a
figure by hand.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.matchbench.contestants import OURS
from infra.matchbench.live_report import live_tables
from infra.matchbench.scenarios import Split, groups
from infra.matchbench.verdict import verdicts_table

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "build" / "bench-matching.json"
LIVE_REPORT = ROOT / "build" / "bench-matching-live.json"
DOCUMENT = ROOT / "docs" / "matching-benchmark.md"
_WORST = {"met": 0, "within chance": 1, "missed": 2}


def main() -> int:
    """Write the tables of every whole run on held-out streets; 2 where there is none."""
    tables: dict[str, str] = {}
    for path, tables_of in ((REPORT, _tables), (LIVE_REPORT, live_tables)):
        if not path.exists():
            continue
        report = json.loads(path.read_text())
        if _is_whole(report):
            tables |= tables_of(report)
        else:
            sys.stderr.write(f"{path.name} is of streets for tuning, or of a small run\n")
    if not tables:
        sys.stderr.write("there is no report of a whole run; run `make bench-matching` first\n")
        return 2
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(), tables))
    return 0


def _is_whole(report: Mapping[str, Any]) -> bool:
    """Whether every held-out street was played."""
    if report["split"] != Split.HELD_OUT.value:
        return False
    wanted = {group.name: {cell.name for cell in group.cells} for group in groups(Split.HELD_OUT)}
    played = {name: set(group["cells"]) for name, group in report["groups"].items()}
    return played == wanted


def _tables(report: Mapping[str, Any]) -> dict[str, str]:
    return {
        "run": _run(report),
        "groups": _groups(report),
        "missed": verdicts_table(report, {"missed", "within chance"})
        or "Every target is met on every street.",
        "waits": _waits(report),
    }


def with_tables(text: str, tables: Mapping[str, str]) -> str:
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


def _run(report: Mapping[str, Any]) -> str:
    return (
        f"{report['payments']:,} payments against {report['receipts']:,} slips, seed "
        f"{report['seed']}. {report['pairs_per_second']:,.0f} pairs weighed a second of one core; "
        f"{1e6 * report['seconds_a_payment']:,.0f} µs of processor time a payment, learning "
        f"included. A process had {report['peak_bytes'] / 2**20:,.0f} MB at most, "
        f"{report['peak_bytes_halfway'] / 2**20:,.0f} MB halfway."
    )


def _groups(report: Mapping[str, Any]) -> str:
    heads = "cards told | payments | recall | of oracle | wrong per 1,000 (95 %) | ±60 s | ±180 s"
    lines = [f"| group | {heads} | targets |", "|---|---|---:|---:|---:|---:|---:|---:|---|"]
    for group in report["groups"].values():
        for kind, one in group["sums"].items():
            ours = one["contestants"][OURS]
            low, high = ours["wrong_interval"]
            peers = (one["contestants"][name] for name in ("peer_60", "peer_180"))
            told = " | ".join(f"{p['recall']:.1%} / {p['wrong_per_thousand']:.1f}" for p in peers)
            lines.append(
                f"| {group['title']} | {'most' if kind == 'with card facts' else 'few or none'} "
                f"| {ours['payments']:,} | {ours['recall']:.1%} | {one['share_of_oracle']:.1%} "
                f"| {ours['wrong_per_thousand']:.3f} ({low:.2f} to {high:.2f}) | {told} "
                f"| {_word(group, has_card_facts=kind == 'with card facts')} |"
            )
    return "\n".join(lines)


def _word(group: Mapping[str, Any], *, has_card_facts: bool) -> str:
    """The worst verdict of the group's streets of one kind, and how many of them have it."""
    cells = [one for one in group["cells"].values() if one["has_card_facts"] is has_card_facts]
    words = [max((v["verdict"] for v in one["verdicts"]), key=_WORST.__getitem__) for one in cells]
    worst = max(words, key=_WORST.__getitem__)
    return "met" if worst == "met" else f"{worst} on {words.count(worst)} of {len(words)}"


def _waits(report: Mapping[str, Any]) -> str:
    heads = (
        "payments | after patience | 1 h | 3 h | the day's file | half within | nine in ten within"
    )
    lines = [
        f"| receipts come | {heads} | wrong |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    looks = ("after patience", "after an hour", "after three hours", "after the day's file")
    for arrival, one in report["waits"].items():
        shares = " | ".join(f"{one['matched_by_look'].get(look, 0.0):.1%}" for look in looks)
        half, most = (one["seconds"][mark] / 60 for mark in ("half", "nine_in_ten"))
        lines.append(
            f"| {arrival.replace('_', ' ')} | {one['payments']:,} | {shares} | {half:,.0f} min "
            f"| {most:,.0f} min | {one['wrong']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
