"""Versions of one receipt: whether what arrives is known, newer, late, or in conflict.

A retailer corrects a receipt by sending it again with a higher version. Lines, amounts and tenders
may change, and a sale may become void; where, when, by whom and in which currency it was issued may
not, because the payment was matched by them.
"""

import hashlib
import json
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

from chalicelib.kernel.refusals import Conflicting
from chalicelib.receipts.canonical import Receipt, ReceiptKind

FIXED_FIELDS = ("retailer_id", "reference", "store_id", "issued_at", "currency")


class ConflictingReceipt(Conflicting):
    """The same version of the same receipt came before with other content."""

    code = "conflicting_receipt"


class FixedFieldChanged(Conflicting):
    """A newer version changes what no version may change; `field` names it."""

    code = "fixed_field_changed"


class Standing(Enum):
    """How an arriving version stands to the known one."""

    SAME = "same"
    NEWER = "newer"
    OLDER = "older"


def compare(known: Receipt, arrived: Receipt) -> Standing:
    """How `arrived` stands to `known`, both as the retailer sent them.

    :raises ConflictingReceipt: same version, other content.
    :raises FixedFieldChanged: another version that changes a fixed field, or its kind other than to
        void.
    """
    if arrived.version == known.version:
        if content_digest(arrived) != content_digest(known):
            raise ConflictingReceipt("this version came before with other content", field="version")
        return Standing.SAME
    for name in FIXED_FIELDS:
        if getattr(arrived, name) != getattr(known, name):
            raise FixedFieldChanged("no version of a receipt may change this", field=name)
    earlier, later = sorted((known, arrived), key=lambda receipt: receipt.version)
    if later.kind not in (earlier.kind, ReceiptKind.VOID):
        raise FixedFieldChanged("a receipt may become void and nothing else", field="kind")
    return Standing.NEWER if later is arrived else Standing.OLDER


def content_digest(receipt: Receipt) -> str:
    """A SHA-256 in hexadecimal, the same for equal receipts whatever their version number.

    Fields that hold their default are left out, so that a field added later changes no digest.
    Times count as instants and decimals as numbers (1.50 equals 1.5).
    """
    plain = {name: value for name, value in _plain(receipt).items() if name != "version"}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> dict[str, object]:
    """The fields of a dataclass that do not hold their default."""
    return {
        field.name: _plain_value(getattr(value, field.name))
        for field in fields(value)  # type: ignore[arg-type]  # callers pass dataclasses
        if getattr(value, field.name) != _default(field)
    }


def _default(field: Field[object]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def _plain_value(value: object) -> object:
    if is_dataclass(value):
        return _plain(value)
    if isinstance(value, tuple):
        return [_plain_value(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    return value
