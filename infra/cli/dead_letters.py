"""Dead letters: counted, looked at, mended, put back. They are never purged from here."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.kernel.refusals import NotFound
from chalicelib.runtime import clock, queues
from infra.cli.terminal import Reason, check_span, edited, progress, say, show, subject

app = subject()

Queue = Annotated[str, typer.Option(help=f"One of {', '.join(queues.NAMES)}.")]
MessageId = Annotated[str, typer.Option("--id", help="The message's id, as it is listed.")]
Instant = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        metavar="TIME",
        help="UTC: 2026-11-20 or 2026-11-20T14:30.",
    ),
]
MendedFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="The mended message.")
]


@app.command()
def list_dead_letters(*, queue: Queue = "") -> None:
    """Count dead letters of all queues, or list one's.

    The list shows how old each is.
    """
    from infra.operating import dead_letters  # Stores need a stage; the help does not.

    if not queue:
        found = dead_letters.depths()
        show(("queue", "waiting", "held"), [(one.queue, one.waiting, one.held) for one in found])
        return
    now = clock.now()
    letters = sorted(
        dead_letters.look(dead_letters.known_queue(queue)), key=lambda letter: letter.sent_at
    )
    show(
        ("id", "sent", "age", "receives", "bytes"),
        [
            (
                one.message_id,
                f"{one.sent_at:%m-%d %H:%M:%S}",
                _age((now - one.sent_at).total_seconds()),
                one.receives,
                len(one.body.encode()),
            )
            for one in letters
        ],
    )
    say(f"{len(letters)} dead letters of {queue}.")


@app.command()
def show_dead_letter(*, queue: Queue, message_id: MessageId, reason: Reason = None) -> None:
    """Show what a dead letter says.

    It may be personal: the reason is written down first.
    """
    from infra.operating import dead_letters, staff  # As above.

    letter = dead_letters.get(dead_letters.known_queue(queue), message_id)
    staff.note_access("show-dead-letter", message_id, reason=reason, now=clock.now())
    typer.echo(letter.body)


@app.command()
def mend_dead_letter(
    *, queue: Queue, message_id: MessageId, body: MendedFile = None, reason: Reason = None
) -> None:
    """Put a dead letter back on its queue, mended.

    As a file has it, or as it is edited in $EDITOR. The editor shows what was sent, so it needs a
    reason; a file does not.
    """
    from infra.operating import dead_letters, staff  # As above.

    letter = dead_letters.get(dead_letters.known_queue(queue), message_id)
    if body is not None:
        mended = body.read_text()
    else:
        staff.note_access("mend-dead-letter", message_id, reason=reason, now=clock.now())
        mended = edited(letter.body)
    wanted = dead_letters.Wanted(message_id)
    if not any(dead_letters.replay(queue, wanted, body=mended)):
        raise NotFound("somebody else took the dead letter meanwhile")
    say("The mended message is on its queue.")


@app.command()
def replay_dead_letters(
    *,
    queue: Queue = "",
    message_id: Annotated[str | None, typer.Option("--id", help="Only this one.")] = None,
    since: Instant = None,
    until: Instant = None,
    everything: Annotated[bool, typer.Option("--all", help="All of the queue, or queues.")] = False,
) -> None:
    """Put dead letters back on their queue.

    One, those first sent in a span, or all. Mend the cause first. What fails again comes back. Exit
    1: there is no such dead letter. With --all there may be none.
    """
    from infra.operating import dead_letters  # As above.

    if not (message_id or since or until or everything):
        raise typer.BadParameter("say which: --id, --since, --until or --all")
    if not queue and not everything:
        raise typer.BadParameter("say of which --queue")
    check_span(since, until)
    wanted = dead_letters.Wanted(message_id, _utc(since), _utc(until))
    names = (dead_letters.known_queue(queue),) if queue else queues.NAMES
    waiting = sum(one.waiting for one in dead_letters.depths(names))
    put_back = 0
    with progress("replayed", total=waiting) as advance:
        for name in names:
            for went_back in dead_letters.replay(name, wanted):
                put_back += went_back
                advance()
    if not put_back and everything and wanted == dead_letters.Wanted():
        return say("No dead letter waits.")
    if not put_back:
        raise NotFound("there is no such dead letter")
    return say(f"{put_back} put back on their queue.")


def _utc(instant: datetime | None) -> datetime | None:
    from datetime import UTC

    return instant.replace(tzinfo=UTC) if instant else None


def _age(seconds: float) -> str:
    """How long ago, in the largest unit that fits twice."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
