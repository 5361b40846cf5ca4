"""What the platform keeps in tables, for a benchmark's days in memory: pages, lists, clocks."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from chalicelib.kernel.ids import ReceiptId, StoreId
from chalicelib.matching.kept_clocks import StoreClocks, from_bytes
from chalicelib.matching.scene import PartKey
from chalicelib.matching.standing import Claim, Waiting
from chalicelib.matching.timekeeping.keeping import NOTHING_KEPT, KeptClocksOf
from chalicelib.network.model import Store
from chalicelib.receipts.canonical import Receipt

_ISSUED_AT, _MADE_AT = attrgetter("issued_at"), attrgetter("signals.made_at")


PAGES_LAST = timedelta(days=7)  # As strangers' receipts are kept.


class _Kept(NamedTuple):
    issued_at: datetime
    ends_at: datetime
    receipt: Receipt


class PagesInMemory:
    """The receipts that came, by store and time of sale."""

    def __init__(self) -> None:
        self._issued: dict[StoreId, list[_Kept]] = defaultdict(list)

    def keep(self, receipts: Iterable[Receipt], *, now: datetime) -> None:
        """Keep receipts that are new."""
        for receipt in receipts:
            kept = _Kept(receipt.issued_at, now + PAGES_LAST, receipt)
            insort(self._issued[receipt.store_id], kept, key=_ISSUED_AT)

    def receipts_near(
        self, place: Store, *, since: datetime, until: datetime, now: datetime, consistent: bool
    ) -> dict[ReceiptId, Receipt]:
        """As `tills.service` has it."""
        del consistent
        issued = self._issued[place.store_id]
        first = bisect_left(issued, since, key=_ISSUED_AT)
        last = bisect_right(issued, until, key=_ISSUED_AT)
        found = (kept.receipt for kept in issued[first:last] if kept.ends_at > now)
        return {receipt.receipt_id: receipt for receipt in found}


class ListsInMemory:
    """Who waits where, and who holds what."""

    def __init__(self) -> None:
        self._waiting: dict[StoreId, list[Waiting]] = defaultdict(list)  # In order of time.
        self._claims: dict[PartKey, Claim] = {}

    def keep_waiting(self, waiting: Waiting) -> None:
        """Let the payment wait at each of its stores."""
        for store_id in waiting.signals.stores:
            insort(self._waiting[store_id], waiting, key=_MADE_AT)

    def stop_waiting(self, waiting: Waiting) -> None:
        """Take the payment off the list of each of its stores."""
        for store_id in waiting.signals.stores:
            self._waiting[store_id].remove(waiting)

    def list_waiting_between(
        self,
        store_id: StoreId,
        since: datetime,
        until: datetime,
        *,
        now: datetime,
        consistent: bool = False,
    ) -> list[Waiting]:
        """As `matching.store` has it."""
        del now, consistent
        waiting = self._waiting[store_id]
        first = bisect_left(waiting, since, key=_MADE_AT)
        return waiting[first : bisect_right(waiting, until, key=_MADE_AT)]

    def list_claims_on(self, keys: Sequence[PartKey], *, now: datetime) -> Iterator[Claim]:
        """As `matching.store` has it."""
        del now
        return (self._claims[key] for key in keys if key in self._claims)

    def record_claim(self, claim: Claim, *, now: datetime) -> bool:
        """As `matching.store` has it."""
        del now
        standing = self._claims.setdefault((claim.receipt_id, claim.part), claim)
        return standing.hold.payment_id == claim.hold.payment_id

    def release_claim(self, claim: Claim, *, taken_until: datetime | None = None) -> None:
        """As `matching.store` has it; nothing that is claimed is given back in these days."""
        del taken_until
        self._claims.pop((claim.receipt_id, claim.part), None)


class ClocksInMemory:
    """The clocks of stores between processes, in the bytes in which they are kept."""

    def __init__(self) -> None:
        self._kept: dict[StoreId, tuple[bytes, int]] = {}

    def find_clocks(self, store_id: StoreId, *, now: datetime, consistent: bool) -> KeptClocksOf:
        """As `timekeeping.store` has it."""
        del now, consistent
        if store_id not in self._kept:
            return NOTHING_KEPT
        kept, revision = self._kept[store_id]
        return KeptClocksOf(from_bytes(kept), revision)

    def record_clocks(
        self, store_id: StoreId, clocks: StoreClocks, *, after_revision: int, now: datetime
    ) -> bool:
        """As `timekeeping.store` has it."""
        del now
        _, revision = self._kept.get(store_id, (b"", 0))
        if revision != after_revision:
            return False
        self._kept[store_id] = (clocks.to_bytes(), revision + 1)
        return True
