"""One import: read, send in batches, write what is refused beside the file, remember how far.

After each batch the refusals are written, then the progress, each to disk before the next step. An
import that dies in between sends at most one batch again, which the receiver takes for what it is.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from chalicelib.kernel.pan import mask_card_numbers
from chalicelib.kernel.refusals import Rejected
from chalicelib.runtime import wire
from chalicelib.tills.entries import ENTRIES_MAX, BatchAnswer
from chalicelib.tills.native_shapes import NativeReceipt
from infra.importing.client import BatchRefused
from infra.importing.files import FileEntry, digest_of, read_file

BATCH_BYTES_MAX = 900_000  # The API takes 1 MiB.
LINES_BETWEEN_SAVES_MAX = 1_000  # A file of nothing but bad lines saves its progress, too.

Post = Callable[[Sequence[NativeReceipt]], BatchAnswer]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import came. `key` names file content and retailer; `line` is the last settled."""

    key: str
    line: int = 0
    taken: int = 0
    refused: int = 0
    rejected_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ImportJob:
    """What to import for whom. `remembers` False checks the file and leaves no progress behind."""

    path: Path
    retailer: str
    remembers: bool = True

    @property
    def progress_path(self) -> Path:
        """Where the progress is kept."""
        return self.path.with_name(self.path.name + ".progress")

    @property
    def rejected_path(self) -> Path:
        """Where refused receipts are named."""
        return self.path.with_name(self.path.name + ".rejected.jsonl")


def run(
    job: ImportJob, post: Post, *, now: datetime, report: Callable[[Progress], None]
) -> Progress:
    """Import what is left of `job`; `report` hears of each settled batch.

    :raises ImportStopped: the API cannot be reached or refuses the client; run it again later.
    :raises UnknownFileKind, MissingColumns: the file is not of a documented shape.
    """
    progress = start(job)
    report(progress)
    with _open_rejected(job, progress) as rejected:
        batch: list[FileEntry] = []
        size = 0
        for entry in read_file(job.path, after_line=progress.line, now=now):
            length = len(wire.to_json(entry.receipt)) if entry.receipt else 0
            if batch and (_is_full(batch) or size + length > BATCH_BYTES_MAX):
                progress = _settle(job, batch, post, rejected, progress)
                report(progress)
                batch, size = [], 0
            batch.append(entry)
            size += length
        if batch:
            progress = _settle(job, batch, post, rejected, progress)
            report(progress)
    return progress


def start(job: ImportJob) -> Progress:
    """The progress of an earlier run on the same content for the same retailer, or a new one."""
    fresh = Progress(key=f"{digest_of(job.path)}:{job.retailer}")
    if not job.remembers or not job.progress_path.exists():
        return fresh
    try:
        known = Progress(**json.loads(job.progress_path.read_bytes()))
    except (ValueError, TypeError):
        return fresh
    return known if known.key == fresh.key else fresh


def _open_rejected(job: ImportJob, progress: Progress) -> BinaryIO:
    """The refusals so far, cut back to what the progress knows of."""
    job.rejected_path.touch()
    stream = job.rejected_path.open("r+b")
    stream.truncate(progress.rejected_bytes)
    stream.seek(0, os.SEEK_END)
    return stream


def _is_full(batch: list[FileEntry]) -> bool:
    good = sum(entry.receipt is not None for entry in batch)
    return good == ENTRIES_MAX or len(batch) >= LINES_BETWEEN_SAVES_MAX


def _settle(
    job: ImportJob, batch: list[FileEntry], post: Post, rejected: BinaryIO, progress: Progress
) -> Progress:
    good = [entry for entry in batch if entry.receipt is not None]
    bad = [(entry, _reason(entry.refusal)) for entry in batch if entry.refusal is not None]
    bad += _post(good, post)
    for entry, reason in sorted(bad, key=lambda pair: pair[0].first_line):
        lines = {"line": entry.first_line, "last_line": entry.last_line}
        line = {**lines, "reference": _name(entry), **reason}
        rejected.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
    rejected.flush()
    os.fsync(rejected.fileno())
    settled = replace(
        progress,
        line=batch[-1].last_line,
        taken=progress.taken + len(batch) - len(bad),
        refused=progress.refused + len(bad),
        rejected_bytes=rejected.tell(),
    )
    if job.remembers:
        _save(job.progress_path, settled)
    return settled


def _post(entries: list[FileEntry], post: Post) -> list[tuple[FileEntry, dict[str, str | None]]]:
    """Send `entries`; a batch that is refused whole is halved until the bad one stands alone."""
    if not entries:
        return []
    try:
        answer = post([entry.receipt for entry in entries if entry.receipt is not None])
    except BatchRefused as refused:
        if len(entries) == 1:
            reason = {"code": refused.code, "field": refused.field, "detail": refused.detail}
            return [(entries[0], reason)]
        middle = len(entries) // 2
        return _post(entries[:middle], post) + _post(entries[middle:], post)
    return [
        (entries[one.index], {"code": one.code, "field": one.field, "detail": one.detail})
        for one in answer.refused
    ]


def _reason(refusal: Rejected) -> dict[str, str | None]:
    detail = mask_card_numbers(refusal.detail)
    return {"code": refusal.code, "field": refusal.field, "detail": detail}


def _name(entry: FileEntry) -> str | None:
    name = entry.receipt.reference if entry.receipt else entry.name
    return mask_card_numbers(name) if name else None


def _save(path: Path, progress: Progress) -> None:
    """Replace the progress file in one step, on disk before it counts."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as stream:
        stream.write(json.dumps(asdict(progress)).encode())
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
