"""One member's purchases under a draft: what each would have got. The deciding is the live code's.

Every member is taken to have switched the offer on when it began, where that is needed: how many
would, nobody knows. What came back since the purchase is taken off, as it would have been.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.loyalty.earning import Share, decide_award
from chalicelib.loyalty.rewarding import most_minor
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.standing import Past, past_of, standing_of
from chalicelib.loyalty.taking_back import kept_minor, taken_back
from chalicelib.loyalty.terms import RuleKind
from chalicelib.offers.audiences.history import Visit, by_receipt
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
from infra.backtest.claiming import NOTHING_CLAIMABLE, Claimable, claimable


@dataclass(frozen=True, slots=True)
class Buyer:
    """A member: `sales` at the draft's retailer, oldest first, and `visits` everywhere.

    Of `visits`, each payment of a receipt is one; there may be none where the draft asks about none
    (`looks_back`). `age_band` and `area` are where the member is counted, None where it is not
    known.
    """

    sales: Sequence[Sale]
    visits: Sequence[Visit] = ()
    age_band: str | None = None
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A reward: when, and what it costs in minor units. `units` are stamps or points."""

    at: datetime
    minor: int
    units: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """A member under the draft: what they got, oldest first, and whether it was for them at all.

    `purchases` are those that the draft was tried on.
    """

    given: tuple[Given, ...]
    is_of_audience: bool
    purchases: int
    age_band: str | None = None
    area: str | None = None
    claimable: Claimable = NOTHING_CLAIMABLE


def looks_back(draft: Campaign | Scheme) -> bool:
    """Whether the draft asks what its members bought before."""
    return isinstance(draft, Campaign) and bool(draft.audience.looks_back_days)


def try_buyer(draft: Campaign | Scheme, buyer: Buyer) -> Tried:
    """What `buyer` would have got under `draft`."""
    claims = NOTHING_CLAIMABLE
    if isinstance(draft, Scheme):
        given, is_of = _try_scheme(draft, buyer.sales), True
        claims = claimable(draft, sum(one.units for one in given))
    else:
        given, is_of = _try_campaign(draft, buyer)
    ends_at = draft.ends_at
    tried = sum(
        1
        for sale in buyer.sales
        if draft.starts_at <= sale.sold_at and (ends_at is None or sale.sold_at < ends_at)
    )
    return Tried(tuple(given), is_of, tried, buyer.age_band, buyer.area, claims)


def _try_campaign(campaign: Campaign, buyer: Buyer) -> tuple[list[Given], bool]:
    given: list[Given] = []
    taken = replace(new_participation(campaign), activated_at=campaign.starts_at)
    asks = looks_back(campaign)
    is_of = not asks or _is_of(campaign, buyer.visits, at=campaign.starts_at)
    for sale in buyer.sales:
        judged = judge(campaign, sale, taken)
        if not isinstance(judged, Worth):
            continue
        others = (visit for visit in buyer.visits if visit.receipt_id != sale.receipt_id)
        if asks and not _is_of(campaign, others, at=sale.sold_at):
            continue
        is_of = True
        left = _left(tuple(Share("", one.line_id, one.minor) for one in judged.shares), sale)
        if left > 0:
            given.append(Given(sale.sold_at, left))
            taken = _with(taken, sale, left)
    return given, is_of


def _is_of(campaign: Campaign, visits: Iterable[Visit], *, at: datetime) -> bool:
    before = by_receipt(visit for visit in visits if visit.at < at)
    asked = Asked(campaign.retailer_id, "", campaign.currency, at, kilometres=0)
    return find_reasons(campaign.audience, before, asked) is not None


def _with(taken: Participation, sale: Sale, minor: int) -> Participation:
    redemption = Redemption(
        purchase_id=sale.purchase_id,
        receipt_id=sale.receipt_id,
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
    remembers = _remembers(scheme)
    for sale in sales:
        award = decide_award(sale, scheme, standing_of(scheme, past, sold_at=sale.sold_at))
        back = taken_back(award.shares, sale)
        if remembers:
            left = past_of(award, sale.sold_at, back)
            kept = min(left.spend_minor, kept_minor(sale, scheme))
            past.append(replace(left, spend_minor=kept))
        units = award.units - sum(share.units for share in back)
        if units > 0:
            balance, filled = _filled(scheme, balance + units)
            given.append(Given(sale.sold_at, filled, units))
    return given


def _remembers(scheme: Scheme) -> bool:
    """Whether what a sale earns depends on others: by a cap, a tier or a streak."""
    by_rule = any(rule.caps or rule.kind is RuleKind.STREAK for rule in scheme.rules)
    return by_rule or bool(scheme.caps) or scheme.tiering is not None


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
