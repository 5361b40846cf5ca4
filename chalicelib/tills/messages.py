"""The body of a message on the `receipts` queue, as the API writes it and large retailers send it.

`{"v": 1, "retailer_id": "…", "received_at": "…", "receipts": [<native receipt>, …]}`
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.pan import refuse_card_numbers
from chalicelib.kernel.refusals import Misshapen, NotAllowed
from chalicelib.kernel.times import parse_instant, to_text
from chalicelib.runtime import wire
from chalicelib.tills.entries import ENTRIES_MAX, TillReading, read_entries
from chalicelib.tills.native_reading import NATIVE
from chalicelib.tills.native_shapes import NativeReceipt

VERSION = 1
MESSAGE_BYTES_MAX = 200_000  # SQS takes 256 KiB; every 64 KiB are billed as a request.


class ForeignReceipts(NotAllowed):
    """The message names another retailer than the one whose queue it came on."""

    code = "foreign_receipts"


class ReceiptsMessage(msgspec.Struct, frozen=True):
    """Receipts of one retailer. `received_at` is RFC 3339, when the sender handed them over."""

    v: int
    retailer_id: Annotated[str, Meta(min_length=1, max_length=100)]
    received_at: str
    receipts: tuple[NativeReceipt, ...]


class _Envelope(msgspec.Struct, frozen=True):
    v: int
    retailer_id: Annotated[str, Meta(min_length=1, max_length=100)]
    received_at: str
    receipts: list[Any]


@dataclass(frozen=True, slots=True)
class ReceivedReceipts:
    """A message as read: whose receipts, when they came, and each of them taken or refused."""

    retailer_id: RetailerId
    received_at: datetime
    reading: TillReading


def split_messages(
    receipts: Iterable[NativeReceipt], *, retailer_id: RetailerId, received_at: datetime
) -> tuple[str, ...]:
    """The messages that carry `receipts`: each under 200 kB, at most 100 receipts, by store.

    Receipts of one store stand together and in order, so that a message fills few pages.
    """
    chunks: list[list[NativeReceipt]] = []
    size = 0
    room = MESSAGE_BYTES_MAX - len(
        encode_message((), retailer_id=retailer_id, received_at=received_at).encode()
    )
    for receipt in sorted(receipts, key=_store_key):
        length = len(wire.to_json(receipt)) + 1
        if not chunks or len(chunks[-1]) == ENTRIES_MAX or size + length > room:
            chunks.append([])
            size = 0
        chunks[-1].append(receipt)
        size += length
    return tuple(
        encode_message(tuple(chunk), retailer_id=retailer_id, received_at=received_at)
        for chunk in chunks
    )


def encode_message(
    receipts: tuple[NativeReceipt, ...], *, retailer_id: RetailerId, received_at: datetime
) -> str:
    """One message body. Its size is the caller's care; see `split_messages`."""
    message = ReceiptsMessage(
        v=VERSION, retailer_id=retailer_id, received_at=to_text(received_at), receipts=receipts
    )
    return wire.to_json(message).decode()


def decode_message(
    body: str, *, now: datetime, only_from: RetailerId | None = None
) -> ReceivedReceipts:
    """Read a message body; a bad receipt in it is refused alone.

    :raises ForeignReceipts: it came on the queue of the retailer `only_from` and names another.
    :raises Malformed: the envelope is not as documented, or of a version not known here.
    :raises TooLarge: over 1 MiB, or over 100 receipts.
    """
    value = wire.parse_json(body.encode("utf-8", "surrogatepass"))
    envelope = wire.convert(value, _Envelope)
    refuse_card_numbers({name: value[name] for name in value if name != "receipts"})
    if envelope.v != VERSION:
        raise Misshapen("the message version is not known", field="v", code="message_version")
    if only_from not in (None, envelope.retailer_id):
        raise ForeignReceipts("the queue is another retailer's", field="retailer_id")
    received_at = parse_instant(envelope.received_at, field="received_at")
    reading = read_entries(envelope.receipts, NATIVE, now=now)
    return ReceivedReceipts(RetailerId(envelope.retailer_id), received_at, reading)


def _store_key(receipt: NativeReceipt) -> tuple[str, str, str]:
    return receipt.store or "", receipt.mid or "", receipt.tid or ""
