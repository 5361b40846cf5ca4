"""What one offer gives for a sale, and how much of each line's money comes back; or why nothing.

Which of several a sale gets is for `choosing.py`. No clock, no storage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.loyalty.allocation import Weight, share_out, total_of
from chalicelib.loyalty.conditions import (
    Counted,
    CountedLine,
    NotMet,
    check,
    counted,
    matching_lines,
)
from chalicelib.loyalty.rewarding import worth_minor
from chalicelib.loyalty.rules import Exclusions, ItemPrice, PercentCashback
from chalicelib.loyalty.sale import Sale, returned_minor
from chalicelib.loyalty.terms import Basis
from chalicelib.offers.campaigns.model import Campaign, Status
from chalicelib.offers.participation.archiving import REDEMPTIONS_MAX
from chalicelib.offers.participation.model import Kept, Participation, Redemption, is_at_limit


class OfferWhy(Enum):
    """Why a sale did not get an offer, beside the reasons of conditions (`EarnWhy`). Stable."""

    OTHER_CURRENCY = "other_currency"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    PAUSED = "paused"
    NOT_ACTIVATED = "not_activated"
    LIMIT_REACHED = "limit_reached"
    NOT_IN_AUDIENCE = "not_in_audience"
    NO_BUDGET = "no_budget"
    SMALLER_PART = "smaller_part"
    NOTHING_PAID = "nothing_paid"
    RETURNED = "returned"
    REFUSED = "refused"  # somebody looked at it when it was held
    OTHER_OFFER_BETTER = "other_offer_better"
    NOTHING_LEFT = "nothing_left"  # others that it goes with give all that was paid already


@dataclass(frozen=True, slots=True)
class NotWon:
    """A campaign that gave nothing, and why: the value of an `OfferWhy` or an `EarnWhy`.

    `missing_minor` or `missing_items` is what the sale lacked; `by` the campaign that was better.
    """

    campaign_id: str
    why: str
    missing_minor: int = 0
    missing_items: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a campaign gives for a sale as it was made: `minor` in all, and by line.

    `weights` are those of the lines in it, `of` what of the sale may earn it at all.
    """

    campaign: Campaign
    minor: int
    shares: tuple[Kept, ...]
    weights: tuple[Weight, ...]
    of: Counted


def judge(
    campaign: Campaign,
    sale: Sale,
    participation: Participation | None,
    past: Sequence[Redemption] = (),
) -> Worth | NotWon:
    """What `campaign` gives for `sale` to a member of its audience; nothing else is considered.

    `past` are the member's redemptions that are in the history alone, where the sale is late.
    """
    if (why := _closed_why(campaign, sale.sold_at)) is not None:
        return NotWon(campaign.campaign_id, why.value)
    if sale.currency != campaign.currency:
        return NotWon(campaign.campaign_id, OfferWhy.OTHER_CURRENCY.value)
    if campaign.needs_activation and not _was_activated(participation, sale.sold_at):
        return NotWon(campaign.campaign_id, OfferWhy.NOT_ACTIVATED.value)
    if participation is not None and is_at_limit(
        participation,
        campaign.limit,
        sold_at=sale.sold_at,
        zone=campaign.zone,
        most=REDEMPTIONS_MAX,
        past=past,
    ):
        return NotWon(campaign.campaign_id, OfferWhy.LIMIT_REACHED.value)
    return worth_of(campaign, sale)


def worth_of(campaign: Campaign, sale: Sale) -> Worth | NotWon:
    """What `campaign` gives for what was bought alone; never more than was paid for it."""
    of = counted(sale, campaign.exclusions)
    met = check(campaign.condition, of)
    if isinstance(met, NotMet):
        return NotWon(
            campaign.campaign_id,
            met.why.value,
            missing_minor=met.missing_minor,
            missing_items=met.missing_items,
        )
    if not sale.is_largest_part and not isinstance(campaign.reward, PercentCashback):
        return NotWon(campaign.campaign_id, OfferWhy.SMALLER_PART.value)
    meant = Counted(sale, met.lines, of.share)
    weights = [(line.line_id, minor) for line, minor in _rewarded(campaign, meant)]
    worth = worth_minor(campaign.reward, meant) or 0
    paid = total_of(weights) * of.share.numerator // of.share.denominator
    minor = min(worth, paid)  # Rounded down: never more than paid.
    if minor <= 0:
        return NotWon(campaign.campaign_id, OfferWhy.NOTHING_PAID.value)
    parts = zip(weights, share_out(minor, weights), strict=True)
    shares = tuple(Kept(line_id, part) for (line_id, _), part in parts if part)
    return Worth(campaign, minor, shares, tuple(weights), of)


def still_paid_minor(sale: Sale) -> int:
    """What is still paid of `sale`, by its payment and the retailer's own tender, rounded down."""
    share = counted(sale, Exclusions(own_tender_earns=True)).share
    left = (sale.due_minor - returned_minor(sale)) * share - sale.refunded_minor
    return max(int(left), 0)


def _closed_why(campaign: Campaign, sold_at: datetime) -> OfferWhy | None:
    if campaign.is_for_sales_at(sold_at):
        return None
    if campaign.status is Status.DRAFT or sold_at < campaign.starts_at:
        return OfferWhy.NOT_STARTED
    return OfferWhy.ENDED if sold_at >= campaign.over_at else OfferWhy.PAUSED


def _was_activated(participation: Participation | None, sold_at: datetime) -> bool:
    activated_at = participation.activated_at if participation is not None else None
    return activated_at is not None and activated_at <= sold_at


def _rewarded(campaign: Campaign, meant: Counted) -> list[tuple[CountedLine, int]]:
    """The lines that a reward is for, with what each weighs in it."""
    match campaign.reward:
        case PercentCashback(lines=lines, basis=basis):
            return [(line, line.minor(basis)) for line in matching_lines(meant.lines, lines)]
        case ItemPrice(matching=matching):
            items = [line for line in matching_lines(meant.lines, matching) if line.items]
            dearest = max(items, key=lambda line: line.gross_minor // line.items, default=None)
            return [(dearest, dearest.gross_minor)] if dearest is not None else []
        case _:
            return [(line, line.minor(Basis.GROSS)) for line in meant.lines]
