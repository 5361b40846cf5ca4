"""Keys: the ring of master keys, signing keys, those of connections. None is ever an argument."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.kernel.ids import ConnectionId
from chalicelib.network.model import KeyUse
from chalicelib.runtime import clock
from infra.cli.terminal import progress, say, show, subject
from infra.resources import TABLES

app = subject()

USES = ", ".join(use.value for use in KeyUse)
OLD_VALID_HOURS = 24  # A bank that is told in the morning has changed its side by the next.

Number = Annotated[int, typer.Option(help="The master key's number.", min=1, max=255)]


@app.command()
def set_up_stage() -> None:
    """Make the first keys of a stage.

    The ring of master keys and a signing key, where there are none. It may be repeated; what is
    there stays. The stage's tables and its KMS key must exist.
    """
    from chalicelib.network.access import keys  # Stores need a stage; the help does not.
    from chalicelib.network.signing import rsa
    from infra import master_keys

    is_new = master_keys.set_up(os.urandom, now=clock.now())
    signing = keys.ensure_signing_key(rsa.new_private_pem, now=clock.now())
    say("The ring of master keys is made." if is_new else "There is a ring already.")
    say(f"Signing key {signing.kid} signs.")


@app.command()
def show_master_keys() -> None:
    """List the master keys, without the keys themselves.

    Their numbers, and from when each seals.
    """
    from infra import master_keys  # As above.

    found = master_keys.list_keys()
    show(
        ("number", "seals from, UTC"),
        [(one.number, f"{one.seals_from:%Y-%m-%d %H:%M}") for one in found],
    )
    say(f"{len(found)} master keys.")


@app.command()
def rotate_master_key() -> None:
    """Add a master key.

    It seals in an hour, when every process knows it; the old one opens on.
    """
    from infra import master_keys  # As above.

    added = master_keys.rotate(os.urandom, now=clock.now())
    say(f"Master key {added.number} seals from {added.seals_from:%Y-%m-%d %H:%M} UTC.")


@app.command()
def reseal_rows(*, number: Number) -> None:
    """Seal anew what an old master key sealed.

    Under the key that seals now. It may be stopped and repeated. What lives less than 36 days is
    left to expire.
    """
    from infra import resealing  # As above.

    about = resealing.rows_about(resealing.RESEALED)
    with progress("rows read, of about", total=about) as advance:
        done = resealing.reseal(number, now=clock.now(), report=advance)
    say(f"{done.rows} sealed anew; {done.unreadable} open to nobody.")


@app.command()
def retire_master_key(*, number: Number) -> None:
    """Take a master key out of use.

    Another must have sealed for 36 days, and no row may need it.
    """
    from infra import master_keys, resealing  # As above.

    now = clock.now()

    def count_sealed(of: int) -> int:
        with progress("rows read, of about", total=resealing.rows_about(TABLES)) as advance:
            return resealing.count(of, now=now, report=advance).rows

    master_keys.retire(number, count_sealed, now=now)
    say(f"Master key {number} is retired.")


@app.command()
def rotate_signing_key() -> None:
    """Publish a new signing key.

    It signs in an hour; the old one stays published for seven days.
    """
    from chalicelib.network.access import keys  # As above.
    from chalicelib.network.signing import rsa

    coming = keys.rotate_signing_key(rsa.new_private_pem, now=clock.now())
    say(f"Signing key {coming.kid} signs from {coming.signs_from:%Y-%m-%d %H:%M} UTC.")


@app.command()
def rotate_connection_key(
    *,
    connection: Annotated[str, typer.Option(help="The connection's id.")],
    use: Annotated[KeyUse, typer.Option(metavar="USE", help=f"What the key is for: {USES}.")],
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Holds the new key; else it is asked for."),
    ] = None,
    generate: Annotated[
        bool, typer.Option("--generate", help="Make a `whsec_` secret and show it.")
    ] = False,
    old_valid_hours: Annotated[
        int, typer.Option(help="How long the old key stays valid.", min=0, max=24 * 90)
    ] = OLD_VALID_HOURS,
) -> None:
    """Give a connection a new key.

    It is valid at once, the old one for a day more. The key is asked for, or read from standard
    input or FILE; a key in an argument could be seen by everybody on the machine.
    """
    from chalicelib.network import service as network  # As above.
    from infra import new_keys

    now = clock.now()
    if file is not None and generate:
        raise typer.BadParameter("a key is either made or given")
    held = network.get_connection(ConnectionId(connection), now=now)
    if generate:
        value = new_keys.generate(held, use, os.urandom)
    else:
        value = new_keys.checked(file.read_text() if file else _asked(), held, use)
    until = now + timedelta(hours=old_valid_hours)
    rotated = network.rotate_key(held.connection_id, use, value, old_valid_until=until, now=now)
    if generate:
        typer.echo(value.reveal())
    say(_TOLD[use])
    if sum(key.use is use for key in rotated.keys) > 1:
        say(f"The old one is valid until {until:%Y-%m-%d %H:%M} UTC.")


def _asked() -> str:
    if sys.stdin.isatty():
        answer: str = typer.prompt("The new key", hide_input=True)
        return answer
    return sys.stdin.read()


_TOLD = {
    KeyUse.VERIFY: "Ask the bank to sign with the new key a minute from now; both are taken.",
    KeyUse.SIGN: "Tell the bank the new key; every call carries a signature by each.",
    KeyUse.CLIENT: "The new client secret is used from now on; the bank needs nothing.",
    KeyUse.API: "The new token is used from now on; withdraw the old one at the bank.",
}
