"""Where receipts come from: for everybody, without a login (RCP-18)."""

import msgspec
from chalice import Blueprint

from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import NotFound
from chalicelib.network import service as network
from chalicelib.network.model import Retailer, RetailerStatus, Store
from chalicelib.network.programmes import Service
from chalicelib.runtime import clock

_KEPT = {"Cache-Control": "public, max-age=300"}

bp = Blueprint(__name__)


class RetailerAnswer(msgspec.Struct, omit_defaults=True):
    """A brand whose shops give receipts. `channels` are `in_store` and `online`."""

    id: str
    name: str
    channels: list[str]
    services: list[str]
    website: str | None = None


class RetailersAnswer(msgspec.Struct):
    """Every brand that gives receipts now."""

    retailers: list[RetailerAnswer]


class StoreAnswer(msgspec.Struct, omit_defaults=True):
    """A shop that gives receipts."""

    id: str
    name: str
    channel: str
    address: str | None = None
    postcode: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class StoresAnswer(msgspec.Struct):
    """A brand's shops."""

    stores: list[StoreAnswer]


@operation(
    bp,
    "GET",
    "/v1/retailers",
    summary="List the brands that give receipts",
    answers={200: RetailersAnswer},
    tags=("coverage",),
)
def list_retailers(_request: Inbound) -> Answer:
    """Every brand that gives receipts now, with its channels and services."""
    live = [one for one in network.list_retailers(now=clock.now()) if _is_live(one)]
    return Answer(RetailersAnswer([_to_retailer(one) for one in live]), headers=_KEPT)


@operation(
    bp,
    "GET",
    "/v1/retailers/{retailer}/stores",
    summary="List a brand's shops that give receipts",
    answers={200: StoresAnswer, 404: Problem},
    tags=("coverage",),
)
def list_stores(request: Inbound) -> Answer:
    """The brand's shops, at most 5,000."""
    now = clock.now()
    retailer = network.get_retailer(RetailerId(request.parameters["retailer"]), now=now)
    if not _is_live(retailer):
        raise NotFound("there is no such retailer")
    stores = network.list_stores(retailer.retailer_id, now=now)
    return Answer(StoresAnswer([_to_store(one) for one in stores]), headers=_KEPT)


def _is_live(retailer: Retailer) -> bool:
    return retailer.status is RetailerStatus.LIVE


def _to_retailer(retailer: Retailer) -> RetailerAnswer:
    return RetailerAnswer(
        id=retailer.retailer_id,
        name=retailer.name,
        channels=list(retailer.channels),
        services=[Service.RECEIPTS.value],
        website=retailer.website or None,
    )


def _to_store(store: Store) -> StoreAnswer:
    return StoreAnswer(
        id=store.store_id,
        name=store.name,
        channel="online" if store.online else "in_store",
        address=store.address or None,
        postcode=store.postcode or None,
        latitude=store.latitude,
        longitude=store.longitude,
    )
