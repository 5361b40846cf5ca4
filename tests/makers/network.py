"""Makers of participants: invented banks, brands and shops."""

from chalicelib.kernel.ids import ConnectionId, RetailerId, StoreId
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import Connection, Provider, Retailer, RetailerStatus, Store

BANK = ConnectionId("harbour-bank")
OTHER_BANK = ConnectionId("meadow-bank")
CARD_NETWORK = ConnectionId("card-network")
BAKERY = RetailerId("crumb-and-kettle")
CINEMA = RetailerId("lantern-cinema")


def make_connection(connection_id: str = BANK, **changes: object) -> Connection:
    """A bank that speaks our own format."""
    defaults = {
        "connection_id": ConnectionId(connection_id),
        "programme": "FLUX",
        "provider": Provider.STANDARD,
        "name": "Harbour Bank",
        "hook": f"hook-of-{connection_id}",
    }
    return Connection(**{**defaults, **changes})  # type: ignore[arg-type]


def make_retailer(
    retailer_id: str = BAKERY, status: RetailerStatus = RetailerStatus.LIVE
) -> Retailer:
    """A chain of bakeries."""
    return Retailer(RetailerId(retailer_id), "Crumb & Kettle", status)


def make_store(store_id: str, retailer_id: str = BAKERY, reference: str = "") -> Store:
    """A shop in London, with its number in the retailer's books."""
    return Store(
        StoreId(store_id),
        RetailerId(retailer_id),
        reference or store_id,
        "Crumb & Kettle Wharf Lane",
        "Europe/London",
    )


def mid(value: str) -> Identifier:
    """A merchant id."""
    return Identifier(IdentifierKind.MID, value)


def tid(value: str) -> Identifier:
    """A terminal id."""
    return Identifier(IdentifierKind.TID, value)


def narrative(value: str) -> Identifier:
    """A line on a statement."""
    return Identifier(IdentifierKind.NARRATIVE, value)
