"""Competitions: listed, drawn, and drawn again to check."""

from typing import Annotated

import typer

from chalicelib.kernel.times import to_text
from chalicelib.runtime import clock
from infra.cli.terminal import EXIT_REFUSED, Reason, say, show, subject

app = subject()

CompetitionOption = Annotated[
    str, typer.Option("--competition", help="Its id: bean-and-leaf.hamper.")
]


@app.command()
def list_competitions() -> None:
    """List competitions and when they can be drawn."""
    from chalicelib.offers.competitions import service  # Stores need a stage; the help does not.

    now = clock.now()
    found = service.list_competitions(None, now=now)
    show(
        ("id", "stage", "ends", "drawn from", "entries", "winners"),
        [
            (
                one.competition_id,
                one.stage_at(now).value,
                to_text(one.ends_at),
                to_text(one.seed_known_at),
                service.count_entries(one, now=now),
                one.winners,
            )
            for one in found
        ],
    )
    say(f"{len(found)} competitions.")


@app.command()
def draw_competition(
    *,
    competition: CompetitionOption,
    seed: Annotated[str, typer.Option(help="The public fact that its document names.")],
    reason: Reason = None,
) -> None:
    """Draw the winners of a competition, once.

    It has to be over, and its seed known. Who drew and why is written down first. The same again
    tells the same winners.
    """
    from chalicelib.offers.competitions import draws  # As above.
    from infra.operating import staff

    now = clock.now()
    access = staff.note_access("draw-competition", competition, reason=reason, now=now)
    made = draws.draw(competition, seed, by=access.reader, now=now).draw
    assert made is not None, "it was drawn now or before"
    show(("place", "entry"), list(enumerate(made.winners, start=1)))
    say(f"Drawn of {made.entries} entries with the seed “{made.seed}”.")


@app.command()
def verify_draw(*, competition: CompetitionOption) -> None:
    """Draw again from the stored entries and compare."""
    from chalicelib.offers.competitions import draws  # As above.

    differing = draws.verify(competition, now=clock.now())
    for one in differing:
        say(one, style="red")
    if differing:
        raise typer.Exit(EXIT_REFUSED)
    say("Drawn again, it is the same draw.")
