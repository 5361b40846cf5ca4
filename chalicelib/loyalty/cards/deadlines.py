"""When units become active, and when they expire: by local days in the scheme's zone.

What expires is good until the end of a local day, so it ends with the first moment of the next:
on the nights on which clocks change too, a day ends when the next begins. A month after 31 January
is 28 or 29 February; a year after 29 February is 28 February.
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.kernel.times import local_day, zone_named
from chalicelib.loyalty.rules import Expiry
from chalicelib.loyalty.terms import ExpiryEnd, ExpiryUnit


def active_at(sold_at: datetime, *, pending_days: int, zone: str) -> datetime:
    """When what was sold at `sold_at` counts: once its last day of `pending_days` is over.

    Whoever may return something for thirty days may do so on the whole of the thirtieth.
    """
    if pending_days <= 0:
        return sold_at
    return _start_of(local_day(sold_at, zone) + timedelta(days=pending_days + 1), zone)


def expires_at(sold_at: datetime, *, expiry: Expiry | None, zone: str) -> datetime | None:
    """The moment from which what was earned at `sold_at` is expired; None for never."""
    if expiry is None:
        return None
    day = local_day(sold_at, zone)
    if expiry.unit is ExpiryUnit.DAYS:
        last = day + timedelta(days=expiry.after)
    else:
        last = _months_after(day, expiry.after)
    return _start_of(_end_of(last, expiry.end_of) + timedelta(days=1), zone)


def last_day(ends_at: datetime, *, zone: str) -> date:
    """The last local day of something that is expired from `ends_at` on."""
    return local_day(ends_at - timedelta(microseconds=1), zone)


def _start_of(day: date, zone: str) -> datetime:
    """The first moment of `day`, which in some zones is not midnight (PEP 495's reading)."""
    local = datetime.combine(day, time(), zone_named(zone))
    return local.astimezone(UTC)


def _months_after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _end_of(day: date, end_of: ExpiryEnd) -> date:
    match end_of:
        case ExpiryEnd.DAY:
            return day
        case ExpiryEnd.MONTH:
            return day.replace(day=calendar.monthrange(day.year, day.month)[1])
        case ExpiryEnd.YEAR:
            return date(day.year, 12, 31)
