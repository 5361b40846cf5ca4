"""Flux's magic amounts: every scenario keeps every rule, for any amount."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.network.model import Store
from chalicelib.receipts.canonical import LineKind
from chalicelib.receipts.returns import apply_returns
from chalicelib.tills import native
from chalicelib.tills.native_reading import read_batch
from infra.local import magic
from infra.local.magic_changes import Sold
from infra.local.magic_parts import split, vat_in

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOLD = Sold(
    reference="R-1",
    issued_at=NOON,
    store="014",
    till="2",
    tender={"scheme": "visa", "last_four": "4242", "last_four_kind": "card"},
)
STORE = Store(
    StoreId("store-014"), RetailerId("bean-and-leaf"), "014", "Lantern Street", "Europe/London"
)
FLUX_CODES = [*range(1, 14), *range(30, 35), 42, 43, 50, 60, 61, 62, *range(70, 76), 80, 81, 82]


def test_knows_every_code_of_the_test_bank() -> None:
    assert sorted(magic.SCENARIOS) == FLUX_CODES


@given(st.integers(min_value=0, max_value=10**7), st.lists(st.integers(1, 9), min_size=1))
def test_splits_lose_nothing(total: int, shares: list[int]) -> None:
    parts = split(total, shares)

    assert sum(parts) == total
    assert len(parts) == len(shares)
    assert min(parts) >= 0


@pytest.mark.parametrize(("amount", "tax"), [(120, 20), (100, 17), (0, 0), (1, 0), (3, 1)])
def test_finds_the_tax_in_an_amount(amount: int, tax: int) -> None:
    assert vat_in(amount) == tax


def test_makes_the_twenty_items_of_1009() -> None:
    receipt = magic.receipt_for(1009, SOLD)

    assert len(receipt["lines"]) == 20
    assert sum(line["amount_minor"] for line in receipt["lines"]) == 1009
    assert receipt["total_minor"] == 1009


def test_pays_a_part_of_1050_with_a_gift_card() -> None:
    receipt = magic.receipt_for(1050, SOLD)

    assert receipt["total_minor"] == 1550
    assert [(t["kind"], t["amount_minor"]) for t in receipt["tenders"]] == [
        ("card", 1050),
        ("gift_card", 500),
    ]


@pytest.mark.parametrize(
    ("card_minor", "seconds"),
    [(1070, 30), (1071, 30), (1072, 30), (1073, 60), (1074, 60), (1075, 60), (1080, 0)],
)
def test_refunds_some_of_it_later(card_minor: int, seconds: int) -> None:
    update = magic.update_for(card_minor, SOLD)

    assert update is not None
    assert update.after == timedelta(seconds=seconds)
    assert update.receipt["kind"] == "return"
    assert update.receipt["refers_to"] == "R-1"
    assert 0 < update.receipt["total_minor"] <= card_minor


def test_gives_back_a_quarter_and_a_half_of_1072() -> None:
    update = magic.update_for(1072, SOLD)

    assert update is not None
    assert [(line["quantity"], line["amount_minor"]) for line in update.receipt["lines"]] == [
        ("1.00", 160),
        ("2.00", 216),
    ]


def test_an_amount_without_a_scenario_makes_a_plain_receipt() -> None:
    assert magic.scenario_of(1099).title == "plain"
    assert magic.update_for(1099, SOLD) is None


def _documents(card_minor: int) -> list[dict[str, Any]]:
    update = magic.update_for(card_minor, SOLD)
    return [magic.receipt_for(card_minor, SOLD), *([update.receipt] if update else [])]


@pytest.mark.parametrize("code", range(100))
@pytest.mark.parametrize("pounds", [1, 3, 20, 1234])
def test_every_magic_amount_keeps_every_rule_of_receipts(code: int, pounds: int) -> None:
    reading = read_batch(json.dumps(_documents(100 * pounds + code)).encode(), now=NOON)

    assert [(one.refusal.code, one.refusal.field) for one in reading.refused] == []
    assert reading.unknown_fields == 0


@pytest.mark.parametrize("code", [70, 71, 72, 73, 74, 75, 80, 81, 82])
def test_what_comes_back_later_is_found_on_the_sale(code: int) -> None:
    sale, later = (
        native.to_receipt(
            taken.receipt, retailer_id=RetailerId("bean-and-leaf"), store=STORE, now=NOON
        )
        for taken in read_batch(json.dumps(_documents(2000 + code)).encode(), now=NOON).taken
    )

    applied = apply_returns(sale, [later])

    assert applied.flags == ()
    back = sum(line.quantity for line in later.lines if line.kind is LineKind.RETURN)
    assert sum(line.returned_quantity for line in applied.sale.lines) == back
