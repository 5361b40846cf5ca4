"""`make run`: the same stack left running, with shops and members set up, until Ctrl-C.

`build/local.json` then holds all that a client needs: URLs, keys, secrets, members, stores, tills.
They are made anew at each start and are good for nothing else. `build/local.env` holds the settings
with which the operator's commands find this stack: `set -a; . build/local.env`.
"""

import errno
import json
import os
import shlex
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from infra.local.stack import Stack

if TYPE_CHECKING:
    from infra.local.metrics import CountedMetrics

DESCRIPTION = Path(__file__).parents[2] / "build" / "local.json"
STACK_SETTINGS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_SECRET_ACCESS_KEY",
)
SEED = 7
MEMBERS_FOR = timedelta(days=89)  # Banks may tell of payments up to ninety days old.


def main(
    port: Annotated[int, typer.Option(envvar="PORT", help="0 picks a free one.")] = 8000,
    description: Annotated[
        Path, typer.Option(help="Where to write what a client needs.")
    ] = DESCRIPTION,
) -> None:
    """Serve the app on PORT with its queues, schedules and a sandbox bank, until Ctrl-C."""
    console = Console()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        stack = Stack(port=port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        console.print(f"Port {port} is taken. Choose another: make run PORT=8001")
        raise typer.Exit(1) from error
    with stack:
        _serve(stack, stopping, console, description)
    console.print("Stopped.")


def _serve(stack: Stack, stopping: threading.Event, console: Console, description: Path) -> None:
    """Set shops and members up, write down what a client needs, and keep time until stopped."""
    # These modules know row types, whose import needs the stage that the stack has set.
    from chalicelib.runtime import clock
    from infra.local.described import describe
    from infra.local.metrics import CountedMetrics
    from infra.local.setup import set_up
    from infra.local.switching_on import switch_on
    from infra.local.town import build_town

    town = build_town(Random(SEED))
    # The members have been members for a while, so that a client may pay at any recent time.
    clock.use(lambda: _now() - MEMBERS_FOR)
    setting = set_up(town, base_url=stack.base_url, now=clock.now, learns=True)
    try:
        members = switch_on(setting, town.people, now=clock.now())
        clock.use(None)
        description.parent.mkdir(exist_ok=True)
        described = describe(town, setting, base_url=stack.base_url)
        description.write_text(json.dumps(described, indent=2) + "\n")
        console.print(f"Counterfoil answers at {stack.base_url}, with {members} members.")
        console.print(f"All that a client needs is in {_shown(description)}. Ctrl-C stops it.")
        settings_file = description.with_suffix(".env")
        settings_file.write_text(shell_settings(os.environ))
        console.print(
            f"Operate it: set -a; . {_shown(settings_file)}; .venv/bin/python -m infra.cli health"
        )
        metrics = CountedMetrics()
        _keep_time(stack, metrics, stopping)
        metrics.stop()
    finally:
        setting.bank.stop()


def shell_settings(environment: Mapping[str, str]) -> str:
    """Those of `environment` that the operator's commands need, as a shell reads them."""
    return "".join(
        f"{name}={shlex.quote(value)}\n"
        for name, value in sorted(environment.items())
        if name.startswith("COUNTERFOIL_") or name in STACK_SETTINGS
    )


def _keep_time(stack: Stack, metrics: "CountedMetrics", stopping: threading.Event) -> None:
    """Fire the schedules as their minutes come, and put what was counted, until stopped."""
    before = _now()
    while not stopping.wait(timeout=1):
        now = _now()
        stack.pump.fire_schedules(after=before, until=now)
        metrics.put(now=now)
        before = now


def _shown(path: Path) -> str:
    return os.path.relpath(path)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    typer.run(main)
