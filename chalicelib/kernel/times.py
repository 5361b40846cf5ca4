"""Instants, store-local time and the days they fall on.

Inside, an instant is an aware `datetime` in UTC. What a till or a card network gives without a zone
is local time of the store and becomes an instant here, with the rule for the two odd hours of the
year written down.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.kernel.refusals import Misshapen, NotAllowed

INSTANT_TEXT_MAX = 40
YEAR_MIN, YEAR_MAX = 1970, 2999  # Anything else is a mistake, and overflows where days are added.


class UnknownZone(NotAllowed):
    """The time zone is not in the IANA database."""

    code = "unknown_zone"


def parse_instant(text: str, *, field: str | None = None) -> datetime:
    """Read RFC 3339 (`2026-03-29T00:30:00+01:00`, `…Z`, fractions to nanoseconds) as UTC.

    :raises Malformed: not RFC 3339, or without an offset.
    """
    instant = _parse(text, field=field)
    if instant.tzinfo is None:
        raise Misshapen("the time has no offset from UTC", field=field, code="time_offset")
    return instant.astimezone(UTC)


def parse_local(text: str, zone: str, *, field: str | None = None) -> datetime:
    """Read an ISO 8601 time as UTC; one without offset is wall-clock time in `zone`.

    In the repeated hour of autumn the first reading is taken, in the skipped hour of spring the
    time is moved forward as PEP 495 does: a guess of at most one hour, which matching treats as
    evidence, not as a fact.

    :raises Malformed: not ISO 8601. :raises UnknownZone: no such zone.
    """
    instant = _parse(text, field=field)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone_named(zone))
    return instant.astimezone(UTC)


def _parse(text: str, *, field: str | None) -> datetime:
    if len(text) > INSTANT_TEXT_MAX or "T" not in text.upper().replace(" ", "T"):
        raise Misshapen("the time is not RFC 3339", field=field, code="time")
    try:
        read = datetime.fromisoformat(_to_microseconds(text.strip().upper()))
    except ValueError as error:
        raise Misshapen("the time is not RFC 3339", field=field, code="time") from error
    if not YEAR_MIN < read.year < YEAR_MAX:
        raise Misshapen("the year is out of range", field=field, code="time")
    return read


def _to_microseconds(text: str) -> str:
    """Cut a fraction finer than Python's microseconds (Starling and Square send nanoseconds)."""
    head, dot, rest = text.partition(".")
    if not dot:
        return text
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{head}.{rest[: min(digits, 6)]:0<6}{rest[digits:]}" if digits else text


@lru_cache(maxsize=256)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone `name` (`Europe/London`). :raises UnknownZone: no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone("the time zone is not in the IANA database") from error


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day of `instant` where the store stands (RCP-07)."""
    return instant.astimezone(zone_named(zone)).date()


def to_text(instant: datetime) -> str:
    """`instant` as RFC 3339 in UTC with `Z`, whole seconds or milliseconds."""
    timespec = "milliseconds" if instant.microsecond else "seconds"
    return instant.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def days_between(earlier: datetime, later: datetime) -> int:
    """Whole days from `earlier` to `later`, rounded down."""
    return (later - earlier) // timedelta(days=1)
