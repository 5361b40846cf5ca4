"""Placing a receipt: which of its retailer's stores a till means."""

from datetime import datetime

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.network import service as network
from chalicelib.receipts.canonical import Receipt
from chalicelib.tills import native
from chalicelib.tills.native_shapes import NativeReceipt


class UnknownStore(NotAllowed):
    """The receipt names no store of its retailer, or not one alone."""

    code = "unknown_store"


def place(wire: NativeReceipt, retailer_id: RetailerId, *, now: datetime) -> Receipt:
    """`wire` as a receipt of the store it names.

    :raises UnknownStore: the retailer has no such store, or takes no part.
    :raises Rejected: a rule of receipts is broken.
    """
    store = network.find_store_for_till(
        retailer_id,
        reference=wire.store,
        identifiers=native.store_identifiers(wire),
        now=now,
    )
    if store is None:
        raise _unplaced(wire, retailer_id, now=now)
    return native.to_receipt(wire, retailer_id=retailer_id, store=store, now=now)


def _unplaced(wire: NativeReceipt, retailer_id: RetailerId, *, now: datetime) -> UnknownStore:
    """Why no store is meant, and by which of the names that were sent."""
    if wire.store is not None:
        return UnknownStore("the retailer has no store of that name", field="store")
    field = _field_of_name(wire)
    meant = network.find_stores(native.store_identifiers(wire), now=now)
    if sum(store.retailer_id == retailer_id for store in meant) > 1:
        detail = "several stores of the retailer have that name; `store` tells them apart"
        return UnknownStore(detail, field=field)
    return UnknownStore("no store of the retailer is found by that name", field=field)


def _field_of_name(wire: NativeReceipt) -> str:
    """Where the first MID or TID stands; there is one, or the receipt names no store at all."""
    named = [("mid", wire.mid), ("tid", wire.tid)]
    for index, tender in enumerate(wire.tenders):
        named += [(f"tenders[{index}].mid", tender.mid), (f"tenders[{index}].tid", tender.tid)]
    return next(field for field, value in named if value)
