"""Bringing a member's offers up to the newest version of a purchase.

What is decided is written into the member's row of the campaign first: it holds the limit, and says
which lease pays. Then the budget, the journal and the notices follow what the row says, each
under a name of its own, so that a run that died, or is late, or runs beside another one, is
finished by any other. What was given is only ever changed by what came back: the choice between
offers is made once for each receipt of a purchase.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from chalicelib.kernel.refusals import TryAgain
from chalicelib.loyalty.cards.eligibility import AHEAD_MAX
from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.watching import USUAL, place_of
from chalicelib.members.model import Member, MemberStatus
from chalicelib.members.switching import was_off
from chalicelib.network.programmes import Service
from chalicelib.offers import holding, paying
from chalicelib.offers.asking import Audiences
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.case import Case
from chalicelib.offers.choosing import Chosen, Held, choose
from chalicelib.offers.deciding import NotWon, OfferWhy, Worth, worth_of
from chalicelib.offers.following import (
    find_redemption,
    follow,
    redeemed_by_id,
    shares_in,
    target_minor,
)
from chalicelib.offers.participation import store
from chalicelib.offers.participation.model import (
    Participation,
    Redemption,
    new_participation,
)
from chalicelib.offers.paying import Changed, Payer
from chalicelib.offers.recalling import recall
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import Receipt
from chalicelib.runtime import observability, vault

ATTEMPTS_MAX = 5  # Each is lost only to a purchase of the same member that finished meanwhile.


@dataclass(frozen=True, slots=True)
class Won:
    """An offer that the purchase got: what of it the member has now, in minor units.

    `excludes_schemes`: nor does the purchase earn stamps or points, for as long as it has the offer
    or may have it. `withheld_minor` is what it did not give, because others beside it gave all that
    was paid.
    """

    campaign_id: str
    minor: int
    currency: str
    excludes_schemes: bool = False
    withheld_minor: int = 0


@dataclass(frozen=True, slots=True)
class Awarded:
    """What became of a purchase: the offers it got, and those it did not get, with the reasons."""

    won: tuple[Won, ...] = ()
    lost: tuple[NotWon, ...] = ()

    @property
    def excludes_schemes(self) -> bool:
        """Whether an offer that it got says that the purchase earns no stamps or points."""
        return any(one.excludes_schemes for one in self.won)


def award_purchase(
    purchase: Purchase, sale: Sale, member: Member, key: vault.SealingKey, *, now: datetime
) -> Awarded:
    """Give what `purchase` gets of its retailer's offers, and take back what it no longer does.

    It may be asked any number of times, late and by several at once; the effect is that of asking
    once with the newest version.

    :raises TryAgain: others kept changing the member's offers, or a table did not answer.
    """
    case = Case(purchase, sale, member, Payer(member.member_id, key, now), now)
    for _ in range(ATTEMPTS_MAX):
        try:
            awarded = _award(case, key)
        except Changed:
            continue
        case.payer.announce()
        return awarded
    raise TryAgain("others kept changing the member's offers")


def _award(case: Case, key: vault.SealingKey) -> Awarded:
    sale = case.sale
    is_elsewhere = case.purchase.receipt is None or bool(case.purchase.withdrawals)
    retailer_id = None if is_elsewhere else sale.retailer_id
    held = store.list_participations(case.member.member_id, retailer_id, key=key, now=case.now)
    open_by_id = {}
    if case.receipt_id is not None:
        found = campaigns.list_open(sale.retailer_id, now=case.now)
        open_by_id = {one.campaign_id: one for one in found}
    past = recall(held, open_by_id, case.sale, case.member.member_id, key, now=case.now)
    followed: dict[str, Participation] = {}
    for one in sorted(held.values(), key=lambda one: (one.ends_at, one.campaign_id)):
        beside = tuple(redeemed_by_id(case, followed).values())
        campaign, others = open_by_id.get(one.campaign_id), past.get(one.campaign_id, ())
        followed[one.campaign_id] = follow(case, one, campaign, beside, others)
    lost: tuple[NotWon, ...] = ()
    if open_by_id and _may_win(case):
        audience = Audiences(case.sale, case.member, key, past, now=case.now)
        rows = (*(one.redemptions for one in followed.values()), *past.values())
        watched = replace(case, others=tuple(chain.from_iterable(rows)))
        lost = _win(watched, followed, open_by_id, audience)
    return Awarded(_won(case, followed, open_by_id), lost)


def _may_win(case: Case) -> bool:
    member, sale = case.member, case.sale
    return (
        member.status is MemberStatus.ACTIVE
        and Service.OFFERS in member.services
        and not was_off(member.switches, Service.OFFERS, at=sale.sold_at)
        and member.activated_at <= sale.sold_at <= case.now + AHEAD_MAX
        and not sale.is_told_twice
    )


def _win(
    case: Case,
    held: dict[str, Participation],
    open_by_id: Mapping[str, Campaign],
    audience: Audiences,
) -> tuple[NotWon, ...]:
    """Choose, give, and choose again where a budget could not pay; `held` gets what was won."""
    without: dict[str, NotWon] = {}
    while True:
        judged = [
            without.get(campaign_id) or audience.judge(campaign, held.get(campaign_id))
            for campaign_id, campaign in open_by_id.items()
            if find_redemption(case, held.get(campaign_id)) is None
        ]
        chosen = choose(judged, _held(case, held, open_by_id))
        if not chosen.won:
            return _counted(chosen)
        if len(chosen.won) > 1 and not redeemed_by_id(case, held):
            unpaid = _unpaid(case, chosen.won)
            if unpaid:
                without |= unpaid
                continue
        worth = chosen.won[0]
        campaign_id = worth.campaign.campaign_id
        given = _give(case, worth, held)
        if isinstance(given, NotWon):
            without[campaign_id] = given
        else:
            held[campaign_id] = given


def _unpaid(case: Case, won: Sequence[Worth]) -> dict[str, NotWon]:
    """Those of several offers whose budgets cannot pay, by campaign: asked before any is given.

    Once one of them is given, an offer that is alone cannot be, though it may be the better now.
    """
    return {
        worth.campaign.campaign_id: NotWon(worth.campaign.campaign_id, OfferWhy.NO_BUDGET.value)
        for worth in won
        if not case.payer.can_pay(worth.campaign, target_minor(_redeemed(case, worth), case.sale))
    }


def _give(case: Case, worth: Worth, held: Mapping[str, Participation]) -> Participation | NotWon:
    """The member's row once the offer is given, or why it cannot be."""
    campaign, redemption = worth.campaign, _redeemed(case, worth)
    target = target_minor(redemption, case.sale, tuple(redeemed_by_id(case, held).values()))
    if target <= 0:
        return NotWon(campaign.campaign_id, OfferWhy.RETURNED.value)
    participation = held.get(campaign.campaign_id) or new_participation(campaign)
    redemption = holding.watched(case, participation, redemption, target)
    if redemption.held == REFUSED:
        return NotWon(campaign.campaign_id, OfferWhy.REFUSED.value)
    before = case.payer.tidied(participation, campaign)
    after = case.payer.bring_to(before, redemption, target)
    given = after.find(redemption.purchase_id, redemption.receipt_id)
    if given is None or not given.gifts:
        holding.drop(case, participation, redemption)
        return NotWon(campaign.campaign_id, OfferWhy.NO_BUDGET.value)
    observability.count("offers_redeemed", retailer=campaign.retailer_id)
    return after


def _redeemed(case: Case, worth: Worth) -> Redemption:
    """What `worth` is to give, before anything is given."""
    receipt = case.purchase.receipt
    assert receipt is not None, "a purchase without a receipt wins nothing"
    return Redemption(
        purchase_id=case.sale.purchase_id,
        receipt_id=receipt.receipt_id,
        receipt_version=receipt.version,
        sold_at=case.sale.sold_at,
        available_at=paying.available_at(worth.campaign, case.sale.sold_at, now=case.now),
        shares=worth.shares,
        gifts=(),
        place=_place(receipt, worth.campaign),
    )


def _place(receipt: Receipt, campaign: Campaign) -> str:
    """The till, where the offer may be had so often that somebody asks for it."""
    most = USUAL.at_one_till
    is_asked = most is not None and campaign.limit.times > most
    return place_of(receipt.store_id, receipt.till) if is_asked else ""


def _held(
    case: Case, held: Mapping[str, Participation], open_by_id: Mapping[str, Campaign]
) -> Held | None:
    """What this purchase got already. A campaign that is closed by now is alone for safety."""
    got = redeemed_by_id(case, held)
    if not got:
        return None
    are_stackable = all(name in open_by_id and open_by_id[name].is_stackable for name in got)
    return Held(min(got), are_stackable, shares_in(tuple(got.values())))


def _won(
    case: Case, held: Mapping[str, Participation], open_by_id: Mapping[str, Campaign]
) -> tuple[Won, ...]:
    won = []
    for campaign_id, redemption in redeemed_by_id(case, held).items():
        campaign = open_by_id.get(campaign_id)
        won.append(
            Won(
                campaign_id,
                redemption.counted_minor,
                held[campaign_id].currency,
                _excludes_schemes(held[campaign_id], redemption, campaign, now=case.now),
                _withheld_minor(redemption, campaign, case.sale),
            )
        )
    return tuple(won)


def _excludes_schemes(
    participation: Participation,
    redemption: Redemption,
    campaign: Campaign | None,
    *,
    now: datetime,
) -> bool:
    """As the campaign says, also when it is closed: then it is read, which is seldom."""
    if redemption.budgeted_minor <= 0:
        return False
    if campaign is None:
        campaign = campaigns.find_campaign(
            participation.retailer_id, participation.campaign_id, now=now
        )
    return campaign is not None and campaign.excludes_schemes


def _withheld_minor(redemption: Redemption, campaign: Campaign | None, sale: Sale) -> int:
    """What `redemption` would give if it were alone, beside what it gives; nought if not known."""
    worth = worth_of(campaign, sale) if campaign is not None else None
    if not isinstance(worth, Worth):
        return 0
    return worth.minor - sum(share.minor for share in redemption.shares)


def _counted(chosen: Chosen) -> tuple[NotWon, ...]:
    for one in chosen.lost:
        observability.count("offers_not_won", why=one.why)
    return chosen.lost
