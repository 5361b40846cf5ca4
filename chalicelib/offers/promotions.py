"""Offers in Flux's promotions format, for apps that show Flux's promotions.

Source: the public example client of Flux's promotions API (`{total, items: […]}`; its misspelt
`monetaryEquivelant` is part of the format). Offers are its `flux_cashback`.
"""

from typing import Any

from chalicelib.kernel.money import Money
from chalicelib.kernel.times import to_text
from chalicelib.loyalty.rewarding import most_minor
from chalicelib.offers.listing.service import Listed

FLUX_CASHBACK = "flux_cashback"
PENDING_ACTIVATION, READY = "PENDING_ACTIVATION", "READY"


def items_of(listed: tuple[Listed, ...]) -> list[dict[str, Any]]:
    """One item for each offer, in the order given, as it travels."""
    return [_item(one) for one in listed]


def _item(one: Listed) -> dict[str, Any]:
    campaign = one.campaign
    waits = campaign.needs_activation and one.activated_at is None
    most = Money(most_minor(campaign.reward) or 0, campaign.currency)
    got = Money(one.rewarded_minor, campaign.currency)
    return {
        "id": campaign.campaign_id,
        "type": FLUX_CASHBACK,
        "promotionState": PENDING_ACTIVATION if waits else READY,
        "name": campaign.name,
        "description": campaign.description or campaign.name,
        "hostingOrganization": [{"name": one.retailer.name, "url": one.retailer.website}],
        "terms": {"description": list(campaign.terms), "url": campaign.terms_url},
        "value": {
            "monetaryEquivelant": _money(most),
            "coefficient": 1,
            "current": {"decimal": got.to_text(), "type": "continuous"},
            "target": {"decimal": most.to_text(), "type": "continuous"},
        },
        "redemptions": [],
        "validityPeriod": {
            "startDateTime": to_text(campaign.starts_at),
            "endDateTime": to_text(campaign.over_at),
        },
        "tags": [],
    }


def _money(amount: Money) -> dict[str, Any]:
    return {"amount": amount.minor, "currency": amount.currency}
