"""Messages on the receipts queue: split, written, read."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from chalicelib.kernel.refusals import Malformed, Rejected
from chalicelib.receipts.canonical import TenderKind
from chalicelib.tills.messages import (
    MESSAGE_BYTES_MAX,
    decode_message,
    encode_message,
    split_messages,
)
from chalicelib.tills.native_shapes import NativeLine, NativeReceipt, NativeTender
from tests.makers.events import event
from tests.makers.receipts import NOW, RETAILER


def receipt(reference: str, *, store: str = "0042", lines: int = 1) -> NativeReceipt:
    return NativeReceipt(
        reference=reference,
        issued_at="2026-11-20T09:19:12Z",
        currency="GBP",
        total_minor=100 * lines,
        store=store,
        lines=tuple(NativeLine(description="Bun " * 9, amount_minor=100) for _ in range(lines)),
        tenders=(NativeTender(kind=TenderKind.CARD, amount_minor=100 * lines),),
    )


def test_reads_the_documented_message() -> None:
    received = decode_message(event("queue_receipts_message").decode(), now=NOW)

    assert received.retailer_id == RETAILER.retailer_id
    assert received.received_at == datetime(2026, 11, 20, 9, 20, tzinfo=UTC)
    assert [one.receipt.mid for one in received.reading.taken] == ["540000042"]
    assert (received.reading.refused, received.reading.unknown_fields) == ((), 1)


def test_messages_stay_small_and_lose_nothing() -> None:
    sent = [receipt(f"A-{number}", store=str(number % 3), lines=60) for number in range(150)]

    bodies = split_messages(sent, retailer_id=RETAILER.retailer_id, received_at=NOW)

    assert all(len(body.encode()) < MESSAGE_BYTES_MAX for body in bodies)
    read = [decode_message(body, now=NOW) for body in bodies]
    arrived = [one.receipt for message in read for one in message.reading.taken]
    assert arrived == sorted(sent, key=lambda one: one.store or "")
    assert len(bodies) == 4


def test_a_message_carries_at_most_a_hundred_receipts() -> None:
    sent = [receipt(f"A-{number}") for number in range(101)]

    bodies = split_messages(sent, retailer_id=RETAILER.retailer_id, received_at=NOW)

    assert [len(json.loads(body)["receipts"]) for body in bodies] == [100, 1]


def test_nothing_to_send_is_no_message() -> None:
    assert split_messages([], retailer_id=RETAILER.retailer_id, received_at=NOW) == ()


def test_a_bad_receipt_in_a_message_is_refused_alone() -> None:
    bad = msgspec.structs.replace(receipt("A-2"), total_minor=1)
    body = encode_message((receipt("A-1"), bad), retailer_id=RETAILER.retailer_id, received_at=NOW)

    reading = decode_message(body, now=NOW).reading

    assert [one.receipt.reference for one in reading.taken] == ["A-1"]
    assert [(one.index, one.name, one.refusal.code) for one in reading.refused] == [
        (1, "A-2", "total_mismatch")
    ]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"v": 2}, "message_version", "v"),
        ({"v": "1"}, "shape", "v"),
        ({"retailer_id": ""}, "shape", "retailer_id"),
        ({"retailer_id": "4000056655665556"}, "card_number", "retailer_id"),
        ({"received_at": "2026-11-20T09:20:00"}, "time_offset", "received_at"),
        ({"receipts": {}}, "shape", "receipts"),
    ],
)
def test_refuses_a_message_without_its_envelope(
    change: dict[str, object], code: str, field: str
) -> None:
    body = json.dumps({**json.loads(event("queue_receipts_message")), **change})

    with pytest.raises(Rejected) as caught:
        decode_message(body, now=NOW)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_refuses_text_that_is_no_unicode() -> None:
    with pytest.raises(Malformed) as caught:
        decode_message('{"v":"\ud800"}', now=NOW)
    assert caught.value.code == "not_utf8"
