"""Campaigns, for their retailers: written as drafts, scheduled, paused, ended, and looked at.

A retailer's machine sees its own campaigns only: the retailer is the caller's, never the request's.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.campaign_shapes import (
    BudgetBody,
    CampaignAnswer,
    CampaignsAnswer,
    DayShape,
    StandingShape,
)
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import Misshapen
from chalicelib.kernel.times import to_text
from chalicelib.network import service as network
from chalicelib.network.access.clients import CAMPAIGNS_WRITE
from chalicelib.offers.campaigns import service
from chalicelib.offers.campaigns.checking import NotACampaign
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.campaigns.public_shapes import CampaignShape
from chalicelib.offers.campaigns.reading import as_written, read_campaign
from chalicelib.offers.events import service as events
from chalicelib.runtime import clock, wire

REFERENCE_LENGTH_MAX = 60

bp = Blueprint(__name__)

_SCOPES = (CAMPAIGNS_WRITE,)
_TAGS = ("campaigns",)
_STEP: dict[int, Any] = {200: CampaignAnswer, 404: Problem, 409: Problem, 422: Problem}

Step = Callable[[RetailerId, str, datetime], Campaign]


@operation(
    bp,
    "PUT",
    "/v1/campaigns/{reference}",
    summary="Write a campaign as a draft",
    takes=CampaignShape,
    answers={
        200: CampaignAnswer,
        201: CampaignAnswer,
        400: Problem,
        409: Problem,
        422: Problem,
    },
    scopes=_SCOPES,
    tags=_TAGS,
)
def put_campaign(request: Inbound) -> Answer:
    """Under the retailer's own name for it: 201 the first time, 200 after that. The same again,
    with the budget that it has now, changes nothing at whatever stage. Once it is scheduled, what
    it offers cannot change any more (409). A document that could never run is refused with a code,
    and with the place of what is wrong.
    """
    now = clock.now()
    retailer_id, reference = _named(request)
    given = wire.convert_document(request.json(), CampaignShape)
    stores = network.list_stores(retailer_id, now=now) if given.condition.stores else ()
    draft = read_campaign(
        given,
        retailer_id=retailer_id,
        reference=reference,
        store_ids={one.reference: one.store_id for one in stores},
        now=now,
    )
    drafted = service.write_draft(draft, now=now)
    return Answer(_to_answer(drafted.campaign, now=now), 201 if drafted.is_new else 200)


@operation(
    bp,
    "GET",
    "/v1/campaigns",
    summary="The caller's campaigns",
    answers={200: CampaignsAnswer},
    scopes=_SCOPES,
    tags=_TAGS,
)
def list_campaigns(request: Inbound) -> Answer:
    """All of them, drafts and ended ones too."""
    now = clock.now()
    retailer_id = callers.retailer_of(request.known_caller)
    found = service.list_campaigns(retailer_id, now=now)
    return Answer(CampaignsAnswer(tuple(_to_answer(one, now=now) for one in found)))


@operation(
    bp,
    "GET",
    "/v1/campaigns/{reference}",
    summary="A campaign, its budget, and how often it was seen",
    answers={200: CampaignAnswer, 404: Problem},
    scopes=_SCOPES,
    tags=_TAGS,
)
def get_campaign(request: Inbound) -> Answer:
    """What is spent is told to the minor unit; the days tell of members together, never of one."""
    now = clock.now()
    retailer_id, reference = _named(request)
    campaign = service.get_campaign(retailer_id, reference, now=now)
    standing = service.standing_of(campaign, now=now)
    days = events.list_counts(campaign.campaign_id, now=now)
    return Answer(
        _to_answer(
            campaign,
            now=now,
            standing=StandingShape(
                standing.cap_minor, standing.spent_minor, standing.left_minor, standing.spends
            ),
            days=tuple(
                DayShape(str(one.on), one.impressions, one.views, one.clicks, one.activations)
                for one in days
            ),
        )
    )


@operation(
    bp,
    "POST",
    "/v1/campaigns/{reference}/schedule",
    summary="Let a campaign run in its window",
    answers=_STEP,
    scopes=_SCOPES,
    tags=_TAGS,
)
def schedule_campaign(request: Inbound) -> Answer:
    """From then on what it offers is fixed. 409 where another campaign offers the same."""
    return _step(request, lambda own, name, now: service.schedule(own, name, now=now))


@operation(
    bp,
    "POST",
    "/v1/campaigns/{reference}/pause",
    summary="Give nothing for purchases from now on",
    answers=_STEP,
    scopes=_SCOPES,
    tags=_TAGS,
)
def pause_campaign(request: Inbound) -> Answer:
    """What was bought before still counts, however late its receipt comes."""
    return _step(request, lambda own, name, now: service.pause(own, name, now=now))


@operation(
    bp,
    "POST",
    "/v1/campaigns/{reference}/resume",
    summary="Go on after a pause",
    answers=_STEP,
    scopes=_SCOPES,
    tags=_TAGS,
)
def resume_campaign(request: Inbound) -> Answer:
    """What was bought during the pause stays without a reward."""
    return _step(request, lambda own, name, now: service.resume(own, name, now=now))


@operation(
    bp,
    "POST",
    "/v1/campaigns/{reference}/end",
    summary="End a campaign for good",
    answers=_STEP,
    scopes=_SCOPES,
    tags=_TAGS,
)
def end_campaign(request: Inbound) -> Answer:
    """What was bought before is still rewarded, and what is owed stays owed."""
    return _step(request, lambda own, name, now: service.end(own, name, now=now))


@operation(
    bp,
    "PUT",
    "/v1/campaigns/{reference}/budget",
    summary="Give a campaign another budget",
    takes=BudgetBody,
    answers=_STEP,
    scopes=_SCOPES,
    tags=_TAGS,
)
def put_budget(request: Inbound) -> Answer:
    """More at any time; less down to what is spent and set aside already."""
    body = wire.convert(request.json(), BudgetBody)

    def change(own: RetailerId, name: str, now: datetime) -> Campaign:
        campaign = service.get_campaign(own, name, now=now)
        if body.currency != campaign.currency:
            raise NotACampaign(
                "the budget is in another currency than the campaign",
                field="currency",
                code="currency_differs",
            )
        return service.change_budget(own, name, body.amount_minor, now=now)

    return _step(request, change)


def _step(request: Inbound, step: Step) -> Answer:
    now = clock.now()
    retailer_id, reference = _named(request)
    return Answer(_to_answer(step(retailer_id, reference, now), now=now))


def _named(request: Inbound) -> tuple[RetailerId, str]:
    reference = request.parameters["reference"]
    if not 0 < len(reference) <= REFERENCE_LENGTH_MAX or not reference.isprintable():
        raise Misshapen("a reference has 1 to 60 printable characters", field="reference")
    return callers.retailer_of(request.known_caller), reference


def _to_answer(
    campaign: Campaign,
    *,
    now: datetime,
    standing: StandingShape | None = None,
    days: tuple[DayShape, ...] = (),
) -> CampaignAnswer:
    return CampaignAnswer(
        id=campaign.campaign_id,
        reference=campaign.reference,
        stage=campaign.stage_at(now),
        version=campaign.version,
        campaign=as_written(campaign),
        is_exhausted=campaign.is_exhausted,
        ended_at=to_text(campaign.ended_at) if campaign.ended_at else None,
        standing=standing,
        days=days,
    )
