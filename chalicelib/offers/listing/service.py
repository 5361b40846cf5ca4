"""Offers as they are shown: whose they are, in which order, and why.

A member sees an offer only while the service is on; whoever has it off gets an empty list, and
nothing about them is computed. Purchases and place are two inputs, and each works without the
other: without purchases there are offers for everybody, without a place none that are nearby.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import Conflicting, NotFound, TryAgain
from chalicelib.members.announcing import Announcement, NoticeKind, announce, notice_id_of
from chalicelib.members.model import Member, MemberStatus
from chalicelib.network import service as network
from chalicelib.network.caching import Remembered
from chalicelib.network.model import Retailer, RetailerStatus, Store
from chalicelib.network.places import Place
from chalicelib.network.programmes import Service
from chalicelib.offers.audiences import service as audiences
from chalicelib.offers.audiences.history import Visit
from chalicelib.offers.audiences.meeting import Asked, Seen, find_reasons
from chalicelib.offers.audiences.model import LOOKED_BACK_DAYS_MAX
from chalicelib.offers.audiences.profile import Profile, profile_of
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Campaign, Stage
from chalicelib.offers.events import store as events
from chalicelib.offers.listing.nearby import nearest_kilometres
from chalicelib.offers.listing.ranking import Score, score_of
from chalicelib.offers.participation import store
from chalicelib.offers.participation.archiving import REDEMPTIONS_MAX
from chalicelib.offers.participation.model import (
    Participation,
    Redemption,
    is_at_limit,
    new_participation,
)
from chalicelib.runtime import observability, vault

INTEREST_DAYS = 90
LISTED_MAX = 100
ATTEMPTS_MAX = 5
STORES_REMEMBERED_MAX = 500  # Retailers whose shops a process knows the places of.

_stores: Remembered[RetailerId, tuple[Store, ...]] = Remembered(entries_max=STORES_REMEMBERED_MAX)


class NotLive(Conflicting):
    """The offer does not run now, so it cannot be switched on."""

    code = "offer_not_live"


@dataclass(frozen=True, slots=True)
class Listed:
    """An offer as one member sees it. `kilometres` is to its nearest shop, where that was asked.

    `is_used_up`: the member has had as many rewards of it as they may have now. `held_minor` is of
    those that a person looks at first. `redemptions` are those they had, oldest first.
    """

    campaign: Campaign
    retailer: Retailer
    why: tuple[Seen, ...]
    score: Score
    activated_at: datetime | None = None
    is_used_up: bool = False
    rewarded_minor: int = 0
    held_minor: int = 0
    kilometres: int | None = None
    redemptions: tuple[Redemption, ...] = ()


def forget() -> None:
    """Drop what this process remembers. For tests and local stacks."""
    _stores.forget()


def list_public(*, place: Place | None, now: datetime) -> tuple[Listed, ...]:
    """The offers for everybody, for somebody of whom nothing is known; nearby ones with a place."""
    return _sorted(_listed(_Viewer(place=place), now=now))


def list_offers(
    member: Member, *, key: vault.SealingKey, place: Place | None, now: datetime
) -> tuple[Listed, ...]:
    """The offers that `member` sees, best first, at most 100; none while the service is off."""
    if member.status is not MemberStatus.ACTIVE or Service.OFFERS not in member.services:
        return ()
    visits: tuple[Visit, ...] = ()
    has_purchases = bool(member.accounts or member.cards)
    if has_purchases:
        visits = audiences.list_visits(
            member, key=key, days=LOOKED_BACK_DAYS_MAX, before=now, now=now
        )
    taken = store.list_participations(member.member_id, None, key=key, now=now)
    viewer = _Viewer(visits, taken, place, knows_purchases=has_purchases)
    return _sorted(_listed(viewer, now=now))


def get_profile(member: Member, currency: str, *, key: vault.SealingKey, now: datetime) -> Profile:
    """What the member's purchases and offers say, for the member alone.

    :raises NotFound: the member has offers switched off, and then there is none.
    """
    if member.status is not MemberStatus.ACTIVE or Service.OFFERS not in member.services:
        raise NotFound("there is no profile")
    visits = audiences.list_visits(member, key=key, days=LOOKED_BACK_DAYS_MAX, before=now, now=now)
    taken = store.list_participations(member.member_id, None, key=key, now=now)
    return profile_of(visits, taken.values(), currency=currency, at=now)


def activate(
    member: Member, campaign_id: str, *, key: vault.SealingKey, now: datetime
) -> Participation:
    """Switch an offer on for `member`; one that is on stays on since then.

    :raises NotFound: the member sees no such offer. :raises NotLive: it is paused or over.
    :raises TryAgain: the member's row kept changing.
    """
    listed = _find_seen(member, campaign_id, key=key, now=now)
    for _ in range(ATTEMPTS_MAX):
        before = store.find_participation(
            member.member_id, listed.retailer_id, campaign_id, key=key, now=now
        )
        taken = before or new_participation(listed)
        if taken.activated_at is None:
            taken = replace(taken, activated_at=now)
            counted = events.counting(campaign_id, member.member_id, None, at=now)
            if not store.record_participation(member.member_id, taken, key=key, beside=[counted]):
                continue
            taken = replace(taken, version=taken.version + 1)
            observability.count("offers_activated", retailer=listed.retailer_id)
        _announce_activation(member, taken, at=taken.activated_at or now)
        return taken
    raise TryAgain("the member's row kept changing")


def _find_seen(
    member: Member, campaign_id: str, *, key: vault.SealingKey, now: datetime
) -> Campaign:
    """The campaign, where the member may switch it on: an offer that was seen nearby counts too."""
    if member.status is not MemberStatus.ACTIVE or Service.OFFERS not in member.services:
        raise NotFound("there is no such offer")
    found = [one for one in campaigns.list_open(None, now=now) if one.campaign_id == campaign_id]
    taken = store.list_participations(member.member_id, None, key=key, now=now)
    for campaign in found:
        if campaign.stage_at(now) is not Stage.LIVE:
            raise NotLive("the offer does not run now")
        if campaign_id in taken or _is_for(member, campaign, key=key, now=now):
            return campaign
    raise NotFound("there is no such offer")


def _is_for(member: Member, campaign: Campaign, *, key: vault.SealingKey, now: datetime) -> bool:
    visits: tuple[Visit, ...] = ()
    if days := campaign.audience.looks_back_days:
        if not (member.accounts or member.cards):
            return False
        visits = audiences.list_visits(member, key=key, days=days, before=now, now=now)
    asked = Asked(campaign.retailer_id, "", campaign.currency, now, kilometres=0)
    return find_reasons(campaign.audience, visits, asked) is not None


def _announce_activation(member: Member, taken: Participation, *, at: datetime) -> None:
    kind = NoticeKind.OFFER_ACTIVATED
    notice_id = notice_id_of(
        kind, member_id=member.member_id, subject=taken.campaign_id, cause=taken.campaign_id
    )
    told = Announcement(
        notice_id, kind, member.member_id, at, taken.campaign_id, retailer_id=taken.retailer_id
    )
    announce([told])


@dataclass(frozen=True, slots=True)
class _Viewer:
    """What is known of whoever looks, for as long as they look."""

    visits: tuple[Visit, ...] = ()
    taken: Mapping[str, Participation] | None = None
    place: Place | None = None
    knows_purchases: bool = False


def _listed(viewer: _Viewer, *, now: datetime) -> list[Listed]:
    recent = [one for one in viewer.visits if (now - one.at).days < INTEREST_DAYS]
    retailers = {one.retailer_id: one for one in network.list_retailers(now=now)}
    found = []
    for campaign in campaigns.list_open(None, now=now):
        retailer = retailers.get(campaign.retailer_id)
        if retailer is None or retailer.status is not RetailerStatus.LIVE:
            continue
        if campaign.stage_at(now) is not Stage.LIVE or campaign.is_exhausted:
            continue
        if campaign.audience.looks_back_days and not viewer.knows_purchases:
            continue
        if (one := _as_listed(campaign, retailer, viewer, recent, now=now)) is not None:
            found.append(one)
    return found


def _as_listed(
    campaign: Campaign, retailer: Retailer, viewer: _Viewer, recent: list[Visit], *, now: datetime
) -> Listed | None:
    kilometres = _kilometres(retailer, viewer.place, now=now)
    asked = Asked(retailer.retailer_id, retailer.name, campaign.currency, now, kilometres)
    taken = (viewer.taken or {}).get(campaign.campaign_id)
    activated_at = taken.activated_at if taken is not None else None
    why = find_reasons(campaign.audience, viewer.visits, asked)
    if why is None and activated_at is None:
        return None
    is_used_up = taken is not None and is_at_limit(
        taken,
        campaign.limit,
        sold_at=now,
        zone=campaign.zone,
        most=REDEMPTIONS_MAX,
    )
    return Listed(
        campaign,
        retailer,
        why if why is not None else (_SWITCHED_ON,),
        score_of(campaign, recent),
        activated_at,
        is_used_up,
        taken.kept_minor if taken else 0,
        taken.held_minor if taken else 0,
        kilometres,
        taken.redemptions if taken else (),
    )


_SWITCHED_ON = Seen("activated", "You switched this offer on.")


def _kilometres(retailer: Retailer, place: Place | None, *, now: datetime) -> int | None:
    if place is None:
        return None
    stores = _stores.recall(
        retailer.retailer_id,
        lambda: network.list_stores(retailer.retailer_id, now=now),
        now=now,
    )
    return nearest_kilometres(place, stores)


def _sorted(found: list[Listed]) -> tuple[Listed, ...]:
    ranked = sorted(
        found,
        key=lambda one: (
            one.is_used_up,
            -one.score.points,
            one.campaign.ends_at,
            one.campaign.campaign_id,
        ),
    )
    return tuple(ranked[:LISTED_MAX])
