"""What a member got of offers so long ago that it is not on their rows any more."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.loyalty.sale import Sale
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.participation import store
from chalicelib.offers.participation.archiving import bring_back, left_in, may_be_past
from chalicelib.offers.participation.model import Participation, Redemption
from chalicelib.runtime import vault


def recall(
    held: dict[str, Participation],
    open_by_id: Mapping[str, Campaign],
    sale: Sale,
    member_id: MemberId,
    key: vault.SealingKey,
    *,
    now: datetime,
) -> dict[str, tuple[Redemption, ...]]:
    """Put what `sale` got long ago back into `held`; returns by campaign what else is in the past.

    The history is read only where the sale is so late that it may be there.
    """
    past = {}
    for campaign_id, before in held.items():
        if not may_be_past(before, sale.sold_at, open_by_id.get(campaign_id)):
            continue
        pages = store.list_pages(member_id, before, key=key, now=now)
        held[campaign_id] = bring_back(before, pages, sale.purchase_id)
        past[campaign_id] = left_in(held[campaign_id], pages)
    return past
