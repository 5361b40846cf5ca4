"""Offers, for banks: what a member sees and why, switching on, and what was seen and clicked."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from chalice import Blueprint

from chalicelib.api import callers, reaching
from chalicelib.api.offer_shapes import (
    ActivationAnswer,
    EventsAnswer,
    EventsBody,
    MerchantTold,
    OfferAnswer,
    OffersAnswer,
    OrderedBy,
    ProfileAnswer,
    RewardTold,
    TakenTold,
    WhyShape,
)
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.money import EXPONENT_BY_CURRENCY, UnknownCurrency
from chalicelib.kernel.times import parse_instant, to_text
from chalicelib.loyalty.rewarding import most_minor
from chalicelib.loyalty.rules import FixedCashback, PercentCashback
from chalicelib.members.model import Member
from chalicelib.network.access.clients import OFFERS_READ, OFFERS_WRITE
from chalicelib.network.places import Place
from chalicelib.offers.audiences.profile import Profile
from chalicelib.offers.events import service as events
from chalicelib.offers.events.model import OfferEvent
from chalicelib.offers.listing import service
from chalicelib.offers.listing.nearby import parse_place
from chalicelib.offers.listing.service import Listed
from chalicelib.runtime import clock, wire

bp = Blueprint(__name__)

_TAGS = ("offers",)
_NEAR = {"near": "About where the member is (`51.51,-0.13`); rounded, used once, never stored."}


@operation(
    bp,
    "GET",
    "/v1/members/{user}/offers",
    summary="The offers that a member sees, and why",
    answers={200: OffersAnswer, 404: Problem, 422: Problem},
    scopes=(OFFERS_READ,),
    tags=_TAGS,
    query=_NEAR,
)
def list_offers(request: Inbound) -> Answer:
    """Best for the member first, the same order each time. None while the member has offers
    switched off, and then nothing about them is looked at.
    """
    now = clock.now()
    member = reaching.member_of(request, now=now)
    listed = service.list_offers(
        member, key=reaching.key_of(member), place=_place(request), now=now
    )
    return Answer(_to_answer(listed))


@operation(
    bp,
    "GET",
    "/v1/members/{user}/profile",
    summary="What a member's purchases say about them",
    answers={200: ProfileAnswer, 404: Problem, 422: Problem},
    scopes=(OFFERS_READ,),
    tags=_TAGS,
    query={"currency": "Which currency's purchases; else GBP."},
)
def get_profile(request: Inbound) -> Answer:
    """For the member alone: worked out from a year of purchases and stored nowhere. 404 while the
    member has offers switched off. What says something sensitive is not in it.
    """
    now = clock.now()
    member = reaching.member_of(request, now=now)
    currency = request.query.get("currency", "GBP")
    if currency not in EXPONENT_BY_CURRENCY:
        raise UnknownCurrency("the currency is not known", field="currency")
    profile = service.get_profile(member, currency, key=reaching.key_of(member), now=now)
    return Answer(_to_profile(profile))


@operation(
    bp,
    "GET",
    "/v1/offers",
    summary="The offers for everybody",
    answers={200: OffersAnswer, 422: Problem},
    scopes=(OFFERS_READ,),
    tags=_TAGS,
    query=_NEAR,
)
def list_public_offers(request: Inbound) -> Answer:
    """For somebody of whom nothing is known; with a place, those of shops nearby too."""
    callers.bank_of(request.known_caller)
    return Answer(_to_answer(service.list_public(place=_place(request), now=clock.now())))


@operation(
    bp,
    "POST",
    "/v1/members/{user}/offers/{offer}/activate",
    summary="Switch an offer on",
    answers={200: ActivationAnswer, 404: Problem, 409: Problem},
    scopes=(OFFERS_WRITE,),
    tags=_TAGS,
)
def activate_offer(request: Inbound) -> Answer:
    """Purchases from then on count. Doing it again changes nothing."""
    now = clock.now()
    member = reaching.member_of(request, now=now)
    return Answer(_activate(member, request.parameters["offer"], now=now))


@operation(
    bp,
    "POST",
    "/v1/members/{user}/offers/{offer}/events",
    summary="Say that an offer was seen, opened or clicked",
    takes=EventsBody,
    answers={200: EventsAnswer, 404: Problem, 422: Problem},
    scopes=(OFFERS_WRITE,),
    tags=_TAGS,
)
def record_offer_events(request: Inbound) -> Answer:
    """Each counts once under its id, however often it is sent. Of a click nothing but the offer
    and the time is kept, for ninety days.
    """
    now = clock.now()
    body = wire.convert(request.json(), EventsBody)
    offer = request.parameters["offer"]
    told = [
        OfferEvent(one.event_id, one.kind, offer, parse_instant(one.at, field=f"events[{at}].at"))
        for at, one in enumerate(body.events)
    ]
    return Answer(
        EventsAnswer(events.record_events(reaching.member_of(request, now=now), told, now=now))
    )


def _activate(member: Member, offer: str, *, now: datetime) -> ActivationAnswer:
    taken = service.activate(member, offer, key=reaching.key_of(member), now=now)
    return ActivationAnswer(offer, to_text(taken.activated_at or now))


def _place(request: Inbound) -> Place | None:
    said = request.query.get("near")
    return parse_place(said) if said else None


def _to_answer(listed: Iterable[Listed]) -> OffersAnswer:
    return OffersAnswer(tuple(_offer(one) for one in listed))


def _offer(one: Listed) -> OfferAnswer:
    campaign = one.campaign
    return OfferAnswer(
        id=campaign.campaign_id,
        retailer=one.retailer.name,
        name=campaign.name,
        reward=_reward(campaign.reward),
        currency=campaign.currency,
        starts_at=to_text(campaign.starts_at),
        ends_at=to_text(campaign.over_at),
        needs_activation=campaign.needs_activation,
        why_am_i_seeing_this=tuple(
            WhyShape(why.criterion, why.words, dict(why.fields)) for why in one.why
        ),
        ordered_by=OrderedBy(one.score.worth_minor, one.score.visits, one.score.goods),
        description=campaign.description,
        terms=campaign.terms,
        terms_url=campaign.terms_url,
        min_spend_minor=campaign.condition.min_spend_minor,
        activated_at=to_text(one.activated_at) if one.activated_at else None,
        is_used_up=one.is_used_up,
        rewarded_minor=one.rewarded_minor,
        held_minor=one.held_minor,
        kilometres=one.kilometres,
    )


def _to_profile(profile: Profile) -> ProfileAnswer:
    begins, ends = profile.month_band_minor
    return ProfileAnswer(
        currency=profile.currency,
        visits=profile.visits,
        merchants=tuple(
            MerchantTold(one.retailer_id, one.visits, one.spent_minor, to_text(one.last_at))
            for one in profile.merchants
        ),
        categories=profile.categories,
        districts=profile.districts,
        month_from_minor=begins,
        month_to_minor=ends,
        offers=tuple(
            TakenTold(one.campaign_id, one.rewards, one.rewarded_minor, one.currency)
            for one in profile.taken
        ),
    )


def _reward(reward: Any) -> RewardTold:
    most = most_minor(reward) or 0
    if isinstance(reward, PercentCashback):
        percent = reward.share * 100
        exact = Decimal(percent.numerator) / Decimal(percent.denominator)
        return RewardTold("percent_cashback", most, f"{exact.normalize():f}")
    kind = "fixed_cashback" if isinstance(reward, FixedCashback) else "item_price"
    return RewardTold(kind, most)
