"""A member's history, read when an offer asks for it: for those who switched offers on, only.

Nothing of it is kept. A year of purchases costs a few read units, which is less than keeping a
profile up to date with every purchase would (docs/decisions/0070).
"""

from datetime import datetime, timedelta

from chalicelib.kernel.ids import StoreId
from chalicelib.kernel.refusals import NotAllowed, NotFound
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.programmes import Service
from chalicelib.offers.audiences.history import (
    Visit,
    by_receipt,
    district_of_postcode,
    visits_of,
)
from chalicelib.purchases import store as purchases
from chalicelib.runtime import observability, vault


class NotSwitchedOn(NotAllowed):
    """A bug: somebody's history was asked for who has not switched offers on. None was read."""

    code = "offers_not_switched_on"


def list_visits(
    member: Member, *, key: vault.SealingKey, days: int, before: datetime, now: datetime
) -> tuple[Visit, ...]:
    """The member's visits of the last `days` before `before`, newest first, one for each
    receipt.

    :raises NotSwitchedOn: the member does not want offers.
    """
    if Service.OFFERS not in member.services:
        raise NotSwitchedOn("the member has not switched offers on")
    observability.count("audiences_computed")
    since = before - timedelta(days=days)
    found = purchases.list_purchases(member.member_id, key=key, since=since, until=before, now=now)
    newest = list(reversed(found))
    return by_receipt(visits_of(newest, lambda store_id: district_of(store_id, now=now)))


def district_of(store_id: StoreId, *, now: datetime) -> str:
    """The district that the store stands in; empty for a web shop, or one that is gone."""
    try:
        store = network.get_store(store_id, now=now)
    except NotFound:
        return ""
    return "" if store.online else district_of_postcode(store.postcode)
