"""Which offers a sale gets, and how much of each line's money comes back. No clock, no storage.

The best for the member wins: of the offers that are alone, and the stackable ones taken together,
whichever gives most; where two give the same, the one that ends first. A retailer's priority goes
before that. What lost is named, with the reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.loyalty.allocation import share_out, total_of
from chalicelib.loyalty.conditions import (
    Counted,
    CountedLine,
    NotMet,
    check,
    counted,
    matching_lines,
)
from chalicelib.loyalty.rewarding import worth_minor
from chalicelib.loyalty.rules import ItemPrice, PercentCashback
from chalicelib.loyalty.sale import Sale
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
    OTHER_OFFER_BETTER = "other_offer_better"


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
    """What a campaign gives for a sale as it was made: `minor` in all, and by line."""

    campaign: Campaign
    minor: int
    shares: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """What a sale has got: a campaign of it, and whether others may be given beside."""

    campaign_id: str
    is_stackable: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a sale gets, the most urgent first, and what it does not get."""

    won: tuple[Worth, ...]
    lost: tuple[NotWon, ...]


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
    return Worth(campaign, minor, shares)


def choose(judged: Iterable[Worth | NotWon], held: Held | None = None) -> Chosen:
    """What a sale gets of what was `judged`, where it got `held` already (before a crash, say).

    Beside an offer that is alone there is no other; beside stackable ones the other stackable ones.
    """
    every = tuple(judged)
    lost = [one for one in every if isinstance(one, NotWon)]
    worths = [one for one in every if isinstance(one, Worth)]
    alone = [(one,) for one in worths if not one.campaign.is_stackable]
    together = tuple(one for one in worths if one.campaign.is_stackable)
    ways = [*alone, together] if together else alone
    if held is not None:
        ways = [together] if together and held.is_stackable else []
    won = min(ways, key=_rank, default=())
    by = held.campaign_id if held else won[0].campaign.campaign_id if won else ""
    better = OfferWhy.OTHER_OFFER_BETTER.value
    lost += [NotWon(one.campaign.campaign_id, better, by=by) for one in worths if one not in won]
    return Chosen(tuple(sorted(won, key=_urgency)), tuple(lost))


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


def _rank(way: Sequence[Worth]) -> tuple[int, int, datetime, str]:
    """The better way of rewarding a sale has the smaller rank."""
    first = min(way, key=_urgency)
    return (
        -max(one.campaign.priority for one in way),
        -sum(one.minor for one in way),
        *_urgency(first),
    )


def _urgency(worth: Worth) -> tuple[datetime, str]:
    return (worth.campaign.ends_at, worth.campaign.campaign_id)
