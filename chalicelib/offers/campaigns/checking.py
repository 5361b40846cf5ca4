"""What a campaign must be before it may run. Every refusal says why, and at which place. Pure.

The places are those of the API's body (`reward.max_minor`, `condition.min_spend_minor`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from chalicelib.kernel.gtins import bare_gtin
from chalicelib.kernel.money import EXPONENT_BY_CURRENCY, MINOR_MAX
from chalicelib.kernel.refusals import Conflicting, NotAllowed
from chalicelib.kernel.times import zone_named
from chalicelib.loyalty.conditions import hides
from chalicelib.loyalty.rewarding import most_minor
from chalicelib.loyalty.rules import ItemPrice, Matching, PercentCashback
from chalicelib.loyalty.schemes.limits import LEAST_ITEMS
from chalicelib.loyalty.terms import Per
from chalicelib.loyalty.windows import Window, days_of
from chalicelib.offers.audiences.model import (
    LOOKED_BACK_DAYS_MAX,
    Area,
    CategoryBuyer,
    Criterion,
    Frequent,
    Lapsed,
    Nearby,
    New,
    SpendBand,
)
from chalicelib.offers.audiences.sensitive import is_sensitive
from chalicelib.offers.campaigns.model import Campaign, Stage

LASTS_DAYS_MAX = 366
LATE_BY = timedelta(minutes=5)  # "Starts now" takes that long to be said.
PENDING_DAYS_MAX = 366
PRIORITY_MAX = 1_000
REWARDS_PER_MEMBER_MAX = 60  # A member's row of a campaign stays small.
KILOMETRES_MAX = 50
VISITS_MAX = 366
CRITERIA_MAX = 6
DISTRICTS_MAX = 50


class NotACampaign(NotAllowed):
    """The campaign breaks a rule; `code` says which."""

    code = "not_a_campaign"


class CampaignsOverlap(Conflicting):
    """Another campaign of the retailer offers the same to the same members at the same time."""

    code = "campaigns_overlap"


def check(campaign: Campaign, *, now: datetime) -> None:
    """Refuse a campaign that cannot run, in the order in which a reader would look.

    :raises NotACampaign: with a code and the place. :raises UnknownZone: no such zone.
    """
    zone_named(campaign.zone)
    if campaign.currency not in EXPONENT_BY_CURRENCY:
        _refuse("unknown_currency", "the currency is not known", "currency")
    _check_texts(campaign)
    _check_window(campaign, now=now)
    _check_reward(campaign)
    check_budget(campaign, "budget.amount_minor")
    _check_order(campaign)
    _check_limit(campaign)
    for at, criterion in enumerate(campaign.audience.criteria):
        _check_criterion(criterion, f"audience[{at}]")
    if len(campaign.audience.criteria) > CRITERIA_MAX:
        _refuse("audience_too_narrow", "an audience has at most six criteria", "audience")
    _check_place_is_asked(campaign)
    _check_together(campaign.audience.criteria)
    _check_condition(campaign)


def check_beside(campaign: Campaign, others: Iterable[Campaign], *, now: datetime) -> None:
    """Refuse `campaign` where one of the retailer's `others` makes it pointless.

    :raises CampaignsOverlap: the same purchases of the same members are rewarded at the same time,
        and neither may be given beside the other.
    """
    for other in others:
        is_open = other.stage_at(now) in (Stage.SCHEDULED, Stage.LIVE, Stage.PAUSED)
        meets = campaign.starts_at < other.over_at and other.starts_at < campaign.ends_at
        is_same = _offered(campaign) == _offered(other)
        is_other = other.campaign_id != campaign.campaign_id
        are_stackable = campaign.is_stackable and other.is_stackable
        if is_other and is_open and meets and is_same and not are_stackable:
            raise CampaignsOverlap(
                f"the campaign {other.reference} offers the same at the same time",
                field="condition",
            )


def _offered(campaign: Campaign) -> tuple[object, ...]:
    return (campaign.reward, campaign.condition, campaign.exclusions, campaign.audience)


def _check_texts(campaign: Campaign) -> None:
    """What members read has to say something."""
    texts = [("name", campaign.name)]
    texts += [(f"terms[{at}]", term) for at, term in enumerate(campaign.terms)]
    for place, text in texts:
        if not text.strip():
            _refuse("blank", "nothing is written here", place)


def _check_window(campaign: Campaign, *, now: datetime) -> None:
    if campaign.ends_at <= campaign.starts_at:
        _refuse("ends_before_start", "the campaign ends before it starts", "ends_at")
    if campaign.starts_at < now - LATE_BY:
        _refuse("starts_in_the_past", "the campaign would start in the past", "starts_at")
    if campaign.ends_at - campaign.starts_at > timedelta(days=LASTS_DAYS_MAX):
        _refuse("lasts_too_long", "a campaign lasts at most 366 days", "ends_at")


def _check_reward(campaign: Campaign) -> None:
    reward, most = campaign.reward, most_minor(campaign.reward)
    if most is None:
        _refuse("reward_is_no_money", "an offer gives cashback", "reward.kind")
    place = "reward.amount_minor"
    if isinstance(reward, PercentCashback):
        place = "reward.max_minor"
        if not 0 < reward.share <= 1:
            _refuse("share_out_of_range", "the share is above 0 and at most 1", "reward.percent")
    if isinstance(reward, ItemPrice):
        place = "reward.max_minor"
    if not 0 < most <= MINOR_MAX:
        _refuse("amount_out_of_range", "the amount is above 0 and within range", place)


def check_budget(campaign: Campaign, place: str) -> None:
    """Refuse a budget that is none, out of range, or less than one reward; `place` is the body's.

    :raises NotACampaign: it is.
    """
    if campaign.budget_minor == 0:
        _refuse("no_budget", "a campaign needs a budget", place)
    _check_range(campaign.budget_minor, 1, MINOR_MAX, place)
    if campaign.budget_minor < (most_minor(campaign.reward) or 0):
        _refuse("budget_too_small", "the budget is less than one reward", place)


def _check_order(campaign: Campaign) -> None:
    if campaign.pending_days is not None and not 0 <= campaign.pending_days <= PENDING_DAYS_MAX:
        _refuse("days_out_of_range", "a reward is pending for 0 to 366 days", "pending_days")
    if not 0 <= campaign.priority <= PRIORITY_MAX:
        _refuse("priority_out_of_range", "a priority is 0 to 1000", "priority")


def _check_limit(campaign: Campaign) -> None:
    if campaign.limit.per is Per.PURCHASE:
        _refuse("limit_per_purchase", "a purchase is rewarded once anyway", "limit.per")
    if not 0 < campaign.limit.times <= REWARDS_PER_MEMBER_MAX:
        _refuse("limit_out_of_range", "a limit is 1 to 60", "limit.times")


def _check_criterion(criterion: Criterion, place: str) -> None:
    if isinstance(criterion, Nearby):
        _check_range(criterion.kilometres, 1, KILOMETRES_MAX, f"{place}.kilometres")
        return
    _check_range(criterion.days, 1, LOOKED_BACK_DAYS_MAX, f"{place}.days")
    match criterion:
        case Frequent(visits=visits) | CategoryBuyer(visits=visits):
            _check_range(visits, 1, VISITS_MAX, f"{place}.visits")
        case SpendBand(min_minor=least, max_minor=most):
            _check_range(least, 0, MINOR_MAX, f"{place}.min_minor")
            if most is not None:
                _check_range(most, least, MINOR_MAX, f"{place}.max_minor")
        case Lapsed(days=days):
            _check_range(days, 1, LOOKED_BACK_DAYS_MAX - 1, f"{place}.days")
        case Area(districts=districts):
            _check_range(len(districts), 1, DISTRICTS_MAX, f"{place}.districts")
    if isinstance(criterion, CategoryBuyer) and is_sensitive(criterion.category):
        _refuse(
            "sensitive_category",
            "what is bought in this category is never used to choose who sees an offer",
            f"{place}.category",
        )


def _check_place_is_asked(campaign: Campaign) -> None:
    """Where somebody is they say when they look at offers; no purchase tells it."""
    is_nearby = any(isinstance(one, Nearby) for one in campaign.audience.criteria)
    if is_nearby and not campaign.needs_activation:
        detail = "who is nearby is known when an offer is switched on, and not at a purchase"
        _refuse("never_met", detail, "needs_activation")


def _check_together(criteria: Sequence[Criterion]) -> None:
    """Nobody bought nothing of the retailer in the very days in which they bought something."""
    quiet = max((one.days for one in criteria if isinstance(one, New | Lapsed)), default=0)
    most = [one for one in criteria if isinstance(one, SpendBand) and one.max_minor is not None]
    for at, criterion in enumerate(criteria):
        within, least = _needs(criterion)
        is_below = any(one.days >= within and (one.max_minor or 0) < least for one in most)
        if within and (within <= quiet or is_below):
            _refuse("never_met", "another criterion rules this out", f"audience[{at}]")


def _needs(criterion: Criterion) -> tuple[int, int]:
    """In how many days something has to have been bought (nought: need not), and for how much."""
    match criterion:
        case Lapsed():
            return LOOKED_BACK_DAYS_MAX, 0
        case Frequent(days=days):
            return days, 0
        case SpendBand(days=days, min_minor=least) if least > 0:
            return days, least
        case _:
            return 0, 0


def _check_condition(campaign: Campaign) -> None:
    condition, excluded = campaign.condition, campaign.exclusions.lines
    if not 0 <= condition.min_spend_minor <= MINOR_MAX:
        _refuse("amount_out_of_range", "the least spend is out of range", _MIN_SPEND)
    _check_range(condition.min_items, LEAST_ITEMS.least, LEAST_ITEMS.most, _MIN_ITEMS)
    if condition.tiers:
        _refuse("tiers_are_of_schemes", "an offer has no tiers", "condition.tiers")
    for at, window in enumerate(condition.windows):
        if not _opens_within(window, campaign):
            place = f"condition.windows[{at}]"
            _refuse("never_met", "the window never opens while the campaign runs", place)
    for hidden, place in ((condition.without, "condition.without"), (excluded, "exclusions.lines")):
        if hides(hidden, condition.lines) or hides(hidden, _rewarded_lines(campaign)):
            _refuse("never_met", "all that counts is excluded", place)
    if _are_apart(condition.lines, _rewarded_lines(campaign)):
        _refuse("never_met", "no line that counts is one that is rewarded", "reward.lines")


_MIN_SPEND = "condition.min_spend_minor"
_MIN_ITEMS = "condition.min_items"


def _opens_within(window: Window, campaign: Campaign) -> bool:
    """Whether it is open at any time of the campaign, by the clocks of the campaign's zone."""
    zone, length = zone_named(campaign.zone), timedelta(minutes=window.minutes)
    starts_at = campaign.starts_at.astimezone(zone).replace(tzinfo=None)
    ends_at = campaign.ends_at.astimezone(zone).replace(tzinfo=None)
    days = days_of(window.days, (starts_at - length).date(), ends_at.date())
    openings = (datetime.combine(day, window.opens_at) for day in days)
    return any(opens_at < ends_at and starts_at < opens_at + length for opens_at in openings)


def _rewarded_lines(campaign: Campaign) -> Matching:
    match campaign.reward:
        case PercentCashback(lines=lines) | ItemPrice(matching=lines):
            return lines
        case _:
            return campaign.condition.lines


def _are_apart(lines: Matching, others: Matching) -> bool:
    """Whether no line can be one of both, as codes say it: a line has one of each kind."""
    skus = [set(one.skus) for one in (lines, others)]
    gtins = [{bare_gtin(gtin) for gtin in one.gtins} for one in (lines, others)]
    by_sku = all(one.skus and not (one.gtins or one.categories) for one in (lines, others))
    by_gtin = all(one.gtins and not (one.skus or one.categories) for one in (lines, others))
    return (by_sku and skus[0].isdisjoint(skus[1])) or (by_gtin and gtins[0].isdisjoint(gtins[1]))


def _check_range(value: int, least: int, most: int, place: str) -> None:
    if not least <= value <= most:
        _refuse("amount_out_of_range", f"this is {least} to {most}", place)


def _refuse(code: str, detail: str, place: str) -> NoReturn:
    raise NotACampaign(detail, field=place, code=code)
