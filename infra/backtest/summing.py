"""What came of a back-test, in numbers that tell of no one: counts of people from a threshold on.

Where exactly one group of a spread would be hidden, the next smallest is hidden with it, because it
could be had by subtraction. Where so few won in all, their cost is hidden too.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from infra.backtest.trying import Tried

THRESHOLD = 20
UNKNOWN = "unknown"


_SUMS = ("members", "audience", "winners", "purchases", "rewards", "units", "refused")


@dataclass
class Tally:
    """What several members got. Tallies of disjoint members add up. `refused` lines were none."""

    members: int = 0
    audience: int = 0
    winners: int = 0
    purchases: int = 0
    rewards: int = 0
    units: int = 0
    refused: int = 0
    given: list[tuple[datetime, int]] = field(default_factory=list)
    of_age: Counter[str] = field(default_factory=Counter)
    of_area: Counter[str] = field(default_factory=Counter)
    won_of_age: Counter[str] = field(default_factory=Counter)
    won_of_area: Counter[str] = field(default_factory=Counter)

    def add(self, tried: Tried, *, purchases: int) -> None:
        """Count one member."""
        age, area = tried.age_band or UNKNOWN, tried.area or UNKNOWN
        self.members += 1
        self.purchases += purchases
        self.audience += tried.is_of_audience
        self.of_age[age] += tried.is_of_audience
        self.of_area[area] += tried.is_of_audience
        if tried.given:
            self.winners += 1
            self.won_of_age[age] += 1
            self.won_of_area[area] += 1
        self.rewards += len(tried.given)
        self.units += sum(one.units for one in tried.given)
        self.given += [(one.at, one.minor) for one in tried.given if one.minor]

    def merge(self, other: "Tally") -> None:
        """Count the members of `other` too."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.given += other.given
        for name in ("of_age", "of_area", "won_of_age", "won_of_area"):
            getattr(self, name).update(getattr(other, name))


@dataclass(frozen=True, slots=True)
class Day:
    """One day's cost in minor units, by the draft's zone, and what is left of the budget then."""

    on: date
    minor: int
    left_minor: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the members: how many the draft was for, and how many won; None: too few."""

    name: str
    audience: int | None
    winners: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a draft would have done. None where so few people stand behind a number.

    `refused` counts rewards that the budget could not pay, `exhausted_on` the first day of those.
    """

    threshold: int
    purchases: int
    members: int | None
    audience: int | None
    winners: int | None
    rewards: int | None
    units: int | None
    cost_minor: int | None
    refused: int | None
    exhausted_on: date | None
    days: tuple[Day, ...]
    ages: tuple[Group, ...]
    areas: tuple[Group, ...]


def outcome_of(
    tally: Tally, *, zone: str, budget_minor: int | None, threshold: int = THRESHOLD
) -> Outcome:
    """What `tally` says, above the threshold; the budget is spent in the order of the purchases."""
    days, refused, exhausted_on = _burn(tally.given, ZoneInfo(zone), budget_minor)
    is_told = tally.winners >= threshold or tally.winners == 0
    cost = sum(day.minor for day in days)
    return Outcome(
        threshold=threshold,
        purchases=tally.purchases,
        members=_told(tally.members, threshold),
        audience=_told(tally.audience, threshold),
        winners=_told(tally.winners, threshold),
        rewards=tally.rewards - refused if is_told else None,
        units=tally.units if is_told else None,
        cost_minor=cost if is_told else None,
        refused=refused if is_told else None,
        exhausted_on=exhausted_on if is_told else None,
        days=tuple(days) if is_told else (),
        ages=_groups(tally.of_age, tally.won_of_age, threshold),
        areas=_groups(tally.of_area, tally.won_of_area, threshold),
    )


def _burn(
    given: Iterable[tuple[datetime, int]], zone: ZoneInfo, budget_minor: int | None
) -> tuple[list[Day], int, date | None]:
    by_day: Counter[date] = Counter()
    spent, refused, exhausted_on = 0, 0, None
    for at, minor in sorted(given):
        day = at.astimezone(zone).date()
        if budget_minor is not None and spent + minor > budget_minor:
            refused += 1
            exhausted_on = exhausted_on or day
            continue
        spent += minor
        by_day[day] += minor
    days, left = [], budget_minor
    for day, minor in sorted(by_day.items()):
        left = None if left is None else left - minor
        days.append(Day(day, minor, left))
    return days, refused, exhausted_on


def _groups(audience: Counter[str], winners: Counter[str], threshold: int) -> tuple[Group, ...]:
    of = _hidden(audience, threshold)
    won = _hidden(Counter({name: winners[name] for name in audience}), threshold)
    return tuple(Group(name, of[name], won[name]) for name in sorted(audience))


def _hidden(counts: Counter[str], threshold: int) -> dict[str, int | None]:
    told = {name: _told(count, threshold) for name, count in counts.items()}
    hidden = [name for name, count in told.items() if count is None]
    shown = sorted((count, name) for name, count in told.items() if count)
    if len(hidden) == 1 and shown:
        told[shown[0][1]] = None
    return told


def _told(count: int, threshold: int) -> int | None:
    return count if count == 0 or count >= threshold else None
