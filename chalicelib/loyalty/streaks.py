"""Streaks and periods: days, weeks and months counted by the calendar of a zone.

A streak of five weeks is earned once for every five weeks in a row that have a visit. What is
earned is a function of the set of weeks alone, so visits may come to be known in any order: one
that fills a gap earns what the longer row it makes is worth more.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from chalicelib.kernel.times import local_day
from chalicelib.loyalty.terms import Per

# No period is longer, in any zone and with any change of its clocks.
_LONGEST = {Per.DAY: timedelta(days=2), Per.WEEK: timedelta(days=8), Per.MONTH: timedelta(days=33)}
_MONDAY = 1  # The first day that Python counts, 1 January of the year 1, was a Monday.


def number_of(per: Per, day: date) -> int:
    """Which day, ISO week or month `day` is in, as a number that grows by one from each to the
    next. Everything is in one, for `EVER`; a purchase has no number.
    """
    match per:
        case Per.DAY:
            return day.toordinal()
        case Per.WEEK:
            return (day.toordinal() - _MONDAY) // 7
        case Per.MONTH:
            return day.year * 12 + day.month - 1
        case Per.EVER | Per.PURCHASE:
            return 0


def step_of(per: Per, at: datetime, *, zone: str) -> int:
    """The number of the day, week or month of `zone` that `at` falls in."""
    return number_of(per, local_day(at, zone))


class Sold(Protocol):
    """Anything that was sold at some time."""

    @property
    def sold_at(self) -> datetime:
        """When, in UTC."""


T = TypeVar("T", bound=Sold)


def near(others: Sequence[T], sold_at: datetime, per: Per) -> Sequence[T]:
    """Those of `others` that may be of the same period as `sold_at`; no other one is, in any zone.

    Telling which day it was in some zone takes ten times as long as comparing two instants.
    """
    longest = _LONGEST.get(per)
    if longest is None:
        return others
    earliest, latest = sold_at - longest, sold_at + longest
    return [one for one in others if earliest <= one.sold_at <= latest]


def completed_by(visited: Collection[int], step: int, *, length: int) -> int:
    """How many streaks of `length` steps a visit in `step` completes, beside those in `visited`.

    None where `step` had a visit already.
    """
    if step in visited:
        return 0
    before, after = _row(visited, step, towards=-1), _row(visited, step, towards=1)
    return (before + 1 + after) // length - before // length - after // length


def row_at(visited: Collection[int], step: int) -> int:
    """How many steps in a row have a visit, up to `step`, that one included."""
    return _row(visited, step, towards=-1) + 1 if step in visited else 0


def row_around(visited: Collection[int], step: int) -> range:
    """All steps in a row that have a visit, where `step` is one of them; none where it is not."""
    if step not in visited:
        return range(0)
    before, after = _row(visited, step, towards=-1), _row(visited, step, towards=1)
    return range(step - before, step + after + 1)


def _row(visited: Collection[int], step: int, *, towards: int) -> int:
    length = 0
    while step + towards * (length + 1) in visited:
        length += 1
    return length
