"""One back-test: spread the file by member, try each member, add it all up.

The file is read twice: at a glance to bring a member's lines together, then whole. Several
processes share the work; the outcome is the same for any number of them.
"""

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

import msgspec

from chalicelib.kernel.ids import RetailerId
from chalicelib.loyalty.rules import Scheme
from chalicelib.offers.campaigns.model import Campaign
from infra.backtest.drafts import Period, read_draft
from infra.backtest.lines import Glance, PurchaseRow, names_a_line_twice, to_buyer
from infra.backtest.summing import Tally
from infra.backtest.telling import THRESHOLD, Outcome, outcome_of
from infra.backtest.trying import try_buyer
from infra.matchfiles.crew import Crew, crew_of
from infra.matchfiles.cutting import FilePart, lines_of, parts_of

PART_BYTES = 16 * 1024 * 1024
BUCKETS = 32
DAYS_MAX = 366

Report = Callable[[str, int, int], None]

_glance = msgspec.json.Decoder(Glance)
_row = msgspec.json.Decoder(PurchaseRow)


class NoPurchases(ValueError):
    """The file holds no purchase that can be read."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is tried on which file, and where lines are spread meanwhile."""

    draft: bytes
    retailer_id: RetailerId
    folder: Path
    period: Period


@dataclass(frozen=True, slots=True)
class Spread:
    """What stood in one part of the file: `refused` lines are none of purchases."""

    lines: int
    refused: int
    newest: datetime | None
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """The outcome, the period of sales it is of, and how many lines could not be used."""

    outcome: Outcome
    period: Period
    refused: int
    currency: str


def backtest(
    draft: Path,
    purchases: Path,
    *,
    retailer_id: RetailerId,
    days: int | None,
    processes: int,
    report: Report,
    threshold: int = THRESHOLD,
    part_bytes: int = PART_BYTES,
) -> Backtest:
    """Try the draft on the last `days` (None: all, a year at most) of the purchases in the file.

    Purchases before that still tell who its audience is.

    :raises NoPurchases: none could be read. :raises Rejected: the draft could never run.
    :raises UnreadableFile: a compressed file is broken. :raises WorkerLost: a process went away.
    """
    with _folder_beside(purchases) as folder, crew_of(processes) as crew:
        spreads = _spread(crew, purchases, folder, part_bytes, report)
        period = _period(spreads, days)
        raw = draft.read_bytes()
        read = read_draft(raw, retailer_id, period)  # Refused here, before anybody begins.
        job = Job(raw, retailer_id, folder, period)
        tally = _try_all(crew, job, report)
    outcome = outcome_of_draft(read, tally, threshold=threshold)
    refused = sum(one.refused for one in spreads) + tally.refused
    return Backtest(outcome, period, refused, read.currency)


def outcome_of_draft(draft: Campaign | Scheme, tally: Tally, *, threshold: int) -> Outcome:
    """What may be told of what came of `draft`."""
    return outcome_of(
        tally,
        zone=draft.zone,
        budget_minor=draft.budget_minor,
        catalogue=draft.catalogue if isinstance(draft, Scheme) else (),
        threshold=threshold,
    )


def spread_part(folder: Path, part: FilePart) -> Spread:
    """Write each line of `part` to the bucket of its member."""
    buckets: dict[int, list[bytes]] = defaultdict(list)
    lines = refused = 0
    newest: datetime | None = None
    oldest: datetime | None = None
    for line in lines_of(part):
        if not line.raw.strip():
            continue
        lines += 1
        try:
            glance = _glance.decode(line.raw)
        except msgspec.MsgspecError:
            refused += 1
            continue
        if glance.sold_at.tzinfo is None:
            refused += 1
            continue
        newest = glance.sold_at if newest is None else max(newest, glance.sold_at)
        oldest = glance.sold_at if oldest is None else min(oldest, glance.sold_at)
        raw = line.raw if line.raw.endswith(b"\n") else line.raw + b"\n"
        buckets[crc32(glance.member.encode()) % BUCKETS].append(raw)
    for bucket, raws in buckets.items():
        _place(folder, bucket, part.number).write_bytes(b"".join(raws))
    return Spread(lines, refused, newest, oldest)


def try_bucket(job: Job, bucket: int) -> Tally:
    """Try every member of a bucket."""
    draft = read_draft(job.draft, job.retailer_id, job.period)
    rows_by_member: dict[str, list[PurchaseRow]] = defaultdict(list)
    tally = Tally()
    for path in sorted(job.folder.glob(f"{bucket}.*")):
        for raw in path.read_bytes().splitlines():
            try:
                row = _row.decode(raw)
            except msgspec.MsgspecError:
                tally.refused += 1
                continue
            if names_a_line_twice(row):
                tally.refused += 1
                continue
            rows_by_member[row.member].append(row)
    for rows in rows_by_member.values():
        tally.add(try_buyer(draft, to_buyer(draft, rows)))
    return tally


def _spread(
    crew: Crew, purchases: Path, folder: Path, part_bytes: int, report: Report
) -> list[Spread]:
    parts = parts_of(purchases, part_bytes=part_bytes)
    spreads: list[Spread] = []
    report("reading", 0, len(parts))
    for spread in crew.do(spread_part, [(folder, part) for part in parts]):
        spreads.append(spread)
        report("reading", len(spreads), len(parts))
    return spreads


def _try_all(crew: Crew, job: Job, report: Report) -> Tally:
    tally = Tally()
    report("trying", 0, BUCKETS)
    tallies = crew.do(try_bucket, [(job, bucket) for bucket in range(BUCKETS)])
    for done, one in enumerate(tallies, start=1):
        tally.merge(one)
        report("trying", done, BUCKETS)
    return tally


def _period(spreads: list[Spread], days: int | None) -> Period:
    newest = max((one.newest for one in spreads if one.newest), default=None)
    oldest = min((one.oldest for one in spreads if one.oldest), default=None)
    if newest is None or oldest is None:
        raise NoPurchases("the file holds no purchase that can be read")
    until = newest + timedelta(seconds=1)
    longest = timedelta(days=min(days or DAYS_MAX, DAYS_MAX))
    return Period(max(oldest, until - longest), until)


def _place(folder: Path, bucket: int, part: int) -> Path:
    return folder / f"{bucket}.{part}"


@contextmanager
def _folder_beside(purchases: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f".{purchases.name}.", dir=purchases.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
