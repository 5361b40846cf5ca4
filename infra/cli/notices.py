"""Notices: telling a bank again."""

from typing import Annotated

import typer

from chalicelib.kernel.ids import ConnectionId
from chalicelib.runtime import clock
from infra.cli.terminal import say, subject

app = subject()


@app.command()
def replay_notices(
    *,
    connection: Annotated[str, typer.Option(help="The connection whose bank is told again.")],
    since: Annotated[str, typer.Option(help="A time (RFC 3339) or a cursor of its log.")],
) -> None:
    """Tell a bank again of every notice since a time.

    At most thirty days back. It is told in the background, each notice under the id it had.
    """
    from chalicelib.network import service as network  # Stores need a stage; the help does not.
    from chalicelib.notices import replaying

    now = clock.now()
    network.get_connection(ConnectionId(connection), now=now)
    replaying.request_replay(
        ConnectionId(connection), replaying.parse_since(since, now=now), now=now
    )
    say(f"{connection} is told again of every notice since {since}.")
