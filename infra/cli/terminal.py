"""How commands speak: tables for people, plain lines for programs, and one way to end.

What was asked for goes to standard output, what is said about the work to standard error. Where the
output is no terminal, a table is one line per row with two spaces between the cells, uncut.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import click
import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from pynamodb.exceptions import PynamoDBException
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from typer.core import TyperGroup

from chalicelib.kernel.refusals import Rejected, TryAgain
from chalicelib.runtime import settings
from chalicelib.runtime.settings import InvalidSetting, MissingSetting

EXIT_REFUSED = 1  # It cannot be done as asked, or some of it could not.
EXIT_STOPPED = 2  # It could not begin or go on: asked wrongly, a setting is missing, AWS is busy.

console = Console(stderr=True)


def a_day(text: str) -> datetime:
    """The UTC midnight at which the day that `text` writes begins."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise typer.BadParameter(f"`{text}` is no day; one is 2026-11-20") from error


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Refuse a span that ends before it begins; either end may be open.

    :raises typer.BadParameter: it does.
    """
    if since and until and until < since:
        raise typer.BadParameter("--until is before --since")


Day = Annotated[datetime, typer.Option(parser=a_day, metavar="DAY", help="A UTC day: 2026-11-20.")]
Reason = Annotated[
    str | None,
    typer.Option(help="Why personal data has to be seen, as it is written down: a ticket, a case."),
]


class PlainGroup(TyperGroup):
    """A group of commands whose refusals end it with one sentence, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        with told_plainly():
            return super().invoke(ctx)


def subject() -> typer.Typer:
    """An empty set of commands, for one subject."""
    return typer.Typer(cls=PlainGroup, no_args_is_help=True, pretty_exceptions_show_locals=False)


@contextmanager
def told_plainly() -> Iterator[None]:
    """What is refused is said in one sentence. Exit 1: refused for good. 2: stopped."""
    try:
        yield
    except Rejected as refusal:
        where = f" ({refusal.field})" if refusal.field else ""
        say(f"Refused: {refusal.detail}{where}.", style="red")
        raise typer.Exit(EXIT_REFUSED) from refusal
    except (MissingSetting, InvalidSetting) as missing:
        raise stopped(f"{missing}. See docs/operating.md.") from missing
    except (TryAgain, PynamoDBException, BotoCoreError, ClientError) as error:
        raise stopped(_of_aws(error)) from error


def stopped(why: str) -> typer.Exit:
    """Say why it could not begin or go on; raise what is returned."""
    say(f"Stopped: {why}", style="red")
    return typer.Exit(EXIT_STOPPED)


def _of_aws(error: Exception) -> str:
    """What is the matter with AWS, or with what the shell says of it."""
    root: BaseException = error
    while below := getattr(root, "cause", None) or root.__cause__:
        root = below
    if isinstance(root, NoCredentialsError):
        return "there are no AWS credentials in the environment. See docs/operating.md."
    if isinstance(error, TryAgain):
        return f"{error.detail}. Try again shortly."
    if isinstance(root, ClientError) and root.response["Error"]["Code"] in _MISSING:
        stage, region = settings.stage(), settings.region()
        return f"there is no stage `{stage}` in {region} of this account, or not all of it."
    return f"AWS says: {root}"


# What DynamoDB and SQS say of a table or queue that there is not.
_MISSING = ("ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue")


def say(text: str, *, style: str | None = None) -> None:
    """Say something about the work."""
    console.print(text, style=style, markup=False, highlight=False)


def given(**options: object) -> dict[str, object]:
    """Those of the options that were given: None is what nobody said."""
    return {name: value for name, value in options.items() if value is not None}


def show(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Show `rows` of cells. On a terminal the first column is never cut; others wrap."""
    cells = [["-" if cell in (None, "") else str(cell) for cell in row] for row in rows]
    output = Console()
    if not output.is_terminal or not cells:
        for row in cells:
            typer.echo("  ".join(row))
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0, overflow="fold")
    for row in cells:
        table.add_row(*row)
    output.print(table, markup=False, highlight=False)


@contextmanager
def progress(title: str, *, total: int) -> Iterator[Any]:
    """A bar; call what is given for each thing that is done, or with how many were."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not total) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done=1: bar.advance(task, done)


def edited(text: str) -> str:
    """`text` as the operator leaves it in $EDITOR. The file is deleted afterwards.

    :raises typer.Exit: it was left as it was.
    """
    changed = click.edit(text, extension=".json")
    if changed is None or changed.strip() == text.strip():
        say("Nothing was changed, so nothing was sent.")
        raise typer.Exit(EXIT_REFUSED)
    return changed.strip()
