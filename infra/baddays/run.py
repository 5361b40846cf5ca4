"""`make bad-days`: each bad day at full size. Ends with 0 only if nothing is lost or doubled.

The figures are in `build/bad-days.json`; `docs/bad-days.md` says what is played and why.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from infra.baddays import (
    backlog,
    bank_away,
    busy_day,
    keys_rotated,
    killed,
    month_again,
    too_much,
)
from infra.baddays.street import Ledger, Street, opened

RESULT = Path(__file__).parents[2] / "build" / "bad-days.json"

Play = Callable[..., None]

# Each day with its full size; the tests play smaller ones.
DAYS: dict[str, tuple[Play, int]] = {
    "too much at once": (too_much.play, 500),
    "three days of backlog": (backlog.play, 120),
    "a bank that is away": (bank_away.play, 30),
    "last month again": (month_again.play, 12),
    "workers killed": (killed.play, 40),
    "keys rotated": (keys_rotated.play, 36),
    "everybody rewarded": (busy_day.play, 50_000),
}


def main(
    only: Annotated[str, typer.Option(help="Play the days whose name holds this.")] = "",
    share: Annotated[float, typer.Option(help="Of the full size.")] = 1.0,
) -> None:
    """Play every bad day on a street of its own; print and keep what it came to."""
    console = Console()
    logging.getLogger("counterfoil-platform").setLevel(logging.CRITICAL)
    results: dict[str, Any] = {}
    for name, (play, size) in DAYS.items():
        if only not in name:
            continue
        began = time.monotonic()
        with opened() as street:
            ledger = played(street, play, size=max(int(size * share), 2))
        seconds = round(time.monotonic() - began, 1)
        results[name] = asdict(ledger) | {"seconds": seconds}
        _print(console, name, ledger, seconds)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"The figures are in build/{RESULT.name}.")
    sys.exit(1 if any(result["wrong"] for result in results.values()) else 0)


def played(street: Street, play: Play, *, size: int) -> Ledger:
    """Play one day; the ledger of what it came to."""
    ledger = Ledger()
    play(street, ledger, size=size)
    return ledger


def _print(console: Console, name: str, ledger: Ledger, seconds: float) -> None:
    table = Table(title=f"{name} ({seconds} s)", show_header=False, title_justify="left")
    for figure, value in ledger.figures.items():
        table.add_row(figure, str(value))
    console.print(table)
    for wrong in ledger.wrong:
        console.print(f"[red]wrong[/red] {wrong}")


if __name__ == "__main__":
    typer.run(main)
