"""A file cut into parts of so many bytes, each with the lines that begin in it.

Several processes read parts of one file at once; which lines are whose depends on the size of a
part alone. A compressed file (`.gz`) cannot be entered in the middle: it is one part.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from infra.matchfiles.lines import LINE_BYTES_MAX

_BOM = b"\xef\xbb\xbf"
_CHUNK_BYTES = 1 << 20
WHOLE_FILE = 1 << 62


class UnreadableFile(Exception):
    """The file is cut off or no gzip, whatever its name says."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """The bytes [start, end) of `path`; lines that begin there belong to the part."""

    path: str
    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line, with where it begins and its number within its part, from 1."""

    offset: int
    number: int
    raw: bytes


def is_compressed(path: Path) -> bool:
    """Whether the file's name says gzip."""
    return path.suffix.lower() == ".gz"


def parts_of(path: Path, *, part_bytes: int) -> list[FilePart]:
    """The parts of the file, in order; an empty file has none."""
    size = path.stat().st_size
    if is_compressed(path):
        return [FilePart(str(path), 0, 0, WHOLE_FILE)] if size else []
    starts = range(0, size, part_bytes)
    return [FilePart(str(path), n, at, at + part_bytes) for n, at in enumerate(starts)]


def lines_of(part: FilePart) -> Iterator[RawLine]:
    """Every line that begins in `part`, blank ones too, each cut at `LINE_BYTES_MAX` + 1 bytes.

    :raises UnreadableFile: it is compressed, and broken.
    """
    path = Path(part.path)
    with _open(path) as stream:
        try:
            yield from _lines(stream, part)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFile(f"{path.name} is cut off or no gzip file") from error


def _open(path: Path) -> IO[bytes]:
    # A GzipFile reads as any other binary file does; typeshed does not say so.
    return cast(IO[bytes], gzip.open(path)) if is_compressed(path) else path.open("rb")


def _lines(stream: IO[bytes], part: FilePart) -> Iterator[RawLine]:
    offset, number = part.start, 0
    if offset:
        stream.seek(offset - 1)
        offset += _skip_to_line_end(stream, b"") - 1
    while offset < part.end and (raw := stream.readline(LINE_BYTES_MAX + 1)):
        number += 1
        begins, offset = offset, offset + len(raw)
        if len(raw) > LINE_BYTES_MAX and not raw.endswith(b"\n"):
            offset += _skip_to_line_end(stream, raw)
        yield RawLine(begins, number, raw if begins else raw.removeprefix(_BOM))


def _skip_to_line_end(stream: IO[bytes], raw: bytes) -> int:
    """How many bytes were skipped."""
    skipped = 0
    while not raw.endswith(b"\n") and (raw := stream.readline(_CHUNK_BYTES)):
        skipped += len(raw)
    return skipped
