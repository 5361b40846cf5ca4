"""What came of a back-test, in numbers that tell of no one: only where enough people stand behind.

- Where exactly one group of a spread would be hidden, the next smallest is hidden with it, because
  it could be had by subtraction.
- Money is told where enough people got some; its curve goes by days, or by as many days together
  as it takes for enough of them.
- How many purchases there were is told where enough people made them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from chalicelib.loyalty.rules import CatalogueReward
from infra.backtest.summing import Tally

THRESHOLD = 20


@dataclass(frozen=True, slots=True)
class Day:
    """What the days from `since` to `on` cost in minor units, by the draft's zone, and what is left
    of the budget then. `since` None: that day alone.
    """

    on: date
    minor: int
    left_minor: int | None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the members: how many the draft was for, and how many won; None: too few."""

    name: str
    audience: int | None
    winners: int | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A reward of the catalogue: how many have enough units for one, and how often they could claim
    it if they claimed nothing else, in all. None: too few.
    """

    name: str
    cost: int
    members: int | None
    times: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a draft would have done. None where too few people stand behind a number.

    `refused` counts rewards that the budget could not pay, `exhausted_on` the first day of those.
    `claims_minor` is what the catalogue costs at most (`claiming.py`), beside `cost_minor`.
    """

    threshold: int
    purchases: int | None
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
    claims_minor: int | None = 0
    catalogue: tuple[Claimed, ...] = ()


def outcome_of(
    tally: Tally,
    *,
    zone: str,
    budget_minor: int | None,
    catalogue: Iterable[CatalogueReward] = (),
    threshold: int = THRESHOLD,
) -> Outcome:
    """What `tally` says, above the threshold; the budget is spent in the order of the purchases."""
    burnt = _burn(tally.given, ZoneInfo(zone), budget_minor)
    is_told = _is_told(tally.winners, threshold)
    is_money_told = is_told and _is_told(tally.paid, threshold)
    is_claiming_told = _is_told(tally.claimers, threshold)
    return Outcome(
        threshold=threshold,
        purchases=tally.purchases if _is_told(tally.buyers, threshold) else None,
        members=_told(tally.members, threshold),
        audience=_told(tally.audience, threshold),
        winners=_told(tally.winners, threshold),
        rewards=tally.rewards - burnt.refused if is_money_told else None,
        units=tally.units if is_told else None,
        cost_minor=sum(burnt.minor_by_day.values()) if is_money_told else None,
        refused=burnt.refused if is_money_told else None,
        exhausted_on=burnt.exhausted_on if is_money_told else None,
        days=_curve(burnt, budget_minor, threshold) if is_money_told else (),
        ages=_groups(tally.of_age, tally.won_of_age, threshold),
        areas=_groups(tally.of_area, tally.won_of_area, threshold),
        claims_minor=tally.claims_minor if is_claiming_told else None,
        catalogue=tuple(_claimed(one, tally, threshold) for one in catalogue),
    )


@dataclass(slots=True)
class _Burnt:
    """How the budget was spent. `people_by_day` are those who won then, paid or refused."""

    minor_by_day: Counter[date]
    people_by_day: dict[date, set[int]]
    refused: int = 0
    exhausted_on: date | None = None


def _burn(
    given: Iterable[tuple[datetime, int, int]], zone: ZoneInfo, budget_minor: int | None
) -> _Burnt:
    burnt = _Burnt(Counter(), {})
    spent = 0
    for at, minor, who in sorted(given):
        day = at.astimezone(zone).date()
        burnt.people_by_day.setdefault(day, set()).add(who)
        if budget_minor is not None and spent + minor > budget_minor:
            burnt.refused += 1
            burnt.exhausted_on = burnt.exhausted_on or day
            continue
        spent += minor
        burnt.minor_by_day[day] += minor
    return burnt


def _curve(burnt: _Burnt, budget_minor: int | None, threshold: int) -> tuple[Day, ...]:
    """The curve by stretches of days in each of which enough people won."""
    stretches: list[list[date]] = []
    people: set[int] = set()
    for day in sorted(burnt.people_by_day):
        if not stretches or len(people) >= threshold:
            stretches.append([])
            people = set()
        stretches[-1].append(day)
        people |= burnt.people_by_day[day]
    if len(people) < threshold and len(stretches) > 1:
        last = stretches.pop()
        stretches[-1] += last
    days, left = [], budget_minor
    for stretch in stretches:
        minor = sum(burnt.minor_by_day[day] for day in stretch)
        left = None if left is None else left - minor
        since = stretch[0] if len(stretch) > 1 else None
        if minor:
            days.append(Day(stretch[-1], minor, left, since))
    return tuple(days)


def _claimed(one: CatalogueReward, tally: Tally, threshold: int) -> Claimed:
    members = _told(tally.could_claim[one.reward_id], threshold)
    times = None if members is None else tally.claims[one.reward_id]
    return Claimed(one.title, one.cost, members, times)


def _groups(audience: Counter[str], winners: Counter[str], threshold: int) -> tuple[Group, ...]:
    """Of each group what may be told. Where the audience is hidden its winners are too: they are
    some of it, and so would say how large it is at least, and those beside it at most.
    """
    of = _hidden(audience, threshold)
    won = _hidden(Counter({name: winners[name] for name in audience}), threshold)
    told = {name: None if of[name] is None else won[name] for name in audience}
    return tuple(Group(name, of[name], told[name]) for name in sorted(audience))


def _hidden(counts: Counter[str], threshold: int) -> dict[str, int | None]:
    told = {name: _told(count, threshold) for name, count in counts.items()}
    hidden = [name for name, count in told.items() if count is None]
    shown = sorted((count, name) for name, count in told.items() if count)
    if len(hidden) == 1 and shown:
        told[shown[0][1]] = None
    return told


def _told(count: int, threshold: int) -> int | None:
    return count if _is_told(count, threshold) else None


def _is_told(people: int, threshold: int) -> bool:
    return people == 0 or people >= threshold
