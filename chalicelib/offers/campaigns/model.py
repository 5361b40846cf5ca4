"""A campaign as a value, and where in its life it is. Pure.

Amounts are whole minor units of the campaign's one currency. What a campaign offers cannot change
once it is scheduled: what a member was shown is what they get. Only its budget may grow, and it
may pause, go on, and end before its time.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import RetailerId, natural_id
from chalicelib.loyalty.rules import ALWAYS, Condition, Exclusions, Reward
from chalicelib.loyalty.terms import Per
from chalicelib.offers.audiences.model import EVERYBODY, Audience

NO_EXCLUSIONS = Exclusions()


class Status(Enum):
    """What its retailer has done with it; together with the time it makes the `Stage`."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PAUSED = "paused"
    ENDED = "ended"


class Stage(Enum):
    """Where in its life a campaign is. The values are part of the API."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` rewards for one member in each period; `per` is not a purchase."""

    times: int = 1
    per: Per = Per.EVER


@dataclass(frozen=True, slots=True)
class Pause:
    """From `since` until `until` (None: until now) the campaign gave nothing."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """An offer of a retailer: cashback for a purchase that qualifies.

    - `reference` is the retailer's own name of it, from which `campaign_id` follows.
    - It is for sales in [`starts_at`, `ends_at`), by members of `audience`, that meet `condition`;
      `exclusions` are what never counts. `zone` is the campaign's, for its limits by period.
    - `needs_activation`: only for purchases after the member switched it on.
    - `budget_minor` bounds what it gives in all, and `limit` what one member gets.
    - `priority`: the higher goes before the more valuable. `is_stackable`: may be given beside
      other stackable offers. `excludes_schemes`: the purchase earns no stamps or points then.
    - `pending_days`: for how long a reward is pending; None means the retailer's return period.
    - `is_exhausted`: its budget had not enough left for one reward when it was last looked at, so
      that nobody is shown it.
    - `written` is the document that its retailer wrote, as JSON. `version` counts changes.
    """

    campaign_id: str
    retailer_id: RetailerId
    reference: str
    name: str
    currency: str
    zone: str
    starts_at: datetime
    ends_at: datetime
    reward: Reward
    budget_minor: int
    limit: Limit = Limit()
    audience: Audience = EVERYBODY
    condition: Condition = ALWAYS
    exclusions: Exclusions = NO_EXCLUSIONS
    description: str = ""
    terms: tuple[str, ...] = ()
    terms_url: str = ""
    needs_activation: bool = False
    is_stackable: bool = False
    excludes_schemes: bool = False
    priority: int = 0
    pending_days: int | None = None
    status: Status = Status.DRAFT
    pauses: tuple[Pause, ...] = ()
    ended_at: datetime | None = None
    is_exhausted: bool = False
    written: str = ""
    version: int = 1

    @property
    def over_at(self) -> datetime:
        """When it ends or ended: the end of its window, or an end before that."""
        return self.ends_at if self.ended_at is None else min(self.ended_at, self.ends_at)

    def stage_at(self, now: datetime) -> Stage:
        """Where in its life it is at `now`."""
        if self.status is Status.DRAFT:
            return Stage.DRAFT
        if now >= self.over_at:
            return Stage.ENDED
        if self.status is Status.PAUSED:
            return Stage.PAUSED
        return Stage.LIVE if now >= self.starts_at else Stage.SCHEDULED

    def is_for_sales_at(self, sold_at: datetime) -> bool:
        """Whether a sale of `sold_at` may be rewarded: in the window, and in no pause.

        It asks when the sale was, not when it came to be known: a receipt that is late counts.
        """
        if self.status is Status.DRAFT or not self.starts_at <= sold_at < self.over_at:
            return False
        return not any(
            pause.since <= sold_at and (pause.until is None or sold_at < pause.until)
            for pause in self.pauses
        )


def campaign_id_of(retailer_id: RetailerId, reference: str) -> str:
    """The id of the campaign that `retailer_id` calls `reference`."""
    return natural_id("campaign", retailer_id, reference)


def is_made_of(campaign: Campaign, draft: Campaign) -> bool:
    """Whether `campaign`, whatever has become of it, offers what `draft` does, budget and all."""
    as_drafted = replace(
        campaign,
        status=draft.status,
        pauses=draft.pauses,
        ended_at=draft.ended_at,
        is_exhausted=draft.is_exhausted,
        written=draft.written,
        version=draft.version,
    )
    return as_drafted == draft


def paused(campaign: Campaign, *, now: datetime) -> Campaign:
    """`campaign` giving nothing for sales from `now` on."""
    pauses = (*campaign.pauses, Pause(now))
    return replace(campaign, status=Status.PAUSED, pauses=pauses)


def resumed(campaign: Campaign, *, now: datetime) -> Campaign:
    """`campaign` giving again for sales from `now` on."""
    *before, last = campaign.pauses
    pauses = (*before, replace(last, until=now))
    return replace(campaign, status=Status.SCHEDULED, pauses=pauses)


def ended(campaign: Campaign, *, now: datetime) -> Campaign:
    """`campaign` giving nothing for sales from `now` on, for good."""
    return replace(campaign, status=Status.ENDED, ended_at=min(now, campaign.ends_at))
