"""Looking again at what waits: on a schedule, for whatever no message will wake."""

from datetime import datetime, timedelta

from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import store as matching_store
from chalicelib.network import service as network
from chalicelib.network.model import Store
from chalicelib.purchases import service
from chalicelib.runtime import observability

LONGEST = service.WAITS + timedelta(days=1)


def look_again_between(since: datetime, until: datetime, *, now: datetime) -> int:
    """Look again at every payment made in [since, until] that waits; returns how many there were.

    A payment that meets a passing obstacle is left to the next run.
    """
    looked = 0
    for retailer in network.list_retailers(now=now):
        for store in network.list_stores(retailer.retailer_id, now=now):
            looked += _look_at_store(store, since, until, now=now)
    return looked


def _look_at_store(store: Store, since: datetime, until: datetime, *, now: datetime) -> int:
    looked = 0
    day = since.date()
    while day <= until.date():
        for waiting in matching_store.list_waiting_day(store.store_id, day, now=now):
            if since <= waiting.anchored_at <= until:
                looked += 1
                try:
                    service.settle_waiting(waiting, now=now)
                except TryAgain:
                    observability.count("looks_put_off")
        day += timedelta(days=1)
    return looked
