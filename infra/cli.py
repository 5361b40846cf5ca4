"""The operator's command line: `python -m infra.cli --help`."""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.personal import Personal
from chalicelib.runtime import clock
from chalicelib.runtime.settings import InvalidSetting, MissingSetting
from chalicelib.tills.entries import BatchAnswer
from infra import secret_commands
from infra.console import EXIT_SOME_REFUSED, EXIT_STOPPED, console, told_plainly
from infra.importing import run as importing
from infra.importing.client import ImportStopped, ReceiptsClient
from infra.importing.csv_rows import MissingColumns
from infra.importing.files import UnknownFileKind

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)
app.add_typer(secret_commands.app)


@app.callback()
def operate() -> None:
    """Counterfoil, for operators."""


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
    client_secret: Annotated[
        str | None, typer.Option(help="Its secret; asked for where it is not given.")
    ] = None,
    restart: Annotated[bool, typer.Option(help="Forget the progress of an earlier run.")] = False,
) -> None:
    """Send a file of receipts to the API, in batches, from where an earlier run stopped.

    Refused receipts are named in FILE.rejected.jsonl with line, code, field and detail. Exit 0:
    all taken. 1: some refused. 2: stopped; run the same command again to go on.
    """
    job = importing.ImportJob(file, retailer, remembers=url is not None)
    if restart:
        job.progress_path.unlink(missing_ok=True)
    try:
        outcome = _import(job, _poster(url, client_id, client_secret))
    except (ImportStopped, MissingColumns, UnknownFileKind) as stopped:
        console.print(f"Stopped: {stopped}.", style="red", markup=False)
        raise typer.Exit(EXIT_STOPPED) from stopped
    done = "sent" if job.remembers else "fit to be sent"
    console.print(f"{outcome.taken} receipts {done}, {outcome.refused} refused.", highlight=False)
    if outcome.refused:
        console.print(f"See {job.rejected_path}", markup=False, highlight=False)
        raise typer.Exit(EXIT_SOME_REFUSED)


Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The UTC day it came.")]
Connection = Annotated[str, typer.Option(help="The connection's id.")]


@app.command()
def list_quarantine(
    *, day: Day, bodies: Annotated[bool, typer.Option(help="Show what was sent, too.")] = False
) -> None:
    """Show what was set aside on a day: one line each, with the reason."""
    from chalicelib.runtime import quarantine  # Stores need a stage; the import of files does not.

    found = quarantine.list_day(day.date(), now=clock.now())
    for one in found:
        facts = (one.quarantine_id, one.area, one.reason, one.field, one.sender, one.name)
        typer.echo("  ".join(text or "-" for text in facts))
        if bodies:
            typer.echo(f"    {one.detail}\n    {one.body}")
    console.print(f"{len(found)} in quarantine on {day:%Y-%m-%d}.", highlight=False)


@app.command()
def replay_quarantine(
    *,
    day: Day,
    quarantine_id: Annotated[
        str | None, typer.Option("--id", help="One message. Without it, all of the day.")
    ] = None,
    body: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The mended message.")
    ] = None,
) -> None:
    """Put what was set aside back on its queue, as it is or mended. Needs --id with --body.

    Exit 1: some of it breaks a rule still and stays where it is.
    """
    from infra import replaying  # As above.

    if body is not None and quarantine_id is None:
        raise typer.BadParameter("one mended message is for one --id")
    mended = body.read_text() if body else None
    with told_plainly():
        done = replaying.replay_quarantine(day.date(), quarantine_id, body=mended, now=clock.now())
    for one, refusal in done.refused:
        where = f" ({refusal.field})" if refusal.field else ""
        console.print(f"{one.quarantine_id}: {refusal.code}{where}", markup=False)
    console.print(f"{len(done.sent)} replayed, {len(done.refused)} refused.", highlight=False)
    if done.refused:
        raise typer.Exit(EXIT_SOME_REFUSED)


@app.command()
def replay_delivery(
    *, connection: Connection, transaction: Annotated[str, typer.Option(help="The bank's id.")]
) -> None:
    """Tell a bank once more of the receipt of one of its transactions, in the newest version."""
    from infra import replaying  # As above.

    with told_plainly():
        replaying.replay_delivery(ConnectionId(connection), transaction, now=clock.now())
    console.print("The delivery is queued.")


@app.command()
def resume_telling(*, connection: Connection) -> None:
    """Tell a bank of receipts again after it had answered 410. Replay what it missed."""
    from chalicelib.network import service as network  # As above.

    with told_plainly():
        network.resume_telling(ConnectionId(connection), now=clock.now())
    console.print("The bank is told again.")


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
    with path.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b"")) + 1


def main() -> None:
    """Run the command line; a setting that is missing is said without a traceback."""
    try:
        app()
    except (MissingSetting, InvalidSetting) as missing:
        console.print(f"Stopped: {missing}. See docs/operating.md.", style="red", markup=False)
        sys.exit(EXIT_STOPPED)


if __name__ == "__main__":
    main()
