"""Files of receipts, read one receipt at a time: JSONL as native receipts, CSV as `csv_rows` says.

Memory is bounded by one receipt, whatever the file's length. What cannot be read becomes a refusal
with its line, never an end of the reading.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from chalicelib.kernel.refusals import Malformed, Rejected, TooLarge
from chalicelib.runtime import wire
from chalicelib.tills.entries import read_entries
from chalicelib.tills.native_reading import NATIVE
from chalicelib.tills.native_shapes import NativeReceipt
from infra.importing import csv_rows

LINE_BYTES_MAX = wire.BODY_BYTES_MAX
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One receipt of a file: on which lines it stands, and what it is or why it cannot be used."""

    first_line: int
    last_line: int
    receipt: NativeReceipt | None
    refusal: Rejected | None = None
    name: str | None = None


class UnknownFileKind(ValueError):
    """The file's name ends neither in `.jsonl` nor in `.csv`."""


def digest_of(path: Path) -> str:
    """The SHA-256 of the file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_file(path: Path, *, after_line: int, now: datetime) -> Iterator[FileEntry]:
    """The receipts of `path` that end after line `after_line`, in the file's order.

    :raises UnknownFileKind: neither JSONL nor CSV. :raises MissingColumns: a CSV without a column
        that it needs.
    """
    readers = {".jsonl": _read_jsonl, ".ndjson": _read_jsonl, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UnknownFileKind("the file's name must end in .jsonl or .csv")
    with path.open("rb") as stream:
        yield from reader(stream, after_line, now)


def _read_jsonl(stream: BinaryIO, after_line: int, now: datetime) -> Iterator[FileEntry]:
    number = 0
    while raw := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(raw) > LINE_BYTES_MAX:
            _skip_to_line_end(stream, raw)
        if number > after_line and raw.strip():
            yield _entry_of_json(raw, number, now)


def _skip_to_line_end(stream: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(_CHUNK_BYTES)


def _entry_of_json(raw: bytes, number: int, now: datetime) -> FileEntry:
    try:
        value = _parse_line(raw)
    except Rejected as refusal:
        return FileEntry(number, number, None, refusal)
    return _entry(value, number, number, now)


def _parse_line(raw: bytes) -> Any:
    if len(raw) > LINE_BYTES_MAX:
        raise TooLarge("the line is over 1 MiB")
    return wire.parse_json(raw)


def _entry(value: Any, first: int, last: int, now: datetime) -> FileEntry:
    """Judge one receipt by the same reading as the API, before it travels."""
    reading = read_entries([value], NATIVE, now=now)
    for refused in reading.refused:
        return FileEntry(first, last, None, refused.refusal, refused.name)
    return FileEntry(first, last, reading.taken[0].receipt)


def _read_csv(stream: BinaryIO, after_line: int, now: datetime) -> Iterator[FileEntry]:
    lines = (raw.decode("utf-8", "surrogateescape") for raw in _bounded_lines(stream))
    rows = csv.reader(lines, strict=True)
    columns = csv_rows.check_columns(_header(rows))
    for group in csv_rows.group_rows(_numbered(rows), columns):
        if group.last_line <= after_line:
            continue
        try:
            value = csv_rows.to_native(group)
        except Rejected as refusal:
            yield FileEntry(group.first_line, group.last_line, None, refusal, group.reference)
            continue
        yield _entry(value, group.first_line, group.last_line, now)


def _header(rows: Any) -> list[str]:
    try:
        return _next_row(rows) or []
    except Malformed as error:
        raise csv_rows.MissingColumns("the first row of the file is not CSV") from error


def _bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines cut at 1 MiB: what is cut off makes the row unreadable, and only that row."""
    first = True
    while raw := stream.readline(LINE_BYTES_MAX + 1):
        if len(raw) > LINE_BYTES_MAX:
            _skip_to_line_end(stream, raw)
        yield raw.removeprefix(b"\xef\xbb\xbf") if first else raw
        first = False


def _numbered(rows: Any) -> Iterator[tuple[int, list[str] | Rejected]]:
    """Each row with the number of its last line; a row that is no CSV as a refusal."""
    while True:
        try:
            row = _next_row(rows)
        except Malformed as refusal:
            yield rows.line_num, refusal
            continue
        if row is None:
            return
        if row:
            yield rows.line_num, row


def _next_row(rows: Any) -> list[str] | None:
    try:
        row: list[str] | None = next(rows, None)
    except csv.Error as error:
        raise Malformed("the row is not CSV", code="not_csv") from error
    return row
