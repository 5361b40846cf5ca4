"""Where to look for receipts of a payment, and for payments of receipts, by tills' clocks. Pure.

Receipts lie at their till's own time. A till that is hours off is looked for where it stands, and
so are the payments that its receipts may belong to. What is known of the clocks of a store comes
as spans of till minus bank in seconds, disjoint, as the matcher weighs within them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

Spans = tuple[tuple[float, float], ...]
SPANS_MAX = (
    4  # About nought and three wrong clocks; a store of more is beyond being looked through.
)


@dataclass(frozen=True, slots=True)
class Window:
    """The time from `since` to `until`, both included."""

    since: datetime
    until: datetime

    def has(self, at: datetime) -> bool:
        """Whether `at` lies in it."""
        return self.since <= at <= self.until

    def covers(self, other: "Window") -> bool:
        """Whether all of `other` lies in it."""
        return self.since <= other.since and other.until <= self.until


def nearest(spans: Spans) -> Spans:
    """At most `SPANS_MAX` of `spans`, those nearest to where a right clock stands."""
    return tuple(sorted(spans, key=lambda span: abs(span[0] + span[1]))[:SPANS_MAX])


def printed_in(made_at: datetime, spans: Spans) -> list[Window]:
    """When, by their tills' clocks, receipts of a payment made at `made_at` may be printed."""
    return [
        Window(made_at + timedelta(seconds=first), made_at + timedelta(seconds=last))
        for first, last in nearest(spans)
    ]


def paid_in(issued: Iterable[datetime], spans: Spans) -> list[Window]:
    """When, by the bank's clock, payments for receipts printed at `issued` may be made."""
    times = list(issued)
    earliest, latest = min(times), max(times)
    return [
        Window(earliest - timedelta(seconds=last), latest - timedelta(seconds=first))
        for first, last in nearest(spans)
    ]


def around(issued: Iterable[datetime], spans: Spans) -> Window:
    """What has to be read around receipts printed at `issued` for all payments they may be of.

    A payment for one of them may as well be of any other printed within its own reach.
    """
    times = list(issued)
    first, last = nearest(spans)[0]
    width = timedelta(seconds=last - first)
    return Window(min(times) - width, max(times) + width)
