"""How far a long back-test came, in a file, so that it can go on: the diary.

Each step is sealed under the stage's own keys and bound to its place, so that the file says nothing
to whoever finds it and no step can be left out, moved or taken from another diary. A step that was
cut off by a crash is done again. What a diary is of (draft, retailer, days) stands in its first
entry as a hash.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import Conflicting
from chalicelib.runtime import vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose
from infra.backtest.summing import COUNTS, SUMS, Tally

T = TypeVar("T")

LENGTH_BYTES = 4
MAGIC = b"counterfoil back-test diary 1\n"  # No other file is taken for one, and overwritten.
_KEPT = Kept(
    Category.TRANSACTION,
    Purpose.OFFERS,
    Erasure.EXPIRE,
    encrypted=True,
    holds={
        "of": Category.OPERATION,
        "began_at": Category.OPERATION,
        "rows": Category.OPERATION,
        "stopped_at": Category.OPERATION,
        "given": Category.TRANSACTION,
        "sums": Category.TRANSACTION,
        "counts": Category.TRANSACTION,
    },
)


class AnotherDiary(Conflicting):
    """The file is of another draft, retailer or number of days, or of another stage, or broken."""

    code = "another_diary"


@dataclass(frozen=True, slots=True)
class Step:
    """What came of a stretch of `rows`, and the key that it stopped at; None at the end of all."""

    tally: Tally
    rows: int
    stopped_at: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class _Head:
    of: str
    began_at: datetime


@dataclass(frozen=True, slots=True)
class _Entry:
    rows: int
    stopped_at: tuple[str, str] | None = None
    given: tuple[tuple[datetime, int, int], ...] = ()
    sums: dict[str, int] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


class Diary:
    """A diary in the file `path`; with None nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._of, self._entries = "", 0

    def begin(self, draft: bytes, retailer_id: RetailerId, *, days: int, now: datetime) -> datetime:
        """Begin it, or go on with it; returns when it was begun.

        :raises AnotherDiary: it is of something else.
        """
        said = b"\0".join((draft, retailer_id.encode(), str(days).encode()))
        self._of = hashlib.sha256(said).hexdigest()
        if self._path is None:
            return now
        sealed = next(self._sealed(), None)
        if sealed is None:
            self._path.unlink(missing_ok=True)
            self._write(MAGIC)
            self._append(_Head(self._of, now), place="back-test|head")
            return now
        head = _opened(sealed, _Head, place="back-test|head")
        if head.of != self._of:
            raise AnotherDiary("the diary is of another draft, retailer or number of days")
        return head.began_at

    def read(self) -> Iterator[Step]:
        """The steps that were done before, in their order."""
        if self._path is None:
            return
        size = len(MAGIC)
        for at, sealed in enumerate(self._sealed()):
            size += LENGTH_BYTES + len(sealed)
            if at == 0:
                continue
            entry = _opened(sealed, _Entry, place=self._place(at - 1))
            self._entries = at
            yield _to_step(entry)
        with self._path.open("r+b") as file:
            file.truncate(size)

    def note(self, step: Step) -> None:
        """Write that `step` is done; from then on it is not done again."""
        if self._path is None:
            return
        self._append(_from_step(step), place=self._place(self._entries))
        self._entries += 1

    def end(self) -> None:
        """Everything is done: delete the file."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _place(self, number: int) -> str:
        return f"back-test|{self._of}|{number}"

    def _sealed(self) -> Iterator[bytes]:
        """Each whole entry of the file, as it is sealed. :raises AnotherDiary: it is no diary."""
        if self._path is None or not self._path.exists():
            return
        raw, at = self._path.read_bytes(), len(MAGIC)
        if raw[:at] != MAGIC[: len(raw)]:
            raise AnotherDiary("the file is no diary of a back-test")
        while at + LENGTH_BYTES <= len(raw):
            begins = at + LENGTH_BYTES
            at = begins + int.from_bytes(raw[at:begins], "big")
            if at > len(raw):
                return
            yield raw[begins:at]

    def _append(self, value: object, *, place: str) -> None:
        sealed = vault.seal(value, key=vault.platform_key("back-test"), place=place, kept=_KEPT)
        self._write(len(sealed).to_bytes(LENGTH_BYTES, "big") + sealed)

    def _write(self, raw: bytes) -> None:
        assert self._path is not None, "nothing is kept without a file"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())


NOWHERE = Diary(None)


def _from_step(step: Step) -> _Entry:
    return _Entry(
        step.rows,
        step.stopped_at,
        tuple(step.tally.given),
        {name: getattr(step.tally, name) for name in SUMS},
        {name: dict(getattr(step.tally, name)) for name in COUNTS},
    )


def _to_step(entry: _Entry) -> Step:
    counts = {name: Counter(of) for name, of in entry.counts.items()}
    tally = Tally(given=list(entry.given))
    for name, value in (*entry.sums.items(), *counts.items()):
        setattr(tally, name, value)
    return Step(tally, entry.rows, entry.stopped_at)


def _opened(sealed: bytes, as_type: type[T], *, place: str) -> T:
    try:
        return vault.open_sealed(sealed, as_type, key=vault.platform_key("back-test"), place=place)
    except vault.Unreadable as error:
        raise AnotherDiary("the diary is of another stage, or broken") from error
