"""What a purchase got of offers, and what of it waits for a person."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.offers.participation import store
from chalicelib.offers.participation.model import Redemption
from chalicelib.purchases.access import Own

_WORDS = {
    "given": "The offer was used.",
    "held": "It is held until somebody has looked at it.",
    REFUSED: "Somebody looked at it, and it does not count.",
    "returned": "It is back with what was returned.",
}


@dataclass(frozen=True, slots=True)
class OfferStory:
    """What a purchase got of a campaign: `minor` that the member has, `taken_back_minor` of what
    was to be given.

    `why` is `given`, `held` (for the reason `held`, a code), `refused` or `returned`; `words` say
    it in a sentence.
    """

    campaign_id: str
    currency: str
    minor: int
    taken_back_minor: int
    why: str
    words: str
    held: str = ""


def tell_offers(own: Own, *, now: datetime) -> tuple[OfferStory, ...]:
    """What the payment got of each offer, as far as the member's rows of them hold it."""
    rows = store.list_participations(own.where.member_id, None, key=own.key, now=now)
    return tuple(
        _story(one, campaign_id, row.currency)
        for campaign_id, row in sorted(rows.items())
        for one in row.of_purchase(own.where.payment_id)
        if one.gifts
    )


def _story(redemption: Redemption, campaign_id: str, currency: str) -> OfferStory:
    why = _why(redemption)
    return OfferStory(
        campaign_id=campaign_id,
        currency=currency,
        minor=redemption.counted_minor,
        taken_back_minor=sum(gift.taken_minor for gift in redemption.gifts),
        why=why,
        words=_WORDS[why],
        held=redemption.held if why == "held" else "",
    )


def _why(redemption: Redemption) -> str:
    if redemption.held == REFUSED:
        return REFUSED
    if redemption.kept_minor <= 0:
        return "returned"
    return "held" if redemption.held else "given"
