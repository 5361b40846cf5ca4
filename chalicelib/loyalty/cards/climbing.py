"""Which tiers a member reached, and when: climbed again, purchase by purchase. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.loyalty.cards.changes import first_entered_at
from chalicelib.loyalty.cards.model import Card, Entry
from chalicelib.loyalty.cards.standing import counting, tier_counts_of, to_past
from chalicelib.loyalty.rules import Scheme, Tier
from chalicelib.loyalty.standing import counts_of
from chalicelib.loyalty.tiers import period_at, tier_of


@dataclass(frozen=True, slots=True)
class Climb:
    """That a purchase of the period `period` let its member reach `tier`, as was known at `at`."""

    tier: Tier
    period: int
    at: datetime

    @property
    def cause(self) -> str:
        """What happens once: that tier, in that period."""
        return climb_cause(self.tier, self.period)


def climb_cause(tier: Tier, period: int) -> str:
    """What happens once: `tier` is reached in the period of that number."""
    return f"{tier.tier_id}#{period}"


def list_climbs(card: Card, entries: Iterable[Entry], scheme: Scheme) -> tuple[Climb, ...]:
    """The tiers that what is left of `entries` let the member reach, in the order in which they
    came to be known. What else the card holds counts from the beginning.
    """
    tiering, zone = scheme.tiering, scheme.zone
    if tiering is None:
        return ()
    purchases = sorted(counting(replace(card, entries=tuple(entries))), key=first_entered_at)
    counts = tier_counts_of(card, scheme)
    counts.subtract(counts_of(scheme, map(to_past, purchases)))
    climbs: dict[str, Climb] = {}
    for entry in purchases:
        at, period = first_entered_at(entry), period_at(tiering, entry.sold_at, zone=zone)
        before = tier_of(tiering, counts, period=period)
        counts.update(counts_of(scheme, [to_past(entry)]))
        reached = tier_of(tiering, counts, period=period)
        present = tier_of(tiering, counts, period=period_at(tiering, at, zone=zone))
        if reached != before and reached == present:
            climb = Climb(reached, period, at)
            climbs.setdefault(climb.cause, climb)
    return tuple(climbs.values())
