"""Files for the matcher on files, and what came of them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from infra.matchfiles.job import Scale
from infra.matchfiles.run import Summary, match_files, rejected_path

# Every file is cut into many parts, and a store's sales into many slices.
TINY = Scale(part_bytes=4_000, bucket_bytes=30_000, rows_together_max=400)


def write_lines(path: Path, lines: Iterable[Mapping[str, Any] | str]) -> Path:
    """Write each of `lines`, JSON or text, to `path`."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def quiet(_step: str, _done: int, _total: int) -> None:
    """Nobody hears how far a run is."""


def run_match(payments: Path, receipts: Path, out: Path, **options: Any) -> Summary:
    """Match two files in this process."""
    return match_files(payments, receipts, out, **{"processes": 1, "report": quiet, **options})


def answers(out: Path) -> list[dict[str, Any]]:
    """The lines of an outcome."""
    return [json.loads(line) for line in out.read_text().splitlines()]


def refusals(out: Path) -> list[dict[str, Any]]:
    """The lines that were refused; none where there is no such file."""
    path = rejected_path(out)
    return answers(path) if path.exists() else []
