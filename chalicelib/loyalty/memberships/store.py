"""That somebody joined, looked at or left a scheme: table `wallets`, in the member's partition."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.ids import MemberId
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

USAGE_READ_MAX = 500

USAGE = Retention(
    name="scheme_usage",
    reason="When you joined, looked at or left a scheme is remembered for thirteen months.",
    lasts=timedelta(days=400),
    since="it happened",
)


class UsageRow(rows.Row):
    """`pk` = member id, `sk` = `usage#<time>#<scheme id>#<what>`: nothing else is kept of it."""

    Meta = rows.table_meta("wallets")
    privacy = {"what": Kept(Category.CONSENT, Purpose.REWARDS, Erasure.DELETE)}
    retention = USAGE

    what = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class Usage:
    """That a member joined, looked at or left a scheme, and when."""

    scheme_id: str
    what: str
    at: datetime


def record_usage(member_id: MemberId, usage: Usage) -> None:
    """Remember that the member joined, looked at or left a scheme; the same twice is once."""
    at = usage.at.astimezone(UTC).isoformat(timespec="milliseconds")
    row = UsageRow(member_id, f"usage#{at}#{usage.scheme_id}#{usage.what}", what=usage.what)
    rows.put(row.keep_from(usage.at))


def list_usage(member_id: MemberId, *, now: datetime) -> tuple[Usage, ...]:
    """When the member joined, looked at and left schemes; the oldest 500 of thirteen months."""
    found = rows.list_prefixed(UsageRow, member_id, "usage#", now=now, limit=USAGE_READ_MAX)
    parts = (row.sk.split("#") for row in found)
    return tuple(Usage(scheme, what, datetime.fromisoformat(at)) for _, at, scheme, what in parts)
