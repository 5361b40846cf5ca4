"""What of a card expires soon, and since when it does. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.loyalty.cards.applying import lapse
from chalicelib.loyalty.cards.changes import first_entered_at
from chalicelib.loyalty.cards.deadlines import last_day
from chalicelib.loyalty.cards.model import Card, Entry

EXPIRY_TOLD_BEFORE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Expiring:
    """`units` that are good until the day `on` is over, at `ends_at`; that is soon from `since`."""

    on: date
    units: int
    ends_at: datetime
    since: datetime


def list_expiring(
    card: Card, entries: Sequence[Entry], *, zone: str, now: datetime
) -> tuple[Expiring, ...]:
    """What is left and expires within two weeks, by day, the next one first.

    That is soon since two weeks before; where the first of `entries` that expires then was entered
    later, since that.
    """
    units: Counter[datetime] = Counter()
    for lot in lapse(card, now).lots:
        if lot.expires_at is not None and now < lot.expires_at <= now + EXPIRY_TOLD_BEFORE:
            units[lot.expires_at] += lot.free
    return tuple(
        Expiring(last_day(end, zone=zone), units[end], end, _since(end, entries))
        for end in sorted(units)
        if units[end]
    )


def _since(end: datetime, entries: Iterable[Entry]) -> datetime:
    soon = end - EXPIRY_TOLD_BEFORE
    entered = (first_entered_at(entry) for entry in entries if entry.lot.expires_at == end)
    return max(soon, min(entered, default=soon))
