"""Reading files of receipts: one at a time, each taken or refused by its line."""

import json
import re
import tracemalloc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib.receipts.canonical import ChargeKind, LineKind, ReceiptKind, TenderKind
from chalicelib.tills import native_shapes as shapes
from infra.importing import csv_rows
from infra.importing.csv_rows import MissingColumns
from infra.importing.files import FileEntry, UnknownFileKind, read_file
from tests.makers.receipts import NOW

HEAD = "reference,store,issued_at,currency,total_minor,description,amount_minor"
TIME = "2026-11-20T09:15:30Z"


def entries(path: Path, after_line: int = 0) -> list[FileEntry]:
    return list(read_file(path, after_line=after_line, now=NOW))


def written(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def csv_entries(tmp_path: Path, *rows: str, head: str = HEAD) -> list[FileEntry]:
    return entries(written(tmp_path, "day.csv", "\n".join([head, *rows]) + "\n"))


def native(reference: str, **changes: Any) -> str:
    receipt = {
        "reference": reference,
        "store": "0042",
        "issued_at": TIME,
        "currency": "GBP",
        "total_minor": 350,
        "lines": [{"description": "Flat white", "amount_minor": 350}],
        "tenders": [{"kind": "card", "amount_minor": 350}],
    }
    return json.dumps({**receipt, **changes})


def summary(found: list[FileEntry]) -> list[tuple[int, int, str | None, str | None]]:
    """First line, last line, reference of what was taken, code of what was refused."""
    return [
        (
            one.first_line,
            one.last_line,
            one.receipt.reference if one.receipt else None,
            one.refusal.code if one.refusal else None,
        )
        for one in found
    ]


def test_reads_jsonl_line_by_line_and_refuses_by_line(tmp_path: Path) -> None:
    lines = [
        native("A-1"),
        "",
        "{nonsense",
        native("A-2", total_minor=1),
        native("A-3", notes=["4000056655665556"]),
        '"A-4"',
        native("A-5", note="x" * 1_100_000),
        native("A-6"),
    ]

    found = entries(written(tmp_path, "day.jsonl", "\n".join(lines)))

    assert summary(found) == [
        (1, 1, "A-1", None),
        (3, 3, None, "not_json"),
        (4, 4, None, "total_mismatch"),
        (5, 5, None, "card_number"),
        (6, 6, None, "shape"),
        (7, 7, None, "too_large"),
        (8, 8, "A-6", None),
    ]
    assert [one.name for one in found] == [None, None, "A-2", "A-3", None, None, None]


def test_goes_on_after_the_line_it_is_given(tmp_path: Path) -> None:
    jsonl = written(tmp_path, "day.jsonl", "\n".join(native(f"A-{n}") for n in range(1, 5)))
    rows = [f"A-{n},0042,{TIME},GBP,350,Tea,350" for n in range(1, 5)]
    csv = written(tmp_path, "day.csv", "\n".join([HEAD, *rows]))

    assert [one[2] for one in summary(entries(jsonl, 2))] == ["A-3", "A-4"]
    assert [one[2] for one in summary(entries(csv, 3))] == ["A-3", "A-4"]


EVERY_COLUMN = {
    "reference": "A-1",
    "version": "2",
    "kind": "sale",
    "store": "0042",
    "mid": "M1",
    "tid": "T1",
    "till": "3",
    "issued_at": TIME,
    "currency": "GBP",
    "total_minor": "1290",
    "rounding_minor": "-2",
    "change_minor": "10",
    "refers_to": "A-0",
    "return_reference": "R-A-1",
    "return_by": "2026-12-20",
    "collection_number": "87",
    "tip_minor": "63",
    "service_minor": "20",
    "delivery_minor": "199",
    "bag_minor": "10",
    "tender_kind": "card",
    "scheme": "visa",
    "last_four": "1234",
    "last_four_kind": "device",
    "auth_code": "01A2B3",
    "barcode_symbology": "qr",
    "barcode_value": "R-A-1",
    "note": "Thank you",
    "discount_minor": "100",
    "discount_description": "Member week",
    "tax_minor": "200",
    "tax_rate": "0.20",
    "line_id": "1",
    "description": "Mug, green",
    "quantity": "2",
    "unit": "pc",
    "gtin": "5098765432106",
    "sku": "MUG-G",
    "lot": "L7",
    "serial": "S1",
    "returnable_until": "2026-12-20",
    "warranty_until": "2028-11-20",
    "amount_minor": "1100",
    "unit_price_minor": "600",
    "line_kind": "sale",
    "category": "Home > Kitchen",
    "line_discount_minor": "100",
    "line_discount_description": "Own cup",
    "line_tax_minor": "183",
    "line_tax_rate": "0.2",
    "refers_to_line": "9",
    "colour": "ignored",
}
AS_NATIVE = shapes.NativeReceipt(
    reference="A-1",
    version=2,
    kind=ReceiptKind.SALE,
    store="0042",
    mid="M1",
    tid="T1",
    till="3",
    issued_at=TIME,
    currency="GBP",
    total_minor=1290,
    rounding_minor=-2,
    change_minor=10,
    refers_to="A-0",
    return_reference="R-A-1",
    return_by=date(2026, 12, 20),
    collection_number="87",
    charges=(
        shapes.NativeCharge(kind=ChargeKind.TIP, amount_minor=63),
        shapes.NativeCharge(kind=ChargeKind.SERVICE, amount_minor=20),
        shapes.NativeCharge(kind=ChargeKind.DELIVERY, amount_minor=199),
        shapes.NativeCharge(kind=ChargeKind.BAG, amount_minor=10),
    ),
    tenders=(
        shapes.NativeTender(
            kind=TenderKind.CARD,
            amount_minor=1300,
            scheme="visa",
            last_four="1234",
            last_four_kind=shapes.LastFourKind.DEVICE,
            auth_code="01A2B3",
        ),
    ),
    barcode=shapes.NativeBarcode(symbology="qr", value="R-A-1"),
    notes=("Thank you",),
    discounts=(shapes.NativeDiscount(description="Member week", amount_minor=100),),
    taxes=(shapes.NativeTax(amount_minor=200, rate=Decimal("0.20")),),
    lines=(
        shapes.NativeLine(
            line_id="1",
            description="Mug, green",
            quantity=Decimal(2),
            unit="pc",
            gtin="5098765432106",
            sku="MUG-G",
            lot="L7",
            serial="S1",
            returnable_until=date(2026, 12, 20),
            warranty_until=date(2028, 11, 20),
            amount_minor=1100,
            unit_price_minor=600,
            kind=LineKind.SALE,
            category=("Home", "Kitchen"),
            discounts=(shapes.NativeDiscount(description="Own cup", amount_minor=100),),
            taxes=(shapes.NativeTax(amount_minor=183, rate=Decimal("0.2")),),
            refers_to=shapes.NativeLineReference(receipt="A-0", line_id="9"),
        ),
    ),
)


def test_reads_every_documented_column(tmp_path: Path) -> None:
    row = ",".join(f'"{cell}"' for cell in EVERY_COLUMN.values())

    (found,) = csv_entries(tmp_path, row, head=",".join(EVERY_COLUMN))

    assert (found.refusal, found.receipt) == (None, AS_NATIVE)
    assert EVERY_COLUMN.keys() - {"colour"} == csv_rows.COLUMNS


def test_rows_with_one_reference_are_one_receipt(tmp_path: Path) -> None:
    found = csv_entries(
        tmp_path,
        f"A-1,0042,{TIME},GBP,690,Flat white,350",
        'A-1,,,,,"Bun, with\na line break",340',
        f"A-2,0042,{TIME},GBP,350,Flat white,350",
    )

    assert summary(found) == [(2, 4, "A-1", None), (5, 5, "A-2", None)]
    assert found[0].receipt is not None
    assert [line.amount_minor for line in found[0].receipt.lines] == [350, 340]


def test_a_return_in_csv_takes_lines_back(tmp_path: Path) -> None:
    (found,) = csv_entries(
        tmp_path,
        f"R-1,0042,{TIME},GBP,350,Flat white,350,return,A-1",
        head=HEAD + ",kind,refers_to",
    )

    assert found.receipt is not None
    assert found.receipt.kind is ReceiptKind.RETURN
    assert found.receipt.lines[0].kind is LineKind.RETURN


@pytest.mark.parametrize(
    ("rows", "code", "field"),
    [
        ([f"A-1,0042,{TIME},GBP,3.50,Tea,350"], "shape", "total_minor"),
        ([f"A-1,0042,{TIME},GBP,350,Tea,"], "shape", "lines[0].amount_minor"),
        ([f"A-1,0042,{TIME},GBP,351,Tea,350"], "total_mismatch", "total_minor"),
        ([f"A-1,0042,{TIME},GBP,350,Tea"], "cells", None),
        ([f"A-1,0042,{TIME},GBP,350,Tea,350,x"], "cells", None),
        ([f'A-1,0042,{TIME},GBP,350,"Tea"x,350'], "not_csv", None),
        ([f"A-1,0042,{TIME},GBP,350,4000056655665556,350"], "card_number", "lines[0].description"),
        ([f"A-1,0042,{TIME},GBP,350,Tea,350", f"A-1,0043,{TIME},GBP,350,Tea,0"],
         "columns_disagree", "store"),
        ([f"A-1,0042,{TIME},GBP,501,Tea,1", *["A-1,,,,,Tea,1"] * 600], "too_many", "lines"),
    ],
)  # fmt: skip
def test_refuses_a_csv_receipt_by_its_rule_and_takes_the_next(
    tmp_path: Path, rows: list[str], code: str, field: str | None
) -> None:
    found = csv_entries(tmp_path, *rows, f"B-1,0042,{TIME},GBP,350,Tea,350")

    assert [(one.refusal.code, one.refusal.field) for one in found[:-1] if one.refusal] == [
        (code, field)
    ]
    assert summary(found)[-1][2] == "B-1"


def test_refuses_a_row_that_is_not_utf8(tmp_path: Path) -> None:
    row = f"A-1,0042,{TIME},GBP,350,Caf\xe9,350".encode("latin-1")
    path = written(tmp_path, "day.csv", HEAD.encode() + b"\n" + row + b"\n")

    assert [one[3] for one in summary(entries(path))] == ["not_utf8"]


def test_takes_a_byte_order_mark_for_what_it_is(tmp_path: Path) -> None:
    text = f"\ufeff{HEAD}\nA-1,0042,{TIME},GBP,350,Tea,350\n"

    assert summary(entries(written(tmp_path, "day.csv", text))) == [(2, 2, "A-1", None)]


@pytest.mark.parametrize("head", ["", "reference,store", HEAD + ",store", '"a"b'])
def test_refuses_a_file_without_the_columns_it_needs(tmp_path: Path, head: str) -> None:
    with pytest.raises(MissingColumns):
        csv_entries(tmp_path, head=head)


def test_refuses_a_file_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(UnknownFileKind):
        entries(written(tmp_path, "day.xlsx", "PK"))


def test_the_sample_in_the_documentation_is_taken(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "receipt-files.md").read_text()
    sample = text.split("```csv\n")[1].split("```")[0]

    found = entries(written(tmp_path, "day.csv", sample))

    assert summary(found) == [(2, 3, "LDS-3-0187", None), (4, 4, "LDS-3-0188", None)]
    documented = set(re.findall(r"`([a-z_]+)`", text.split("Needed:")[1]))
    assert documented >= csv_rows.COLUMNS


def test_memory_stays_small_however_long_the_file(tmp_path: Path) -> None:
    path = tmp_path / "year.jsonl"
    with path.open("w") as stream:
        stream.writelines(native(f"A-{n}", notes=["x" * 900]) + "\n" for n in range(5_000))

    def pulled() -> Iterator[FileEntry]:
        return read_file(path, after_line=4_900, now=NOW)

    list(pulled())
    tracemalloc.start()
    assert sum(1 for _ in pulled()) == 100
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    assert path.stat().st_size > 5_000_000
