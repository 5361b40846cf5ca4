"""Retailers and their stores: added, listed, changed."""

from typing import Annotated

import typer

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.network.model import RetailerStatus
from chalicelib.runtime import clock
from infra.cli.terminal import given, say, show, subject

app = subject()

RetailerOption = Annotated[str, typer.Option("--retailer", help="The retailer's id.")]
StoreOption = Annotated[str, typer.Option("--store", help="The store's id.")]
Identifiers = Annotated[
    list[str] | None,
    typer.Option(
        "--identifier", metavar="KIND=VALUE", help="A name that banks give it: mid=MT0012."
    ),
]

STATUS = typer.Option(help="`ended`: nothing of it is taken any more.")
BRAND = typer.Option(help="The brand, as people read it.")
VAT_NUMBER = typer.Option(help="For receipts that carry none.")
WEBSITE = typer.Option(help="Where its customers find it.")
GROUP = typer.Option(help="Brands of one group take back each other's goods.")
RETURN_DAYS = typer.Option(min=0, help="Its usual return period.")
REFERENCE = typer.Option(help="Its number in the retailer's books.")
NAME = typer.Option(help="As receipts name it.")
ZONE = typer.Option(help="IANA time zone: Europe/London.")
ADDRESS = typer.Option(help="As receipts give it, in one line.")
POSTCODE = typer.Option(help="As receipts give it.")
PLACE = typer.Option(metavar="NORTH,EAST", help="Where it stands, in degrees: 53.7974,-1.5438.")
PHONE = typer.Option(help="As receipts give it.")
RECEIPTS_WITHIN = typer.Option(min=1, help="How long its receipts may take.", metavar="N")
LATE_RECEIPTS = typer.Option(
    min=1, max=7, help="How many days a till without a line may keep them.", metavar="N"
)
PAGE_SPAN = typer.Option(min=1, help="Less for busy web shops.", metavar="N")


@app.command()
def add_retailer(
    *,
    retailer: RetailerOption,
    name: Annotated[str, BRAND],
    status: Annotated[RetailerStatus, STATUS] = RetailerStatus.LIVE,
    vat_number: Annotated[str, VAT_NUMBER] = "",
    website: Annotated[str, WEBSITE] = "",
    return_days: Annotated[int, RETURN_DAYS] = 30,
    group: Annotated[str, GROUP] = "",
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
        group=group,
    )
    participants.add_retailer(new, now=clock.now())
    say(f"{retailer} takes part ({status.value}).")


@app.command()
def change_retailer(
    *,
    retailer: RetailerOption,
    name: Annotated[str | None, BRAND] = None,
    status: Annotated[RetailerStatus | None, STATUS] = None,
    vat_number: Annotated[str | None, VAT_NUMBER] = None,
    website: Annotated[str | None, WEBSITE] = None,
    return_days: Annotated[int | None, RETURN_DAYS] = None,
    group: Annotated[str | None, GROUP] = None,
) -> None:
    """Change what is given of a retailer."""
    from infra.operating import participants  # As above.

    changes = given(
        name=name,
        status=status,
        vat_number=vat_number,
        website=website,
        return_days=return_days,
        group=group,
    )
    participants.change_retailer(RetailerId(retailer), changes, now=clock.now())
    say(f"{retailer} is changed: {', '.join(sorted(changes))}.")


@app.command()
def list_retailers() -> None:
    """List the retailers."""
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
    reference: Annotated[str, REFERENCE],
    name: Annotated[str, NAME],
    zone: Annotated[str, ZONE],
    identifier: Identifiers = None,
    address: Annotated[str, ADDRESS] = "",
    postcode: Annotated[str, POSTCODE] = "",
    place: Annotated[str | None, PLACE] = None,
    phone: Annotated[str, PHONE] = "",
    online: Annotated[bool, typer.Option("--online", help="A web shop.")] = False,
    receipts_within_seconds: Annotated[int, RECEIPTS_WITHIN] = 30,
    page_span_minutes: Annotated[int, PAGE_SPAN] = 30,
) -> None:
    """Add a shop of a retailer.

    With the names by which banks and tills know it.
    """
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
        **participants.standing(place) if place else {},
    )
    participants.add_store(new, participants.identifiers(identifier or ()), now=clock.now())
    say(f"{store} takes part.")
    _warn_of_sharing(new.store_id)


@app.command()
def change_store(
    *,
    store: StoreOption,
    identifier: Identifiers = None,
    reference: Annotated[str | None, REFERENCE] = None,
    name: Annotated[str | None, NAME] = None,
    zone: Annotated[str | None, ZONE] = None,
    address: Annotated[str | None, ADDRESS] = None,
    postcode: Annotated[str | None, POSTCODE] = None,
    place: Annotated[str | None, PLACE] = None,
    phone: Annotated[str | None, PHONE] = None,
    receipts_within_seconds: Annotated[int | None, RECEIPTS_WITHIN] = None,
    late_receipts_days: Annotated[int | None, LATE_RECEIPTS] = None,
    page_span_minutes: Annotated[int | None, PAGE_SPAN] = None,
) -> None:
    """Change what is given of a store.

    With identifiers it is found by those and no others; without, by those that it has.
    """
    from infra.operating import participants  # As above.

    changes = given(
        reference=reference,
        name=name,
        zone=zone,
        address=address,
        postcode=postcode,
        phone=phone,
        receipts_within_seconds=receipts_within_seconds,
        late_receipts_days=late_receipts_days,
        page_span_minutes=page_span_minutes,
    )
    changes |= participants.standing(place) if place else {}
    named = participants.identifiers(identifier or ())
    kept = participants.change_store(StoreId(store), changes, named, now=clock.now())
    say(f"{store} is changed. It is found by:")
    for one in kept:
        typer.echo(f"{one.kind.value}={one.value}")
    _warn_of_sharing(StoreId(store))


def _warn_of_sharing(store_id: StoreId) -> None:
    """A chain may have one MID for all its stores; or a MID is another store's by mistake."""
    from infra.operating import participants  # As above.

    for one, others in participants.sharing(store_id, now=clock.now()).items():
        stores = ", ".join(other.store_id for other in others)
        say(
            f"Warning: mid={one.value} is that of {stores} too. From now on a receipt that names "
            "its store by this MID alone is refused (unknown_store), and a payment with it may be "
            "of either. If that is meant, let the tills send `store`; else change it back."
        )


@app.command()
def list_stores(*, retailer: RetailerOption) -> None:
    """List the stores of a retailer."""
    from chalicelib.network import service as network  # As above.

    now = clock.now()
    network.get_retailer(RetailerId(retailer), now=now)
    found = network.list_stores(RetailerId(retailer), now=now)
    show(
        ("id", "reference", "name", "zone", "online"),
        [(s.store_id, s.reference, s.name, s.zone, "yes" if s.online else "") for s in found],
    )
    say(f"{len(found)} stores.")
