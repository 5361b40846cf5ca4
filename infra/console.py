"""How commands speak: to standard error, plainly, with an exit status that scripts can read."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from chalicelib.kernel.refusals import Rejected, TryAgain

console = Console(stderr=True)

EXIT_SOME_REFUSED = 1
EXIT_STOPPED = 2


@contextmanager
def told_plainly() -> Iterator[None]:
    """A refusal is the end of the command and needs no traceback."""
    try:
        yield
    except (Rejected, TryAgain) as stopped:
        console.print(f"Stopped: {stopped}.", style="red", markup=False)
        raise typer.Exit(EXIT_STOPPED) from stopped
