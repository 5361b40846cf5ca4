"""`make bench-matching`: who finds the right receipt, on streets that the matcher was not tuned on.

Writes `build/bench-matching.json` and `build/bench-matching.html`, and prints how each group stands
to its targets. The exit says whether all were met; of a small run, whether strangers' receipts
stayed as rare as they have to be, because a few payments say little else for sure.

With `--live` the platform's own decision plays the same days, and the report is
`build/bench-matching-live.json`. A small run plays a little of that, too.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.cli.terminal import progress, say, show
from infra.matchbench import speed, timing
from infra.matchbench.contestants import LIVE, OURS
from infra.matchbench.live_report import live_group_report
from infra.matchbench.report import group_report, page
from infra.matchbench.scenarios import Group, Split, groups
from infra.matchbench.street import Street
from infra.matchbench.verdict import PAIRS_PER_SECOND_MIN
from infra.matchbench.work import CellResult, Piece, peak_bytes, pieces_of, play_all

BUILD = Path("build")
REPORT, PAGE = BUILD / "bench-matching.json", BUILD / "bench-matching.html"
LIVE_REPORT = BUILD / "bench-matching-live.json"
PAYMENTS = 200_000  # of each group
PAYMENTS_LIVE = 6_000  # a retailer's days on each street, which a processor plays in seconds
PAYMENTS_SMALL = 1_800
SEEDS = {Split.DEV: 1, Split.HELD_OUT: 7_000}  # Below a thousand is for tuning, above is not.
SMALL_CELLS = 2  # of each group, its first and its last
SMALL_LIVE = {"codes": "90% of slips", "day_end": "whole seconds, digits"}  # groups and streets
MISSED = 1
WRONG = "wrong"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, judge, write, print; 1 where a target was missed by more than chance."""
    asked = _parsed(arguments)
    split = Split.DEV if asked.dev else Split.HELD_OUT
    chosen = _chosen(split, asked.groups, is_small=asked.small)
    if not chosen:
        say(f"GROUPS names none of: {', '.join(group.name for group in groups(split))}")
        return 2
    payments = asked.payments or (PAYMENTS_SMALL if asked.small else PAYMENTS)
    seed = SEEDS[split] if asked.seed is None else asked.seed
    if (seed < SEEDS[Split.HELD_OUT]) is not (split is Split.DEV):
        say("seeds below 7000 are for tuning: give --dev with them, and only with them")
        return 2
    BUILD.mkdir(exist_ok=True)
    if asked.live:
        payments = asked.payments or PAYMENTS_LIVE
        return _tell_live(_play_live(chosen, split=split, seed=seed, payments=payments))
    report = play(chosen, split=split, seed=seed, payments=payments, is_small=asked.small)
    REPORT.write_text(json.dumps(report, indent=1))
    PAGE.write_text(page(report))
    missed = _tell(report, is_small=asked.small)
    if asked.small and not asked.groups and split is Split.HELD_OUT:
        missed |= _tell_live(_play_live(_small_live(split), split=split, seed=seed, payments=1))
    return missed


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.matchbench.run", description=__doc__)
    parser.add_argument("--groups", default="", help="names, between commas; all without")
    parser.add_argument("--payments", type=int, help="of each group")
    parser.add_argument("--small", action="store_true", help="two streets of each group")
    parser.add_argument("--live", action="store_true", help="the platform's own decision")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--dev", action="store_true", help="the streets for tuning")
    return parser.parse_args(arguments)


def _chosen(split: Split, wanted: str, *, is_small: bool) -> list[Group]:
    names = {name for name in wanted.split(",") if name}
    chosen = [group for group in groups(split) if not names or group.name in names]
    if not is_small:
        return chosen
    return [
        Group(group.name, group.title, group.cells[:: max(1, len(group.cells) - 1)][:SMALL_CELLS])
        for group in chosen
    ]


def _small_live(split: Split) -> list[Group]:
    """What a small run plays of the platform's own decision."""
    return [
        Group(group.name, group.title, cells)
        for group in groups(split)
        if (cells := tuple(c for c in group.cells if c.name == SMALL_LIVE.get(group.name)))
    ]


def play(
    chosen: Sequence[Group], *, split: Split, seed: int, payments: int, is_small: bool
) -> dict[str, Any]:
    """Play `chosen` with so many payments each, and say everything about it."""
    pieces = list(pieces_of(chosen, split=split, seed=seed, payments=payments))
    results, peaks = _played(chosen, pieces)
    ours = [result.tallies[OURS] for result in results.values()]
    waits = {} if is_small else timing.measure(Street(), split=split, seed=seed)
    return {
        "split": split.value,
        "seed": seed,
        "payments": sum(tally.payments for tally in ours),
        "receipts": sum(result.slips for result in results.values()),
        "seconds_a_payment": sum(t.seconds for t in ours) / sum(t.payments for t in ours),
        "pairs_per_second": speed.measure(Street(), seed=f"{split.value}-{seed}").pairs_per_second,
        "peak_bytes": max([peak_bytes(), *peaks]),
        "peak_bytes_halfway": max(peaks[: max(1, len(peaks) // 2)]),
        "waits": waits,
        "groups": {
            group.name: group_report(
                group, [results[group.name, cell.name] for cell in group.cells]
            )
            for group in chosen
        },
    }


Results = dict[tuple[str, str], CellResult]


def _played(chosen: Sequence[Group], pieces: Sequence[Piece]) -> tuple[Results, list[int]]:
    """What each street came to, and the most memory of a process after each piece."""
    results = {
        (group.name, cell.name): CellResult(cell) for group in chosen for cell in group.cells
    }
    peaks: list[int] = []
    with progress("payments", total=sum(piece.payments for piece in pieces)) as done:
        for played in play_all(pieces):
            results[played.piece.group, played.piece.cell].add(played)
            peaks.append(played.peak_bytes)
            done(played.piece.payments)
    return results, peaks


def _play_live(
    chosen: Sequence[Group], *, split: Split, seed: int, payments: int
) -> dict[str, Any]:
    """Let the platform's own decision play `chosen`, and write everything about it."""
    pieces = list(pieces_of(chosen, split=split, seed=seed, payments=payments, is_live=True))
    results, peaks = _played(chosen, pieces)
    live = [result.tallies[LIVE] for result in results.values()]
    told = sum(tally.payments for tally in live)
    report = {
        "split": split.value,
        "seed": seed,
        "payments": told,
        "receipts": sum(result.slips for result in results.values()),
        "seconds_a_payment": sum(tally.seconds for tally in live) / told,
        "peak_bytes": max([peak_bytes(), *peaks]),
        "groups": {
            group.name: live_group_report(
                group, [results[group.name, cell.name] for cell in group.cells]
            )
            for group in chosen
        },
    }
    LIVE_REPORT.write_text(json.dumps(report, indent=1))
    return report


def _tell_live(report: dict[str, Any]) -> int:
    """Print how the platform's own decision stands to its targets on each street."""
    rows, missed = [], 0
    for name, group in report["groups"].items():
        for cell, one in group["cells"].items():
            live = one["contestants"][LIVE]
            words = [f"{v['what']}: {v['measured']:.4g}" for v in _missed(one)]
            missed += len(words)
            recall, wrong = f"{live['recall']:.1%}", f"{live['wrong_per_thousand']:.2f}"
            share, waited = f"{one['share_of_files']:.1%}", one["waited_seconds"]
            spans = f"{waited['half']} s", f"{waited['most']} s"
            row = (name, cell, live["payments"], recall, wrong, share, *spans, "; ".join(words))
            rows.append(row)
    heads = ("payments", "recall", "wrong", "of files", "half within", "95 % within", "missed")
    show(("group", "street", *heads), rows)
    say(f"{missed} targets of the live decision missed by more than chance; see {LIVE_REPORT}")
    return MISSED if missed else 0


def _tell(report: dict[str, Any], *, is_small: bool) -> int:
    """Print how each group stands to its targets."""
    rows, missed = [], 0
    for name, group in report["groups"].items():
        for cell, one in group["cells"].items():
            ours = one["contestants"][OURS]
            words = [f"{v['what']}: {v['measured']:.4g}" for v in _missed(one)]
            missed += sum(not is_small or word.startswith(WRONG) for word in words)
            recall, wrong = f"{ours['recall']:.1%}", f"{ours['wrong_per_thousand']:.2f}"
            share = f"{one['share_of_oracle']:.1%}"
            rows.append((name, cell, ours["payments"], recall, wrong, share, "; ".join(words)))
    show(("group", "street", "payments", "recall", "wrong", "of oracle", "missed"), rows)
    if report["pairs_per_second"] < PAIRS_PER_SECOND_MIN:
        say(f"only {report['pairs_per_second']:,.0f} pairs weighed a second")
        missed += 1
    say(f"{missed} targets missed by more than chance; see {PAGE}")
    return MISSED if missed else 0


def _missed(one: dict[str, Any]) -> list[dict[str, Any]]:
    return [verdict for verdict in one["verdicts"] if verdict["verdict"] == "missed"]


if __name__ == "__main__":
    sys.exit(main())
