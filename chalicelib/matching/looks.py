"""When payments that wait are looked at again without a message, and what a night counts. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from chalicelib.matching.outcome import Ambiguous, MatchDecision, NothingNear
from chalicelib.matching.scatter import TailCounts
from chalicelib.matching.signals import PaymentSignals

LOOKS_EVERY = timedelta(minutes=15)
LATE_BY_MAX = timedelta(minutes=5)  # What a schedule may come later than its time.
# After these, whatever still waits is looked at: what was ambiguous may have become plain.
LOOKS_AFTER = (timedelta(hours=1), timedelta(hours=3))

Seen = tuple[PaymentSignals, MatchDecision | None]  # A payment that was looked at again.


def spans_due(patience: timedelta, *, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """When payments were made whose time for another look came since the schedule ran last.

    `patience` is how long after a sale its store has sent everything.
    """
    for after in sorted({patience, *LOOKS_AFTER}):
        until = now - after
        yield until - LOOKS_EVERY - LATE_BY_MAX, until


def unmatched_of(seen: Iterable[Seen]) -> list[tuple[datetime, TailCounts]]:
    """When each payment was made that found nothing, and what the receipts at hand say of its own.

    Payments that may be of other stores, too, say nothing of this one.
    """
    return [
        (signals.made_at, decision.near)
        for signals, decision in seen
        if isinstance(decision, Ambiguous | NothingNear) and len(signals.stores) == 1
    ]
