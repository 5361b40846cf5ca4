"""The report of the platform's own decision: its figures as JSON, and the tables of the page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from infra.matchbench.contestants import LIVE, LIVE_FIRST, LIVE_LATER, ORACLE, OURS
from infra.matchbench.judging import Tally
from infra.matchbench.scenarios import Group
from infra.matchbench.verdict import (
    as_told,
    live_verdicts,
    share_of_oracle,
    summed,
    told,
    verdicts_table,
)
from infra.matchbench.work import CellResult

_HEADS = (
    "cards told | payments | recall | of files | of oracle | wrong per 1,000 (95 %) | expected "
    "| first two days | later | half within | 95 % within"
)


def live_group_report(group: Group, results: Sequence[CellResult]) -> dict[str, Any]:
    """Everything about one group: its cells, and the same summed by what is told of cards."""
    sums = {}
    for kind in (False, True):
        alike = [r.tallies for r in results if r.cell.street.has_card_facts is kind]
        if alike:
            sums["with card facts" if kind else "without"] = _told(
                summed(alike), has_card_facts=kind
            )
    return {
        "title": group.title,
        "sums": sums,
        "cells": {
            result.cell.name: _told(
                result.tallies, has_card_facts=result.cell.street.has_card_facts
            )
            for result in results
        },
    }


def _told(tallies: dict[str, Tally], *, has_card_facts: bool) -> dict[str, Any]:
    live, files = tallies[LIVE], tallies[OURS]
    contestants = (LIVE, LIVE_FIRST, LIVE_LATER, OURS, ORACLE)
    return {
        "has_card_facts": has_card_facts,
        "contestants": {name: told(tallies.get(name, Tally())) for name in contestants},
        "share_of_files": live.recall / files.recall if files.recall else 1.0,
        "share_of_oracle": share_of_oracle(tallies, of=LIVE),
        "expected_wrong_per_thousand": 1_000 * live.expected_wrong(0.0) / max(1, live.payments),
        "waited_seconds": {"half": live.waited_at_most(0.5), "most": live.waited_at_most(0.95)},
        "verdicts": as_told(live_verdicts(live, has_card_facts=has_card_facts)),
    }


def live_tables(report: Mapping[str, Any]) -> dict[str, str]:
    """The tables of the page by the names of their places."""
    return {
        "live-run": _run(report),
        "live-groups": _groups(report),
        "live-missed": verdicts_table(report, {"missed"})
        or "No target is missed by more than chance.",
        "live-reasons": _reasons(report),
    }


def _run(report: Mapping[str, Any]) -> str:
    return (
        f"{report['payments']:,} payments against {report['receipts']:,} slips, seed "
        f"{report['seed']}. {1e3 * report['seconds_a_payment']:,.1f} ms of processor time a "
        f"payment, its share of strangers' receipts included; a process had "
        f"{report['peak_bytes'] / 2**20:,.0f} MB at most."
    )


def _groups(report: Mapping[str, Any]) -> str:
    lines = [f"| group | {_HEADS} |", "|---|---|" + "---:|" * 10]
    for group in report["groups"].values():
        for kind, one in group["sums"].items():
            live = one["contestants"][LIVE]
            low, high = live["wrong_interval"]
            lines.append(
                f"| {group['title']} | {'most' if kind == 'with card facts' else 'few or none'} "
                f"| {live['payments']:,} | {live['recall']:.1%} | {one['share_of_files']:.1%} "
                f"| {one['share_of_oracle']:.1%} "
                f"| {live['wrong_per_thousand']:.2f} ({low:.2f} to {high:.2f}) "
                f"| {one['expected_wrong_per_thousand']:.2f} "
                f"| {_short(one, LIVE_FIRST)} | {_short(one, LIVE_LATER)} "
                f"| {_span(one['waited_seconds']['half'])} "
                f"| {_span(one['waited_seconds']['most'])} |"
            )
    return "\n".join(lines)


def _short(one: Mapping[str, Any], name: str) -> str:
    tally = one["contestants"][name]
    return f"{tally['recall']:.1%} / {tally['wrong_per_thousand']:.1f}"


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def _reasons(report: Mapping[str, Any]) -> str:
    kinds = ("without", "with card facts")
    counted: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    payments: Counter[str] = Counter()
    for group in report["groups"].values():
        for kind, one in group["sums"].items():
            counted[kind].update(one["contestants"][LIVE]["abstained"])
            payments[kind] += one["contestants"][LIVE]["payments"]
    lines = ["| reason | few or none told | most told |", "|---|---:|---:|"]
    for why, _ in (counted[kinds[0]] + counted[kinds[1]]).most_common():
        shares = (counted[kind][why] / max(1, payments[kind]) for kind in kinds)
        lines.append(f"| `{why}` | " + " | ".join(f"{share:.2%}" for share in shares) + " |")
    return "\n".join(lines)
