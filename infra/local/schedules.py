"""When EventBridge would fire: `rate(…)` and `cron(…)` expressions, as the local pump reads them.

The grammar is EventBridge's (cron has six fields, in UTC; `?` stands for any day). `L`, `W` and `#`
are not supported and are refused, so that a schedule never silently fails to fire.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

MINUTES_PER_UNIT = {"minute": 1, "hour": 60, "day": 1440}
MINUTES_LOOKED_AT_MAX = 20_000  # Two weeks, minute by minute: no local step is longer.
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))

Due = Callable[[datetime], bool]


class UnknownSchedule(ValueError):
    """The expression is not one that the local pump can fire."""


def count_due(expression: str, *, after: datetime, until: datetime) -> int:
    """How often `expression` falls in (`after`, `until`], looking back two weeks at most.

    :raises UnknownSchedule: the expression is not understood.
    """
    due = parse(expression)
    minute = until.astimezone(UTC).replace(second=0, microsecond=0)
    found = 0
    for _ in range(MINUTES_LOOKED_AT_MAX):
        if minute <= after:
            break
        found += due(minute)
        minute -= timedelta(minutes=1)
    return found


def parse(expression: str) -> Due:
    """Whether a whole UTC minute is one at which `expression` fires.

    A rate counts from 1970, which is as good as any start.

    :raises UnknownSchedule: the expression is not understood.
    """
    rate = _RATE.fullmatch(expression)
    if rate is not None:
        every = int(rate.group(1)) * MINUTES_PER_UNIT[rate.group(2)]
        if every == 0:
            raise UnknownSchedule(f"{expression} never fires")
        return lambda minute: int(minute.timestamp()) // 60 % every == 0
    cron = _CRON.fullmatch(expression)
    if cron is None or len(cron.group(1).split()) != len(_BOUNDS):
        raise UnknownSchedule(f"{expression} is neither rate() nor a six-field cron()")
    fields = [
        _values(text, first, last, names)
        for text, (first, last), names in zip(
            cron.group(1).split(),
            _BOUNDS,
            ((), (), (), _MONTHS, _DAYS, ()),
            strict=True,
        )
    ]
    return lambda minute: all(
        allowed is None or value in allowed
        for allowed, value in zip(fields, _parts(minute), strict=True)
    )


def _parts(minute: datetime) -> tuple[int, ...]:
    weekday = minute.isoweekday() % 7 + 1  # EventBridge counts from Sunday = 1.
    return minute.minute, minute.hour, minute.day, minute.month, weekday, minute.year


def _values(text: str, first: int, last: int, names: Sequence[str]) -> set[int] | None:
    if text in ("*", "?"):
        return None
    values: set[int] = set()
    for part in text.upper().split(","):
        spread, _, step = part.partition("/")
        low, dash, high = spread.partition("-")
        start = first if low == "*" else _number(low, names)
        end = _number(high, names) if dash else (last if step or low == "*" else start)
        if not first <= start <= end <= last:
            raise UnknownSchedule(f"{text} is out of range")
        values.update(range(start, end + 1, _number(step, ()) if step else 1))
    return values


def _number(text: str, names: Sequence[str]) -> int:
    if text in names:
        return names.index(text) + 1
    if not text.isdecimal():
        raise UnknownSchedule(f"{text} is not a number here")
    return int(text)
