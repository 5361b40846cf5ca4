"""The matcher on files: no stage, no AWS, nothing leaves the machine."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from infra.cli.terminal import EXIT_REFUSED, console, say, show, stopped, subject
from infra.matchfiles.crew import WorkerLost
from infra.matchfiles.cutting import UnreadableFile
from infra.matchfiles.job import THRESHOLD
from infra.matchfiles.run import Report, SamePath, Summary, match_files, rejected_path

MEBIBYTE = 1_048_576
REFUSALS_SHOWN_MAX = 6  # Reasons; all of them stand in the file.
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = subject()


@app.command()
def match(
    *,
    payments: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="JSON lines of payments; or .gz.")
    ],
    receipts: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="JSON lines of receipts; or .gz.")
    ],
    out: Annotated[
        Path, typer.Option(dir_okay=False, help="Where the outcome goes: a line per payment.")
    ],
    threshold: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="From which probability on a receipt is given.")
    ] = THRESHOLD,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many; else one per processor.")
    ] = None,
) -> None:
    """Match a file of payments with a file of receipts.

    Lines that cannot be used are named in OUT.rejected.jsonl with line, code, field and detail.
    Exit 0: every line was used. 1: some were not. 2: stopped; OUT is as it was before.
    """
    began = time.monotonic()
    with ends_told():
        summary = _match(payments, receipts, out, threshold=threshold, processes=processes)
    _tell(summary, seconds=time.monotonic() - began)
    if summary.refused:
        _tell_refusals(summary)
        say(f"See {rejected_path(out)}")
        raise typer.Exit(EXIT_REFUSED)


def _match(
    payments: Path, receipts: Path, out: Path, *, threshold: float, processes: int | None
) -> Summary:
    with ended_alike(), bars() as report:
        return match_files(
            payments,
            receipts,
            out,
            threshold=threshold,
            processes=processes or os.cpu_count() or 1,
            report=report,
        )


def _tell(summary: Summary, *, seconds: float) -> None:
    """The reasons go to standard output, the rest is said."""
    counted = sorted(summary.answers_by_reason.items(), key=lambda one: (-one[1], one[0]))
    rows = [(reason, count, f"{count / summary.payments:.2%}") for reason, count in counted]
    show(("reason", "payments", "share"), rows)
    say(
        f"{summary.matched} of {summary.payments} payments have a receipt, of {summary.receipts}; "
        f"{summary.repeated} lines were repetitions, {summary.refused} refused. "
        f"{seconds:.0f} seconds, at most {summary.peak_bytes / MEBIBYTE:.0f} MiB a process."
    )


def _tell_refusals(summary: Summary) -> None:
    """The commonest reasons, so that nobody has to open a file to see what an export does wrong."""
    for one in summary.refusals[:REFUSALS_SHOWN_MAX]:
        where = f"{one.field}: " if one.field else ""
        say(
            f"{one.count} of the {one.file} file: {where}{one.detail}, first in line "
            f"{one.first_line}"
        )
    more = len(summary.refusals) - REFUSALS_SHOWN_MAX
    if more > 0:
        say(f"And {more} more reasons.")


@contextmanager
def bars() -> Iterator[Report]:
    """A bar for each step, as it begins."""
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        yield report


@contextmanager
def ends_told() -> Iterator[None]:
    """Whatever keeps a run from its end is said, and is none of "some lines were refused"."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise stopped("interrupted. Nothing was written.") from error
    except (OSError, SamePath, UnreadableFile, WorkerLost) as error:
        raise stopped(f"{error}.") from error
    except Exception as error:  # By itself it would end with 1, as refused lines do.
        console.print_exception()
        raise stopped(f"{type(error).__name__}, which is a defect. Nothing was written.") from error


@contextmanager
def ended_alike() -> Iterator[None]:
    """Being told to end, and the terminal's closing, are interrupts: all clear away what is half
    done. What whoever started the run had ignored (`nohup`) stays ignored.
    """
    heard = [one for one in ENDINGS if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, _interrupted_once) for one in heard}
    try:
        yield
    finally:
        for one, handler in before.items():
            if signal.getsignal(one) is _interrupted_once:  # Else the process is ending.
                signal.signal(one, handler)


def _interrupted_once(*_told: object) -> None:
    """The first word ends the run; a second one must not break off the clearing away."""
    for one in ENDINGS:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt
