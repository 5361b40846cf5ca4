"""What is tried: a campaign or a scheme as its retailer writes it, moved into the past."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import msgspec

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.times import to_text
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.loyalty.schemes.reading import Reader, Surroundings
from chalicelib.offers.campaigns import checking
from chalicelib.offers.campaigns.model import Campaign, Status
from chalicelib.offers.campaigns.public_shapes import CampaignShape
from chalicelib.offers.campaigns.reading import read_campaign
from chalicelib.runtime import wire

REFERENCE = "draft"

D = TypeVar("D", CampaignShape, SchemeShape)


@dataclass(frozen=True, slots=True)
class Period:
    """[since, until) of the sales that the draft is tried on."""

    since: datetime
    until: datetime


def read_draft(
    raw: bytes,
    retailer_id: RetailerId,
    period: Period,
    *,
    store_ids: Mapping[str, StoreId] | None = None,
) -> Campaign | Scheme:
    """The draft that `raw` writes, as if it had run in `period`.

    `store_ids` are the retailer's, by its own numbers; None: stores go by those numbers.

    :raises Rejected: it is no JSON, neither a campaign nor a scheme, or could never run.
    """
    given = wire.read_json(raw)
    if isinstance(given, dict) and "rules" in given:
        return _scheme(wire.convert_document(given, SchemeShape), retailer_id, period, store_ids)
    return _campaign(wire.convert_document(given, CampaignShape), retailer_id, period, store_ids)


def _campaign(
    given: CampaignShape,
    retailer_id: RetailerId,
    period: Period,
    store_ids: Mapping[str, StoreId] | None,
) -> Campaign:
    campaign = read_campaign(
        _moved(given, period),
        retailer_id=retailer_id,
        reference=REFERENCE,
        store_ids=_own_names(given.condition.stores) if store_ids is None else store_ids,
        now=period.since,
    )
    checking.check(campaign, now=period.since)
    return replace(campaign, status=Status.SCHEDULED)


def _scheme(
    given: SchemeShape,
    retailer_id: RetailerId,
    period: Period,
    store_ids: Mapping[str, StoreId] | None,
) -> Scheme:
    if store_ids is None:
        store_ids = _own_names(name for rule in given.rules for name in rule.when.stores)
    around = Surroundings(REFERENCE, 1, retailer_id, store_ids, period.since)
    reader = Reader(around)
    scheme = reader.scheme(_moved(given, period))
    if reader.problems:
        raise reader.problems[0]
    return scheme


def _moved(given: D, period: Period) -> D:
    return msgspec.structs.replace(
        given, starts_at=to_text(period.since), ends_at=to_text(period.until)
    )


def _own_names(stores: Iterable[str]) -> dict[str, StoreId]:
    return {name: StoreId(name) for name in stores}
