"""Buckets of packed rows on disk: what is too much for memory is spread over files by a key.

A bucket is a folder with one file per process that writes into it. A file is a row of frames: eight
bytes of length, then one MessagePack array of rows. Rows are read back in the order of their
offsets, so who wrote them, and when, makes no difference.
"""

import os
import shutil
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from infra.matchfiles.rows import Packed

BUFFERED_BYTES_MAX = 16_777_216  # 16 MiB: a few dozen writes for each bucket of a large file.
_LENGTH_BYTES = 8
_ARRAY_32 = b"\xdd"  # MessagePack: an array, its number of items in the next four bytes.

Row = TypeVar("Row", bound=Packed)


class Spreader:
    """Gathers rows by bucket and writes them in frames; nothing is lost when the block ends.

    Where `kind` names what the rows are, a row of bucket `b` goes to a file of folder `kind/b`.
    """

    def __init__(
        self, folder: Path, kind: str, *, buffered_bytes_max: int = BUFFERED_BYTES_MAX
    ) -> None:
        self._folder = folder / kind
        self._buffered_bytes_max = buffered_bytes_max
        self._buffers: dict[str, bytearray] = {}
        self._counts: dict[str, int] = {}
        self._buffered = 0
        self._encode = msgspec.msgpack.Encoder().encode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if error is None:
            self.flush()

    def add(self, bucket: str, row: Packed) -> None:
        """Put `row` into `bucket`."""
        packed = self._encode(row)
        if bucket in self._buffers:
            self._buffers[bucket] += packed
            self._counts[bucket] += 1
        else:
            self._buffers[bucket] = bytearray(packed)
            self._counts[bucket] = 1
        self._buffered += len(packed)
        if self._buffered >= self._buffered_bytes_max:
            self.flush()

    def flush(self) -> None:
        """Write what is gathered, one frame for each bucket."""
        for bucket, rows in self._buffers.items():
            path = self._folder / bucket / str(os.getpid())
            path.parent.mkdir(parents=True, exist_ok=True)
            head = _ARRAY_32 + self._counts[bucket].to_bytes(4, "big")
            with path.open("ab") as stream:
                stream.write((len(head) + len(rows)).to_bytes(_LENGTH_BYTES, "big") + head)
                stream.write(rows)
        self._buffers.clear()
        self._counts.clear()
        self._buffered = 0


def names(folder: Path, kind: str) -> list[str]:
    """The buckets of `kind` that hold anything, sorted."""
    root = folder / kind
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def size_of(folder: Path, kind: str, bucket: str) -> int:
    """How many bytes the bucket has on disk; 0 where it holds nothing."""
    root = folder / kind / bucket
    return sum(path.stat().st_size for path in root.iterdir()) if root.exists() else 0


def frames_of(folder: Path, kind: str, bucket: str, as_type: type[Row]) -> Iterator[list[Row]]:
    """The rows of the bucket, a frame at a time, in no particular order."""
    decoder = msgspec.msgpack.Decoder(list[as_type])  # type: ignore[valid-type]
    root = folder / kind / bucket
    for path in sorted(root.iterdir()) if root.exists() else ():
        with path.open("rb") as stream:
            while length := stream.read(_LENGTH_BYTES):
                yield decoder.decode(stream.read(int.from_bytes(length, "big")))


def rows_of(folder: Path, kind: str, bucket: str, as_type: type[Row]) -> list[Row]:
    """The rows of the bucket, in the order of their offsets."""
    rows = [row for frame in frames_of(folder, kind, bucket, as_type) for row in frame]
    rows.sort(key=attrgetter("offset"))
    return rows


def drop(folder: Path, kind: str, bucket: str) -> None:
    """Delete the bucket, if it is there."""
    root = folder / kind / bucket
    if root.exists():
        shutil.rmtree(root)
