"""Awards that are held: listed, shown, decided."""

from enum import Enum
from typing import Annotated

import typer

from chalicelib.runtime import clock
from infra.cli.terminal import Reason, say, show, subject

app = subject()

HoldName = Annotated[str, typer.Option(help="The hold's id, as it is listed.")]


class Verdict(str, Enum):  # noqa: UP042 - Typer reads the options of an enum of strings
    """What may be decided."""

    RELEASE = "release"
    REFUSE = "refuse"


@app.command()
def list_holds() -> None:
    """List the awards that wait for a person.

    With the reason each is held for, and what it would give.
    """
    from chalicelib.loyalty.holding import store  # Stores need a stage; the help does not.

    found = store.list_open(now=clock.now())
    show(
        ("held, UTC", "hold", "reason", "scheme or offer", "worth"),
        [
            (f"{one.held_at:%Y-%m-%d %H:%M}", one.hold_id, one.reason.value, one.subject, one.worth)
            for one in found
        ],
    )
    say(f"{len(found)} awards are held.")


@app.command()
def show_hold(*, hold: HoldName, reason: Reason = None) -> None:
    """Show a held award and the purchase that it is for.

    Shop, time and amount. Who looked and why is written down first.
    """
    from chalicelib.loyalty.holding import service  # As above.
    from infra.operating import holding, staff

    now = clock.now()
    held = service.get_open(hold, now=now)
    staff.note_access("show-hold", hold, reason=reason, now=now)
    for line in holding.lines_of(held, now=now):
        typer.echo(line)


@app.command()
def decide_hold(
    *,
    hold: HoldName,
    verdict: Annotated[Verdict, typer.Option(help="What becomes of the award, for good.")],
    reason: Reason = None,
) -> None:
    """Release a held award, or refuse it.

    Who decided and why is written down first. Decided again in the same way it changes nothing.
    """
    from chalicelib.loyalty.holding import service  # As above.
    from chalicelib.loyalty.holding.model import HoldOutcome
    from infra.operating import staff

    now = clock.now()
    staff.note_access("decide-hold", hold, reason=reason, now=now)
    outcome = HoldOutcome.RELEASED if verdict is Verdict.RELEASE else HoldOutcome.REFUSED
    service.decide_hold(hold, outcome, now=now)
    say(f"The award is {outcome.value}. Its purchase is settled anew.")
