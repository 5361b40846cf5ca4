"""Retailers and their stores: added, listed, changed."""

from typing import Annotated

import typer

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.network.model import RetailerStatus
from chalicelib.runtime import clock
from infra.cli.terminal import say, show, subject

app = subject()

RetailerOption = Annotated[str, typer.Option("--retailer", help="The retailer's id.")]
StoreOption = Annotated[str, typer.Option("--store", help="The store's id.")]
Identifiers = Annotated[
    list[str] | None,
    typer.Option("--identifier", help="KIND=VALUE by which banks name it: mid=MT0012, tid=…"),
]


@app.command()
def add_retailer(
    *,
    retailer: RetailerOption,
    name: Annotated[str, typer.Option(help="The brand, as people read it.")],
    status: RetailerStatus = RetailerStatus.LIVE,
    vat_number: Annotated[str, typer.Option(help="For receipts that carry none.")] = "",
    website: str = "",
    return_days: Annotated[int, typer.Option(min=0, help="Its usual return period.")] = 30,
) -> None:
    """Add a brand whose shops give receipts."""
    from chalicelib.network.model import Retailer
    from infra.operating import participants  # Stores need a stage; the help does not.

    new = Retailer(
        RetailerId(retailer),
        name,
        status,
        vat_number=vat_number,
        website=website,
        return_days=return_days,
    )
    participants.add_retailer(new, now=clock.now())
    say(f"{retailer} takes part ({status.value}).")


@app.command()
def change_retailer(
    *,
    retailer: RetailerOption,
    name: Annotated[str | None, typer.Option(help="The brand.")] = None,
    status: Annotated[
        RetailerStatus | None, typer.Option(help="`ended`: nothing of it is taken any more.")
    ] = None,
    vat_number: str | None = None,
    website: str | None = None,
    return_days: Annotated[int | None, typer.Option(min=0)] = None,
) -> None:
    """Change what is given of a retailer."""
    from infra.operating import participants  # As above.

    given = {
        "name": name,
        "status": status,
        "vat_number": vat_number,
        "website": website,
        "return_days": return_days,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    participants.change_retailer(RetailerId(retailer), changes, now=clock.now())
    say(f"{retailer} is changed: {', '.join(sorted(changes))}.")


@app.command()
def list_retailers() -> None:
    """Show every retailer."""
    from chalicelib.network import service as network  # As above.

    found = network.list_retailers(now=clock.now())
    show(
        ("id", "name", "status", "returns"),
        [(r.retailer_id, r.name, r.status.value, f"{r.return_days} days") for r in found],
    )
    say(f"{len(found)} retailers.")


@app.command()
def add_store(
    *,
    store: StoreOption,
    retailer: RetailerOption,
    reference: Annotated[str, typer.Option(help="Its number in the retailer's books.")],
    name: Annotated[str, typer.Option(help="As receipts name it.")],
    zone: Annotated[str, typer.Option(help="IANA time zone: Europe/London.")],
    identifier: Identifiers = None,
    address: str = "",
    postcode: str = "",
    phone: str = "",
    online: Annotated[bool, typer.Option(help="A web shop.")] = False,
    receipts_within_seconds: Annotated[
        int, typer.Option(min=1, help="How long its receipts may take to come.")
    ] = 30,
    page_span_minutes: Annotated[int, typer.Option(min=1, help="Less for busy web shops.")] = 30,
) -> None:
    """Add a shop of a retailer, with the names by which banks and tills know it."""
    from chalicelib.network.model import Store
    from infra.operating import participants  # As above.

    new = Store(
        StoreId(store),
        RetailerId(retailer),
        reference,
        name,
        zone,
        address=address,
        postcode=postcode,
        phone=phone,
        online=online,
        receipts_within_seconds=receipts_within_seconds,
        page_span_minutes=page_span_minutes,
    )
    participants.add_store(new, participants.identifiers(identifier or ()), now=clock.now())
    say(f"{store} takes part.")


@app.command()
def change_store(
    *,
    store: StoreOption,
    identifier: Identifiers = None,
    reference: str | None = None,
    name: str | None = None,
    zone: str | None = None,
    address: str | None = None,
    postcode: str | None = None,
    phone: str | None = None,
    receipts_within_seconds: Annotated[int | None, typer.Option(min=1)] = None,
    page_span_minutes: Annotated[int | None, typer.Option(min=1)] = None,
) -> None:
    """Change what is given of a store. With --identifier it is found by those alone."""
    from infra.operating import participants  # As above.

    given = {
        "reference": reference,
        "name": name,
        "zone": zone,
        "address": address,
        "postcode": postcode,
        "phone": phone,
        "receipts_within_seconds": receipts_within_seconds,
        "page_span_minutes": page_span_minutes,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    named = participants.identifiers(identifier or ())
    kept = participants.change_store(StoreId(store), changes, named, now=clock.now())
    say(f"{store} is changed. It is found by:")
    for one in kept:
        typer.echo(f"{one.kind.value}={one.value}")


@app.command()
def list_stores(*, retailer: RetailerOption) -> None:
    """Show every store of a retailer."""
    from chalicelib.network import service as network  # As above.

    now = clock.now()
    network.get_retailer(RetailerId(retailer), now=now)
    found = network.list_stores(RetailerId(retailer), now=now)
    show(
        ("id", "reference", "name", "zone", "online"),
        [(s.store_id, s.reference, s.name, s.zone, "yes" if s.online else "") for s in found],
    )
    say(f"{len(found)} stores.")
