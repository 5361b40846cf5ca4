"""Names of things. An effect is keyed by the name its sender gave, so a repeat finds the first.

Our own ids are 26 characters of base32 (RFC 4648 §6, lower case, no padding): 130 bits.
"""

import base64
import hashlib
from functools import lru_cache
from typing import NewType

MemberId = NewType("MemberId", str)
PaymentId = NewType("PaymentId", str)
ReceiptId = NewType("ReceiptId", str)
StoreId = NewType("StoreId", str)
RetailerId = NewType("RetailerId", str)
ConnectionId = NewType("ConnectionId", str)

ID_LENGTH = 26
PROVIDER_ID_LENGTH_MAX = 200
RECEIPTS_NAMED_MAX = 16_384  # Remembered, some 4 MB: a look asks for those of two hours thrice.


def natural_id(kind: str, *parts: str) -> str:
    """The id of the `kind` that its sender calls `parts`: the same parts give the same id for ever.

    SHA-256 over length-prefixed UTF-8, so that no two lists of parts run together.
    """
    digest = hashlib.sha256()
    for part in (kind, *parts):
        raw = part.encode()
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return encode_id(digest.digest())


def encode_id(raw: bytes) -> str:
    """`raw` (17 bytes or more, random or hashed) as an id."""
    return base64.b32encode(raw[:17]).decode().lower()[:ID_LENGTH]


def payment_id_of(connection_id: ConnectionId, provider_transaction_id: str) -> PaymentId:
    """The payment that `connection_id`'s provider calls `provider_transaction_id`."""
    return PaymentId(natural_id("payment", connection_id, provider_transaction_id))


@lru_cache(maxsize=RECEIPTS_NAMED_MAX)
def receipt_id_of(retailer_id: RetailerId, retailer_receipt_id: str) -> ReceiptId:
    """The receipt that `retailer_id` calls `retailer_receipt_id`."""
    return ReceiptId(natural_id("receipt", retailer_id, retailer_receipt_id))
