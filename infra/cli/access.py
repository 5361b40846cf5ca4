"""Who of the staff saw personal data."""

from chalicelib.runtime import clock
from infra.cli.terminal import Day, say, show, subject

app = subject()


@app.command()
def list_access(*, day: Day) -> None:
    """List who of the staff saw personal data on a day.

    With what command, of what, and why. The day is UTC's.
    """
    from chalicelib.privacy import access_log  # Stores need a stage; the help does not.

    found = access_log.list_accesses(day.date(), now=clock.now())
    show(
        ("at", "who", "command", "of", "reason"),
        [(f"{one.at:%H:%M:%S}", one.reader, one.command, one.subject, one.reason) for one in found],
    )
    say(f"{len(found)} accesses on {day:%Y-%m-%d}.")
