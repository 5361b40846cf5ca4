"""The order of offers, made for the member: what is worth most to them comes first. Pure.

An offer scores what it would have given for a purchase as the member usually makes them there,
times how much they are interested: their visits to the retailer, and the goods the offer is for.
No retailer can pay or ask for a place. Where two score the same, the one that ends first comes
first, then the one whose id does; so the order is the same each time it is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from chalicelib.loyalty.conditions import folded
from chalicelib.loyalty.rewarding import most_minor
from chalicelib.loyalty.rules import FixedCashback, ItemPrice, PercentCashback
from chalicelib.offers.audiences.history import Visit, at_retailer
from chalicelib.offers.audiences.sensitive import harmless
from chalicelib.offers.campaigns.model import Campaign

INTEREST_MAX = 10  # Of visits, and of goods: beyond that more says nothing more.
BASE = 10  # What an offer of which nothing is known counts, in the same units.
USUAL_MINOR = 1_000  # A basket of somebody whose purchases there are not known.


@dataclass(frozen=True, slots=True)
class Score:
    """Why an offer stands where it stands. `worth_minor` is an estimate, not a promise."""

    worth_minor: int
    visits: int
    goods: int

    @property
    def points(self) -> int:
        """What the order goes by."""
        return self.worth_minor * (BASE + self.visits + 2 * self.goods)


def score_of(campaign: Campaign, visits: Sequence[Visit]) -> Score:
    """How much `campaign` is for a member with these `visits` of late."""
    there = at_retailer(visits, campaign.retailer_id)
    wanted = _goods(campaign)
    liked = [one for one in visits if not wanted.isdisjoint(one.categories)]
    worth = _worth(campaign, [one for one in there if one.currency == campaign.currency])
    return Score(worth, min(len(there), INTEREST_MAX), min(len(liked), INTEREST_MAX))


def _goods(campaign: Campaign) -> frozenset[str]:
    named = set(campaign.condition.lines.categories)
    match campaign.reward:
        case PercentCashback(lines=lines) | ItemPrice(matching=lines):
            named |= set(lines.categories)
    return harmless(map(folded, named))


def _worth(campaign: Campaign, there: Sequence[Visit]) -> int:
    """What it would give for the member's usual basket there, at least as large as it has to be."""
    usual = median_low([one.minor for one in there]) if there else USUAL_MINOR
    basket = max(usual, campaign.condition.min_spend_minor)
    match campaign.reward:
        case FixedCashback(amount_minor=amount):
            return min(amount, basket)
        case PercentCashback(share=share, max_minor=most):
            return min(int(basket * share), most)
        case _:
            return min(most_minor(campaign.reward) or 0, basket)
