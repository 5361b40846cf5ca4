"""Machine clients: added and removed, with secrets that are made here and shown once."""

import secrets
from datetime import timedelta
from typing import Annotated

import typer

from chalicelib.kernel.refusals import NotFound
from chalicelib.network.model import ClientKind
from chalicelib.runtime import clock
from infra.cli.terminal import say, subject

app = subject()

OLD_VALID_HOURS = 72  # A weekend: as long as it may take to put the new secret in everywhere.

ClientId = Annotated[str, typer.Option("--client", help="The client's id.")]


@app.command()
def add_client(
    *,
    client_id: ClientId,
    kind: Annotated[ClientKind, typer.Option(help="Whose machine it is.")],
    owner: Annotated[
        str, typer.Option("--for", help="The connection or retailer that it acts for.")
    ] = "",
) -> None:
    """Let a machine of a bank or retailer in.

    Its secret is printed, once.
    """
    from infra.operating import participants  # Stores need a stage; the help does not.

    if not owner and kind is not ClientKind.OPERATOR:
        raise typer.BadParameter("say --for which connection or retailer it acts")
    secret = secrets.token_urlsafe(32)
    client = participants.add_client(kind, owner, client_id, secret, now=clock.now())
    say(f"{client_id} may: {', '.join(client.scopes)}.")
    _show_secret(secret)


@app.command()
def rotate_client_secret(
    *,
    client_id: ClientId,
    old_valid_hours: Annotated[
        int, typer.Option(min=0, max=24 * 30, help="How long the old one stays good.")
    ] = OLD_VALID_HOURS,
) -> None:
    """Make a new secret for a client.

    It is printed, once; the old one stays good for some hours.
    """
    from chalicelib.network.access import clients  # As above.

    now = clock.now()
    secret = secrets.token_urlsafe(32)
    until = now + timedelta(hours=old_valid_hours)
    hashed = clients.hash_secret(client_id, secret)
    clients.rotate_secret(client_id, hashed, old_valid_until=until, now=now)
    say(f"The old secret of {client_id} is good until {until:%Y-%m-%d %H:%M} UTC.")
    _show_secret(secret)


@app.command()
def remove_client(*, client_id: ClientId) -> None:
    """Let a machine in no more.

    What tokens it has end within the hour.
    """
    from chalicelib.network.access import clients  # As above.

    if clients.find_client(client_id, now=clock.now()) is None:
        raise NotFound("there is no such client")
    clients.remove_client(client_id)
    say(f"{client_id} gets no more tokens.")


def _show_secret(secret: str) -> None:
    """On standard output alone, so that it can go straight into a vault."""
    say("Its secret, shown only now:")
    typer.echo(secret)
