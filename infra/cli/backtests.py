"""Trying a draft on purchases that were made: no stage, no AWS, nothing leaves the machine."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.money import Money
from infra.backtest.run import Backtest, NoPurchases, backtest
from infra.backtest.summing import THRESHOLD, Group
from infra.cli.matching import bars, ended_alike
from infra.cli.terminal import EXIT_REFUSED, say, show, stopped, subject
from infra.matchfiles.crew import WorkerLost
from infra.matchfiles.cutting import UnreadableFile

app = subject()


@app.command()
def back_test(
    *,
    draft: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="A campaign or a scheme, as JSON.")
    ],
    purchases: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="JSON lines of purchases; or .gz.")
    ],
    retailer: Annotated[str, typer.Option(help="Whose draft it is.")] = "own",
    days: Annotated[
        int | None, typer.Option(min=1, max=366, help="The last so many days; else all, a year.")
    ] = None,
    threshold: Annotated[
        int, typer.Option(min=THRESHOLD, help="Fewer people than this are never counted.")
    ] = THRESHOLD,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many; else one per processor.")
    ] = None,
) -> None:
    """Try a draft offer or scheme on purchases of the past.

    Says who would have won, and what it costs.

    Exit 0: every line was used. 1: some were not. 2: it could not begin.
    """
    began = time.monotonic()
    done = _backtest(
        draft, purchases, retailer, days=days, threshold=threshold, processes=processes
    )
    _tell(done)
    say(f"{time.monotonic() - began:.1f} seconds.")
    if done.refused:
        say(f"{done.refused} lines are no purchases.")
        raise typer.Exit(EXIT_REFUSED)


def _backtest(
    draft: Path,
    purchases: Path,
    retailer: str,
    *,
    days: int | None,
    threshold: int,
    processes: int | None,
) -> Backtest:
    count = processes or os.cpu_count() or 1
    own = RetailerId(retailer)
    try:
        with ended_alike(), bars() as report:
            return backtest(
                draft,
                purchases,
                retailer_id=own,
                days=days,
                processes=count,
                report=report,
                threshold=threshold,
            )
    except KeyboardInterrupt as error:
        raise stopped("interrupted.") from error
    except (OSError, NoPurchases, UnreadableFile, WorkerLost) as error:
        raise stopped(f"{error}.") from error


def _tell(done: Backtest) -> None:
    outcome = done.outcome
    few = f"fewer than {outcome.threshold}"
    since, until = done.period.since.date(), done.period.until.date()
    rows = [
        ("purchases", str(outcome.purchases)),
        ("members", _count(outcome.members, few)),
        ("of the audience", _count(outcome.audience, few)),
        ("winners", _count(outcome.winners, few)),
        ("rewards", _count(outcome.rewards, "not told")),
        ("stamps or points", _count(outcome.units, "not told")),
        ("cost", _money(outcome.cost_minor, done.currency)),
        ("refused for want of budget", _count(outcome.refused, "not told")),
        ("budget exhausted on", str(outcome.exhausted_on or "never")),
    ]
    say(f"Sales from {since} to {until}.")
    show(("what", "how many"), rows)
    show(
        ("day", "cost", "budget left"),
        [
            (str(day.on), _money(day.minor, done.currency), _money(day.left_minor, done.currency))
            for day in outcome.days
        ],
    )
    _tell_groups("age band", outcome.ages, few)
    _tell_groups("area", outcome.areas, few)


def _tell_groups(title: str, groups: tuple[Group, ...], few: str) -> None:
    rows = [
        (one.name, _count(one.audience, few), _count(one.winners, few), _share(one))
        for one in groups
    ]
    show((title, "of the audience", "winners", "share"), rows)


def _share(group: Group) -> str:
    if group.audience is None or group.winners is None or group.audience == 0:
        return "not told"
    return f"{group.winners / group.audience:.0%}"


def _count(count: int | None, otherwise: str) -> str:
    return otherwise if count is None else str(count)


def _money(minor: int | None, currency: str) -> str:
    return "not told" if minor is None else f"{Money(minor, currency).to_text()} {currency}"
