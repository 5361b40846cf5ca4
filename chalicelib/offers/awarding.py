"""Bringing a member's offers up to the newest version of a purchase.

What is decided is written into the member's row of the campaign first: it holds the limit, and says
which lease pays. Then the budget, the journal and the notices follow what the row says, each
under a name of its own, so that a run that died, or is late, or runs beside another one, is
finished by any other. What was given is only ever changed by what came back: the choice between
offers is made once for each receipt of a purchase.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.kernel.ids import ReceiptId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.loyalty.cards.eligibility import AHEAD_MAX
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.taking_back import taken_back
from chalicelib.members.model import Member, MemberStatus
from chalicelib.network.programmes import Service
from chalicelib.offers import paying
from chalicelib.offers.audiences import service as audiences
from chalicelib.offers.audiences.meeting import Asked, find_reasons
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.deciding import (
    Chosen,
    Held,
    NotWon,
    OfferWhy,
    Worth,
    choose,
    judge,
    worth_of,
)
from chalicelib.offers.participation import store
from chalicelib.offers.participation.model import (
    Kept,
    Participation,
    Redemption,
    new_participation,
    shares_of,
)
from chalicelib.offers.paying import Changed, Payer
from chalicelib.offers.recalling import recall
from chalicelib.purchases.model import Purchase
from chalicelib.runtime import observability, vault

RETURNED, WITHDRAWN = "returned", "withdrawn"  # Reasons of an adjustment, as notices have them.
ATTEMPTS_MAX = 5  # Each is lost only to a purchase of the same member that finished meanwhile.


@dataclass(frozen=True, slots=True)
class Won:
    """An offer that the purchase got: what of it the member has now, in minor units."""

    campaign_id: str
    minor: int
    currency: str
    excludes_schemes: bool = False


@dataclass(frozen=True, slots=True)
class Awarded:
    """What became of a purchase: the offers it got, and those it did not get, with the reasons."""

    won: tuple[Won, ...] = ()
    lost: tuple[NotWon, ...] = ()

    @property
    def excludes_schemes(self) -> bool:
        """Whether an offer that it got says that the purchase earns no stamps or points."""
        return any(one.excludes_schemes and one.minor > 0 for one in self.won)


@dataclass(frozen=True, slots=True)
class _Case:
    """A purchase in its newest version, and the member whose it is."""

    purchase: Purchase
    sale: Sale
    member: Member
    payer: Payer
    now: datetime

    @property
    def receipt_id(self) -> ReceiptId | None:
        receipt = self.purchase.receipt
        return receipt.receipt_id if receipt is not None and not self.sale.is_withdrawn else None


def award_purchase(
    purchase: Purchase, sale: Sale, member: Member, key: vault.SealingKey, *, now: datetime
) -> Awarded:
    """Give what `purchase` gets of its retailer's offers, and take back what it no longer does.

    It may be asked any number of times, late and by several at once; the effect is that of asking
    once with the newest version.

    :raises TryAgain: others kept changing the member's offers, or a table did not answer.
    """
    case = _Case(purchase, sale, member, Payer(member.member_id, key, now), now)
    for _ in range(ATTEMPTS_MAX):
        try:
            awarded = _award(case, key)
        except Changed:
            continue
        case.payer.announce()
        return awarded
    raise TryAgain("others kept changing the member's offers")


def _award(case: _Case, key: vault.SealingKey) -> Awarded:
    sale = case.sale
    is_elsewhere = case.purchase.receipt is None or bool(case.purchase.withdrawals)
    retailer_id = None if is_elsewhere else sale.retailer_id
    held = store.list_participations(case.member.member_id, retailer_id, key=key, now=case.now)
    open_by_id = {}
    if case.receipt_id is not None:
        found = campaigns.list_open(sale.retailer_id, now=case.now)
        open_by_id = {one.campaign_id: one for one in found}
    past = recall(held, open_by_id, case.sale, case.member.member_id, key, now=case.now)
    for campaign_id, participation in held.items():
        held[campaign_id] = _follow(case, participation, open_by_id.get(campaign_id))
    lost: tuple[NotWon, ...] = ()
    if open_by_id and _may_win(case):
        lost = _win(case, held, open_by_id, _Audiences(case, key, past))
    return Awarded(_won(case, held, open_by_id), lost)


def _follow(case: _Case, participation: Participation, campaign: Campaign | None) -> Participation:
    """`participation` with what this purchase got brought up to its newest version, and paid."""
    for redemption in participation.of_purchase(case.purchase.payment.payment_id):
        if redemption.receipt_id != case.receipt_id:
            participation = case.payer.bring_to(participation, redemption, 0, reason=WITHDRAWN)
            continue
        current = _recounted(case, redemption, campaign)
        left = _left_minor(current, case.sale)
        participation = case.payer.bring_to(participation, current, left, reason=RETURNED)
    return participation


def _recounted(case: _Case, redemption: Redemption, campaign: Campaign | None) -> Redemption:
    """`redemption` by the lines of a corrected receipt, under the campaign as it was."""
    receipt = case.purchase.receipt
    if receipt is None or receipt.version == redemption.receipt_version:
        return redemption
    shares: tuple[Kept, ...] = redemption.shares
    if campaign is not None:
        worth = worth_of(campaign, case.sale)
        shares = worth.shares if isinstance(worth, Worth) else ()
    return replace(redemption, receipt_version=receipt.version, shares=shares)


def _left_minor(redemption: Redemption, sale: Sale) -> int:
    """What of `redemption` is left when everything that came back is taken off."""
    shares = shares_of(redemption)
    back = sum(share.units for share in taken_back(shares, sale))
    return sum(share.units for share in shares) - back


def _may_win(case: _Case) -> bool:
    member, sale = case.member, case.sale
    return (
        member.status is MemberStatus.ACTIVE
        and Service.OFFERS in member.services
        and member.activated_at <= sale.sold_at <= case.now + AHEAD_MAX
        and not sale.is_told_twice
    )


def _win(
    case: _Case,
    held: dict[str, Participation],
    open_by_id: Mapping[str, Campaign],
    audience: "_Audiences",
) -> tuple[NotWon, ...]:
    """Choose, give, and choose again where a budget could not pay; `held` gets what was won."""
    without: dict[str, NotWon] = {}
    while True:
        judged = [
            without.get(campaign_id) or audience.judge(campaign, held.get(campaign_id))
            for campaign_id, campaign in open_by_id.items()
            if _redemption(case, held.get(campaign_id)) is None
        ]
        chosen = choose(judged, _held(case, held, open_by_id))
        if not chosen.won:
            return _counted(chosen)
        worth = chosen.won[0]
        campaign_id = worth.campaign.campaign_id
        given = _give(case, worth, held.get(campaign_id))
        if isinstance(given, NotWon):
            without[campaign_id] = given
        else:
            held[campaign_id] = given


def _give(case: _Case, worth: Worth, participation: Participation | None) -> Participation | NotWon:
    """The member's row once the offer is given, or why it cannot be."""
    campaign, receipt = worth.campaign, case.purchase.receipt
    assert receipt is not None, "a purchase without a receipt wins nothing"
    redemption = Redemption(
        purchase_id=case.sale.purchase_id,
        receipt_id=receipt.receipt_id,
        receipt_version=receipt.version,
        sold_at=case.sale.sold_at,
        available_at=paying.available_at(campaign, case.sale.sold_at, now=case.now),
        shares=worth.shares,
        gifts=(),
    )
    target = _left_minor(redemption, case.sale)
    if target <= 0:
        return NotWon(campaign.campaign_id, OfferWhy.RETURNED.value)
    before = case.payer.tidied(participation or new_participation(campaign), campaign)
    after = case.payer.bring_to(before, redemption, target, reason=RETURNED)
    given = after.find(redemption.purchase_id, redemption.receipt_id)
    if given is None or not given.gifts:
        return NotWon(campaign.campaign_id, OfferWhy.NO_BUDGET.value)
    observability.count("offers_redeemed", retailer=campaign.retailer_id)
    return after


class _Audiences:
    """Whether the member is of a campaign's audience, by a history that is read at most once."""

    def __init__(
        self, case: _Case, key: vault.SealingKey, past: Mapping[str, tuple[Redemption, ...]]
    ) -> None:
        self._case, self._key, self._past = case, key, past
        self._is_of: dict[str, bool] = {}

    def judge(self, campaign: Campaign, participation: Participation | None) -> Worth | NotWon:
        """As `deciding.judge`, and asking for the audience where nothing else is in the way."""
        past = self._past.get(campaign.campaign_id, ())
        judged = judge(campaign, self._case.sale, participation, past)
        if isinstance(judged, NotWon) or self._is_met(campaign):
            return judged
        return NotWon(campaign.campaign_id, OfferWhy.NOT_IN_AUDIENCE.value)

    def _is_met(self, campaign: Campaign) -> bool:
        """Whoever switched an offer on was of its audience then, and that counts."""
        if campaign.needs_activation or not campaign.audience.looks_back_days:
            return True
        if campaign.campaign_id not in self._is_of:
            self._is_of[campaign.campaign_id] = self._ask(campaign)
        return self._is_of[campaign.campaign_id]

    def _ask(self, campaign: Campaign) -> bool:
        case = self._case
        visits = audiences.list_visits(
            case.member,
            key=self._key,
            days=campaign.audience.looks_back_days,
            before=case.sale.sold_at,
            now=case.now,
        )
        others = [one for one in visits if one.purchase_id != case.sale.purchase_id]
        asked = Asked(campaign.retailer_id, "", campaign.currency, case.sale.sold_at, kilometres=0)
        return find_reasons(campaign.audience, others, asked) is not None


def _redemption(case: _Case, participation: Participation | None) -> Redemption | None:
    if participation is None:
        return None
    return participation.find(case.sale.purchase_id, case.receipt_id)


def _held(
    case: _Case, held: Mapping[str, Participation], open_by_id: Mapping[str, Campaign]
) -> Held | None:
    """What this purchase got already. A campaign that is closed by now is alone for safety."""
    got = [name for name, one in held.items() if (r := _redemption(case, one)) and r.gifts]
    if not got:
        return None
    are_stackable = all(name in open_by_id and open_by_id[name].is_stackable for name in got)
    return Held(min(got), are_stackable)


def _won(
    case: _Case, held: Mapping[str, Participation], open_by_id: Mapping[str, Campaign]
) -> tuple[Won, ...]:
    won = []
    for campaign_id, participation in sorted(held.items()):
        redemption = _redemption(case, participation)
        if redemption is not None and redemption.gifts:
            campaign = open_by_id.get(campaign_id)
            excludes = campaign is not None and campaign.excludes_schemes
            won.append(Won(campaign_id, redemption.kept_minor, participation.currency, excludes))
    return tuple(won)


def _counted(chosen: Chosen) -> tuple[NotWon, ...]:
    for one in chosen.lost:
        observability.count("offers_not_won", why=one.why)
    return chosen.lost
