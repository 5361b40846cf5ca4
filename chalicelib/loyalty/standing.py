"""How a member stands before a sale, from what the card knows of earlier and later ones. Pure.

Caps count everything of the same period, whenever it came to be known, so that a late purchase does
not pass them. Tiers and their multipliers count only what was sold before, so that a new tier
begins with the next purchase.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.kernel.times import local_day
from chalicelib.loyalty.earning import ALL_RULES, Award, Share, Standing, cap_key
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.streaks import near, number_of, step_of
from chalicelib.loyalty.terms import Measure, Per, RuleKind
from chalicelib.loyalty.tiers import period_at, tier_of


@dataclass(frozen=True, slots=True)
class Past:
    """What one other sale earned, less what was taken back.

    `units_by_rule` and `spend_minor` are what is left of it; `streaks` are the rules that it was a
    visit for. A sale of which nothing is left is no visit.
    """

    sold_at: datetime
    units_by_rule: Mapping[str, int] = field(default_factory=dict)
    streaks: tuple[str, ...] = ()
    spend_minor: int = 0
    is_visit: bool = True


@dataclass(frozen=True, slots=True)
class Archived:
    """What is known in sums only of sales that are no longer told one by one.

    `units_by_cap` by `cap_key` for the period of the sale in question (`EVER`, at least);
    `count_by_period` what a tier measured, by number of period; `streaks` by rule, the steps.
    """

    units_by_cap: Mapping[str, int] = field(default_factory=dict)
    count_by_period: Mapping[int, int] = field(default_factory=dict)
    streaks: Mapping[str, frozenset[int]] = field(default_factory=dict)


NOTHING_ARCHIVED = Archived()


def standing_of(
    scheme: Scheme,
    past: Iterable[Past],
    *,
    sold_at: datetime,
    archived: Archived = NOTHING_ARCHIVED,
) -> Standing:
    """How the member stands for a sale at `sold_at`, by all other sales."""
    others = tuple(past)
    tier_id = ""
    if scheme.tiering is not None:
        counts = counts_of(scheme, (one for one in others if one.sold_at < sold_at))
        counts.update(archived.count_by_period)
        period = period_at(scheme.tiering, sold_at, zone=scheme.zone)
        tier_id = tier_of(scheme.tiering, counts, period=period).tier_id
    return Standing(
        tier_id=tier_id,
        units_by_cap=_units_by_cap(scheme, others, sold_at, archived),
        streaks=_streaks(scheme, others, archived),
    )


def counts_of(scheme: Scheme, past: Iterable[Past]) -> Counter[int]:
    """What the scheme's tiers measure of `past`, by number of period; nothing without tiers."""
    counts: Counter[int] = Counter()
    if scheme.tiering is None:
        return counts
    for one in past:
        period = period_at(scheme.tiering, one.sold_at, zone=scheme.zone)
        match scheme.tiering.measure:
            case Measure.UNITS:
                counts[period] += sum(one.units_by_rule.values())
            case Measure.VISITS:
                counts[period] += one.is_visit
            case Measure.SPEND:
                counts[period] += one.spend_minor
    return counts


def past_of(award: Award, sold_at: datetime, back: Iterable[Share] = ()) -> Past:
    """What is left of `award` once `back` is taken off it."""
    left: dict[str, int] = {}
    for share in award.shares:
        left[share.rule_id] = left.get(share.rule_id, 0) + share.units
    for share in back:
        left[share.rule_id] = left.get(share.rule_id, 0) - share.units
    units = {rule_id: count for rule_id, count in left.items() if count > 0}
    is_visit = bool(units) or not award.units
    return Past(
        sold_at=sold_at,
        units_by_rule=units,
        streaks=award.streak_visits if is_visit else (),
        spend_minor=award.spend_minor if is_visit else 0,
        is_visit=is_visit,
    )


def _units_by_cap(
    scheme: Scheme, others: Sequence[Past], sold_at: datetime, archived: Archived
) -> dict[str, int]:
    periods = _capped_periods(scheme)
    if not periods:
        return dict(archived.units_by_cap)
    used: Counter[str] = Counter(archived.units_by_cap)
    today = local_day(sold_at, scheme.zone)
    for per in periods:
        now = number_of(per, today)
        for one in near(others, sold_at, per):
            if number_of(per, local_day(one.sold_at, scheme.zone)) != now:
                continue
            for rule_id, units in one.units_by_rule.items():
                used[cap_key(rule_id, per)] += units
                used[cap_key(ALL_RULES, per)] += units
    return dict(used)


def _capped_periods(scheme: Scheme) -> list[Per]:
    """The periods of which some cap asks what was given in them."""
    found: list[Per] = []
    for caps in (scheme.caps, *[rule.caps for rule in scheme.rules]):
        found += [one.per for one in caps if one.per not in found and one.per is not Per.PURCHASE]
    return found


def _streaks(
    scheme: Scheme, others: Iterable[Past], archived: Archived
) -> dict[str, frozenset[int]]:
    steps = {rule.rule_id: rule.step for rule in scheme.rules if rule.kind is RuleKind.STREAK}
    if not steps:
        return {}
    visited = {rule_id: set(archived.streaks.get(rule_id, ())) for rule_id in steps}
    for one in others:
        for rule_id in one.streaks:
            if rule_id in steps:
                visited[rule_id].add(step_of(steps[rule_id], one.sold_at, zone=scheme.zone))
    return {rule_id: frozenset(found) for rule_id, found in visited.items() if found}
