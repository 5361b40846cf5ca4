"""Notices: telling a bank again, and announcing what is new to all who want to hear of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.kernel.ids import ConnectionId
from chalicelib.runtime import clock
from infra.cli.terminal import progress, say, show, subject

if TYPE_CHECKING:
    from chalicelib.notices.launching.model import Launch

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


Retailer = Annotated[str, typer.Option(help="The retailer's id.")]
Connections = Annotated[
    list[str] | None,
    typer.Option("--connection", help="Only this connection's members; may be said again."),
]


@app.command()
def announce_partner(*, retailer: Retailer, connection: Connections = None) -> None:
    """Announce that a retailer takes part.

    To members who want to hear of partners, a thousand a minute and bank, once for ever.
    """
    from chalicelib.kernel.ids import RetailerId
    from chalicelib.notices.launching import service  # As above.

    now = clock.now()
    _started(
        service.announce_partner(RetailerId(retailer), _connections(connection, now=now), now=now)
    )


@app.command()
def announce_offer(
    *,
    retailer: Retailer,
    campaign: Annotated[str, typer.Option(help="What the retailer calls it.")],
    connection: Connections = None,
) -> None:
    """Announce a campaign that runs for everybody.

    To members who want to hear of offers and have them on, a thousand a minute and bank, once.
    """
    from chalicelib.kernel.ids import RetailerId
    from chalicelib.notices.launching import service  # As above.

    now = clock.now()
    connections = _connections(connection, now=now)
    _started(service.announce_offer(RetailerId(retailer), campaign, connections, now=now))


@app.command()
def list_announcements() -> None:
    """List what was announced to all, and how far it is."""
    from chalicelib.notices.launching import store  # As above.

    found = store.list_all(now=clock.now())
    show(
        ("name", "started, UTC", "state", "members"),
        [
            (one.name, f"{one.started_at:%Y-%m-%d %H:%M}", one.state.value, one.announced)
            for one in found
        ],
    )
    say(f"{len(found)} announcements.")


@app.command()
def stop_announcement(*, name: Annotated[str, typer.Option(help="As it is listed.")]) -> None:
    """Announce it to nobody more, for good.

    Those who were announced to already are told.
    """
    from chalicelib.notices.launching import service  # As above.

    stopped = service.stop(name, now=clock.now())
    say(f"{stopped.state.value}: {stopped.announced} members were announced to.")


@app.command()
def mend_topics() -> None:
    """Let everybody who consented be found.

    Once, on a stage with members who consented to marketing before it could be announced to all.
    Nobody is told anything by it; again changes nothing.
    """
    from infra.operating import mending  # As above.

    with progress("Members", total=mending.rows_about()) as done:
        found, mended = mending.mend_topics(done, now=clock.now())
    say(f"{found} members, {mended} of whom consented to a topic.")


def _connections(named: list[str] | None, *, now: datetime) -> list[ConnectionId]:
    from chalicelib.network import service as network  # As above.

    if named:
        return [ConnectionId(one) for one in named]
    return [one.connection_id for one in network.list_connections(now=now)]


def _started(launches: "Sequence[Launch]") -> None:
    for one in launches:
        say(f"{one.name}: {one.state.value}, {one.announced} members so far.")
