"""Versions: the same, newer, late, or in conflict."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.receipts.canonical import Receipt, ReceiptKind
from chalicelib.receipts.versions import (
    ConflictingReceipt,
    FixedFieldChanged,
    Standing,
    compare,
    content_digest,
)
from tests.makers.receipts import NOW, line, receipts, sale


def test_the_digest_is_the_same_in_every_release() -> None:
    assert content_digest(sale()) == (
        "bd94843e359baec0a95c97992d7c2d1bc1f154acd480f4cd24cfe2aaf740f90d"
    )


@given(receipts(), receipts())
def test_digests_are_equal_exactly_when_contents_are(one: Receipt, other: Receipt) -> None:
    assert content_digest(replace(one, version=7)) == content_digest(one)
    assert (content_digest(one) == content_digest(other)) == (
        one == replace(other, version=one.version)
    )


def test_decimals_count_as_numbers() -> None:
    short, long = line(quantity=Decimal("1.5")), line(quantity=Decimal("1.500"))

    assert content_digest(sale(short)) == content_digest(sale(long))


def test_the_same_version_with_the_same_content_is_known() -> None:
    assert compare(sale(), sale()) is Standing.SAME


def test_the_same_version_with_other_content_conflicts() -> None:
    with pytest.raises(ConflictingReceipt) as caught:
        compare(sale(), sale(line(amount=351)))
    assert (caught.value.code, caught.value.field) == ("conflicting_receipt", "version")


def test_a_higher_version_may_change_lines_amounts_and_tenders() -> None:
    corrected = sale(line(amount=400), line("2"), version=2)

    assert compare(sale(), corrected) is Standing.NEWER
    assert compare(corrected, sale()) is Standing.OLDER


def test_a_sale_may_become_void_and_not_come_back() -> None:
    void = replace(sale(version=2), kind=ReceiptKind.VOID, total_minor=0, tenders=())
    assert compare(sale(), void) is Standing.NEWER

    with pytest.raises(FixedFieldChanged) as caught:
        compare(void, sale(version=3))
    assert caught.value.field == "kind"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("store_id", StoreId("elsewhere")),
        ("reference", "A-1002"),
        ("retailer_id", RetailerId("another")),
        ("issued_at", NOW - timedelta(hours=1)),
        ("currency", "EUR"),
    ],
)
def test_refuses_a_version_that_changes_what_is_fixed(field: str, value: object) -> None:
    changed = replace(sale(version=2), **{field: value})  # type: ignore[arg-type]

    with pytest.raises(FixedFieldChanged) as caught:
        compare(sale(), changed)
    assert (caught.value.code, caught.value.field) == ("fixed_field_changed", field)
