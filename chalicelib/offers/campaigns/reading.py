"""From the document that a retailer writes to a campaign's values."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.refusals import Rejected
from chalicelib.kernel.times import parse_instant
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes import public_shapes as rules
from chalicelib.loyalty.schemes.reading import Reader, Surroundings
from chalicelib.loyalty.terms import Unit
from chalicelib.offers.audiences.model import (
    Area,
    Audience,
    CategoryBuyer,
    Criterion,
    Frequent,
    Lapsed,
    Nearby,
    New,
    SpendBand,
)
from chalicelib.offers.campaigns import public_shapes as shapes
from chalicelib.offers.campaigns.checking import NotACampaign
from chalicelib.offers.campaigns.model import Campaign, Limit, campaign_id_of

# Conditions and rewards are read as those of a scheme that has this one rule and this one card.
_PLACES = (("rules[0].when", "condition"), ("card.reward", "reward"))


def read_campaign(
    given: shapes.CampaignShape,
    *,
    retailer_id: RetailerId,
    reference: str,
    store_ids: Mapping[str, StoreId],
    now: datetime,
) -> Campaign:
    """The draft that `given` describes. `store_ids` are the retailer's, by its own numbers.

    :raises Rejected: something is not understood, with its place; the first, where there are more.
    :raises NotACampaign: its currencies differ.
    """
    reader = Reader(Surroundings("offer", 1, retailer_id, store_ids, now))
    read = reader.scheme(_as_scheme(given))
    if reader.problems:
        raise _placed(reader.problems[0])
    if given.budget.currency != given.currency:
        raise NotACampaign(
            "the budget is in another currency than the campaign",
            field="budget.currency",
            code="currency_differs",
        )
    return _campaign(given, read, campaign_id_of(retailer_id, reference), reference)


def _campaign(
    given: shapes.CampaignShape, read: Scheme, campaign_id: str, reference: str
) -> Campaign:
    assert read.card is not None, "the scheme was made with a card"
    return Campaign(
        campaign_id=campaign_id,
        retailer_id=read.retailer_id,
        reference=reference,
        name=given.name,
        currency=given.currency,
        zone=given.zone,
        starts_at=parse_instant(given.starts_at, field="starts_at"),
        ends_at=parse_instant(given.ends_at, field="ends_at"),
        reward=read.card.reward,
        budget_minor=given.budget.amount_minor,
        limit=Limit(given.limit.times, given.limit.per),
        audience=Audience(tuple(_criterion(one) for one in given.audience)),
        condition=read.rules[0].when,
        exclusions=read.exclusions,
        description=given.description,
        terms=given.terms,
        terms_url=given.terms_url,
        needs_activation=given.needs_activation,
        is_stackable=given.is_stackable,
        excludes_schemes=given.excludes_schemes,
        priority=given.priority,
        pending_days=given.pending_days,
        written=shapes.to_document(given),
    )


def as_written(campaign: Campaign) -> shapes.CampaignShape:
    """The document that `campaign` was read from, with the budget that it has now."""
    budget = shapes.BudgetShape(campaign.budget_minor, campaign.currency)
    return shapes.from_document(campaign.written, budget)


def _as_scheme(given: shapes.CampaignShape) -> rules.SchemeShape:
    return rules.SchemeShape(
        name=given.name,
        unit=Unit.STAMPS,
        currency=given.currency,
        zone=given.zone,
        rules=(rules.VisitRule(id="offer", when=given.condition),),
        starts_at=given.starts_at,
        ends_at=given.ends_at,
        card=rules.CardShape(1, given.reward),
        exclusions=given.exclusions,
    )


def _placed(problem: Rejected) -> Rejected:
    place = problem.field or ""
    for theirs, ours in _PLACES:
        if place.startswith(theirs):
            place = ours + place.removeprefix(theirs)
    return type(problem)(problem.detail, field=place or None, code=problem.code)


def _criterion(given: shapes.AnyCriterion) -> Criterion:
    match given:
        case shapes.NewShape(days=days):
            return New(days)
        case shapes.LapsedShape(days=days):
            return Lapsed(days)
        case shapes.FrequentShape(visits=visits, days=days):
            return Frequent(visits, days)
        case shapes.CategoryShape(category=category, visits=visits, days=days):
            return CategoryBuyer(category, visits, days)
        case shapes.SpendShape(days=days, min_minor=least, max_minor=most):
            return SpendBand(least, most, days)
        case shapes.AreaShape(districts=districts, days=days):
            return Area(tuple(one.upper() for one in districts), days)
        case shapes.NearbyShape(kilometres=kilometres):
            return Nearby(kilometres)
        case never:
            assert_never(never)
