"""One member's purchases under a draft: what each would have got. The deciding is the live code's.

Every member is taken to have switched the offer on when it began, where that is needed: how many
would, nobody knows. What came back since the purchase is taken off, as it would have been.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.kernel.ids import ReceiptId
from chalicelib.loyalty.earning import Share, decide_award
from chalicelib.loyalty.rewarding import most_minor
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.standing import Past, past_of, standing_of
from chalicelib.loyalty.taking_back import taken_back
from chalicelib.offers.audiences.history import Visit
from chalicelib.offers.audiences.meeting import Asked, find_reasons
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.deciding import Worth, judge
from chalicelib.offers.participation.model import (
    Gift,
    Participation,
    Redemption,
    new_participation,
    with_redemption,
)
from infra.backtest.lines import PurchaseRow, to_sale, to_visit

NO_RECEIPT = ReceiptId("")


@dataclass(frozen=True, slots=True)
class Given:
    """A reward: when, and what it costs in minor units. `units` are stamps or points."""

    at: datetime
    minor: int
    units: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """A member under the draft: what they got, oldest first, and whether it was for them at all."""

    given: tuple[Given, ...]
    is_of_audience: bool
    age_band: str | None
    area: str | None


def try_member(draft: Campaign | Scheme, rows: Sequence[PurchaseRow]) -> Tried:
    """What a member with the purchases `rows` would have got under `draft`."""
    ordered = sorted(rows, key=lambda row: row.sold_at)
    sales = [
        to_sale(row, at, retailer_id=draft.retailer_id, zone=draft.zone)
        for at, row in enumerate(ordered)
    ]
    if isinstance(draft, Scheme):
        given, is_of = _try_scheme(draft, sales), True
    else:
        given, is_of = _try_campaign(draft, ordered, sales)
    newest = ordered[-1]
    return Tried(tuple(given), is_of, newest.age_band, newest.area)


def _try_campaign(
    campaign: Campaign, rows: Sequence[PurchaseRow], sales: Sequence[Sale]
) -> tuple[list[Given], bool]:
    given: list[Given] = []
    taken = replace(new_participation(campaign), activated_at=campaign.starts_at)
    looks_back = bool(campaign.audience.looks_back_days)
    visits = [to_visit(*one) for one in zip(rows, sales, strict=True)] if looks_back else []
    is_of = not looks_back or _is_of(campaign, visits, campaign.starts_at)
    for sale in sales:
        if sale.retailer_id != campaign.retailer_id:
            continue
        judged = judge(campaign, sale, taken)
        if not isinstance(judged, Worth):
            continue
        if looks_back and not _is_of(campaign, visits, sale.sold_at):
            continue
        is_of = True
        left = _left(tuple(Share("", one.line_id, one.minor) for one in judged.shares), sale)
        if left > 0:
            given.append(Given(sale.sold_at, left))
            taken = _with(taken, sale, left)
    return given, is_of


def _is_of(campaign: Campaign, visits: Iterable[Visit], at: datetime) -> bool:
    before = [visit for visit in visits if visit.at < at]
    asked = Asked(campaign.retailer_id, "", campaign.currency, at, kilometres=0)
    return find_reasons(campaign.audience, before, asked) is not None


def _with(taken: Participation, sale: Sale, minor: int) -> Participation:
    redemption = Redemption(
        purchase_id=sale.purchase_id,
        receipt_id=NO_RECEIPT,
        receipt_version=1,
        sold_at=sale.sold_at,
        available_at=sale.sold_at,
        shares=(),
        gifts=(Gift(0, minor),),
    )
    return with_redemption(taken, redemption)


def _try_scheme(scheme: Scheme, sales: Iterable[Sale]) -> list[Given]:
    """What each sale earns; a full card costs its reward, at most, when it is filled."""
    given: list[Given] = []
    past: list[Past] = []
    balance = 0
    for sale in sales:
        if sale.retailer_id != scheme.retailer_id:
            continue
        award = decide_award(sale, scheme, standing_of(scheme, past, sold_at=sale.sold_at))
        back = taken_back(award.shares, sale)
        past.append(past_of(award, sale.sold_at, back))
        units = award.units - sum(share.units for share in back)
        if units > 0:
            balance, filled = _filled(scheme, balance + units)
            given.append(Given(sale.sold_at, filled, units))
    return given


def _filled(scheme: Scheme, balance: int) -> tuple[int, int]:
    """The stamps left, and what the cards that are full by now cost at most."""
    if scheme.card is None:
        return balance, 0
    cards, rest = divmod(balance, scheme.card.places)
    if cards and scheme.card.forfeits_rest:
        rest = 0
    return rest, cards * (most_minor(scheme.card.reward) or 0)


def _left(shares: tuple[Share, ...], sale: Sale) -> int:
    back = taken_back(shares, sale)
    return sum(share.units for share in shares) - sum(share.units for share in back)
