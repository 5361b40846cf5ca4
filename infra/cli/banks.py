"""Connections: added, listed, changed; how each does; told of receipts or not."""

import os
import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.personal import Personal
from chalicelib.network.model import Connection, ConnectionKey, KeyUse, Provider
from chalicelib.runtime import clock, settings
from infra.cli.terminal import given, say, show, subject

app = subject()

USES = f"Uses: {', '.join(use.value for use in KeyUse)}."

ConnectionOption = Annotated[str, typer.Option(help="The connection's id.")]
ProviderOption = Annotated[
    Provider,
    typer.Option(
        metavar="PROVIDER", help=f"Its format: {', '.join(one.value for one in Provider)}."
    ),
]
NAME = typer.Option(help="The bank's name, as people read it.")
REGISTERED_URL = typer.Option(
    help="The hook's URL as registered, where it is signed; {hook} is the hook's."
)
API_URL = typer.Option(help="The provider's API, where receipts go.")
AUTH_URL = typer.Option(help="Where people approve us (Monzo).")
TOLD_AT_URL = typer.Option(help="The bank's own webhook for receipts.")
NOTICES_AT_URL = typer.Option(help="Where notices go, if not where receipts go.")
NOTICE_IMAGE_URL = typer.Option(help="The picture beside a feed item (Monzo).")
REFETCH = typer.Option("--refetch", help="Believe no hook: fetch what it names.")
RENAMES = typer.Option(
    "--renames/--no-renames", help="Whether it books payments under new ids, unsaid."
)
OUR_CLIENT = typer.Option(help="Our OAuth client at the provider.")
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="ID", help="Connection whose card tokens it may link."),
]
KeyFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--key-file",
        metavar="USE=PATH",
        help=f"A key, such as verify=secret.txt; `-` is standard input. {USES}",
    ),
]
AskedKeys = Annotated[
    list[KeyUse] | None,
    typer.Option("--ask-key", metavar="USE", help="Ask for the key of this use, unseen."),
]
MadeKeys = Annotated[
    list[KeyUse] | None,
    typer.Option("--make-key", metavar="USE", help="Make the key of this use and print it, once."),
]


@app.command()
def add_connection(
    *,
    connection: ConnectionOption,
    provider: ProviderOption,
    name: Annotated[str, NAME],
    programme: Annotated[str, typer.Option(help="Whose members it serves.")] = "FLUX",
    key_file: KeyFiles = None,
    ask_key: AskedKeys = None,
    make_key: MadeKeys = None,
    registered_url: Annotated[str, REGISTERED_URL] = "{hook}",
    api_url: Annotated[str, API_URL] = "",
    auth_url: Annotated[str, AUTH_URL] = "",
    told_at_url: Annotated[str, TOLD_AT_URL] = "",
    client_id: Annotated[str, OUR_CLIENT] = "",
    refetch: Annotated[bool, REFETCH] = False,
    source: Sources = None,
) -> None:
    """Connect a bank or provider.

    Its hook is made here and printed once, to be registered there. Keys come from files, standard
    input or a prompt, never from the command line; or are made here.
    """
    from infra.operating import participants  # Stores need a stage; the help does not.

    new = Connection(
        connection_id=ConnectionId(connection),
        programme=programme,
        provider=provider,
        name=name,
        hook="" if provider in participants.WITHOUT_HOOK else secrets.token_urlsafe(24),
        api_url=api_url,
        auth_url=auth_url,
        told_at_url=told_at_url,
        client_id=client_id,
        refetch=refetch,
        sources=tuple(ConnectionId(one) for one in source or ()),
        keys=_keys(key_file or [], ask_key or []),
    )
    _add(new, registered_url, make_key or [])


def _add(new: Connection, registered_url: str, made: list[KeyUse]) -> None:
    """Add it, with keys made for the uses `made`; print what is shown only now."""
    from infra import new_keys
    from infra.operating import participants

    own = tuple(ConnectionKey(use, new_keys.generate(new, use, os.urandom)) for use in made)
    hook_url = f"{settings.hooks_url()}/hooks/{new.hook}" if new.hook else ""
    registered = registered_url.replace("{hook}", hook_url)
    whole = replace(new, registered_url=registered, keys=(*own, *new.keys))
    participants.add_connection(whole, now=clock.now())
    say(f"{new.connection_id} is connected.")
    for use, without in participants.missing_keys(whole).items():
        say(f"It has no key to {use.value}: {without}. Give it one: rotate-connection-key.")
    if hook_url or own:
        say("The bank needs these; they are secrets and are shown only now:")
    if hook_url:
        typer.echo(f"hook  {registered}")
    for key in own:
        typer.echo(f"{key.use.value}  {key.value.reveal()}")


def _keys(files: list[str], asked: list[KeyUse]) -> tuple[ConnectionKey, ...]:
    keys = []
    for named in files:
        use, _, path = named.partition("=")
        if use not in {one.value for one in KeyUse} or not path:
            raise typer.BadParameter(f"--key-file wants USE=PATH, not {use}")
        keys.append(ConnectionKey(KeyUse(use), Personal(_read(path).strip())))
    for wanted in asked:
        text = typer.prompt(f"Key to {wanted.value}", hide_input=True)
        keys.append(ConnectionKey(wanted, Personal(text.strip())))
    return tuple(keys)


def _read(path: str) -> str:
    if path == "-":
        return typer.get_text_stream("stdin").read()
    try:
        return Path(path).read_text()
    except (OSError, UnicodeError) as error:
        raise typer.BadParameter(f"--key-file: {path} cannot be read as text") from error


@app.command()
def change_connection(
    *,
    connection: ConnectionOption,
    name: Annotated[str | None, NAME] = None,
    registered_url: Annotated[str | None, typer.Option(help="The hook's URL as signed.")] = None,
    api_url: Annotated[str | None, API_URL] = None,
    auth_url: Annotated[str | None, AUTH_URL] = None,
    told_at_url: Annotated[str | None, TOLD_AT_URL] = None,
    notices_at_url: Annotated[str | None, NOTICES_AT_URL] = None,
    notice_image_url: Annotated[str | None, NOTICE_IMAGE_URL] = None,
    client_id: Annotated[str | None, OUR_CLIENT] = None,
    receipts: Annotated[bool | None, typer.Option(help="Whether its payments get any.")] = None,
    refetch: Annotated[
        bool | None, typer.Option("--refetch/--no-refetch", help="Whether to believe no hook.")
    ] = None,
    renames: Annotated[bool | None, RENAMES] = None,
) -> None:
    """Change what is given of a connection.

    An empty text takes a URL out. Keys are rotated by `rotate-connection-key`.
    """
    from infra.operating import participants  # As above.

    changes = given(
        name=name,
        registered_url=registered_url,
        api_url=api_url,
        auth_url=auth_url,
        told_at_url=told_at_url,
        notices_at_url=notices_at_url,
        notice_image_url=notice_image_url,
        client_id=client_id,
        receipts=receipts,
        refetch=refetch,
        renames=renames,
    )
    participants.change_connection(ConnectionId(connection), changes, now=clock.now())
    say(f"{connection} is changed: {', '.join(sorted(changes))}.")


@app.command()
def list_connections() -> None:
    """List the connections.

    The provider of each, whether it gets receipts, and whether its bank is told.
    """
    from chalicelib.banks.telling import is_told  # As above.
    from chalicelib.network import service as network

    now = clock.now()
    found = network.list_connections(now=now)
    rows = []
    for one in found:
        told = "yes" if is_told(one) else "no"
        if one.told_until is not None:
            told = f"stopped {one.told_until:%Y-%m-%d %H:%M}"
        gives = "yes" if one.receipts else "no"
        rows.append((one.connection_id, one.provider.value, one.name, one.programme, gives, told))
    show(("id", "provider", "name", "programme", "receipts", "told"), rows)
    say(f"{len(found)} connections.")


@app.command()
def stop_telling(*, connection: ConnectionOption) -> None:
    """Tell a bank of no more receipts.

    What comes meanwhile goes to quarantine (`endpoint_gone`).
    """
    from chalicelib.network import service as network  # As above.

    network.get_connection(ConnectionId(connection), now=clock.now())
    network.stop_telling(ConnectionId(connection), now=clock.now())
    say("The bank is told no more.")


@app.command()
def resume_telling(*, connection: ConnectionOption) -> None:
    """Tell a bank of receipts again.

    After `stop-telling`, or after it had answered 410. Replay what it missed.
    """
    from chalicelib.network import service as network  # As above.

    network.resume_telling(ConnectionId(connection), now=clock.now())
    say("The bank is told again.")


@app.command()
def health(
    *, hours: Annotated[int, typer.Option(min=1, max=24, help="How far back to look.")] = 24
) -> None:
    """Show how each connection does.

    Its last event, what was taken and refused, the lag, receipts told. Counted by CloudWatch, to
    five minutes.
    """
    from infra.operating import health as measured  # As above.

    found = measured.health_of_all(window=timedelta(hours=hours), now=clock.now())
    show(
        ("connection", "last event", "taken", "refused", "dropped", "lag", "told", ""),
        [
            (
                one.connection.connection_id,
                f"{one.last_event_at:%m-%d %H:%M}" if one.last_event_at else "",
                one.taken,
                "" if one.refused_share is None else f"{one.refused} ({one.refused_share:.0%})",
                one.dropped,
                "" if one.lag_seconds is None else f"{one.lag_seconds:.0f} s",
                one.told,
                "stopped" if one.told_until else "",
            )
            for one in found
        ],
    )
    say(f"{len(found)} connections in the last {hours} hours, times in UTC.")
