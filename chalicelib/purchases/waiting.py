"""Looking again at what waits: on a schedule, for whatever no message will wake.

A payment that waits is looked at when a receipt comes that may be its own, and when its store's
patience is over, if a queue can hold a message that long. What is left for the schedules is little:
stores whose patience is longer, payments that could be explained in two ways, and endings.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Ambiguous, MatchDecision, NothingNear
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.network import service as network
from chalicelib.network.model import Store
from chalicelib.purchases import service
from chalicelib.purchases.access import WAITS
from chalicelib.runtime import observability

# A till that was offline, or its bank, may tell of a sale this much later. It waits from then on.
TOLD_LATE_MAX = timedelta(days=14)
LONGEST = WAITS + TOLD_LATE_MAX + timedelta(days=1)
LOOKS_EVERY = timedelta(minutes=15)
LATE_BY_MAX = timedelta(minutes=5)  # What a schedule may come later than its time.
# After these, whatever still waits is looked at: what was ambiguous may have become plain.
LOOKS_AFTER = (timedelta(hours=1), timedelta(hours=3))


_Seen = tuple[PaymentSignals, MatchDecision | None]  # A payment that was looked at again.


def look_again_when_due(now: datetime) -> int:
    """Look at the payments whose time for another look came since the schedule ran last.

    That is when all receipts of the store should be there, and after one and three hours. Returns
    how many were looked at.
    """
    looked = 0
    for store in _stores(now=now):
        patience = timedelta(seconds=store.receipts_within_seconds)
        for after in sorted({patience, *LOOKS_AFTER}):
            until = now - after
            since = until - LOOKS_EVERY - LATE_BY_MAX
            looked += len(_look_at_store(store, since, until, now=now))
    return looked


def look_again_between(since: datetime, until: datetime, *, now: datetime) -> int:
    """Look again at every payment made in [since, until] that waits; returns how many there were.

    Before that, whatever these payments say together of their store's clocks is learned: a till
    that is hours off shows by the many that wait for it. A payment that meets a passing obstacle is
    left to the next run.
    """
    looked = 0
    for store in _stores(now=now):
        _learn_clocks(store, since, until, now=now)
        seen = _look_at_store(store, since, until, now=now)
        looked += len(seen)
        _count_absent(store, seen, now=now)
    timekeeping.write_out(now=now)
    return looked


def _learn_clocks(store: Store, since: datetime, until: datetime, *, now: datetime) -> None:
    """A store that cannot be read as a whole now keeps the clocks that it has."""
    from chalicelib.matching.timekeeping import learning  # Only this job weighs days at once.

    try:
        learning.learn_clocks(store, max(since, until - learning.DAYS), until, now=now)
    except TryAgain:
        observability.count("looks_put_off")


def _stores(*, now: datetime) -> Iterator[Store]:
    for retailer in network.list_retailers(now=now):
        yield from network.list_stores(retailer.retailer_id, now=now)


def _look_at_store(store: Store, since: datetime, until: datetime, *, now: datetime) -> list[_Seen]:
    found = matching_store.list_waiting_between(store.store_id, since, until, now=now)
    seen: list[_Seen] = []
    for waiting in found:
        decision = None
        try:
            decision = service.settle_waiting(waiting, now=now)
        except TryAgain:
            observability.count("looks_put_off")
        seen.append((waiting.signals, decision))
    return seen


def _count_absent(store: Store, seen: Sequence[_Seen], *, now: datetime) -> None:
    """Count how many receipts did not come that should be there: what is to be expected of the
    store. Payments that may be of other stores, too, say nothing of this one.
    """
    until = now - timedelta(seconds=store.receipts_within_seconds)
    absent = [
        (signals.made_at, decision.absent)
        for signals, decision in seen
        if isinstance(decision, Ambiguous | NothingNear) and len(signals.stores) == 1
    ]
    timekeeping.count_absent(store.store_id, absent, until=until, now=now)
