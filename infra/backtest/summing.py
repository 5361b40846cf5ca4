"""What several members got, added up, and what of it is told of (`telling.py`)."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from infra.backtest.trying import Tried

UNKNOWN = "unknown"

SUMS = """
members buyers audience winners paid claimers purchases rewards units claims_minor refused
""".split()
COUNTS = ("of_age", "of_area", "won_of_age", "won_of_area", "could_claim", "claims")


@dataclass
class Tally:
    """What several members got. Tallies of disjoint members add up. `refused` lines were none.

    - `buyers` bought at the retailer, `paid` got money, `claimers` have enough for a reward.
    - `given` is money: when, how much in minor units, and to which of the members, by number.
    """

    members: int = 0
    buyers: int = 0
    audience: int = 0
    winners: int = 0
    paid: int = 0
    claimers: int = 0
    purchases: int = 0
    rewards: int = 0
    units: int = 0
    claims_minor: int = 0
    refused: int = 0
    given: list[tuple[datetime, int, int]] = field(default_factory=list)
    of_age: Counter[str] = field(default_factory=Counter)
    of_area: Counter[str] = field(default_factory=Counter)
    won_of_age: Counter[str] = field(default_factory=Counter)
    won_of_area: Counter[str] = field(default_factory=Counter)
    could_claim: Counter[str] = field(default_factory=Counter)
    claims: Counter[str] = field(default_factory=Counter)

    def add(self, tried: Tried) -> None:
        """Count one member."""
        age, area = tried.age_band or UNKNOWN, tried.area or UNKNOWN
        money = [(one.at, one.minor, self.members) for one in tried.given if one.minor]
        self.members += 1
        self.buyers += bool(tried.purchases)
        self.purchases += tried.purchases
        self.audience += tried.is_of_audience
        self.of_age[age] += tried.is_of_audience
        self.of_area[area] += tried.is_of_audience
        if tried.given:
            self.winners += 1
            self.won_of_age[age] += 1
            self.won_of_area[area] += 1
        self.paid += bool(money)
        self.rewards += len(tried.given)
        self.units += sum(one.units for one in tried.given)
        self.given += money
        self._add_claims(tried)

    def _add_claims(self, tried: Tried) -> None:
        times = tried.claimable.times_by_reward
        self.claimers += bool(times)
        self.claims_minor += tried.claimable.most_minor
        self.could_claim.update(times.keys())
        self.claims.update(times)

    def merge(self, other: "Tally") -> None:
        """Count the members of `other` too."""
        self.given += [(at, minor, who + self.members) for at, minor, who in other.given]
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in COUNTS:
            getattr(self, name).update(getattr(other, name))
