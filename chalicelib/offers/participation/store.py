"""Participation: table `wallets`, in the member's partition, under the member's key.

    <member id>  offer#<retailer id>#<campaign id>   the member in the campaign

What a purchase may change is found by one read of the rows of its retailer. A row is written only
over the version it was read in.
"""

from dataclasses import replace
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.offers.participation.model import Participation
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

READ_MAX = 200  # Campaigns that one member took part in; of one retailer a few.

_SEALED = Kept(
    Category.TRANSACTION,
    Purpose.OFFERS,
    Erasure.SHRED,
    encrypted=True,
    holds={
        "campaign_id": Category.CONFIGURATION,
        "retailer_id": Category.CONFIGURATION,
        "currency": Category.CONFIGURATION,
        "ends_at": Category.CONFIGURATION,
        "activated_at": Category.CONSENT,
        "redemptions": Category.TRANSACTION,
        "version": Category.OPERATION,
    },
)

OFFERS = Retention(
    name="offers_taken",
    reason="Which offers you took is kept while you are a member; when you leave, thirty days.",
    ended_by="leaving, and thirty days",
)


class OfferRow(rows.Row):
    """A member in a campaign."""

    Meta = rows.table_meta("wallets")
    privacy = {
        "version": Kept(Category.OPERATION, Purpose.OFFERS, Erasure.DELETE),
        "sealed": _SEALED,
    }
    retention = OFFERS

    version = NumberAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


def list_participations(
    member_id: MemberId, retailer_id: RetailerId | None, *, key: vault.SealingKey, now: datetime
) -> dict[str, Participation]:
    """The member's rows by campaign: of the retailer's campaigns, or with None of all."""
    prefix = "offer#" if retailer_id is None else f"offer#{retailer_id}#"
    found = rows.list_prefixed(OfferRow, member_id, prefix, now=now, limit=READ_MAX)
    read = (_to_participation(row, key) for row in found)
    return {one.campaign_id: one for one in read}


def find_participation(
    member_id: MemberId,
    retailer_id: RetailerId,
    campaign_id: str,
    *,
    key: vault.SealingKey,
    now: datetime,
) -> Participation | None:
    """The member's row of the campaign, or None."""
    row = rows.find(OfferRow, member_id, _sk(retailer_id, campaign_id), now=now)
    return None if row is None else _to_participation(row, key)


def record_participation(
    member_id: MemberId, changed: Participation, *, key: vault.SealingKey
) -> bool:
    """Write `changed` over the version that it was made of; False where that changed meanwhile.

    The row then has the version after that one.
    """
    row = OfferRow(
        member_id, _sk(changed.retailer_id, changed.campaign_id), version=changed.version + 1
    )
    row.sealed = vault.seal(changed, key=key, place=f"{row.pk}|{row.sk}", kept=_SEALED)
    is_first = changed.version == 0
    unchanged = OfferRow.pk.does_not_exist() if is_first else OfferRow.version == changed.version
    try:
        rows.put(row, condition=unchanged)
    except rows.ConditionFailed:
        return False
    return True


def end_retention(member_id: MemberId, *, left_at: datetime, now: datetime) -> int:
    """Put the rows of a member who left on their last clock; returns how many it changed."""
    until = rows.epoch(left_at + KEPT_AFTER_LEAVING)
    changed, after = 0, "offer#"
    while found := rows.list_between(OfferRow, member_id, after, "offer#~", now=now):
        for row in found:
            if row.expires_at is None:
                rows.update(row, [OfferRow.expires_at.set(until)])
                changed += 1
        after = found[-1].sk + "~"  # Just behind the last one: `~` sorts after every id.
    return changed


def _to_participation(row: OfferRow, key: vault.SealingKey) -> Participation:
    opened = vault.open_sealed(row.sealed, Participation, key=key, place=f"{row.pk}|{row.sk}")
    return replace(opened, version=int(row.version))


def _sk(retailer_id: RetailerId, campaign_id: str) -> str:
    return f"offer#{retailer_id}#{campaign_id}"
