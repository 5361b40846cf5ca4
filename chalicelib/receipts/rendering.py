"""The canonical receipt as our own API and webhooks show it."""

from typing import Any

import msgspec

from chalicelib.kernel.times import to_text
from chalicelib.network.model import Retailer, Store
from chalicelib.receipts.canonical import Receipt

PUBLIC_VERSION = 1


def to_public(receipt: Receipt, *, retailer: Retailer, store: Store) -> dict[str, Any]:
    """`receipt` as JSON builtins: decimals as text, times in UTC, `v` the version of this shape."""
    shown: dict[str, Any] = msgspec.to_builtins(receipt)
    shown.pop("retailer_id")
    shown.pop("store_id")
    return {
        "v": PUBLIC_VERSION,
        "id": receipt.receipt_id,
        **shown,
        "issued_at": to_text(receipt.issued_at),
        "retailer": {"name": retailer.name, "vat_number": retailer.vat_number},
        "store": {"name": store.name, "address": store.address, "postcode": store.postcode},
    }
