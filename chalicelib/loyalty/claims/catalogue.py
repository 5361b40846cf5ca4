"""What may be claimed, and what was: a claim is of the scheme version that it was made under."""

from datetime import datetime

from chalicelib.kernel.refusals import NotFound
from chalicelib.loyalty.cards.model import Claim
from chalicelib.loyalty.rules import CatalogueReward, Scheme
from chalicelib.loyalty.schemes import service as schemes


class NoSuchReward(NotFound):
    """The scheme has no such reward in its catalogue."""

    code = "no_such_reward"


def find_reward(scheme: Scheme, reward_id: str) -> CatalogueReward:
    """The reward of the catalogue. :raises NoSuchReward: there is none such."""
    for reward in scheme.catalogue:
        if reward.reward_id == reward_id:
            return reward
    raise NoSuchReward("the scheme has no such reward")


def reward_of(claim: Claim, scheme: Scheme, *, now: datetime) -> CatalogueReward | None:
    """What `claim` is of, whichever version of its scheme `scheme` is; None: of a full card."""
    if not claim.reward_id:
        return None
    if claim.scheme != scheme.version:
        scheme = schemes.get_version(scheme.scheme_id, claim.scheme, now=now)
    return find_reward(scheme, claim.reward_id)
