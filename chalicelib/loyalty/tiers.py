"""Tiers: which step of the ladder a member stands on, as a pure function of what was counted.

Counts are kept by period (month, quarter, year, or one for ever), so that sales may come to be
known in any order and what was taken back lowers the count of the period it was earned in. A tier
is reached at once; it is lost, if at all, when a period ends in which it was not reached again.
The new tier's multiplier holds from the next sale on, because a sale is judged by the counts
before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.kernel.times import local_day
from chalicelib.loyalty.rules import Tier, Tiering
from chalicelib.loyalty.terms import Downgrade, Span

PERIODS_MAX = 120  # Ten years of months; whoever was away for longer begins anew.


@dataclass(frozen=True, slots=True)
class Score:
    """Where a member stands on the ladder: `count` of the present period, and the tier it gives
    with those before. `missing` is what the step `above` lacks; both None at the top.
    """

    count: int
    tier: Tier
    above: Tier | None = None
    missing: int | None = None


def period_of(span: Span, day: date) -> int:
    """The number of the period that `day` is in; each is one more than the one before."""
    match span:
        case Span.MONTH:
            return day.year * 12 + day.month - 1
        case Span.QUARTER:
            return day.year * 4 + (day.month - 1) // 3
        case Span.YEAR:
            return day.year
        case Span.EVER:
            return 0


def period_at(tiering: Tiering, at: datetime, *, zone: str) -> int:
    """The number of the period of `tiering` that `at` falls in, by the calendar of `zone`."""
    return period_of(tiering.span, local_day(at, zone))


def tier_of(tiering: Tiering, counts: Mapping[int, int], *, period: int) -> Tier:
    """The tier in `period` of a member for whom `counts` were counted, by number of period.

    Counts of later periods do not count. A downgrade at the end of a period goes one step down, or
    down to what that period gave, and never below what the new period gives already.
    """
    known = sorted(number for number in counts if number <= period)
    if not known:
        return tiering.tiers[0]
    first = max(known[0], period - PERIODS_MAX)
    place = 0
    for number in range(first, period + 1):
        reached = _reached(tiering, counts.get(number, 0))
        place = max(place, reached)
        if number < period and reached < place:
            place = _descended(tiering.downgrade, place, reached)
    return tiering.tiers[place]


def score_of(tiering: Tiering, counts: Mapping[int, int], *, period: int) -> Score:
    """Where somebody for whom `counts` were counted stands in `period`; as `tier_of`."""
    count, tier = counts.get(period, 0), tier_of(tiering, counts, period=period)
    place = tiering.tiers.index(tier)
    if place + 1 >= len(tiering.tiers):
        return Score(count, tier)
    above = tiering.tiers[place + 1]
    return Score(count, tier, above, max(above.threshold - count, 0))


def _reached(tiering: Tiering, count: int) -> int:
    return max(
        (at for at, tier in enumerate(tiering.tiers) if tier.threshold <= count),
        default=0,
    )


def _descended(downgrade: Downgrade, place: int, reached: int) -> int:
    match downgrade:
        case Downgrade.NEVER:
            return place
        case Downgrade.ONE_DOWN:
            return max(place - 1, reached)
        case Downgrade.BY_BALANCE:
            return reached
