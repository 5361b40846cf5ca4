"""Campaigns: table `network`, each in its retailer's partition, and once more while it is open.

    retailer#<retailer id>  campaign#<campaign id>           the campaign, whatever its stage
    campaigns               <retailer id>#<campaign id>      the same while it may reward anybody

Both are written in one transaction. The second partition is what awarding (by retailer) and the
listing of offers (all of it) read, remembered for under a minute by each process.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any, get_type_hints

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import RetailerId
from chalicelib.loyalty.rules import (
    ExtraUnits,
    FixedCashback,
    FreeText,
    ItemPrice,
    PercentCashback,
)
from chalicelib.offers.audiences.model import (
    Area,
    Audience,
    CategoryBuyer,
    Frequent,
    Lapsed,
    Nearby,
    New,
    SpendBand,
)
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.runtime import rows
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose

OPEN_MAX = 1_000  # All are read at once; beyond that they have to be sorted by place first.
PER_RETAILER_MAX = 500
_OPEN = "campaigns"
_CONFIGURATION = Kept(Category.CONFIGURATION, Purpose.SERVICE_OPERATION, Erasure.KEEP)
_REWARDS = (FixedCashback, PercentCashback, ItemPrice, FreeText, ExtraUnits)
_CRITERIA = (New, Lapsed, Frequent, CategoryBuyer, SpendBand, Area, Nearby)
_KIND = "kind"


class CampaignRow(rows.Row):
    """A campaign, as JSON."""

    Meta = rows.table_meta("network")
    privacy = {"document": _CONFIGURATION, "version": _CONFIGURATION}
    retention = CONFIGURED

    document = UnicodeAttribute()
    version = NumberAttribute()


def find_campaign(retailer_id: RetailerId, campaign_id: str, *, now: datetime) -> Campaign | None:
    """The retailer's campaign of this id, or None."""
    row = rows.find(CampaignRow, _pk(retailer_id), _sk(campaign_id), now=now)
    return None if row is None else _to_campaign(row)


def list_of_retailer(retailer_id: RetailerId, *, now: datetime) -> tuple[Campaign, ...]:
    """All campaigns of the retailer, in order of id, at most 500."""
    found = rows.list_prefixed(
        CampaignRow, _pk(retailer_id), "campaign#", now=now, limit=PER_RETAILER_MAX
    )
    return tuple(_to_campaign(row) for row in found)


def list_open(retailer_id: RetailerId | None, *, now: datetime) -> tuple[Campaign, ...]:
    """The campaigns that may reward somebody: of the retailer, or with None everybody's."""
    prefix = "" if retailer_id is None else f"{retailer_id}#"
    found = rows.list_prefixed(
        CampaignRow, _OPEN, prefix, now=now, limit=OPEN_MAX, consistent=False
    )
    return tuple(_to_campaign(row) for row in found)


def record_campaign(campaign: Campaign, *, after_version: int, is_open: bool) -> bool:
    """Write `campaign` over `after_version` (0: where there is none); False where it changed."""
    key = (_pk(campaign.retailer_id), _sk(campaign.campaign_id))
    open_key = (_OPEN, f"{campaign.retailer_id}#{campaign.campaign_id}")
    document = _encode(campaign)
    row = CampaignRow(*key, document=document, version=campaign.version)
    unchanged = (
        CampaignRow.version == after_version if after_version else CampaignRow.pk.does_not_exist()
    )
    lean = _encode(replace(campaign, written=""))  # What the road does not need is not read on it.
    listed = CampaignRow(*open_key, document=lean, version=campaign.version)
    written = [(row, unchanged), *([(listed, None)] if is_open else [])]
    try:
        rows.put_together(written, () if is_open else (listed,))
    except rows.ConditionFailed:
        return False
    return True


def _pk(retailer_id: RetailerId) -> str:
    return f"retailer#{retailer_id}"


def _sk(campaign_id: str) -> str:
    return f"campaign#{campaign_id}"


def _encode(campaign: Campaign) -> str:
    return msgspec.json.encode(_plain(campaign), enc_hook=_fraction_text).decode()


def _plain(campaign: Campaign) -> dict[str, Any]:
    document = {field.name: getattr(campaign, field.name) for field in fields(campaign)}
    document["reward"] = _tagged(campaign.reward)
    document["audience"] = [_tagged(one) for one in campaign.audience.criteria]
    return document


def _tagged(value: Any) -> dict[str, Any]:
    held = {field.name: getattr(value, field.name) for field in fields(value)}
    return {_KIND: type(value).__name__, **held}


def _to_campaign(row: CampaignRow) -> Campaign:
    """The row's campaign; fields of a later release are passed over, missing ones are defaults."""
    document: dict[str, Any] = msgspec.json.decode(row.document)
    special: Mapping[str, Callable[[Any], Any]] = {
        "reward": lambda value: _untagged(value, _REWARDS),
        "audience": lambda value: Audience(tuple(_untagged(one, _CRITERIA) for one in value)),
    }
    read = {
        name: special[name](document[name]) if name in special else _convert(document[name], hint)
        for name, hint in _hints().items()
        if name in document
    }
    return Campaign(**read)


@lru_cache(maxsize=1)
def _hints() -> dict[str, Any]:
    return get_type_hints(Campaign)


def _untagged(value: dict[str, Any], kinds: tuple[type, ...]) -> Any:
    kind = next(one for one in kinds if one.__name__ == value[_KIND])
    return _convert({name: held for name, held in value.items() if name != _KIND}, kind)


def _convert(value: Any, as_type: Any) -> Any:
    return msgspec.convert(value, as_type, strict=False, dec_hook=_fraction)


# Of both hooks msgspec wants this very error for a type that they do not know.
def _fraction_text(value: Any) -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    raise NotImplementedError(type(value).__name__)


def _fraction(as_type: type, value: Any) -> Any:
    if as_type is Fraction:
        return Fraction(value)
    raise NotImplementedError(as_type.__name__)
