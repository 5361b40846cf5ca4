"""CSV of receipts: one row per line sold; the rows of one receipt stand together.

The first row names the columns. A column of the receipt may be filled in on every row or on its
first row only. Amounts are whole minor units. One tender pays the whole; receipts with several
tenders, charges of other kinds, or modifiers travel as JSONL. `docs/receipt-files.md` has a
sample.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.kernel.refusals import Malformed, Rejected
from chalicelib.receipts.limits import LINES_MAX

REQUIRED_COLUMNS = ("reference", "issued_at", "currency", "total_minor", "amount_minor")

# Columns of the receipt, by the native field they fill.
RECEIPT_TEXTS = (
    "store",
    "mid",
    "tid",
    "till",
    "kind",
    "issued_at",
    "currency",
    "refers_to",
    "return_reference",
    "return_by",
    "collection_number",
)
RECEIPT_NUMBERS = ("version", "total_minor", "rounding_minor", "change_minor")
CHARGE_COLUMNS = {
    "tip_minor": "tip",
    "service_minor": "service",
    "delivery_minor": "delivery",
    "bag_minor": "bag",
}
TENDER_TEXTS = ("scheme", "last_four", "last_four_kind", "auth_code")
OTHER_RECEIPT_COLUMNS = (
    "reference",
    "tender_kind",
    "barcode_symbology",
    "barcode_value",
    "note",
    "discount_minor",
    "discount_description",
    "tax_minor",
    "tax_rate",
)

# Columns of the line, by the native field they fill.
LINE_TEXTS = (
    "line_id",
    "description",
    "quantity",
    "unit",
    "gtin",
    "sku",
    "lot",
    "serial",
    "returnable_until",
    "warranty_until",
)
LINE_NUMBERS = ("amount_minor", "unit_price_minor")
OTHER_LINE_COLUMNS = (
    "line_kind",
    "category",
    "line_discount_minor",
    "line_discount_description",
    "line_tax_minor",
    "line_tax_rate",
    "refers_to_line",
)
RECEIPT_COLUMNS = (
    *OTHER_RECEIPT_COLUMNS,
    *RECEIPT_TEXTS,
    *RECEIPT_NUMBERS,
    *CHARGE_COLUMNS,
    *TENDER_TEXTS,
)
COLUMNS = frozenset((*RECEIPT_COLUMNS, *LINE_TEXTS, *LINE_NUMBERS, *OTHER_LINE_COLUMNS))

_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)


class MissingColumns(ValueError):
    """The first row of the file does not name every required column, or names one twice."""


@dataclass(slots=True)
class Group:
    """The rows of one receipt. `refusal` is set where a row of it cannot be read."""

    reference: str
    first_line: int
    last_line: int
    rows: list[Mapping[str, str]] = field(default_factory=list)
    refusal: Rejected | None = None


def check_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The columns of the file, tidied. Those not known are ignored.

    :raises MissingColumns: a required one is not there, or one is there twice.
    """
    columns = tuple(name.strip().lower() for name in names)
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise MissingColumns(f"the file has no column {', '.join(missing)}")
    if len(set(columns)) != len(columns):
        raise MissingColumns("the file has two columns of one name")
    return columns


def group_rows(
    rows: Iterable[tuple[int, list[str] | Rejected]], columns: Sequence[str]
) -> Iterator[Group]:
    """Consecutive rows with the same reference, as groups. Memory holds one group."""
    group: Group | None = None
    last_line = 1
    for line, cells in rows:
        first_line, last_line = last_line + 1, line
        row = cells if isinstance(cells, Rejected) else _named(cells, columns)
        reference = "" if isinstance(row, Rejected) else row["reference"]
        if group is not None and reference and group.reference == reference:
            group.last_line = line
        else:
            if group is not None:
                yield group
            group = Group(reference, first_line, line)
        _add(group, row)
    if group is not None:
        yield group


def _add(group: Group, row: Mapping[str, str] | Rejected) -> None:
    if isinstance(row, Rejected):
        group.refusal = group.refusal or row
    elif len(group.rows) <= LINES_MAX:  # One more than is allowed, so that the rule refuses it.
        group.rows.append(row)


def _named(cells: list[str], columns: Sequence[str]) -> Mapping[str, str] | Rejected:
    if len(cells) != len(columns):
        return Malformed("the row has more or fewer cells than columns", code="cells")
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return Malformed("the row is not UTF-8", code="not_utf8")
    return dict(zip(columns, (cell.strip() for cell in cells), strict=True))


def to_native(group: Group) -> dict[str, Any]:
    """The rows of one receipt as the JSON of a native receipt.

    :raises Malformed: a row cannot be read, a number is none, or rows differ in a column of the
        receipt.
    """
    if group.refusal is not None:
        raise group.refusal
    head = _head(group.rows)
    total = _number(head, "total_minor")
    receipt: dict[str, Any] = {
        "reference": head.get("reference", ""),
        **{name: head[name] for name in RECEIPT_TEXTS if name in head},
        **{name: _number(head, name) for name in RECEIPT_NUMBERS if name in head},
        "lines": [_line(row, head) for row in group.rows],
        "charges": [
            {"kind": kind, "amount_minor": _number(head, name)}
            for name, kind in CHARGE_COLUMNS.items()
            if name in head
        ],
        "tenders": [_tender(head, abs(total) + _number(head, "change_minor"))] if total else [],
        **_discounts(head, "discount"),
        **_taxes(head, "tax"),
    }
    if "barcode_value" in head:
        symbology = head.get("barcode_symbology", "code_128")
        receipt["barcode"] = {"symbology": symbology, "value": head["barcode_value"]}
    if "note" in head:
        receipt["notes"] = [head["note"]]
    return receipt


def _head(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The filled-in columns of the receipt, on which its rows must agree."""
    head: dict[str, str] = {}
    for row in rows:
        for name in RECEIPT_COLUMNS:
            value = row.get(name, "")
            if value and head.setdefault(name, value) != value:
                raise Malformed(
                    "the rows of one receipt differ", field=name, code="columns_disagree"
                )
    return head


def _line(row: Mapping[str, str], head: Mapping[str, str]) -> dict[str, Any]:
    row = {name: value for name, value in row.items() if value}
    line: dict[str, Any] = {
        **{name: row[name] for name in LINE_TEXTS if name in row},
        **{name: _number(row, name) for name in LINE_NUMBERS if name in row},
        **_discounts(row, "line_discount"),
        **_taxes(row, "line_tax"),
    }
    line.setdefault("description", row.get("sku") or row.get("gtin") or "Item")
    line["kind"] = row.get("line_kind", "return" if head.get("kind") == "return" else "sale")
    if "category" in row:
        line["category"] = [part.strip() for part in row["category"].split(">")]
    if "refers_to_line" in row:
        reference = head.get("refers_to", "")
        line["refers_to"] = {"receipt": reference, "line_id": row["refers_to_line"]}
    return line


def _tender(head: Mapping[str, str], amount: int) -> dict[str, Any]:
    details = {name: head[name] for name in TENDER_TEXTS if name in head}
    return {"kind": head.get("tender_kind", "card"), "amount_minor": amount, **details}


def _discounts(row: Mapping[str, str], column: str) -> dict[str, Any]:
    if f"{column}_minor" not in row:
        return {}
    description = row.get(f"{column}_description", "Discount")
    amount = _number(row, f"{column}_minor")
    return {"discounts": [{"description": description, "amount_minor": amount}]}


def _taxes(row: Mapping[str, str], column: str) -> dict[str, Any]:
    if f"{column}_minor" not in row:
        return {}
    tax: dict[str, Any] = {"amount_minor": _number(row, f"{column}_minor")}
    if f"{column}_rate" in row:
        tax["rate"] = row[f"{column}_rate"]
    return {"taxes": [tax]}


def _number(row: Mapping[str, str], name: str) -> int:
    """A whole number, or nought where the cell is empty."""
    text = row.get(name, "0")
    if not _WHOLE.fullmatch(text):
        raise Malformed("the cell is not a whole number", field=name, code="shape")
    return int(text)
