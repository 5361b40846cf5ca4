"""Campaigns through their life: written as drafts, scheduled, paused, ended, closed.

A campaign's budget is made before it is scheduled, so that none is ever open without one. It is
closed when no purchase of its window can come to be known any more; until then a receipt that is
late is still rewarded, and what a returned one gives back may be spent again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.budgets import service as budgets
from chalicelib.budgets.leasing import CapTooLow
from chalicelib.budgets.service import Purse, Standing
from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import Conflicting, NotAllowed, NotFound, TryAgain
from chalicelib.loyalty.rewarding import most_minor
from chalicelib.network import service as network
from chalicelib.network.caching import Remembered
from chalicelib.offers.campaigns import checking, model, store
from chalicelib.offers.campaigns.model import Campaign, Stage, Status, campaign_id_of
from chalicelib.runtime import observability

ATTEMPTS_MAX = 5
LATE_DAYS = 45  # The longest that a receipt may be late (a month), and a fortnight for queues.

_by_retailer: Remembered[str, tuple[Campaign, ...]] = Remembered(entries_max=2_000)


class NotADraft(Conflicting):
    """What a campaign offers can change only while it is a draft."""

    code = "not_a_draft"


class WrongStage(Conflicting):
    """A campaign in this stage cannot do that."""

    code = "wrong_stage"


class TooManyCampaigns(NotAllowed):
    """There are as many campaigns as can be read at once."""

    code = "too_many_campaigns"


def forget() -> None:
    """Drop what this process remembers. For tests and local stacks."""
    _by_retailer.forget()


def purse_of(campaign: Campaign) -> Purse:
    """The budget that `campaign` spends of."""
    return Purse(campaign.campaign_id, campaign.ends_at)


def get_campaign(retailer_id: RetailerId, reference: str, *, now: datetime) -> Campaign:
    """The campaign that `retailer_id` calls `reference`. :raises NotFound: there is none."""
    campaign = find_campaign(retailer_id, campaign_id_of(retailer_id, reference), now=now)
    if campaign is None:
        raise NotFound("there is no such campaign")
    return campaign


def find_campaign(retailer_id: RetailerId, campaign_id: str, *, now: datetime) -> Campaign | None:
    """The retailer's campaign of this id, or None."""
    return store.find_campaign(retailer_id, campaign_id, now=now)


def list_campaigns(retailer_id: RetailerId, *, now: datetime) -> tuple[Campaign, ...]:
    """All campaigns of the retailer, in order of id."""
    return store.list_of_retailer(retailer_id, now=now)


def list_open(retailer_id: RetailerId | None, *, now: datetime) -> tuple[Campaign, ...]:
    """The campaigns that are scheduled, live, paused, or over for a short time; of all retailers
    with None. Remembered for under a minute.
    """
    key = retailer_id or ""
    return _by_retailer.recall(key, lambda: store.list_open(retailer_id, now=now), now=now)


def standing_of(campaign: Campaign, *, now: datetime) -> Standing:
    """How the campaign's budget stands; of a draft, all of it is left."""
    if campaign.status is Status.DRAFT:
        budget = campaign.budget_minor
        return Standing(campaign.currency, budget, 0, budget, is_closed=False)
    return budgets.get_standing(purse_of(campaign), now=now)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft as it stands now. `is_new`: there was no campaign of its name before."""

    campaign: Campaign
    is_new: bool


def write_draft(campaign: Campaign, *, now: datetime) -> Drafted:
    """Write `campaign` as a draft, over the draft of its name; the same again changes nothing,
    whatever has become of it since.

    :raises checking.NotACampaign: it could never run. :raises NotADraft: it is no draft any more.
    :raises TryAgain: others kept changing it.
    """
    network.get_retailer(campaign.retailer_id, now=now)
    for _ in range(ATTEMPTS_MAX):
        before = find_campaign(campaign.retailer_id, campaign.campaign_id, now=now)
        if before is not None and model.is_made_of(before, campaign):
            return Drafted(before, is_new=False)
        checking.check(campaign, now=now)
        version = 0 if before is None else before.version
        if before is not None and before.status is not Status.DRAFT:
            raise NotADraft("what a campaign offers changes only while it is a draft")
        draft = replace(campaign, version=version + 1)
        if store.record_campaign(draft, after_version=version, is_open=False):
            return Drafted(draft, is_new=before is None)
    raise TryAgain("others kept changing the campaign")


def schedule(retailer_id: RetailerId, reference: str, *, now: datetime) -> Campaign:
    """Let the draft run in its window; one that is scheduled already stays as it is.

    :raises checking.NotACampaign: its window has begun meanwhile, or it could never run.
    :raises checking.CampaignsOverlap: another offers the same. :raises WrongStage: it has ended.
    :raises TooManyCampaigns: as many are open as can be.
    """

    def decide(campaign: Campaign) -> Campaign:
        if campaign.status in (Status.SCHEDULED, Status.PAUSED):
            return campaign
        if campaign.status is Status.ENDED:
            raise WrongStage("the campaign has ended")
        checking.check(campaign, now=now)
        checking.check_beside(campaign, list_campaigns(retailer_id, now=now), now=now)
        if len(store.list_open(None, now=now)) >= store.OPEN_MAX:
            raise TooManyCampaigns("as many campaigns are open as can be")
        budgets.open_budget(
            campaign.campaign_id,
            cap_minor=campaign.budget_minor,
            currency=campaign.currency,
            now=now,
        )
        _switch_rewards_on(retailer_id, now=now)
        return replace(campaign, status=Status.SCHEDULED)

    return _change(retailer_id, reference, decide, now=now)


def pause(retailer_id: RetailerId, reference: str, *, now: datetime) -> Campaign:
    """Give nothing for purchases from now on. :raises WrongStage: it is not running."""

    def decide(campaign: Campaign) -> Campaign:
        if campaign.status is Status.PAUSED:
            return campaign
        if campaign.stage_at(now) not in (Stage.SCHEDULED, Stage.LIVE):
            raise WrongStage("only a campaign that is scheduled or live can pause")
        return model.paused(campaign, now=now)

    return _change(retailer_id, reference, decide, now=now)


def resume(retailer_id: RetailerId, reference: str, *, now: datetime) -> Campaign:
    """Give again for purchases from now on. :raises WrongStage: it is not paused."""

    def decide(campaign: Campaign) -> Campaign:
        if campaign.stage_at(now) in (Stage.SCHEDULED, Stage.LIVE):
            return campaign
        if campaign.stage_at(now) is not Stage.PAUSED:
            raise WrongStage("only a campaign that is paused can go on")
        return model.resumed(campaign, now=now)

    return _change(retailer_id, reference, decide, now=now)


def end(retailer_id: RetailerId, reference: str, *, now: datetime) -> Campaign:
    """Give nothing for purchases from now on, for good; a draft is simply never scheduled."""

    def decide(campaign: Campaign) -> Campaign:
        if campaign.stage_at(now) is Stage.ENDED:
            return campaign
        return model.ended(campaign, now=now)

    return _change(retailer_id, reference, decide, now=now)


def change_budget(
    retailer_id: RetailerId, reference: str, budget_minor: int, *, now: datetime
) -> Campaign:
    """Give the campaign another budget: more, or less down to what is spent and leased.

    :raises CapTooLow: more is spent and leased already. :raises WrongStage: it has ended.
    :raises checking.NotACampaign: it is less than one reward.
    """

    def decide(campaign: Campaign) -> Campaign:
        changed = replace(campaign, budget_minor=budget_minor)
        if campaign.stage_at(now) is Stage.ENDED:
            raise WrongStage("the campaign has ended")
        checking.check_budget(changed, "amount_minor")
        if campaign.status is not Status.DRAFT:
            _change_cap(changed, now=now)
            return _looked_at(changed, now=now)  # Shown again at once, where it is enough now.
        return changed

    return _change(retailer_id, reference, decide, now=now)


def _change_cap(campaign: Campaign, *, now: datetime) -> None:
    try:
        budgets.open_budget(
            campaign.campaign_id,
            cap_minor=campaign.budget_minor,
            currency=campaign.currency,
            now=now,
        )
    except CapTooLow as error:
        raise CapTooLow(error.detail, field="amount_minor") from error


def tend(*, now: datetime) -> int:
    """Look after the open campaigns; returns how many changed.

    The budgets of those whose purchases are all known are closed. Those that have not enough left
    for one reward are shown to nobody until they have (a return gives back, a retailer adds).

    :raises TryAgain: others kept changing a budget.
    """
    changed = 0
    for listed in store.list_open(None, now=now):
        before = find_campaign(listed.retailer_id, listed.campaign_id, now=now)
        if before is None or before.status is Status.DRAFT:
            continue
        is_over = now >= before.over_at + timedelta(days=LATE_DAYS)
        after = _closed(before, now=now) if is_over else _looked_at(before, now=now)
        if after != before or is_over:
            after = replace(after, version=before.version + 1)
            changed += store.record_campaign(
                after, after_version=before.version, is_open=not is_over
            )
    if changed:
        forget()
    return changed


def _closed(campaign: Campaign, *, now: datetime) -> Campaign:
    budgets.close_budget(purse_of(campaign), now=now)
    observability.count("campaigns_closed")
    return replace(campaign, status=Status.ENDED)


def _looked_at(campaign: Campaign, *, now: datetime) -> Campaign:
    left = budgets.get_standing(purse_of(campaign), now=now).left_minor
    return replace(campaign, is_exhausted=left < (most_minor(campaign.reward) or 0))


def _change(
    retailer_id: RetailerId,
    reference: str,
    decide: Callable[[Campaign], Campaign],
    *,
    now: datetime,
) -> Campaign:
    for _ in range(ATTEMPTS_MAX):
        before = get_campaign(retailer_id, reference, now=now)
        after = decide(before)
        if after == before:
            return before
        after = replace(after, version=before.version + 1)
        is_open = after.status is not Status.DRAFT
        if before.status is Status.DRAFT and after.status is Status.ENDED:
            is_open = False  # It never ran, so nothing can come of it.
        if store.record_campaign(after, after_version=before.version, is_open=is_open):
            forget()
            return after
    raise TryAgain("others kept changing the campaign")


def _switch_rewards_on(retailer_id: RetailerId, *, now: datetime) -> None:
    """Have purchases at the retailer announced to what rewards them, from now on."""
    retailer = network.get_retailer(retailer_id, now=now)
    if not retailer.rewards:
        network.record_retailer(replace(retailer, rewards=True))
