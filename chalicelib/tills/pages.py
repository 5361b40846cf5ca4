"""Receipt pages: the receipts of one store that arrived together, kept as one row.

Retailers send every sale and only a few belong to members, so strangers' receipts must cost little.
A page covers at most the store's span of sale time and never crosses midnight UTC: a reader looks
back by just that span, so a page that outgrew it would lose matches silently.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.ids import ReceiptId, StoreId, encode_id
from chalicelib.network.model import Store
from chalicelib.receipts.canonical import Receipt

RECEIPTS_PER_PAGE_MAX = 100
LINES_PER_PAGE_MAX = 2_000  # Compressed, some 60 KB: far below an item's 400 KB.
GATHERING_SECONDS = 300  # Before a page is made of what nobody waits for: SQS batches no longer.


@dataclass(frozen=True, slots=True)
class Page:
    """Receipts of one store, oldest sale first. `page_id` follows from what is on the page."""

    store_id: StoreId
    receipts: tuple[Receipt, ...]
    received_at: datetime

    @property
    def starts_at(self) -> datetime:
        """When its first receipt was issued, by the till's clock."""
        return self.receipts[0].issued_at

    @property
    def ends_at(self) -> datetime:
        """When its last receipt was issued."""
        return self.receipts[-1].issued_at

    @property
    def page_id(self) -> str:
        """The same receipts in the same versions make the same page, however often they come."""
        names = hashlib.sha256()
        for receipt in self.receipts:
            names.update(f"{receipt.receipt_id}.{receipt.version};".encode())
        return encode_id(names.digest())


def complete_after(store: Store) -> timedelta:
    """How long after a sale everything that `store` sent stands on pages.

    What came before anybody waited for it is being gathered, while a stranger's receipt that comes
    later, and may be what somebody waits for, is seen at once.
    """
    return timedelta(seconds=store.receipts_within_seconds + GATHERING_SECONDS)


def pack(
    store_id: StoreId, receipts: Iterable[Receipt], *, span: timedelta, received_at: datetime
) -> list[Page]:
    """Put `receipts` of one store on as few pages as the bounds of span, day and size allow."""
    pages: list[list[Receipt]] = []
    for receipt in sorted(receipts, key=lambda r: (r.issued_at, r.receipt_id, r.version)):
        if not pages or not _fits(pages[-1], receipt, span=span):
            pages.append([])
        pages[-1].append(receipt)
    return [Page(store_id, tuple(page), received_at) for page in pages]


def _fits(page: Sequence[Receipt], receipt: Receipt, *, span: timedelta) -> bool:
    first = page[0].issued_at
    return (
        receipt.issued_at - first <= span
        and receipt.issued_at.date() == first.date()
        and len(page) < RECEIPTS_PER_PAGE_MAX
        and sum(len(other.lines) for other in page) + len(receipt.lines) <= LINES_PER_PAGE_MAX
    )


def collapse(pages: Iterable[Page]) -> dict[ReceiptId, Receipt]:
    """Each receipt on `pages` once: its newest version; of equal versions the first received."""
    best: dict[ReceiptId, tuple[int, datetime, Receipt]] = {}
    for page in pages:
        for receipt in page.receipts:
            known = best.get(receipt.receipt_id)
            better = known is None or (-receipt.version, page.received_at) < (-known[0], known[1])
            if better:
                best[receipt.receipt_id] = (receipt.version, page.received_at, receipt)
    return {receipt_id: receipt for receipt_id, (_, _, receipt) in best.items()}
