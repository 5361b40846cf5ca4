"""Windows as they are written: an iCalendar recurrence rule (RFC 5545 §3.3.10), and a time of day.

Read are FREQ (DAILY, WEEKLY, MONTHLY, YEARLY), INTERVAL, UNTIL, BYMONTH, BYMONTHDAY, BYDAY,
BYSETPOS and WKST. Rules by the hour, by COUNT, week number or day of the year are refused: hours
are the window's own, and the others would have to be counted from a beginning nobody remembers.
"""

import re
from collections.abc import Callable
from datetime import date, time
from typing import TypeVar

from chalicelib.kernel.refusals import NotAllowed
from chalicelib.loyalty.windows import MINUTES_MAX, DateRule, Frequency, Weekday, Window

RULE_LENGTH_MAX = 200
INTERVAL_MAX = 366
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,3}")
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(T[0-9]{6}Z?)?")
OPENING = "([01][0-9]|2[0-3]):([0-5][0-9])"  # A time of day: 17:00.
_TIME = re.compile(OPENING)

T = TypeVar("T")


class WindowNotUnderstood(NotAllowed):
    """The window's rule, time or length is none that is read."""

    code = "window"


def read_window(days: str, opens_at: str, minutes: int, *, since: date) -> Window:
    """The window of `minutes` from `opens_at` (`17:00`) on the days of the rule `days`.

    `since` is the first day that may be one of them.
    :raises WindowNotUnderstood: saying which part is not understood.
    """
    opens, lasts = read_opening(opens_at), read_minutes(minutes)
    return Window(read_days(days, since=since), opens, lasts, text=days)


def read_opening(text: str) -> time:
    """When a window opens: `17:00`. :raises WindowNotUnderstood: it is no time."""
    told = _TIME.fullmatch(text)
    if told is None:
        raise WindowNotUnderstood("the time is not HH:MM", field="from")
    return time(int(told[1]), int(told[2]))


def read_minutes(minutes: int) -> int:
    """How long a window is open. :raises WindowNotUnderstood: never, or over a week."""
    if not 1 <= minutes <= MINUTES_MAX:
        raise WindowNotUnderstood("the window is longer than a week, or empty", field="minutes")
    return minutes


def read_days(text: str, *, since: date) -> DateRule:
    """The rule `text` (`FREQ=WEEKLY;BYDAY=MO,TU`, with or without `RRULE:`).

    :raises WindowNotUnderstood: saying which part is not understood.
    """
    parts = _parts(text)
    frequency = parts.pop("FREQ", "")
    if frequency not in Frequency.__members__:
        raise _refused("FREQ is none of DAILY, WEEKLY, MONTHLY and YEARLY")
    until = parts.pop("UNTIL", None)
    rule = DateRule(
        frequency=Frequency[frequency],
        since=since,
        until=_day(until) if until is not None else None,
        interval=_numbers(parts, "INTERVAL", 1, INTERVAL_MAX, default=(1,))[0],
        months=_numbers(parts, "BYMONTH", 1, 12),
        month_days=_numbers(parts, "BYMONTHDAY", -31, 31),
        weekdays=_each(parts, "BYDAY", _weekday),
        positions=_numbers(parts, "BYSETPOS", -366, 366),
        week_start=_WEEKDAYS.index(_one_of(parts, "WKST", _WEEKDAYS, default="MO")),
    )
    if parts:
        raise _refused("a part of the rule is not supported")
    _check_together(rule)
    return rule


def _check_together(rule: DateRule) -> None:
    """What RFC 5545 forbids together."""
    is_counted = rule.frequency in (Frequency.MONTHLY, Frequency.YEARLY)
    if any(one.nth for one in rule.weekdays) and not is_counted:
        raise _refused("an nth weekday needs FREQ=MONTHLY or YEARLY")
    if rule.month_days and rule.frequency is Frequency.WEEKLY:
        raise _refused("BYMONTHDAY does not go with FREQ=WEEKLY")
    if rule.positions and not (rule.months or rule.month_days or rule.weekdays):
        raise _refused("BYSETPOS needs another BY part")


def _parts(text: str) -> dict[str, str]:
    if len(text) > RULE_LENGTH_MAX:
        raise _refused("the rule is too long")
    named = text.strip().upper().removeprefix("RRULE:")
    parts: dict[str, str] = {}
    for part in named.split(";"):
        name, is_given, value = part.partition("=")
        if not is_given or not value or name in parts:
            raise _refused("the rule is not a list of NAME=VALUE, each once")
        parts[name] = value
    return parts


def _numbers(
    parts: dict[str, str], name: str, least: int, most: int, default: tuple[int, ...] = ()
) -> tuple[int, ...]:
    def number(text: str) -> int:
        value = int(text) if _NUMBER.fullmatch(text) else 0
        if value == 0 or not least <= value <= most:
            raise _refused(f"{name} is out of range")
        return value

    found = _each(parts, name, number)
    if default and len(found) > 1:
        raise _refused(f"{name} is one number")
    return found or default


def _each(parts: dict[str, str], name: str, read: Callable[[str], T]) -> tuple[T, ...]:
    text = parts.pop(name, None)
    return () if text is None else tuple(dict.fromkeys(read(one) for one in text.split(",")))


def _weekday(text: str) -> Weekday:
    found = _WEEKDAY.fullmatch(text)
    if found is None:
        raise _refused("BYDAY is not a list of weekdays")
    nth = int(found[1] or 0)
    if (found[1] is not None and nth == 0) or abs(nth) > 53:
        raise _refused("BYDAY is out of range")
    return Weekday(_WEEKDAYS.index(found[2]), nth)


def _one_of(parts: dict[str, str], name: str, choices: tuple[str, ...], *, default: str) -> str:
    value = parts.pop(name, default)
    if value not in choices:
        raise _refused(f"{name} is not one of its values")
    return value


def _day(text: str) -> date:
    found = _DAY.fullmatch(text)
    if found is None:
        raise _refused("UNTIL is not a day")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise _refused("UNTIL is not a day") from error


def _refused(detail: str) -> WindowNotUnderstood:
    return WindowNotUnderstood(detail, field="days")
