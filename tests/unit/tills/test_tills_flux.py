"""Flux v1 entries: prices understood by the sum that holds."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.refusals import Malformed
from chalicelib.receipts.canonical import TenderKind
from chalicelib.tills import entries, flux
from chalicelib.tills.native_shapes import (
    NativeDiscount,
    NativeLine,
    NativeModifier,
    NativeReceipt,
    NativeTax,
    NativeTender,
)
from tests.makers.events import event
from tests.makers.receipts import NOW


def entry(*items: dict[str, Any], amount: int, **more: Any) -> dict[str, Any]:
    return {
        "id": "f-1",
        "storeId": "0042",
        "transactionDate": "2026-11-20T09:15:30Z",
        "amount": amount,
        "currency": "GBP",
        "items": list(items),
        **more,
    }


def read(*values: object) -> entries.TillReading:
    return flux.read_merchant(json.dumps(list(values)).encode(), now=NOW)


def taken(value: object) -> NativeReceipt:
    (one,) = read(value).taken
    return one.receipt


def amounts(value: object) -> list[int]:
    return [line.amount_minor for line in taken(value).lines]


def refusal(value: object) -> tuple[str, str | None]:
    reading = read(value)
    assert reading.taken == ()
    return reading.refused[0].refusal.code, reading.refused[0].refusal.field


def test_reads_the_documented_entries() -> None:
    reading = flux.read_merchant(event("till_flux_merchant"), now=NOW)

    assert (reading.refused, reading.unknown_fields) == ((), 0)
    coffee = NativeReceipt(
        reference="till-7f2c-000451",
        issued_at="2026-11-20T09:15:30.000Z",
        currency="GBP",
        total_minor=1110,
        store="0042",
        mid="540000042",
        tid="42000003",
        lines=(
            NativeLine(
                description="Flat white",
                amount_minor=780,
                quantity=Decimal(2),
                sku="FW-12",
                category=("Coffee",),
                modifiers=(NativeModifier(description="Oat milk", amount_minor=80, quantity=1),),
                taxes=(NativeTax(amount_minor=58),),
            ),
            NativeLine(
                description="Cinnamon bun",
                amount_minor=380,
                sku="BUN-1",
                category=("Bakery",),
                taxes=(NativeTax(amount_minor=63),),
            ),
        ),
        discounts=(NativeDiscount(description="Loyal customer", amount_minor=50),),
        taxes=(NativeTax(amount_minor=185),),
        tenders=(
            NativeTender(
                kind=TenderKind.CARD,
                amount_minor=1110,
                scheme="VISA",
                last_four="1234",
                auth_code="01A2B3",
            ),
        ),
    )
    tea = reading.taken[1].receipt
    assert reading.taken[0].receipt == coffee
    assert (tea.lines[0].amount_minor, tea.lines[0].quantity) == (700, Decimal(2))


@pytest.mark.parametrize(
    ("items", "amount", "tax", "expected"),
    [
        ([{"price": 700, "quantity": 2}], 700, 0, [700]),
        ([{"price": 350, "quantity": 2}], 700, 0, [700]),
        ([{"price": 350, "quantity": 1}], 350, 0, [350]),
        ([{"price": 300, "quantity": 2}, {"price": 100, "quantity": 1}], 400, 0, [300, 100]),
        ([{"price": 120, "quantity": 0.347}], 42, 0, [42]),
        ([{"price": 300, "modifications": [{"price": 40}]}], 300, 0, [300]),
        ([{"price": 300, "modifications": [{"price": 40}]}], 340, 0, [340]),
        ([{"price": 300, "quantity": 2, "modifications": [{"price": 40}]}], 680, 0, [680]),
        ([{"price": 300}], 360, 60, [300]),
        ([{"price": 300, "quantity": 2}], 720, 120, [600]),
        ([{"price": 350}, {"price": None, "quantity": None}], 350, 0, [350, 0]),
        ([{"price": 350}, {"description": "no sugar"}], 350, 0, [350, 0]),
    ],
)
def test_understands_prices_by_the_sum_that_holds(
    items: list[dict[str, Any]], amount: int, tax: int, expected: list[int]
) -> None:
    assert amounts(entry(*items, amount=amount, tax=tax)) == expected


def test_tax_on_top_is_said_to_be_on_top() -> None:
    assert taken(entry({"price": 300}, amount=360, tax=60)).tax_included is False
    assert taken(entry({"price": 360}, amount=360, tax=60)).tax_included is True


def test_the_first_submission_wins_and_another_content_is_named() -> None:
    first, again = entry({"price": 350}, amount=350), entry({"price": 350}, amount=350)
    other = entry({"price": 400}, amount=400)

    reading = read(first, again, other)

    assert [(one.index, one.receipt.total_minor) for one in reading.taken] == [(0, 350)]
    assert [(one.index, one.name, one.refusal.code) for one in reading.refused] == [
        (2, "f-1", "conflicting_receipt")
    ]


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        (entry({"price": 350}, amount=351), "total_mismatch", "amount"),
        (entry({"price": 350}, amount=-350), "negative_amount", "amount"),
        (entry({"price": 3.5}, amount=350), "shape", "items[0].price"),
        (entry({"price": 350, "quantity": -1}, amount=350), "negative_quantity",
         "items[0].quantity"),
        (entry({"price": 350, "quantity": "1e99"}, amount=350), "quantity", "items[0].quantity"),
        (entry({"price": -5, "modifications": [{"price": 1}]}, amount=5), "negative_amount",
         "items[0].modifications[0].price"),
        (entry(amount=0), "lines_of_kind", "items"),
        (entry({"price": 350}, amount=350, currency="ZZZ"), "unknown_currency", "currency"),
        (entry({"price": 350}, amount=350, storeId=None), "store_unnamed", "storeId"),
        (entry({"price": 350}, amount=350, card={"lastFour": "12"}), "last_four", "card.lastFour"),
        (entry({"price": 350}, amount=350, transactionDate="today"), "time", "transactionDate"),
        (entry({"price": 350}, amount=350, card={"bin": "4000056655665556"}), "card_number",
         "card.bin"),
        (entry({"price": 350, "tax": 351}, amount=350), "taxes_exceed_line", "items[0].tax"),
    ],
)  # fmt: skip
def test_refuses_by_the_name_flux_gives_the_field(value: object, code: str, field: str) -> None:
    assert refusal(value) == (code, field)


ITEMS = st.fixed_dictionaries(
    {"price": st.integers(0, 5_000), "quantity": st.integers(1, 4)},
    optional={"modifications": st.lists(st.fixed_dictionaries({"price": st.integers(0, 50)}))},
)


@given(
    st.lists(ITEMS, min_size=1, max_size=4), st.sampled_from(("line", "unit")), st.integers(0, 50)
)
def test_every_sum_that_holds_either_way_is_taken_with_its_amount(
    items: list[dict[str, Any]], priced_by: str, tax: int
) -> None:
    for item in items:
        for part in item.get("modifications", []):
            item["price"] += part["price"]
    total = (
        sum(item["price"] * (item["quantity"] if priced_by == "unit" else 1) for item in items)
        + tax
    )

    receipt = taken(entry(*items, amount=total, tax=tax))

    assert receipt.total_minor == total


FIELDS = st.sampled_from(["id", "items", "amount", "card", "transactionDate", "tax", "authCode"])
VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(
    st.dictionaries(st.sampled_from(["price", "quantity", "tax", "modifications"]),
                    st.none() | st.integers() | st.decimals().map(str)))  # fmt: skip


@given(FIELDS, VALUES)
def test_any_value_in_any_field_is_taken_or_refused_alone(field: str, value: object) -> None:
    good = {**entry({"price": 350}, amount=350), "id": "f-0"}
    try:
        reading = read(good, {**entry({"price": 350}, amount=350), field: value})
    except Malformed:  # NaN or an endless number: the body as a whole is no JSON
        return
    assert [one.index for one in reading.taken] in ([0], [0, 1])
