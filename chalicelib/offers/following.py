"""What a purchase got of offers, brought up to its newest version.

What came back is taken back, and a corrected receipt is counted anew, under the campaign as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.taking_back import taken_back
from chalicelib.offers import holding
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.case import Case
from chalicelib.offers.choosing import stacked
from chalicelib.offers.deciding import Worth, still_paid_minor, worth_of
from chalicelib.offers.participation.archiving import REDEMPTIONS_MAX
from chalicelib.offers.participation.model import (
    Kept,
    Participation,
    Redemption,
    is_at_limit,
    shares_of,
)


def follow(
    case: Case,
    participation: Participation,
    campaign: Campaign | None,
    beside: Sequence[Redemption],
    past: Sequence[Redemption] = (),
) -> Participation:
    """`participation` with what this purchase got brought up to its newest version, and paid.

    `beside` is what the purchase has of other offers that go before this one; `past` is what the
    member has of this one in the history alone.
    """
    of_it = participation.of_purchase(case.purchase.payment.payment_id)
    # What goes back first leaves its place of the limit to what comes.
    for redemption in sorted(of_it, key=lambda one: one.receipt_id == case.receipt_id):
        if redemption.receipt_id != case.receipt_id:
            participation = case.payer.bring_to(participation, redemption, 0, is_withdrawn=True)
            continue
        current = _recounted(case, redemption, campaign, beside)
        target = target_minor(current, case.sale, beside)
        if target > 0 and _has_no_place(participation, current, campaign, past):
            target = 0
        current = holding.decided(case, participation, current, target)
        participation = case.payer.bring_to(participation, current, target)
    holding.drop_empty(case, participation)
    return participation


def _has_no_place(
    participation: Participation,
    redemption: Redemption,
    campaign: Campaign | None,
    past: Sequence[Redemption],
) -> bool:
    """Whether `redemption` was taken back whole, and the limit has no place left to give it again.

    A campaign that is closed gives nothing more.
    """
    if redemption.kept_minor > 0 or not redemption.gifts:
        return False
    own = (redemption.purchase_id, redemption.receipt_id)
    others = tuple(one for one in participation.redemptions if not one.is_of(*own))
    return campaign is None or is_at_limit(
        replace(participation, redemptions=others),
        campaign.limit,
        sold_at=redemption.sold_at,
        zone=campaign.zone,
        most=REDEMPTIONS_MAX,
        past=past,
    )


def _recounted(
    case: Case,
    redemption: Redemption,
    campaign: Campaign | None,
    beside: Sequence[Redemption],
) -> Redemption:
    """`redemption` by the lines of a corrected receipt, under the campaign as it was."""
    receipt = case.purchase.receipt
    if receipt is None or receipt.version == redemption.receipt_version:
        return redemption
    shares: tuple[Kept, ...] = redemption.shares
    if campaign is not None:
        worth = worth_of(campaign, case.sale)
        counted = stacked([worth], shares_in(beside)) if isinstance(worth, Worth) else ()
        shares = counted[0].shares if counted else ()
    return replace(redemption, receipt_version=receipt.version, shares=shares)


def shares_in(redemptions: Sequence[Redemption]) -> tuple[Kept, ...]:
    """What `redemptions` gave, line by line."""
    return tuple(share for one in redemptions for share in one.shares)


def target_minor(redemption: Redemption, sale: Sale, beside: Sequence[Redemption] = ()) -> int:
    """What of `redemption` the member has to have, who has `beside` it what other offers gave.

    Each offer takes back a line's part rounded down. So that all of them together do not leave
    more than is still paid, what came back is bounded by that as well.
    """
    left = _left_minor(redemption, sale)
    if left == sum(share.minor for share in redemption.shares):
        return left
    room = still_paid_minor(sale) - sum(one.budgeted_minor for one in beside)
    return max(min(left, room), 0)


def _left_minor(redemption: Redemption, sale: Sale) -> int:
    """What of `redemption` is left when everything that came back is taken off."""
    shares = shares_of(redemption)
    back = sum(share.units for share in taken_back(shares, sale))
    return sum(share.units for share in shares) - back


def redeemed_by_id(case: Case, held: Mapping[str, Participation]) -> dict[str, Redemption]:
    """What the purchase has got, by campaign."""
    found = {name: find_redemption(case, one) for name, one in sorted(held.items())}
    return {name: one for name, one in found.items() if one is not None and one.gifts}


def find_redemption(case: Case, participation: Participation | None) -> Redemption | None:
    """What the purchase got of a campaign with the receipt that it has now, or None."""
    if participation is None:
        return None
    return participation.find(case.sale.purchase_id, case.receipt_id)
