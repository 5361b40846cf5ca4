"""What stands at stores while payments look for their receipts: claims, payments that wait, pages.

The platform keeps it in tables (`store`), a benchmark in memory; whoever looks (`finding`) asks
either by these words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.kernel.ids import ReceiptId, StoreId
from chalicelib.matching.kept_clocks import StoreClocks
from chalicelib.matching.outcome import Hold
from chalicelib.matching.scene import PartKey
from chalicelib.matching.signals import PaymentSignals
from chalicelib.network.model import Store
from chalicelib.receipts.canonical import Receipt

WAITING_DAYS = 7  # As long as unmatched receipts are kept: nothing can turn up after that.


@dataclass(frozen=True, slots=True)
class Claim:
    """A part of a receipt and the payment that holds it, what finds its purchase, since when."""

    receipt_id: ReceiptId
    part: int
    hold: Hold
    anchored_at: datetime
    claimed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A payment that waits for its receipt. `waits_since` is when it first found none."""

    signals: PaymentSignals
    anchored_at: datetime
    waits_since: datetime


class Pages(Protocol):
    """The receipts that came."""

    def receipts_near(
        self, place: Store, /, *, since: datetime, until: datetime, now: datetime, consistent: bool
    ) -> Mapping[ReceiptId, Receipt]:
        """The receipts of the store issued in [since, until], each once, in its newest version."""


class Lists(Protocol):
    """Who waits where, and who holds what."""

    def list_waiting_between(
        self,
        store_id: StoreId,
        since: datetime,
        until: datetime,
        *,
        now: datetime,
        consistent: bool = ...,
    ) -> Sequence[Waiting]:
        """The payments made in [since, until] that wait at the store."""

    def list_claims_on(self, keys: Sequence[PartKey], *, now: datetime) -> Iterable[Claim]:
        """The claims on the parts."""

    def record_claim(self, claim: Claim, *, now: datetime) -> bool:
        """Claim the part; True where the claim's payment holds it now."""

    def release_claim(self, claim: Claim, *, taken_until: datetime | None = ...) -> None:
        """Give the part free, if it is still the claim's."""


class Timekeeping(Protocol):
    """Where the tills' clocks stand."""

    def store_clocks(self, store_id: StoreId, *, now: datetime) -> StoreClocks:
        """The clocks of one store."""
