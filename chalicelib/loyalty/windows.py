"""Windows of time: days by an iCalendar recurrence rule (RFC 5545 §3.3.10), and hours of each.

A window is told by the clock on the shop's wall: from five to six is from five to six on every day
of the year, also in the night in which the clock is put forward (when an hour of it may not exist)
or back (when an hour of it comes twice, and both times count).

Whether a day belongs to a rule is decided for that day alone, in a bounded number of steps; no
occurrence before it is looked at, so that no rule, however absurd, costs more than another
(docs/decisions/0060).
"""

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache

from chalicelib.kernel.times import zone_named

MINUTES_MAX = 7 * 24 * 60  # A window of a week, every week, is no window.
_WEEK = timedelta(days=7)
_SECOND = 1_000_000  # Microseconds.
_MINUTE = 60 * _SECOND
_DAY = 24 * 60 * _MINUTE


class Frequency(Enum):
    """How often the days of a rule come. Nothing finer than a day: hours are the window's own."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week (Monday is 0), or the `nth` such day of its month or year.

    `nth` 0 means every one; -1 is the last.
    """

    day: int
    nth: int = 0


@dataclass(frozen=True, slots=True)
class DateRule:
    """A recurrence rule, read. Empty parts mean what `since` says, as in RFC 5545.

    `since` is its first possible day (DTSTART), from which intervals are counted; `until` its last.
    """

    frequency: Frequency
    since: date
    until: date | None = None
    interval: int = 1
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[Weekday, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """`minutes` from `opens_at`, by the wall clock, on each day of `days`.

    `text` is the rule as it was written.
    """

    days: DateRule
    opens_at: time
    minutes: int
    text: str = ""


def is_open(window: Window, at: datetime, *, zone: str) -> bool:
    """Whether `at` falls into `window` where the clocks show the time of `zone`."""
    wall = at.astimezone(zone_named(zone))
    length = window.minutes * _MINUTE
    gone = _since_midnight(wall) - _since_midnight(window.opens_at)
    for back in range((window.minutes - 1) // (24 * 60) + 2):
        is_within = 0 <= gone + back * _DAY < length
        if is_within and is_day_of(window.days, wall.date() - timedelta(days=back)):
            return True
    return False


def opens_between(
    window: Window, starts_at: datetime, ends_at: datetime, *, zones: Iterable[str]
) -> bool:
    """Whether `window` is ever open from `starts_at` on and before `ends_at`, by the clocks of any
    of `zones`; the caller bounds the span.
    """
    spans = {_days_opening(window, starts_at, ends_at, zone=zone) for zone in zones}
    return any(first_day(window.days, first, last) is not None for first, last in spans)


def _days_opening(
    window: Window, starts_at: datetime, ends_at: datetime, *, zone: str
) -> tuple[date, date]:
    """The first and the last day on which `window`, opening, would be open within the span."""
    clock, day = zone_named(zone), timedelta(days=1)
    begin = starts_at.astimezone(clock).replace(tzinfo=None) - timedelta(minutes=window.minutes)
    end = ends_at.astimezone(clock).replace(tzinfo=None)
    first, last = begin.date(), end.date()
    return (
        first if datetime.combine(first, window.opens_at) > begin else first + day,
        last if datetime.combine(last, window.opens_at) < end else last - day,
    )


def _since_midnight(clock: datetime | time) -> int:
    """What a clock on the wall shows, in microseconds."""
    minutes = clock.hour * 60 + clock.minute
    return minutes * _MINUTE + clock.second * _SECOND + clock.microsecond


@lru_cache(maxsize=2048)
def is_day_of(rule: DateRule, day: date) -> bool:
    """Whether `day` is one of `rule`'s."""
    if day < rule.since or (rule.until is not None and day > rule.until):
        return False
    if not _is_in_turn(rule, day):
        return False
    if rule.positions:
        return day in _days_picked(rule, _first_day_around(rule, day))
    return _fits(rule, day)


def days_of(rule: DateRule, first: date, last: date) -> tuple[date, ...]:
    """The days of `rule` from `first` to `last`, both included; the caller bounds the span."""
    return tuple(_days_between(rule, first, last))


def first_day(rule: DateRule, first: date, last: date) -> date | None:
    """The first day of `rule` from `first` to `last`, both included, or None."""
    return next(_days_between(rule, first, last), None)


def _days_between(rule: DateRule, first: date, last: date) -> Iterator[date]:
    first = max(first, rule.since)
    last = last if rule.until is None else min(last, rule.until)
    for at in range(max((last - first).days + 1, 0)):
        day = first + timedelta(days=at)
        if is_day_of(rule, day):
            yield day


def _is_in_turn(rule: DateRule, day: date) -> bool:
    """Whether the period of `day` is one that the interval does not leap over."""
    since = rule.since
    match rule.frequency:
        case Frequency.DAILY:
            gone = (day - since).days
        case Frequency.WEEKLY:
            gone = (_week_of(rule, day) - _week_of(rule, since)) // _WEEK
        case Frequency.MONTHLY:
            gone = (day.year - since.year) * 12 + day.month - since.month
        case Frequency.YEARLY:
            gone = day.year - since.year
    return gone % rule.interval == 0


def _fits(rule: DateRule, day: date) -> bool:
    """Whether `day` has the months, days and weekdays that `rule` names or `since` implies."""
    since, is_monthly = rule.since, rule.frequency is Frequency.MONTHLY
    is_yearly = rule.frequency is Frequency.YEARLY
    if rule.months:
        if day.month not in rule.months:
            return False
    elif is_yearly and not (rule.weekdays or rule.month_days) and day.month != since.month:
        return False
    if rule.month_days:
        if not _has_month_day(rule.month_days, day):
            return False
    elif (is_monthly or is_yearly) and not rule.weekdays and day.day != since.day:
        return False
    if rule.weekdays:
        return any(_is_weekday(rule, one, day) for one in rule.weekdays)
    return rule.frequency is not Frequency.WEEKLY or day.weekday() == since.weekday()


def _has_month_day(month_days: Iterable[int], day: date) -> bool:
    from_end = day.day - calendar.monthrange(day.year, day.month)[1] - 1
    return any(one in (day.day, from_end) for one in month_days)


def _is_weekday(rule: DateRule, one: Weekday, day: date) -> bool:
    if day.weekday() != one.day:
        return False
    if one.nth == 0:
        return True
    if rule.frequency is Frequency.YEARLY and not rule.months:
        place = day.timetuple().tm_yday
        length = 366 if calendar.isleap(day.year) else 365
    else:
        place = day.day
        length = calendar.monthrange(day.year, day.month)[1]
    counted = (place - 1) // 7 + 1 if one.nth > 0 else -((length - place) // 7 + 1)
    return counted == one.nth


@lru_cache(maxsize=512)
def _days_picked(rule: DateRule, first: date) -> frozenset[date]:
    """The days that `rule`'s positions pick of those that fit, in its period from `first` on."""
    match rule.frequency:
        case Frequency.DAILY:
            count = 1
        case Frequency.WEEKLY:
            count = 7
        case Frequency.MONTHLY:
            count = calendar.monthrange(first.year, first.month)[1]
        case Frequency.YEARLY:
            count = 366 if calendar.isleap(first.year) else 365
    days = (first + timedelta(days=at) for at in range(count))
    fitting = [day for day in days if _fits(rule, day)]
    places = {place - 1 if place > 0 else len(fitting) + place for place in rule.positions}
    return frozenset(fitting[at] for at in places if 0 <= at < len(fitting))


def _first_day_around(rule: DateRule, day: date) -> date:
    """The first day of the period (day, week, month, year) that `day` is in."""
    match rule.frequency:
        case Frequency.DAILY:
            return day
        case Frequency.WEEKLY:
            return _week_of(rule, day)
        case Frequency.MONTHLY:
            return day.replace(day=1)
        case Frequency.YEARLY:
            return day.replace(month=1, day=1)


def _week_of(rule: DateRule, day: date) -> date:
    """The first day of the week of `day`."""
    return day - timedelta(days=(day.weekday() - rule.week_start) % 7)
