"""Native receipts as they arrive: `POST /v1/receipts`, `PUT /v1/receipts/{id}`, and files."""

from datetime import datetime
from typing import Any

from chalicelib.runtime import wire
from chalicelib.tills.entries import Format, TillReading, read_body
from chalicelib.tills.native_shapes import NativeReceipt


def read_batch(body: bytes, *, now: datetime) -> TillReading:
    """Read one native receipt or an array of at most 100.

    One bad entry is refused with its rule and never spoils the others; what depends on the store
    (its zone, for times without offset) is checked again by `native.to_receipt`.
    :raises Malformed, TooLarge: the body as a whole cannot be read.
    """
    return read_body(body, NATIVE, now=now)


def read_one(entry: Any) -> tuple[NativeReceipt, int]:
    """Decoded JSON as a native receipt, with the number of fields it does not know.

    :raises Malformed: naming the field and what was expected there.
    """
    return wire.convert(entry, NativeReceipt), wire.unknown_fields(entry, NativeReceipt)


NATIVE = Format(read_one, name_field="reference")
