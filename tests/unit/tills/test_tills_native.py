"""Native receipts: read entry by entry, made canonical and back."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.refusals import Malformed, Rejected, TooLarge
from chalicelib.kernel.times import local_day
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.receipts.canonical import (
    Barcode,
    Charge,
    ChargeKind,
    LineKind,
    LineReference,
    Modifier,
    Receipt,
    ReceiptKind,
    Tax,
    TenderKind,
)
from chalicelib.receipts.returns import apply_returns, returnable_quantity
from chalicelib.runtime import wire
from chalicelib.tills import entries, native
from chalicelib.tills.native_reading import read_batch
from chalicelib.tills.native_shapes import NativeReceipt
from chalicelib.tills.native_writing import from_receipt
from tests.makers.events import event
from tests.makers.receipts import NOW, RETAILER, STORE, receipts

LATER = NOW + timedelta(days=3)


def canonical(body: bytes) -> Receipt:
    reading = read_batch(body, now=LATER)
    assert reading.refused == ()
    (taken,) = reading.taken
    return native.to_receipt(
        taken.receipt, retailer_id=RETAILER.retailer_id, store=STORE, now=LATER
    )


def plain(**changes: Any) -> dict[str, Any]:
    """A small native receipt as JSON, changed."""
    return {
        "reference": "A-1",
        "store": "0042",
        "issued_at": "2026-11-20T09:17:02Z",
        "currency": "GBP",
        "total_minor": 350,
        "lines": [{"description": "Flat white", "amount_minor": 350}],
        "tenders": [{"kind": "card", "amount_minor": 350}],
        **changes,
    }


def refusals(*values: object) -> list[tuple[int, str, str | None]]:
    reading = read_batch(json.dumps(list(values)).encode(), now=NOW)
    return [(one.index, one.refusal.code, one.refusal.field) for one in reading.refused]


@pytest.mark.requirement("RCP-04")
def test_reads_the_documented_receipt_whole() -> None:
    receipt = canonical(event("till_native_receipt"))

    assert receipt.reference == "LDS-3-1120-0187"
    assert receipt.store_id == STORE.store_id
    assert receipt.issued_at == datetime(2026, 11, 20, 9, 15, 30, tzinfo=UTC)
    assert (receipt.total.to_text(), receipt.currency) == ("15.52", "GBP")
    coffee, bananas, mug, biscuit = receipt.lines
    assert coffee.modifiers == (Modifier("Oat milk", 80, Decimal(2), sku="MOD-OAT"),)
    assert coffee.taxes == (Tax(122, "A", Decimal("0.20")),)
    assert (bananas.quantity, bananas.unit, bananas.amount_minor) == (Decimal("0.347"), "kg", 42)
    assert (mug.warranty_until, mug.serial) == (date(2028, 11, 20), "MG-77120")
    assert (biscuit.line_id, biscuit.amount_minor, biscuit.quantity) == ("4", 0, Decimal(1))
    assert receipt.charges[1] == Charge(ChargeKind.TIP, "Tip", 63)
    card, gift = receipt.tenders
    assert card.card == CardFacts("visa", LastFour("1234", LastFourKind.DEVICE), "01A2B3")
    assert (card.mid, card.tid, gift.kind) == ("540000042", "42000003", TenderKind.GIFT_CARD)
    assert receipt.barcode == Barcode("code_128", "RET-LDS-0187")


@pytest.mark.requirement("RCP-09")
def test_reads_a_return_that_takes_the_mug_back() -> None:
    sale = canonical(event("till_native_receipt"))
    returned = canonical(event("till_native_return"))

    assert returned.kind is ReceiptKind.RETURN
    assert returned.lines[0].refers_to == LineReference(sale.reference, "3")
    after = apply_returns(sale, [returned])
    assert [returnable_quantity(line) for line in after.sale.lines] == [
        Decimal(2),
        Decimal("0.347"),
        Decimal(0),
        Decimal(1),
    ]


def test_reads_an_exchange_that_gives_money_back_at_the_stores_own_time() -> None:
    exchange = canonical(event("till_native_exchange"))

    assert exchange.total_minor == -301
    assert [line.kind for line in exchange.lines] == [LineKind.RETURN, LineKind.SALE]
    assert exchange.issued_at == datetime(2026, 11, 22, 11, 52, 41, tzinfo=UTC)


def test_takes_the_good_entry_and_names_the_bad_one() -> None:
    reading = read_batch(event("till_native_batch_one_bad"), now=NOW)

    assert [(one.index, one.receipt.reference) for one in reading.taken] == [(0, "LDS-3-1120-0188")]
    assert json.loads(wire.to_json(entries.answer(reading))) == {
        "taken": 1,
        "refused": [
            {
                "index": 1,
                "code": "total_mismatch",
                "detail": "lines, discounts, charges, taxes and rounding do not come to the total",
                "field": "total_minor",
                "name": "LDS-3-1120-0189",
            }
        ],
        "unknown_fields": 0,
    }


@given(receipts())
def test_a_round_trip_over_the_wire_loses_nothing(receipt: Receipt) -> None:
    body = wire.to_json(from_receipt(receipt, store=STORE))

    reading = read_batch(body, now=NOW)

    (taken,) = reading.taken
    back = native.to_receipt(taken.receipt, retailer_id=RETAILER.retailer_id, store=STORE, now=NOW)
    assert back == receipt
    assert reading.unknown_fields == 0


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*NativeReceipt.__struct_fields__, "description", "amount_minor", "quantity"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(NativeReceipt.__struct_fields__)), JSON_VALUES)
def test_any_value_in_any_field_is_taken_or_refused_alone(field: str, value: object) -> None:
    body = json.dumps([plain(reference="A-0"), plain(**{field: value})]).encode()
    try:
        reading = read_batch(body, now=NOW)
    except Malformed:  # NaN or an endless number: the body as a whole is no JSON
        return
    assert [one.index for one in reading.taken] in ([0], [0, 1])


@pytest.mark.requirement("RCP-06")
@pytest.mark.parametrize("value", [3.5, 350.0, "350", True, None])
def test_refuses_anything_but_whole_minor_units(value: object) -> None:
    assert refusals(plain(total_minor=value)) == [(0, "shape", "total_minor")]


@pytest.mark.requirement("RCP-04")
@pytest.mark.parametrize("field", ["reference", "issued_at", "currency", "total_minor", "lines"])
def test_refuses_a_receipt_without_its_head(field: str) -> None:
    lacking = plain()
    del lacking[field]

    assert [code for _, code, _ in refusals(lacking)] == ["shape"]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"store": None}, "store_unnamed", "store"),
        ({"store": ""}, "store_unnamed", "store"),
        ({"kind": "gift"}, "shape", "kind"),
        ({"issued_at": "yesterday"}, "time", "issued_at"),
        ({"issued_at": "2026-11-22T09:00:00Z"}, "time_in_future", "issued_at"),
        ({"issued_at": "2026-08-01T09:00:00"}, "time_in_past", "issued_at"),
        ({"currency": "XXX"}, "unknown_currency", "currency"),
        ({"tenders": [{"kind": "card", "amount_minor": 350, "last_four": "12345"}]}, "last_four",
         "tenders[0].last_four"),
        ({"lines": [{"description": "x", "amount_minor": 350, "quantity": "NaN"}]}, "quantity",
         "lines[0].quantity"),
        ({"notes": ["x" * 1000] * 20, "lines": [{"description": "€" * 1000, "amount_minor": 350,
          "modifiers": [{"description": "€" * 1000}] * 50}] * 2}, "receipt_too_large", None),
    ],
)  # fmt: skip
def test_refuses_what_breaks_a_rule_by_its_field(
    changes: dict[str, Any], code: str, field: str | None
) -> None:
    changes.setdefault("total_minor", sum(one["amount_minor"] for one in changes.get("lines", [])))
    receipt = plain(**{**changes, "total_minor": changes["total_minor"] or 350})
    if "tenders" not in changes:
        receipt["tenders"] = [{"kind": "card", "amount_minor": receipt["total_minor"]}]

    assert refusals(receipt) == [(0, code, field)]


@pytest.mark.requirement("RCP-05")
def test_refuses_an_entry_with_a_card_number_and_never_repeats_it() -> None:
    number = "4000 0566 5566 5556"
    body = json.dumps([plain(notes=[f"paid with {number}"]), plain(reference="A-2")]).encode()

    reading = read_batch(body, now=NOW)

    assert [one.receipt.reference for one in reading.taken] == ["A-2"]
    (refused,) = reading.refused
    assert (refused.refusal.code, refused.refusal.field) == ("card_number", "notes[0]")
    assert number not in refused.body + str(refused.refusal)
    assert "paid with [card number removed]" in refused.body


def test_never_answers_with_a_name_that_is_a_card_number() -> None:
    reading = read_batch(json.dumps(plain(reference="4000056655665556")).encode(), now=NOW)

    (refused,) = reading.refused
    assert (refused.refusal.code, refused.name) == ("card_number", None)


def test_repeats_in_one_batch_collapse_and_conflicts_are_refused() -> None:
    same = plain(issued_at="2026-11-20T10:17:02+01:00")
    other = plain(total_minor=351, lines=[{"description": "Flat white", "amount_minor": 351}],
                  tenders=[{"kind": "card", "amount_minor": 351}])  # fmt: skip
    elsewhere = plain(store="0043")
    newer = {**other, "version": 2}

    reading = read_batch(json.dumps([plain(), same, other, elsewhere, newer]).encode(), now=NOW)

    assert [(one.index, one.receipt.version) for one in reading.taken] == [(0, 1), (4, 2)]
    assert [(one.index, one.refusal.code) for one in reading.refused] == [
        (2, "conflicting_receipt"),
        (3, "conflicting_receipt"),
    ]


def test_ignores_and_counts_unknown_fields() -> None:
    line = {"description": "Flat white", "amount_minor": 350, "shelf": 4}
    reading = read_batch(json.dumps(plain(lines=[line], mood="good")).encode(), now=NOW)

    assert (len(reading.taken), reading.unknown_fields) == (1, 2)


def test_refuses_a_batch_of_one_hundred_and_one() -> None:
    many = [plain(reference=f"A-{number}") for number in range(101)]
    assert len(read_batch(json.dumps(many[:100]).encode(), now=NOW).taken) == 100

    with pytest.raises(TooLarge) as caught:
        read_batch(json.dumps(many).encode(), now=NOW)
    assert caught.value.code == "too_many_entries"


@pytest.mark.parametrize("body", [b"", b"3", b'"x"', b"{", b"\xff", b'[{"a":1,"a":2}]', b"[NaN]"])
def test_refuses_a_body_that_is_no_batch(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_batch(body, now=NOW)


@pytest.mark.requirement("RCP-07")
def test_a_receipt_at_half_past_midnight_in_summer_belongs_to_the_stores_day() -> None:
    wire_receipt = msgspec.convert(plain(issued_at="2026-07-15T00:30:00"), NativeReceipt)
    now = datetime(2026, 7, 15, 9, tzinfo=UTC)

    receipt = native.to_receipt(
        wire_receipt, retailer_id=RETAILER.retailer_id, store=STORE, now=now
    )

    assert receipt.issued_at == datetime(2026, 7, 14, 23, 30, tzinfo=UTC)
    assert local_day(receipt.issued_at, STORE.zone) == date(2026, 7, 15)


def test_a_time_without_offset_is_judged_again_where_the_store_stands() -> None:
    body = json.dumps(plain(issued_at="2026-11-21T13:00:00")).encode()
    (taken,) = read_batch(body, now=NOW).taken

    there = replace(STORE, zone="Pacific/Auckland")
    native.to_receipt(taken.receipt, retailer_id=RETAILER.retailer_id, store=there, now=NOW)
    with pytest.raises(Rejected) as caught:
        native.to_receipt(taken.receipt, retailer_id=RETAILER.retailer_id, store=STORE, now=NOW)
    assert caught.value.code == "time_in_future"


def test_a_store_is_pointed_to_by_reference_mid_and_tid() -> None:
    tender = {"kind": "card", "amount_minor": 350, "mid": "M2"}
    named = msgspec.convert(plain(mid="M1", tid="T1", tenders=[tender]), NativeReceipt)

    assert native.store_identifiers(named) == (
        Identifier(IdentifierKind.STORE_REFERENCE, "0042"),
        Identifier(IdentifierKind.MID, "M1"),
        Identifier(IdentifierKind.MID, "M2"),
        Identifier(IdentifierKind.TID, "T1"),
    )


def test_a_card_tender_without_mid_has_the_receipts() -> None:
    tenders = [
        {"kind": "card", "amount_minor": 300, "tid": "T2"},
        {"kind": "cash", "amount_minor": 50},
    ]
    named = msgspec.convert(plain(mid="M1", tid="T1", tenders=tenders), NativeReceipt)

    receipt = native.to_receipt(named, retailer_id=RETAILER.retailer_id, store=STORE, now=NOW)

    assert [(one.mid, one.tid) for one in receipt.tenders] == [("M1", "T2"), (None, None)]


@pytest.mark.parametrize(
    "name", ["till_native_receipt", "till_native_return", "till_native_exchange"]
)
def test_the_documented_receipts_keep_the_published_schema(name: str) -> None:
    schema = msgspec.json.schema(NativeReceipt)

    jsonschema.validate(json.loads(event(name)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(event(name)), "currency": "pounds"}, schema)
