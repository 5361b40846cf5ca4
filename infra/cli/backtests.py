"""Trying a draft on purchases that were made: of a file, or of the stage's own members."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.money import Money
from chalicelib.runtime import clock
from infra.backtest.run import Backtest, NoPurchases, backtest
from infra.backtest.telling import THRESHOLD, Day, Group
from infra.cli.matching import bars, ended_alike
from infra.cli.terminal import EXIT_REFUSED, Reason, progress, say, show, stopped, subject
from infra.matchfiles.crew import WorkerLost
from infra.matchfiles.cutting import UnreadableFile

app = subject()

Draft = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, help="A campaign or a scheme, as JSON.")
]
Threshold = Annotated[
    int, typer.Option(min=THRESHOLD, help="Fewer people than this are never counted.")
]
Claimed = Annotated[
    int,
    typer.Option(min=0, max=100, help="Per cent of a catalogue's most that is taken as claimed."),
]

Pace = Annotated[float, typer.Option(min=0.1, help="At most so many, to go easy on the tables.")]
DiaryFile = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="Keep how far it came there, sealed, to go on later."),
]


@app.command()
def back_test(
    *,
    draft: Draft,
    purchases: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="JSON lines of purchases; or .gz.")
    ],
    retailer: Annotated[str, typer.Option(help="Whose draft it is.")] = "own",
    days: Annotated[
        int | None, typer.Option(min=1, max=366, help="The last so many days; else all, a year.")
    ] = None,
    threshold: Threshold = THRESHOLD,
    claimed: Claimed = 100,
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
    _tell(done, claimed)
    say(f"{time.monotonic() - began:.1f} seconds.")
    if done.refused:
        say(f"{done.refused} lines are no purchases.")
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def back_test_members(
    *,
    draft: Draft,
    retailer: Annotated[str, typer.Option(help="Whose draft it is: the retailer's id.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="The last so many days.")] = 90,
    threshold: Threshold = THRESHOLD,
    claimed: Claimed = 100,
    members_per_second: Pace = 50.0,
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many read at once.")] = 1,
    diary: DiaryFile = None,
    reason: Reason = None,
) -> None:
    """Try a draft offer or scheme on what members bought.

    Of those who switched offers on, in this stage. Who asked and why is written down first; nothing
    of a person is shown or kept. With --diary, the same command goes on where it was stopped.
    """
    from infra.backtest import walking  # Stores need a stage; the help does not.
    from infra.backtest.keeping import Diary
    from infra.operating import staff

    now, began = clock.now(), time.monotonic()
    staff.note_access("back-test-members", retailer, reason=reason, now=now)
    with _ending_plainly(), progress("Rows", total=walking.rows_about()) as report:
        done = walking.backtest_members(
            draft.read_bytes(),
            retailer_id=RetailerId(retailer),
            days=days,
            now=now,
            pace=walking.Pace(members_per_second),
            processes=processes,
            diary=Diary(diary),
            report=report,
            threshold=threshold,
        )
    _tell(done, claimed)
    say(f"{time.monotonic() - began:.1f} seconds.")


@contextmanager
def _ending_plainly() -> Iterator[None]:
    try:
        with ended_alike():
            yield
    except KeyboardInterrupt as error:
        raise stopped("interrupted.") from error
    except (OSError, NoPurchases, UnreadableFile, WorkerLost) as error:
        raise stopped(f"{error}.") from error


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
    with _ending_plainly(), bars() as report:
        return backtest(
            draft,
            purchases,
            retailer_id=own,
            days=days,
            processes=count,
            report=report,
            threshold=threshold,
        )


def _tell(done: Backtest, claimed: int) -> None:
    outcome = done.outcome
    few = f"fewer than {outcome.threshold}"
    since, until = done.period.since.date(), done.period.until.date()
    rows = [
        ("purchases", _count(outcome.purchases, "not told")),
        ("members", _count(outcome.members, few)),
        ("of the audience", _count(outcome.audience, few)),
        ("winners", _count(outcome.winners, few)),
        ("rewards", _count(outcome.rewards, "not told")),
        ("stamps or points", _count(outcome.units, "not told")),
        ("cost", _money(outcome.cost_minor, done.currency)),
        ("refused for want of budget", _count(outcome.refused, "not told")),
        ("budget exhausted on", str(outcome.exhausted_on or "never")),
    ]
    if outcome.catalogue:
        rows.append(("catalogue, at least", _money(0, done.currency)))
        rows.append(("catalogue, at most", _money(outcome.claims_minor, done.currency)))
        rows.append((f"catalogue, {claimed} % of that", _part(done, claimed)))
    say(f"Sales from {since} to {until}.")
    show(("what", "how many"), rows)
    show(
        ("day", "cost", "budget left"),
        [
            (_days(day), _money(day.minor, done.currency), _money(day.left_minor, done.currency))
            for day in outcome.days
        ],
    )
    show(
        ("reward", "units", "members who could claim it", "times, if nothing else"),
        [
            (one.name, one.cost, _count(one.members, few), _count(one.times, "not told"))
            for one in outcome.catalogue
        ],
    )
    _tell_groups("age band", outcome.ages)
    _tell_groups("area", outcome.areas)


def _part(done: Backtest, claimed: int) -> str:
    """So many per cent of what the catalogue costs at most, rounded up to the minor unit."""
    most = done.outcome.claims_minor
    return _money(None if most is None else -(-most * claimed // 100), done.currency)


def _days(day: Day) -> str:
    return str(day.on) if day.since is None else f"{day.since} to {day.on}"


def _tell_groups(title: str, groups: tuple[Group, ...]) -> None:
    """A group that is not told may be one of many, hidden so that another cannot be had."""
    hidden = "not told"
    rows = [
        (one.name, _count(one.audience, hidden), _count(one.winners, hidden), _share(one))
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
