"""A batch of till entries, read one by one: a bad entry is named, and the others are taken.

Every till format comes through here and ends as native receipts. What a sender repeats within one
batch collapses; the same name and version with other content is refused, so the first wins.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.kernel.ids import PROVIDER_ID_LENGTH_MAX
from chalicelib.kernel.pan import holds_card_number, mask_card_numbers, refuse_card_numbers
from chalicelib.kernel.refusals import Misshapen, Rejected, TooLarge
from chalicelib.network.identifiers import Identifier
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.versions import ConflictingReceipt
from chalicelib.runtime import wire
from chalicelib.tills import native
from chalicelib.tills.native_shapes import NativeReceipt

ENTRIES_MAX = 100
RECEIPT_BYTES_MAX = 180_000  # One receipt must fit an SQS message; 500 plain lines are 60 kB.


# What two entries of one id must agree on: all that is said, and the store it is said of.
_Content = tuple[Receipt, tuple[Identifier, ...]]


class TooManyEntries(TooLarge):
    """More than 100 entries in one request."""

    code = "too_many_entries"


class ReceiptTooLarge(TooLarge):
    """One receipt is larger than a message may be."""

    code = "receipt_too_large"


@dataclass(frozen=True, slots=True)
class Format:
    """A till format: how one decoded entry is read, and what its fields are called.

    `read_one` gives the native receipt and the number of unknown fields. `name_field` is the
    sender's id of an entry. `own_names` are pairs of a native field's name (as a pattern for
    `re.sub`) and the format's own, so that a refusal names the field as it was sent.
    """

    read_one: Callable[[Any], tuple[NativeReceipt, int]]
    name_field: str
    own_names: tuple[tuple[str, str], ...] = ()

    def own_field(self, field: str | None) -> str | None:
        """`field` of the native receipt by the name the sender knows."""
        if field is None:
            return None
        for pattern, own in self.own_names:
            field = re.sub(pattern, own, field)
        return field


@dataclass(frozen=True, slots=True)
class Taken:
    """An entry that can be used, with its place in the batch."""

    index: int
    receipt: NativeReceipt


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """An entry that cannot. `name` is the sender's id of it, where one could be read.

    `body` is the entry as JSON text for the quarantine, card numbers masked.
    """

    index: int
    refusal: Rejected
    name: str | None
    body: str

    @classmethod
    def of(cls, entry: Taken, refusal: Rejected, till_format: Format) -> "RefusedEntry":
        """`entry`, which read well and broke a rule later, as refused in its sender's words."""
        refusal.field = till_format.own_field(refusal.field)
        body = wire.to_json(entry.receipt).decode()
        return cls(entry.index, refusal, entry.receipt.reference, body)


@dataclass(frozen=True, slots=True)
class TillReading:
    """What one batch said. `unknown_fields` counts JSON fields that were ignored."""

    taken: tuple[Taken, ...] = ()
    refused: tuple[RefusedEntry, ...] = ()
    unknown_fields: int = 0


class RefusedAnswer(msgspec.Struct, frozen=True):
    """One refused entry in an answer: which, and why. `field` is the JSON path within the entry."""

    index: int
    code: str
    detail: str
    field: str | None = None
    name: str | None = None


class BatchAnswer(msgspec.Struct, frozen=True):
    """The answer to a batch: how many entries were taken, and which were not."""

    taken: int
    refused: tuple[RefusedAnswer, ...] = ()
    unknown_fields: int = 0


def answer(reading: TillReading) -> BatchAnswer:
    """`reading` as the sender is told it."""
    return BatchAnswer(
        taken=len(reading.taken),
        refused=tuple(
            RefusedAnswer(
                index=entry.index,
                code=entry.refusal.code,
                detail=mask_card_numbers(entry.refusal.detail),
                field=entry.refusal.field,
                name=entry.name,
            )
            for entry in reading.refused
        ),
        unknown_fields=reading.unknown_fields,
    )


def read_body(body: bytes, till_format: Format, *, now: datetime) -> TillReading:
    """Read a request body: one entry, or an array of at most 100.

    :raises Malformed: the body as a whole is not strict JSON, or no object or array.
    :raises TooLarge: over 1 MiB. :raises TooManyEntries: over 100 entries.
    """
    value = wire.parse_json(body)
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise Misshapen("the body is neither an object nor an array", code="shape")
    return read_entries(value, till_format, now=now)


def read_entries(entries: list[Any], till_format: Format, *, now: datetime) -> TillReading:
    """Read decoded `entries` one by one.

    :raises TooManyEntries: over 100 of them.
    """
    if len(entries) > ENTRIES_MAX:
        raise TooManyEntries(f"more than {ENTRIES_MAX} entries")
    taken: list[Taken] = []
    refused: list[RefusedEntry] = []
    seen: dict[tuple[str, int], _Content] = {}
    unknown = 0
    for index, entry in enumerate(entries):
        try:
            receipt, content, unknown_here = _read(entry, till_format, seen, now=now)
        except Rejected as refusal:
            refused.append(_refused(index, entry, refusal, till_format))
            continue
        unknown += unknown_here
        if (receipt.reference, receipt.version) not in seen:
            seen[receipt.reference, receipt.version] = content
            taken.append(Taken(index, receipt))
    return TillReading(tuple(taken), tuple(refused), unknown)


def _read(
    entry: Any, till_format: Format, seen: dict[tuple[str, int], _Content], *, now: datetime
) -> tuple[NativeReceipt, _Content, int]:
    refuse_card_numbers(entry)
    receipt, unknown = till_format.read_one(entry)
    draft = native.check_unplaced(receipt, now=now)
    if len(wire.to_json(receipt)) > RECEIPT_BYTES_MAX:
        raise ReceiptTooLarge(f"the receipt is over {RECEIPT_BYTES_MAX} bytes")
    content = (draft, native.store_identifiers(receipt))
    if seen.get((receipt.reference, receipt.version), content) != content:
        raise ConflictingReceipt("an earlier entry has the same id and other content")
    return receipt, content, unknown


def _refused(index: int, entry: Any, refusal: Rejected, till_format: Format) -> RefusedEntry:
    refusal.field = till_format.own_field(refusal.field)
    name = entry.get(till_format.name_field) if isinstance(entry, dict) else None
    if not isinstance(name, str) or len(name) > PROVIDER_ID_LENGTH_MAX or holds_card_number(name):
        name = None
    body = mask_card_numbers(json.dumps(entry, ensure_ascii=False, default=str))
    return RefusedEntry(index, refusal, name, body)
