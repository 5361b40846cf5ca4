"""Keeping receipts on pages: what came before is dropped, what contradicts it is set apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.ids import ReceiptId
from chalicelib.kernel.refusals import Conflicting
from chalicelib.network.model import Store
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.versions import Standing, compare
from chalicelib.tills import store as tills_store
from chalicelib.tills.pages import Page, collapse, pack


@dataclass(frozen=True, slots=True)
class Sorted:
    """Receipts of one store, set against what is kept already: `new`, `seen`, `conflicting`."""

    new: tuple[Receipt, ...]
    seen: tuple[Receipt, ...]
    conflicting: tuple[Receipt, ...]


def span_of(store: Store) -> timedelta:
    """How much sale time one page of `store` may cover."""
    return timedelta(minutes=store.page_span_minutes)


def receipts_near(
    store: Store, *, since: datetime, until: datetime, now: datetime, consistent: bool
) -> dict[ReceiptId, Receipt]:
    """The receipts of `store` issued in [since, until], each once, in its newest version."""
    pages = tills_store.list_pages(
        store.store_id,
        since=since - span_of(store),
        until=until,
        now=now,
        consistent=consistent,
    )
    return {
        receipt_id: receipt
        for receipt_id, receipt in collapse(pages).items()
        if since <= receipt.issued_at <= until
    }


def sort_out(kept: Mapping[ReceiptId, Receipt], receipts: Sequence[Receipt]) -> Sorted:
    """Set `receipts` of one store against what it keeps around their time, and against each other;
    the first one wins.
    """
    known = dict(kept)
    new: dict[ReceiptId, Receipt] = {}
    seen: list[Receipt] = []
    conflicting: list[Receipt] = []
    for receipt in receipts:
        earlier = known.get(receipt.receipt_id)
        match _standing(earlier, receipt):
            case Standing.NEWER:
                new[receipt.receipt_id] = known[receipt.receipt_id] = receipt
            case Standing.SAME | Standing.OLDER:
                seen.append(receipt)
            case None:
                conflicting.append(receipt)
    return Sorted(tuple(new.values()), tuple(seen), tuple(conflicting))


def keep_on_pages(store: Store, receipts: Sequence[Receipt], *, now: datetime) -> list[Page]:
    """Write `receipts` of `store` on pages; the same receipts again make the same pages."""
    pages = pack(store.store_id, receipts, span=span_of(store), received_at=now)
    for page in pages:
        tills_store.record_page(page)
    return pages


def _standing(earlier: Receipt | None, receipt: Receipt) -> Standing | None:
    """How `receipt` stands to what is kept; None where the two contradict each other."""
    if earlier is None:
        return Standing.NEWER
    try:
        return compare(earlier, receipt)
    except Conflicting:
        return None
