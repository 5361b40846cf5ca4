"""Whether a purchase gets an offer by itself: by its lines, and by its member's audience."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.loyalty.sale import Sale
from chalicelib.members.model import Member
from chalicelib.offers.audiences import service as audiences
from chalicelib.offers.audiences.meeting import Asked, find_reasons
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.deciding import NotWon, OfferWhy, Worth, judge
from chalicelib.offers.participation.model import Participation, Redemption
from chalicelib.runtime import vault


class Audiences:
    """Whether the member is of a campaign's audience, by a history that is read at most once.

    `past` are the member's redemptions that are in the history alone, by campaign.
    """

    def __init__(
        self,
        sale: Sale,
        member: Member,
        key: vault.SealingKey,
        past: Mapping[str, tuple[Redemption, ...]],
        *,
        now: datetime,
    ) -> None:
        self._sale, self._member, self._key, self._now = sale, member, key, now
        self._past = past
        self._is_of: dict[str, bool] = {}

    def judge(self, campaign: Campaign, participation: Participation | None) -> Worth | NotWon:
        """As `deciding.judge`, and asking for the audience where nothing else is in the way."""
        past = self._past.get(campaign.campaign_id, ())
        judged = judge(campaign, self._sale, participation, past)
        if isinstance(judged, NotWon) or self._is_met(campaign):
            return judged
        return NotWon(campaign.campaign_id, OfferWhy.NOT_IN_AUDIENCE.value)

    def _is_met(self, campaign: Campaign) -> bool:
        """Whoever switched an offer on was of its audience then, and that counts."""
        if campaign.needs_activation or campaign.audience.is_everybody:
            return True
        if campaign.campaign_id not in self._is_of:
            self._is_of[campaign.campaign_id] = self._ask(campaign)
        return self._is_of[campaign.campaign_id]

    def _ask(self, campaign: Campaign) -> bool:
        sale = self._sale
        visits = audiences.list_visits(
            self._member,
            key=self._key,
            days=campaign.audience.looks_back_days,
            before=sale.sold_at,
            now=self._now,
        )
        others = [one for one in visits if one.receipt_id != sale.receipt_id]
        asked = Asked(campaign.retailer_id, "", campaign.currency, sale.sold_at)
        return find_reasons(campaign.audience, others, asked) is not None
