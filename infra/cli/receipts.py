"""Files of receipts, sent to the API in batches."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chalicelib.kernel.personal import Personal
from chalicelib.runtime import clock
from chalicelib.tills.entries import BatchAnswer
from infra.cli.terminal import EXIT_REFUSED, console, say, stopped, subject
from infra.importing import run as importing
from infra.importing.client import ImportStopped, ReceiptsClient
from infra.importing.csv_rows import MissingColumns
from infra.importing.files import UnknownFileKind

app = subject()


@app.command()
def import_receipts(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSONL or CSV of receipts.")
    ],
    *,
    retailer: Annotated[str, typer.Option(help="The retailer whose receipts these are.")],
    url: Annotated[
        str | None, typer.Option(help="Base URL of the API. Without it the file is only checked.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="OAuth client of the retailer.")] = None,
    client_secret_file: Annotated[
        typer.FileText | None,
        typer.Option(help="Holds its secret; else it is asked for. `-`: stdin."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget the progress of an earlier run.")
    ] = False,
) -> None:
    """Send a file of receipts to the API, in batches.

    It goes on from where an earlier run stopped. Refused receipts are named in FILE.rejected.jsonl
    with line, code, field and detail. Exit 0: all taken. 1: some refused. 2: stopped; run the same
    command again to go on.
    """
    secret = client_secret_file.read().strip() if client_secret_file else None
    job = importing.ImportJob(file, retailer, remembers=url is not None)
    if restart:
        job.progress_path.unlink(missing_ok=True)
    try:
        outcome = _import(job, _poster(url, client_id, secret))
    except (ImportStopped, MissingColumns, UnknownFileKind) as error:
        raise stopped(f"{error}.") from error
    done = "sent" if job.remembers else "fit to be sent"
    say(f"{outcome.taken} receipts {done}, {outcome.refused} refused.")
    if outcome.refused:
        say(f"See {job.rejected_path}")
        raise typer.Exit(EXIT_REFUSED)


def _poster(url: str | None, client_id: str | None, secret: str | None) -> importing.Post:
    if url is None:
        return lambda receipts: BatchAnswer(taken=len(receipts))
    client = ReceiptsClient(
        url,
        client_id=client_id or typer.prompt("Client id"),
        client_secret=Personal(secret or typer.prompt("Client secret", hide_input=True)),
        sleep=time.sleep,
    )
    return client.post


def _import(job: importing.ImportJob, post: importing.Post) -> importing.Progress:
    """Run with a bar that counts lines of the file."""
    lines = _count_lines(job.path)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("lines, {task.fields[taken]} taken, {task.fields[refused]} refused"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(job.path.name, total=lines, taken=0, refused=0)

        def report(progress: importing.Progress) -> None:
            bar.update(
                task, completed=progress.line, taken=progress.taken, refused=progress.refused
            )

        outcome = importing.run(job, post, now=clock.now(), report=report)
        bar.update(task, completed=lines)
    return outcome


def _count_lines(path: Path) -> int:
    lines, last = 0, b"\n"
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
    return lines + (last != b"\n")
