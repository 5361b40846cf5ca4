"""Looking again at what waits: on a schedule, for whatever no message will wake.

A payment that waits is looked at when a receipt comes that may be its own, and when its store's
patience is over, if a queue can hold a message that long. What is left for the schedules is little:
stores whose patience is longer, payments that could be explained in two ways, and endings.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import store as matching_store
from chalicelib.matching.looks import Seen, spans_due, unmatched_of
from chalicelib.matching.outcome import Matched
from chalicelib.matching.questions import Near
from chalicelib.matching.reach import Window
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.network import service as network
from chalicelib.network.model import Store
from chalicelib.purchases import service
from chalicelib.purchases.access import WAITS
from chalicelib.runtime import observability
from chalicelib.tills import service as tills
from chalicelib.tills.pages import complete_after

# A till that was offline, or its bank, may tell of a sale this much later. It waits from then on.
TOLD_LATE_MAX = timedelta(days=14)
LONGEST = WAITS + TOLD_LATE_MAX + timedelta(days=1)


def look_again_when_due(now: datetime) -> int:
    """Look at the payments whose time for another look came since the schedule ran last.

    That is when all receipts of the store should be there, and after one and three hours. Returns
    how many were looked at.
    """
    looked = 0
    for store in _stores(now=now):
        for since, until in spans_due(complete_after(store), now=now):
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
        _count_unmatched(store, seen, now=now)
    timekeeping.write_out(now=now)
    return looked


def _learn_clocks(store: Store, since: datetime, until: datetime, *, now: datetime) -> None:
    """A store that cannot be read as a whole now keeps the clocks that it has."""
    from chalicelib.matching.timekeeping import learning  # Only this job weighs days at once.

    try:
        learned = learning.learn_clocks(
            store, since, until, pages=tills, lists=matching_store, now=now
        )
    except TryAgain:
        observability.count("looks_put_off")
        return
    if learned is not None:
        timekeeping.learn(store.store_id, learned.votes, at=learned.at, now=now)


def _stores(*, now: datetime) -> Iterator[Store]:
    for retailer in network.list_retailers(now=now):
        yield from network.list_stores(retailer.retailer_id, now=now)


def _look_at_store(store: Store, since: datetime, until: datetime, *, now: datetime) -> list[Seen]:
    found = matching_store.list_waiting_between(store.store_id, since, until, now=now)
    near = Near(store.store_id, (Window(since, until),), tuple(found))
    seen: list[Seen] = []
    endings: list[Callable[[], None]] = []
    for waiting in found:
        try:
            decision = service.settle_waiting(waiting, now=now, near=near, endings=endings)
        except TryAgain:
            observability.count("looks_put_off")
            seen.append((waiting.signals, None))
            continue
        if decision is None or isinstance(decision, Matched):
            near = near.without(waiting.signals.payment_id)
        seen.append((waiting.signals, decision))
    for end in endings:
        try:
            end()
        except TryAgain:
            observability.count("looks_put_off")
    return seen


def _count_unmatched(store: Store, seen: Sequence[Seen], *, now: datetime) -> None:
    """Count how many receipts did not come that should be there: what is to be expected of the
    store.
    """
    until = now - complete_after(store)
    timekeeping.count_unmatched(store.store_id, unmatched_of(seen), until=until, now=now)
