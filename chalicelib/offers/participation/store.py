"""Participation: table `wallets`, in the member's partition, under the member's key.

    <member id>  offer#<retailer id>#<campaign id>              the member in the campaign
    <member id>  offerpast#<retailer id>#<campaign id>#<page>   old redemptions of it

What a purchase may change is found by one read of the rows of its retailer. A row is written only
over the version it was read in. A page is written together with the row that counts it, or not.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from pynamodb.attributes import BinaryAttribute, NumberAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.offers.participation.archiving import PAGES_MAX, Page
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
        "history": Category.TRANSACTION,
    },
)
_PAGE_SEALED = Kept(
    Category.TRANSACTION,
    Purpose.OFFERS,
    Erasure.SHRED,
    encrypted=True,
    holds={"number": Category.OPERATION, "redemptions": Category.TRANSACTION},
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


class OfferPageRow(rows.Row):
    """Old redemptions of a member in a campaign. It is written once."""

    Meta = rows.table_meta("wallets")
    privacy = {"sealed": _PAGE_SEALED}
    retention = OFFERS

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
    member_id: MemberId,
    changed: Participation,
    *,
    key: vault.SealingKey,
    beside: Sequence[tuple[rows.Row, Sequence[Action]]] = (),
) -> bool:
    """Write `changed` over the version that it was made of; False where that changed meanwhile.

    The row then has the version after that one. What is `beside` changes with it, or nothing does.
    :raises TryAgain: somebody else is writing something of it.
    """
    row, unchanged = _row(member_id, changed, key)
    write = partial(rows.put, row, condition=unchanged)
    if beside:
        counted = [(*one, None) for one in beside]
        write = partial(rows.put_together, [(row, unchanged)], updated=counted)
    try:
        write()
    except rows.ConditionFailed:
        return False
    return True


def record_moved(
    member_id: MemberId, changed: Participation, page: Page, *, key: vault.SealingKey
) -> bool:
    """As `record_participation`, together with the page that some of its redemptions moved to.

    :raises TryAgain: somebody else is writing one of the two.
    """
    row, unchanged = _row(member_id, changed, key)
    moved = OfferPageRow(member_id, f"{_past(changed)}{page.number:04}")
    moved.sealed = vault.seal(page, key=key, place=f"{moved.pk}|{moved.sk}", kept=_PAGE_SEALED)
    try:
        rows.put_together([(row, unchanged), (moved, OfferPageRow.pk.does_not_exist())])
    except rows.ConditionFailed:
        return False
    return True


def list_pages(
    member_id: MemberId, participation: Participation, *, key: vault.SealingKey, now: datetime
) -> tuple[Page, ...]:
    """The history of the member in the campaign, oldest page first."""
    found = rows.list_prefixed(
        OfferPageRow, member_id, _past(participation), now=now, limit=PAGES_MAX
    )
    return tuple(
        vault.open_sealed(row.sealed, Page, key=key, place=f"{row.pk}|{row.sk}") for row in found
    )


def end_retention(member_id: MemberId, *, left_at: datetime, now: datetime) -> int:
    """Put the rows of a member who left on their last clock; returns how many it changed."""
    until = rows.epoch(left_at + KEPT_AFTER_LEAVING)
    kinds: tuple[tuple[type[OfferRow] | type[OfferPageRow], str], ...]
    kinds = ((OfferRow, "offer#"), (OfferPageRow, "offerpast#"))
    return sum(_end_kind(kind, member_id, prefix, until, now=now) for kind, prefix in kinds)


def _end_kind(
    kind: type[OfferRow] | type[OfferPageRow],
    member_id: MemberId,
    prefix: str,
    until: int,
    *,
    now: datetime,
) -> int:
    changed, after = 0, prefix
    while found := rows.list_between(kind, member_id, after, f"{prefix}~", now=now):
        for row in found:
            if row.expires_at is None:
                rows.update(row, [kind.expires_at.set(until)])
                changed += 1
        after = found[-1].sk + "~"  # Just behind the last one: `~` sorts after every id.
    return changed


def _row(
    member_id: MemberId, changed: Participation, key: vault.SealingKey
) -> tuple[OfferRow, Condition]:
    """The row of `changed`, and what has to hold of the one that it takes the place of."""
    row = OfferRow(
        member_id, _sk(changed.retailer_id, changed.campaign_id), version=changed.version + 1
    )
    row.sealed = vault.seal(changed, key=key, place=f"{row.pk}|{row.sk}", kept=_SEALED)
    is_first = changed.version == 0
    return row, OfferRow.pk.does_not_exist() if is_first else OfferRow.version == changed.version


def _past(participation: Participation) -> str:
    return f"offerpast#{participation.retailer_id}#{participation.campaign_id}#"


def _to_participation(row: OfferRow, key: vault.SealingKey) -> Participation:
    opened = vault.open_sealed(row.sealed, Participation, key=key, place=f"{row.pk}|{row.sk}")
    return replace(opened, version=int(row.version))


def _sk(retailer_id: RetailerId, campaign_id: str) -> str:
    return f"offer#{retailer_id}#{campaign_id}"
