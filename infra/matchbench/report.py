"""The report of a run: everything as JSON, and a page to read with plots and tables."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from infra.matchbench.charts import calibration, recall_against_wrong
from infra.matchbench.contestants import CONTESTANTS, OURS
from infra.matchbench.scenarios import Group
from infra.matchbench.verdict import as_told, share_of_oracle, summed, told, verdicts
from infra.matchbench.work import CellResult

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem;
  max-width: 70rem; color: #222; background: #fff }
.scrolled { overflow-x: auto }
table { border-collapse: collapse; margin: .6rem 0 1.4rem }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
.missed { color: #b03020; font-weight: 600 } .chance { color: #a06000 }
.plots { display: flex; flex-wrap: wrap } svg { max-width: 100%; height: auto }
"""


def group_report(group: Group, results: Sequence[CellResult]) -> dict[str, Any]:
    """Everything about one group: its cells, and the same summed by what is told of cards."""
    sums = {}
    for kind in (False, True):
        alike = [r.tallies for r in results if r.cell.street.has_card_facts is kind]
        if alike:
            sums[f"{'with' if kind else 'without'} card facts"] = _told(summed(alike), kind)
    return {
        "title": group.title,
        "payments": sum(result.tallies[OURS].payments for result in results),
        "receipts": sum(result.slips for result in results),
        "sums": sums,
        "cells": {
            result.cell.name: _told(result.tallies, result.cell.street.has_card_facts)
            for result in results
        },
    }


def _told(tallies: dict[str, Any], has_card_facts: bool) -> dict[str, Any]:  # noqa: FBT001
    return {
        "has_card_facts": has_card_facts,
        "contestants": {name: told(tallies[name]) for name in CONTESTANTS},
        "share_of_oracle": share_of_oracle(tallies),
        "verdicts": as_told(verdicts(tallies, has_card_facts=has_card_facts)),
    }


def page(report: Mapping[str, Any]) -> str:
    """The page."""
    drawn = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>Who finds the right receipt</title><style>{STYLE}</style></head><body>",
        "<h1>Who finds the right receipt</h1>",
        f"<p>{escape(_intro(report))}</p><p>{escape(LEGEND)}</p>",
        _table(_summary_rows(report)),
    ]
    for name, group in report["groups"].items():
        drawn.append(f"<h2 id='{escape(name)}'>{escape(group['title'])}</h2>")
        drawn.append(_table(_cell_rows(group)))
        for kind, one in group["sums"].items():
            plots = recall_against_wrong(one["contestants"])
            plots += calibration(one["contestants"][OURS]["calibration"])
            drawn.append(f"<h3>{escape(kind)}</h3><div class='plots'>{plots}</div>")
            drawn.append(f"<p>{escape(_reasons(one))}</p>")
    return "\n".join([*drawn, "</body></html>"])


def _intro(report: Mapping[str, Any]) -> str:
    return (
        f"Set {report['split']}, seed {report['seed']}: {report['payments']:,} payments against "
        f"{report['receipts']:,} slips. Recall is of payments whose receipt exists; wrong is a "
        f"stranger's receipt, per 1,000 payments. {report['pairs_per_second']:,.0f} pairs weighed "
        f"a second of one core; at most {report['peak_bytes'] / 2**20:,.0f} MB in one process."
    )


def _summary_rows(report: Mapping[str, Any]) -> list[list[tuple[str, str]]]:
    rows = [[(head, "") for head in ("group", "cards", *HEADS)]]
    for group in report["groups"].values():
        for kind, one in group["sums"].items():
            rows.append([(group["title"], ""), (kind, ""), *_figures(one)])
    return rows


def _cell_rows(group: Mapping[str, Any]) -> list[list[tuple[str, str]]]:
    rows = [[(head, "") for head in ("street", *HEADS)]]
    rows += [[(name, ""), *_figures(one)] for name, one in group["cells"].items()]
    return rows


LEGEND = (
    "Oracle, ±60 s and ±180 s: recall / wrong per 1,000, of a matcher that knows how the street "
    "was drawn, and of the usual rule with that window. Share: our recall of the oracle's. 95 %: "
    "where wrong lies. Calibration: the largest of how far what is stated is from what was "
    "observed, in hundredths. Amber misses its target within chance, red by more."
)
HEADS = (
    "payments",
    "recall",
    "oracle",
    "share",
    "wrong",
    "95 %",
    "calibration",
    "±60 s",
    "±180 s",
)


def _figures(one: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Text and class of each figure, as `HEADS` names them."""
    ours, oracle = one["contestants"][OURS], one["contestants"]["oracle"]
    wrong, share, *calibrated = one["verdicts"]
    worst = max(calibrated, key=lambda verdict: abs(verdict["measured"]))
    words = {verdict["verdict"] for verdict in calibrated}
    calibrated_word = next((w for w in ("missed", "within chance") if w in words), "met")
    low, high = ours["wrong_interval"]
    yield f"{ours['payments']:,}", ""
    yield f"{ours['recall']:.1%}", ""
    yield f"{oracle['recall']:.1%} / {oracle['wrong_per_thousand']:.2f}", ""
    yield f"{one['share_of_oracle']:.1%}", _class(share["verdict"])
    yield f"{ours['wrong_per_thousand']:.2f}", _class(wrong["verdict"])
    yield f"{low:.2f} to {high:.2f}", ""
    yield f"{100 * worst['measured']:+.2f}", _class(calibrated_word)
    for name in ("peer_60", "peer_180"):
        peer = one["contestants"][name]
        yield f"{peer['recall']:.1%} / {peer['wrong_per_thousand']:.2f}", ""


def _class(verdict: str) -> str:
    return {"missed": "missed", "within chance": "chance"}.get(verdict, "")


def _reasons(one: Mapping[str, Any]) -> str:
    ours = one["contestants"][OURS]
    without = sum(ours["abstained"].values())
    named = ", ".join(f"{why} {count:,}" for why, count in ours["abstained"].items())
    return f"Left without a receipt: {without:,} of {ours['payments']:,} payments ({named})."


def _table(rows: Sequence[Sequence[tuple[str, str]]]) -> str:
    head, *body = rows
    drawn = ["<tr>", *(f"<th>{escape(text)}</th>" for text, _ in head), "</tr>"]
    for row in body:
        cells = (f"<td class='{kind}'>{escape(text)}</td>" for text, kind in row)
        drawn += ["<tr>", *cells, "</tr>"]
    return f"<div class='scrolled'><table>{''.join(drawn)}</table></div>"
