"""Spending: reserving a reward's price, redeeming it, and giving the units back. Pure.

A claim draws its price from the lots, what expires first at first. Cancelled, or over its time, it
gives back to the very lots it drew from, which may have expired meanwhile.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel.refusals import Conflicting, NotAsItStands, NotFound
from chalicelib.loyalty.cards import lots
from chalicelib.loyalty.cards.applying import lapse
from chalicelib.loyalty.cards.model import Card, Claim, ClaimState
from chalicelib.loyalty.rules import ExtraUnits

OPEN_CLAIMS_MAX = 5  # Whoever holds more codes than that at once is not at a till.


class CannotClaim(NotAsItStands):
    """The card, the claim or the budget does not stand so that this could be done now."""


class InsufficientPoints(CannotClaim):
    """The reward costs more than what is active on the card."""

    code = "INSUFFICIENT_POINTS"


class ClaimNotOpen(CannotClaim):
    """The claim was redeemed or cancelled before, or its time is over."""

    code = "claim_not_open"


class TooManyClaims(CannotClaim):
    """So many rewards are reserved already that somebody should collect or cancel one first."""

    code = "too_many_claims"


class BudgetUsedUp(CannotClaim):
    """The reward is money, and the scheme's budget has not as much left. Nothing was drawn."""

    code = "reward_budget_used_up"


class ConflictingClaim(Conflicting):
    """The bank gave this name to a claim of another reward before."""

    code = "conflicting_claim"


class NoSuchClaim(NotFound):
    """There is no such claim."""

    code = "no_such_claim"


@dataclass(frozen=True, slots=True)
class Price:
    """What is claimed: a reward of a scheme version, what it costs, and how long a code is good.

    One that `is_paid_at_once` is money: nobody at a till has to confirm it. `lease` is the part of
    the scheme's budget that pays it; None: the budget has not as much left. Nor has anybody to
    confirm what `gives` units on another card.
    """

    reward_id: str
    scheme: int
    units: int
    good_for: timedelta
    is_paid_at_once: bool = False
    lease: int | None = None
    gives: ExtraUnits | None = None


def reserve(card: Card, claim_id: str, price: Price, *, at: datetime) -> Card:
    """The card with the price drawn; the same card where this claim is on it already.

    :raises ConflictingClaim: it is, of another reward. :raises InsufficientPoints: too little is
        active. :raises TooManyClaims: see above. :raises BudgetUsedUp: see above.
    """
    known = card.find_claim(claim_id)
    if known is not None:
        same_again(known, price.reward_id)
        return card
    card = lapse(card, at)
    if sum(one.is_open(at) for one in card.claims) >= OPEN_CLAIMS_MAX:
        raise TooManyClaims("five rewards are reserved already")
    if lots.balance_at(card, at).active < price.units:
        raise InsufficientPoints("the reward costs more than is active")
    if price.is_paid_at_once and price.lease is None:
        raise BudgetUsedUp("the budget of the scheme has not as much left")
    card, _ = lots.draw(card, claim_id, price.units, usable=lots.active(at))
    claim = Claim(claim_id, price.reward_id, price.scheme, price.units, at, at + price.good_for)
    if price.is_paid_at_once or price.gives is not None:
        given = replace(claim, state=ClaimState.REDEEMED, closed_at=at)
        claim = replace(given, lease=price.lease, gives=price.gives)
    return replace(card, claims=(*card.claims, claim))


def redeem(card: Card, claim_id: str, confirmation: str, *, at: datetime) -> Card:
    """The card with the claim redeemed; the same card where this very confirming came before.

    :raises NoSuchClaim: there is none. :raises ClaimNotOpen: it was confirmed before, by another
        confirming or one without a name, or it was cancelled, or its time is over.
    """
    claim = get_claim(card, claim_id)
    is_repeat = claim.state is ClaimState.REDEEMED and claim.confirmation == confirmation != ""
    if is_repeat:
        return card
    if not claim.is_open(at):
        raise ClaimNotOpen(why_not_open(claim))
    redeemed = replace(claim, state=ClaimState.REDEEMED, closed_at=at, confirmation=confirmation)
    return _with_claim(card, redeemed)


def cancel(card: Card, claim_id: str, *, at: datetime) -> Card:
    """The card with the claim's units given back; the same card where it was cancelled before.

    :raises NoSuchClaim: there is none. :raises ClaimNotOpen: it was redeemed, or a full card
        brought it, which has nothing to give back.
    """
    claim = get_claim(card, claim_id)
    if claim.state is ClaimState.CANCELLED:
        return card
    if claim.state is ClaimState.REDEEMED or not claim.units:
        raise ClaimNotOpen(why_not_open(claim))
    ends_at = min(at, claim.until) if claim.until else at
    cancelled = replace(claim, state=ClaimState.CANCELLED, closed_at=ends_at)
    released = lots.give_back(_with_claim(card, cancelled), claim_id, drawn_at=claim.at)
    return lots.work_off(released, at=at)


def relet(card: Card, claim: Claim, lease: int | None, *, at: datetime) -> Card:
    """The card with another `lease` for a claim whose own could not pay; without one the claim is
    as if it never was, and its units are back. The same card where somebody else was faster.
    """
    known = card.find_claim(claim.claim_id)
    if known is None or known.lease != claim.lease:
        return card
    if lease is not None:
        return _with_claim(card, replace(known, lease=lease))
    left = tuple(one for one in card.claims if one is not known)
    back = lots.give_back(replace(card, claims=left), claim.claim_id, drawn_at=claim.at)
    return lots.work_off(back, at=at)


def same_again(known: Claim, reward_id: str) -> Claim:
    """`known`, which is asked for again. :raises ConflictingClaim: of another reward."""
    if known.reward_id != reward_id:
        raise ConflictingClaim("this claim came before, of another reward")
    return known


def as_at(claim: Claim, at: datetime) -> Claim:
    """The claim as it stands at `at`: one whose time is over is cancelled, although the card says
    so only when it is written next.
    """
    if claim.state is not ClaimState.RESERVED or claim.is_open(at):
        return claim
    return replace(claim, state=ClaimState.CANCELLED, closed_at=claim.until)


def get_claim(card: Card, claim_id: str) -> Claim:
    """The claim. :raises NoSuchClaim: there is none on the card."""
    claim = card.find_claim(claim_id)
    if claim is None:
        raise NoSuchClaim("there is no such claim")
    return claim


def why_not_open(claim: Claim) -> str:
    """A sentence for people at a till."""
    match claim.state:
        case ClaimState.REDEEMED:
            return "the claim was redeemed before"
        case ClaimState.CANCELLED:
            return "the claim was cancelled"
        case ClaimState.RESERVED:
            return "the time of the claim is over, or a full card brought it"


def _with_claim(card: Card, claim: Claim) -> Card:
    claims = tuple(claim if one.claim_id == claim.claim_id else one for one in card.claims)
    return replace(card, claims=claims)
