"""Claims of a fixed amount of money: paid from the scheme's budget at once, each exactly once.

What is paid is what the version of the scheme says that the reward was claimed under.
"""

from datetime import datetime

from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger import giving
from chalicelib.ledger.giving import Gift
from chalicelib.loyalty import funding
from chalicelib.loyalty.cards import desk
from chalicelib.loyalty.cards.model import Claim
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.claims import catalogue, claiming
from chalicelib.loyalty.claims.claiming import BudgetUsedUp
from chalicelib.loyalty.rules import FixedCashback, Scheme


def lease_for(holder: Holder, scheme: Scheme, minor: int, *, now: datetime) -> int | None:
    """The part of the scheme's budget that can pay `minor`; None: it has not as much left."""
    return funding.lease_for(scheme, holder.member_id, minor, now=now)


def pay(claim: Claim, holder: Holder, scheme: Scheme, *, now: datetime) -> Claim:
    """Bring budget and journal to what `claim` says; returns it as it is on the card then.

    :raises claiming.BudgetUsedUp: others took the last of the budget since. The claim is off the
        card, and its units are back. :raises TryAgain: a passing obstacle.
    """
    minor = _minor(claim, now=now, scheme=scheme)
    for _ in range(funding.RELEASES_MAX):
        if claim.lease is None or funding.spend(
            scheme.scheme_id, holder.member_id, claim.lease, claim.claim_id, minor, now=now
        ):
            giving.give(_gift(claim, minor, holder, scheme), now=now)
            return claim
        claim = _relet(claim, minor, holder, scheme, now=now)
    raise TryAgain("the leases of the budget kept closing")


def _relet(claim: Claim, minor: int, holder: Holder, scheme: Scheme, *, now: datetime) -> Claim:
    lease = lease_for(holder, scheme, minor, now=now)
    _, after = desk.change_card(
        holder,
        scheme,
        lambda opened: opened.card and claiming.relet(opened.card, claim, lease, at=now),
        now=now,
    )
    found = after.card.find_claim(claim.claim_id) if after.card else None
    if found is None:
        raise BudgetUsedUp("the budget of the scheme has not as much left")
    return found


def _minor(claim: Claim, *, scheme: Scheme, now: datetime) -> int:
    claimed = catalogue.reward_of(claim, scheme, now=now)
    if claimed is not None and isinstance(claimed.reward, FixedCashback):
        return claimed.reward.amount_minor
    raise claiming.NoSuchClaim("the claim is of no money")


def _gift(claim: Claim, minor: int, holder: Holder, scheme: Scheme) -> Gift:
    return Gift(
        key=f"claim:{claim.claim_id}",
        member_id=holder.member_id,
        amount=Money(minor, scheme.currency),
        campaign_id=scheme.scheme_id,
        retailer_id=scheme.retailer_id,
        cause=claim.claim_id,
        at=claim.at,
        available_at=claim.at,
    )
