"""Counting what members do with offers, for those who switched offers on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.kernel.refusals import Misshapen, NotFound
from chalicelib.members.model import Member, MemberStatus
from chalicelib.network.programmes import Service
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.events import store
from chalicelib.offers.events.model import EVENT_ID_LENGTH_MAX, Counts, OfferEvent
from chalicelib.runtime import observability

AHEAD = timedelta(minutes=10)  # A phone's clock may be that much before ours.
BEHIND = timedelta(days=7)  # What an app that was without a line may tell late.


def record_events(member: Member, events: Sequence[OfferEvent], *, now: datetime) -> int:
    """Record `events` of `member`, each once under its id; returns how many were new.

    :raises NotFound: one is of no open offer, or the member wants no offers: nothing is recorded.
    :raises TryAgain: too many count at once; send all of them again.
    :raises Misshapen: one has no id, or happened in the future or over a week ago.
    """
    if member.status is not MemberStatus.ACTIVE or Service.OFFERS not in member.services:
        raise NotFound("there is no such offer")
    known = {one.campaign_id for one in campaigns.list_open(None, now=now)}
    for event in events:
        if not 0 < len(event.event_id) <= EVENT_ID_LENGTH_MAX:
            raise Misshapen("an event has an id of 1 to 100 characters", field="event_id")
        if not now - BEHIND <= event.at <= now + AHEAD:
            raise Misshapen("the event is of the future, or over a week old", field="at")
        if event.campaign_id not in known:
            raise NotFound("there is no such offer")
    new = [event for event in events if store.record_event(member.member_id, event)]
    for event in new:
        observability.count("offer_events", kind=event.kind.value)
    return len(new)


def list_counts(campaign_id: str, *, now: datetime) -> list[Counts]:
    """How often the offer was seen, opened, clicked and switched on, by day (UTC)."""
    return store.list_counts(campaign_id, now=now)
