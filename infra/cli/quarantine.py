"""Quarantine: what was set aside is listed, shown, mended and put back."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.kernel.refusals import NotFound
from chalicelib.runtime import clock
from infra.cli.terminal import (
    EXIT_REFUSED,
    Reason,
    a_day,
    check_span,
    edited,
    progress,
    say,
    show,
    subject,
)

if TYPE_CHECKING:
    from infra.replaying import Replayed, Wanted

app = subject()

OnDay = Annotated[
    datetime | None,
    typer.Option(parser=a_day, metavar="DAY", help="The UTC day it came: 2026-11-20."),
]
Since = Annotated[
    datetime | None,
    typer.Option(parser=a_day, metavar="DAY", help="The first UTC day that is meant."),
]
Until = Annotated[
    datetime | None,
    typer.Option(parser=a_day, metavar="DAY", help="The last UTC day that is meant."),
]
Id = Annotated[str, typer.Option("--id", help="Its id, as it is listed.")]
Area = Annotated[
    str | None, typer.Option(help="Only what came this way: hooks, tills, or a queue.")
]
Code = Annotated[
    str | None, typer.Option("--reason-code", help="Only what was refused for this code.")
]
MendedFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="The mended message.")
]


@app.command()
def list_quarantine(
    *,
    day: OnDay = None,
    since: Since = None,
    until: Until = None,
    area: Area = None,
    reason_code: Code = None,
    bodies: Annotated[
        bool, typer.Option("--bodies", help="Show what was sent, too; needs --reason.")
    ] = False,
    reason: Reason = None,
) -> None:
    """List what was set aside, with the reason of each.

    On a day, in a span of days, or all that is kept.
    """
    from infra import replaying  # Stores need a stage; the help does not.
    from infra.operating import staff

    now = clock.now()
    found = replaying.select(_wanted(day, since, until, area, reason_code), now=now)
    if bodies:
        asked = f"{len(found)} of quarantine, {area or 'any area'}, {reason_code or 'any code'}"
        staff.note_access("list-quarantine", asked, reason=reason, now=now)
    facts = [
        (one.quarantine_id, one.area, one.reason, one.field, one.sender, one.name) for one in found
    ]
    if not bodies:
        show(("id", "area", "reason", "field", "sender", "name"), facts)
    for one, fact in zip(found, facts, strict=True):
        if bodies:
            typer.echo("  ".join(text or "-" for text in fact))
            typer.echo(f"    {one.detail}\n    {one.body}")
    say(f"{len(found)} in quarantine{_spoken(day, since, until)}.")


@app.command()
def show_quarantine(*, quarantine_id: Id, reason: Reason = None) -> None:
    """Show one message that was set aside.

    It may be personal: the reason is written down first.
    """
    from infra import replaying  # As above.
    from infra.operating import staff

    kept = replaying.get_quarantined(quarantine_id, now=clock.now())
    staff.note_access("show-quarantine", quarantine_id, reason=reason, now=clock.now())
    say(f"{kept.kept_at:%Y-%m-%d %H:%M:%S} UTC  {kept.area}  {kept.reason}  {kept.field or '-'}")
    say(kept.detail)
    typer.echo(kept.body)


@app.command()
def mend_quarantine(*, quarantine_id: Id, body: MendedFile = None, reason: Reason = None) -> None:
    """Put one message back on its queue, mended.

    As a file has it, or as it is edited in $EDITOR. The editor shows what was sent, so it needs a
    reason; a file does not. Exit 1: it breaks a rule still and stays where it is.
    """
    from infra import replaying  # As above.
    from infra.operating import staff

    kept = replaying.get_quarantined(quarantine_id, now=clock.now())
    if body is not None:
        mended = body.read_text()
    else:
        staff.note_access("mend-quarantine", quarantine_id, reason=reason, now=clock.now())
        mended = edited(kept.body)
    _say_replayed(replaying.replay([kept], body=mended, now=clock.now()))


@app.command()
def replay_quarantine(
    *,
    day: OnDay = None,
    since: Since = None,
    until: Until = None,
    quarantine_id: Annotated[str | None, typer.Option("--id", help="Only this one.")] = None,
    area: Area = None,
    reason_code: Code = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is kept.")] = False,
    body: MendedFile = None,
) -> None:
    """Put what was set aside back on its queue.

    As it is, or one, named by --id, as --body has it. Exit 1: some of it breaks a rule still and
    stays where it is, or there was nothing.
    """
    from infra import replaying  # As above.

    if body is not None and quarantine_id is None:
        raise typer.BadParameter("one mended message is for one --id")
    if not (day or since or until or quarantine_id or area or reason_code or everything):
        raise typer.BadParameter("say which: --day, --since, --until, --id, --area, … or --all")
    mended = body.read_text() if body else None
    wanted = _wanted(day, since, until, area, reason_code, quarantine_id)
    chosen = replaying.select(wanted, now=clock.now())
    if not chosen:
        raise NotFound(f"nothing like that is in quarantine{_spoken(day, since, until)}")
    with progress("replayed", total=len(chosen)) as advance:
        done = replaying.replay(chosen, body=mended, now=clock.now(), report=advance)
    _say_replayed(done)


def _wanted(
    day: datetime | None,
    since: datetime | None,
    until: datetime | None,
    area: str | None,
    code: str | None,
    quarantine_id: str | None = None,
) -> "Wanted":
    from chalicelib.runtime import quarantine, queues
    from infra import replaying

    direct = (area or "").startswith(queues.DIRECT_RECEIPTS)  # Each retailer has one of its own.
    if area and area not in quarantine.AREAS and not direct:
        raise typer.BadParameter(f"the areas are {', '.join(quarantine.AREAS)}")
    if day and (since or until):
        raise typer.BadParameter("give --day, or --since and --until")
    check_span(since, until)
    first, last = day or since, day or until
    return replaying.Wanted(
        quarantine_id=quarantine_id,
        since=first.date() if first else None,
        until=last.date() if last else None,
        area=area,
        code=code,
    )


def _spoken(day: datetime | None, since: datetime | None, until: datetime | None) -> str:
    if day:
        return f" on {day:%Y-%m-%d}"
    beginning = f" from {since:%Y-%m-%d}" if since else ""
    return beginning + (f" until {until:%Y-%m-%d}" if until else "")


def _say_replayed(done: "Replayed") -> None:
    for one, refusal in done.refused:
        where = f" ({refusal.field})" if refusal.field else ""
        say(f"{one.quarantine_id}: {refusal.code}{where}")
    say(f"{len(done.sent)} replayed, {len(done.refused)} refused.")
    if done.refused:
        raise typer.Exit(EXIT_REFUSED)
