"""Schemes: written from a file, listed, shown, ended."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.times import to_text
from chalicelib.runtime import clock
from infra.cli.terminal import say, show, subject

app = subject()

RetailerOption = Annotated[str, typer.Option("--retailer", help="The retailer's id.")]
SchemeOption = Annotated[str, typer.Option("--scheme", help="Its id: bean-and-leaf.coffee.")]
Document = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="The scheme: docs/schemes.md.")
]
AT = typer.Option(metavar="TIME", help="RFC 3339: 2026-12-31T23:00:00Z; or else now.")


@app.command()
def import_scheme(
    *,
    file: Document,
    retailer: RetailerOption,
    reference: Annotated[str, typer.Option(help="The retailer's own name of it: coffee.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is wrong with it, and write nothing.")
    ] = False,
) -> None:
    """Write a scheme, or a version of it, from a file.

    Every problem is told with its place; a file with any is not written.
    """
    from chalicelib.api.scheme_shapes import read_document  # Stores need a stage; help does not.
    from chalicelib.loyalty.schemes import service
    from chalicelib.loyalty.schemes.problems import SchemeRefused
    from chalicelib.runtime import wire

    shape, now = read_document(wire.read_json(file.read_bytes())), clock.now()
    try:
        service.check_scheme(RetailerId(retailer), reference, shape, now=now)
    except SchemeRefused as refusal:
        for one in refusal.problems:
            say(f"{one.field}: {one.detail} ({one.code})", style="red")
        raise
    if dry_run:
        say("Nothing is wrong with it; nothing was written.")
        return
    recorded = service.record_scheme(RetailerId(retailer), reference, shape, now=now)
    scheme, how = recorded.scheme, "is written" if recorded.is_new else "was so already"
    say(f"{scheme.scheme_id} version {scheme.version} {how}; from {to_text(scheme.starts_at)}.")


@app.command()
def list_schemes(*, retailer: RetailerOption) -> None:
    """List the schemes of a retailer, ended ones too."""
    from chalicelib.loyalty.schemes import service  # As above.

    found = [one.scheme for one in service.list_schemes(RetailerId(retailer), now=clock.now())]
    show(
        ("id", "version", "unit", "starts", "ends", "name"),
        [
            (s.scheme_id, s.version, s.unit.value, to_text(s.starts_at), _end(s.ends_at), s.name)
            for s in found
        ],
    )
    say(f"{len(found)} schemes.")


@app.command()
def show_scheme(
    *,
    scheme: SchemeOption,
    version: Annotated[int | None, typer.Option(help="Its newest, if not said.")] = None,
) -> None:
    """Print a version of a scheme, to be imported again."""
    import msgspec

    from chalicelib.loyalty.schemes import service  # As above.

    found = service.get_scheme(scheme, version=version, now=clock.now())
    typer.echo(msgspec.json.format(msgspec.json.encode(found.shape), indent=2).decode())
    marks = service.list_versions(scheme, now=clock.now())
    said = ", ".join(f"{mark.version} from {to_text(mark.starts_at)}" for mark in marks)
    say(f"Version {found.scheme.version} of {said}.")


@app.command()
def end_scheme(*, scheme: SchemeOption, at: Annotated[str | None, AT] = None) -> None:
    """End a scheme: what is sold later earns nothing."""
    from chalicelib.kernel.times import parse_instant
    from chalicelib.loyalty.schemes import service  # As above.

    now = clock.now()
    when = now if at is None else parse_instant(at, field="at")
    say(f"{scheme} ends {_end(service.end_scheme(scheme, at=when, now=now))}.")


def _end(at: datetime | None) -> str:
    return to_text(at) if at is not None else ""
