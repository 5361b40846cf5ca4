"""`make demo`: a high-street day on an embedded AWS, judged against the truth.

Ends with 0 only if nothing is wrong: no wrong receipt, none missed that the documented rule finds,
every bank shows exactly what it should, nothing is dead-lettered, nothing unexpected quarantined.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from infra.local.clockwork import SteppableClock
from infra.local.stack import Stack

if TYPE_CHECKING:
    from infra.local.highstreet import Day
    from infra.local.judging import Counts
    from infra.local.setup import Setting

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
SEED = 7
NEXT_MORNING = timedelta(hours=30)
FORGOTTEN_AFTER = timedelta(days=10)  # Receipts nobody claimed are kept a week.
RESULT = Path(__file__).parents[2] / "build" / "demo.json"


def main(seed: Annotated[int, typer.Option(help="Which day to play.")] = SEED) -> None:
    """Play a day through the public HTTP endpoints and judge the result."""
    console = Console()
    started = time.monotonic()
    logging.getLogger("counterfoil-platform").setLevel(logging.ERROR)
    clock = SteppableClock(MIDNIGHT + timedelta(hours=7))
    with Stack(use_clock=clock) as stack:
        problems = play_and_judge(stack, clock, console, seed=seed, started=started)
    sys.exit(1 if problems else 0)


def play_and_judge(
    stack: Stack, clock: SteppableClock, console: Console, *, seed: int, started: float
) -> list[str]:
    """Play the day of `seed`, print and write what happened; returns what is wrong."""
    # These modules know row types, whose import needs the stage that the stack has set.
    from infra.local import judging
    from infra.local.highstreet import build_day
    from infra.local.rewards_day import open_rewards
    from infra.local.setup import set_up
    from infra.local.switching_on import switch_on

    day = build_day(seed, midnight=MIDNIGHT)
    counts = judging.listening()
    setting = set_up(day.town, base_url=stack.base_url, now=clock.now)
    try:
        members = switch_on(setting, day.town.people, now=clock.now())
        open_rewards(setting, day.town, now=clock.now())
        console.print(
            f"{len(day.town.shops)} shops, {members} members at {len(setting.connections)} banks, "
            f"{len(day.sales)} sales. The day is {MIDNIGHT:%A, %-d %B %Y}; its seed is {seed}."
        )
        problems, figures = _run(stack, clock, console, day, setting, counts)
    finally:
        setting.bank.stop()
    figures["seconds"] = round(time.monotonic() - started, 1)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(figures | {"problems": problems}, indent=2) + "\n")
    console.print(f"{figures['seconds']} seconds. The figures are in build/{RESULT.name}.")
    return problems


def _run(
    stack: Stack,
    clock: SteppableClock,
    console: Console,
    day: "Day",
    setting: "Setting",
    counts: "Counts",
) -> tuple[list[str], dict[str, Any]]:
    from infra.local import judging, report, rewards_day, truth
    from infra.local.forgetting import count_rows
    from infra.local.playing import Player, misbehave

    misbehave(setting.bank)
    player = Player(stack, clock, setting)
    with _progress(console, len(day.posts)) as advance:
        played = player.play(day, progress=advance)
    player.go_on(MIDNIGHT + NEXT_MORNING, stride=timedelta(hours=2))
    verdict = truth.judge(day, judging.ask_all(day, setting), setting.bank.delivered())
    report.print_counts(console, played, counts)
    report.print_verdict(console, verdict, counts)
    report.print_receipt(console, judging.drawn(day, verdict, setting))
    days = [(MIDNIGHT + timedelta(days=offset)).date() for offset in (-1, 0, 1)]
    that_evening = count_rows(day.town, days)
    player.go_on(MIDNIGHT + FORGOTTEN_AFTER, stride=timedelta(hours=12))
    now = count_rows(day.town, days)
    report.print_forgotten(console, that_evening, now, days=FORGOTTEN_AFTER.days)
    money = rewards_day.add_up(setting, day.town, now=clock.now())
    report.print_rewards(console, money, counts)
    problems = judging.problems(verdict, played, counts, setting, stack.pump, pages_left=now)
    problems += rewards_day.problems(money, counts)
    report.print_problems(console, problems)
    figures = judging.result(verdict, played, counts, setting, stack.pump)
    return problems, figures | {"rewards": asdict(money)}


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("The day goes by", total=total)
        yield lambda count: shown.advance(task, float(count))


if __name__ == "__main__":
    typer.run(main)
