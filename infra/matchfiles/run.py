"""One run: spread, join, match, write; nothing of it is left but the outcome.

The outcome and the file of refused lines are replaced at the very end, in one step each. What is
spread meanwhile stands in a folder beside the outcome, about as large as both files together, and
is removed however the run ends.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.matchfiles import buckets
from infra.matchfiles.crew import Crew, crew_of
from infra.matchfiles.cutting import parts_of
from infra.matchfiles.deciding import CLAIMS, Decided, decide, disputed_payments
from infra.matchfiles.job import THRESHOLD, Job, Scale, plan
from infra.matchfiles.joining import PAYMENTS_BY_STORE, Joined, join_payments
from infra.matchfiles.memory import peak_bytes
from infra.matchfiles.portions import Portion, portions_of
from infra.matchfiles.rows import PAYMENTS, RECEIPTS
from infra.matchfiles.spreading import (
    PAYMENTS_BY_ID,
    RECEIPTS_BY_STORE,
    Spread,
    spread_payments,
    spread_receipts,
)
from infra.matchfiles.writing import Refusals, Written, write_answers, write_refused

DEFAULT_SCALE = Scale()

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a run. Lines are counted without blank ones.

    - `payments`, `receipts`: how many there were, each once. `repeated`: lines that said again what
      another had said. `refused`: lines that stand in the file of refused lines.
    - `answers_by_reason`: payments; `matched` of them have a receipt.
    - `refusals`: why lines were refused, the commonest reason first.
    - `peak_bytes`: the most memory that one of the processes needed.
    """

    payments: int
    receipts: int
    repeated: int
    refused: int
    matched: int
    answers_by_reason: Counter[str]
    refusals: tuple[Refusals, ...]
    peak_bytes: int


class SamePath(ValueError):
    """Two of the files of a run are one."""


def rejected_path(out: Path) -> Path:
    """Where refused lines are named, for the outcome `out`."""
    return out.with_name(out.name + ".rejected.jsonl")


def match_files(
    payments: Path,
    receipts: Path,
    out: Path,
    *,
    processes: int,
    report: Report,
    threshold: float = THRESHOLD,
    scale: Scale = DEFAULT_SCALE,
) -> Summary:
    """Match the payments of one file with the receipts of the other; write the outcome to `out`.

    The same files give the same outcome, whatever the number of `processes`. `report` hears of each
    step: its name, how much of it is done, of how much.

    :raises SamePath: `out` is one of the other two. :raises UnreadableFile: a compressed file is
        broken. :raises WorkerLost: a process went away. :raises OSError: a file or the disk.
    """
    if out.resolve() in (payments.resolve(), receipts.resolve()):
        raise SamePath("the outcome would replace a file that is read")
    with _folder_beside(out) as folder, crew_of(processes) as crew:
        job = plan(payments, receipts, folder, threshold=threshold, scale=scale)
        spreads = {name: _spread(crew, job, name, report) for name in (PAYMENTS, RECEIPTS)}
        joined = _join(crew, job, report)
        decided, disputed = _decide(crew, job, report)
        written, refusals = _write(job, out, spreads, disputed, report)
    return _summary(spreads, joined, decided, written, refusals)


@contextmanager
def _folder_beside(out: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _spread(crew: Crew, job: Job, name: str, report: Report) -> list[Spread]:
    paths = {PAYMENTS: job.payments, RECEIPTS: job.receipts}
    tasks = {PAYMENTS: spread_payments, RECEIPTS: spread_receipts}
    parts = parts_of(paths[name], part_bytes=job.scale.part_bytes)
    spreads: list[Spread] = []
    report(f"reading {name}", 0, len(parts))
    for spread in crew.do(tasks[name], [(job, part) for part in parts]):
        spreads.append(spread)
        report(f"reading {name}", len(spreads), len(parts))
    return spreads


def _join(crew: Crew, job: Job, report: Report) -> list[Joined]:
    names = buckets.names(job.folder, PAYMENTS_BY_ID)
    joined: list[Joined] = []
    for one in crew.do(join_payments, [(job, name) for name in names]):
        joined.append(one)
        report("joining payments", len(joined), len(names))
    return joined


def _decide(crew: Crew, job: Job, report: Report) -> tuple[list[Decided], set[int]]:
    names = set(buckets.names(job.folder, PAYMENTS_BY_STORE))
    names |= set(buckets.names(job.folder, RECEIPTS_BY_STORE))
    portions: list[Portion] = []
    report("matching", 0, len(names))
    for divided in crew.do(portions_of, [(job, name) for name in sorted(names)]):
        portions += divided
    # The largest first, so that no process is left alone with one at the end.
    portions.sort(key=lambda one: (-_size_of(job, one), one.bucket))
    decided: list[Decided] = []
    for one in crew.do(decide, [(job, portion) for portion in portions]):
        decided.append(one)
        report("matching", len(decided), len(portions))
    claims = [(job, name) for name in buckets.names(job.folder, CLAIMS)]
    disputes = crew.do(disputed_payments, claims)
    return decided, {offset for found in disputes for offset in found}


def _size_of(job: Job, portion: Portion) -> int:
    kinds = (PAYMENTS_BY_STORE, RECEIPTS_BY_STORE)
    return sum(buckets.size_of(job.folder, kind, portion.bucket) for kind in kinds)


def _write(
    job: Job,
    out: Path,
    spreads: dict[str, list[Spread]],
    disputed: Collection[int],
    report: Report,
) -> tuple[Written, list[Refusals]]:
    """Write both files in the folder, then put them where they belong."""
    answers, refused = job.folder / "answers.jsonl", job.folder / "refused.jsonl"
    with answers.open("wb") as stream:
        tell = partial(report, "writing")
        written = write_answers(job, stream, disputed=disputed, report=tell)
    with refused.open("wb") as stream:
        refusals = [
            one
            for name in (PAYMENTS, RECEIPTS)
            for one in write_refused(job, stream, name, spreads[name])
        ]
    if refused.stat().st_size:
        refused.replace(rejected_path(out))
    else:
        rejected_path(out).unlink(missing_ok=True)  # Of an earlier run.
    answers.replace(out)
    return written, refusals


def _summary(
    spreads: dict[str, list[Spread]],
    joined: list[Joined],
    decided: list[Decided],
    written: Written,
    refusals: list[Refusals],
) -> Summary:
    parts = [spread for found in spreads.values() for spread in found]
    peaks = [one.peak_bytes for step in (parts, joined, decided) for one in step]
    return Summary(
        payments=sum(one.payments for one in joined),
        receipts=sum(one.receipts for one in decided),
        repeated=sum(one.repeated for step in (joined, decided) for one in step),
        refused=sum(one.refused for step in (parts, joined, decided) for one in step),
        matched=written.matched,
        answers_by_reason=written.answers_by_reason,
        refusals=tuple(sorted(refusals, key=lambda one: -one.count)),
        peak_bytes=max([*peaks, peak_bytes()]),
    )
