"""The operator's terminal, as tests use it: commands in this process, and what they wrote."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import Result
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from chalicelib.privacy import access_log
from chalicelib.runtime import aws, queues
from infra.cli.commands import app
from infra.resources import DEAD_LETTER_SUFFIX
from tests.makers.journeys import NOON

WHY = "--reason=ticket 4711, the totals are wrong"


def operate(*arguments: str, typed: str | None = None) -> Result:
    """Run a command with no terminal; `typed` is what is given to its prompts."""
    return CliRunner().invoke(app, arguments, input=typed)


def look_at(*arguments: str) -> Result:
    """Run a command on a terminal of eighty columns."""
    terminal = {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "80", "TERM": "xterm"}
    return CliRunner(env=terminal).invoke(app, arguments)


def commands() -> dict[str, TyperCommand]:
    """Every command of the operator's terminal by its name."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return {
        name: command
        for name, command in group.commands.items()
        if isinstance(command, TyperCommand)
    }


def accesses() -> list[tuple[str, str, str]]:
    """Command, subject and reason of every access written down at noon's day."""
    found = access_log.list_accesses(NOON.date(), now=NOON)
    return [(one.command, one.subject, one.reason) for one in found]


def bury(queue: str, *bodies: str) -> list[str]:
    """Put `bodies` among the dead letters of `queue`; returns their ids."""
    url = queues.url(queue + DEAD_LETTER_SUFFIX)
    return [
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)["MessageId"]
        for body in bodies
    ]


@contextmanager
def editor(tmp_path: Path, *, old: str, new: str) -> Iterator[Path]:
    """$EDITOR replaces `old` by `new`; the file it leaves behind shows what it was given."""
    seen = tmp_path / "seen.json"
    script = tmp_path / "editor.sh"
    script.write_text(f'#!/bin/sh\ncp "$1" {seen}\nsed -i.bak \'s/{old}/{new}/\' "$1"\n')
    script.chmod(0o700)
    before = os.environ.get("VISUAL")
    os.environ["VISUAL"] = str(script)
    try:
        yield seen
    finally:
        os.environ.pop("VISUAL")
        if before is not None:
            os.environ["VISUAL"] = before
