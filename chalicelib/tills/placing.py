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
        raise UnknownStore("the retailer has no store of that name", field="store")
    return native.to_receipt(wire, retailer_id=retailer_id, store=store, now=now)
