"""What is matched together: a bucket, or, where that is too much for memory, a share of it.

A bucket with too many rows is divided by store. A store with too many (a web shop with a year of
sales) is divided by time: each slice also sees what lies up to `MARGIN_SECONDS` outside it, so that
a payment at its edge meets every receipt, and every rival, that it would have met.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from infra.matchfiles import buckets
from infra.matchfiles.buckets import Spreader
from infra.matchfiles.job import Job
from infra.matchfiles.joining import PAYMENTS_BY_STORE
from infra.matchfiles.rows import JoinedRow, ReceiptRow
from infra.matchfiles.spreading import RECEIPTS_BY_STORE

HOUR_SECONDS = 3600
# Wider than a clock that is wrong by a day's worth of zone.
MARGIN_SECONDS = 26 * HOUR_SECONDS

KINDS: Mapping[str, type[JoinedRow] | type[ReceiptRow]] = {
    PAYMENTS_BY_STORE: JoinedRow,
    RECEIPTS_BY_STORE: ReceiptRow,
}


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows that are matched together; answers are given for payments in [`since`, `until`) alone.

    `bucket` is where the rows are, `origin` the bucket that was divided. Times are UNIX seconds.
    """

    bucket: str
    origin: str
    since: float = -inf
    until: float = inf

    def owns(self, at: float) -> bool:
        """Whether what is at `at` belongs to this portion, and not to its neighbour."""
        return self.since <= at < self.until

    def is_shared(self, at: float) -> bool:
        """Whether a neighbour sees what is at `at`, too."""
        return not self.since + MARGIN_SECONDS <= at < self.until - MARGIN_SECONDS


def portions_of(job: Job, bucket: str) -> list[Portion]:
    """The portions of `bucket`; where there are several, its rows are moved to theirs."""
    count_by_store = _count_by_store(job, bucket)
    if count_by_store.total() <= job.scale.rows_together_max:
        return [Portion(bucket, bucket)]
    portions_by_store = _grouped(job, bucket, count_by_store) | _sliced(job, bucket, count_by_store)
    for kind, as_type in KINDS.items():
        with Spreader(job.folder, kind) as rows:
            for frame in buckets.frames_of(job.folder, kind, bucket, as_type):
                for row in frame:
                    for portion in _seen_by(portions_by_store[row.store], row.at):
                        rows.add(portion.bucket, row)
        buckets.drop(job.folder, kind, bucket)
    found = {portion for portions in portions_by_store.values() for portion in portions}
    return sorted(found, key=lambda portion: portion.bucket)


def _count_by_store(job: Job, bucket: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for kind, as_type in KINDS.items():
        for frame in buckets.frames_of(job.folder, kind, bucket, as_type):
            counts.update(row.store for row in frame)
    return counts


def _grouped(job: Job, bucket: str, count_by_store: Counter[str]) -> dict[str, list[Portion]]:
    """Stores that fit: as many together as may be, in the order of their names."""
    portions: dict[str, list[Portion]] = {}
    number, together = 0, 0
    for store, count in sorted(count_by_store.items()):
        if count > job.scale.rows_together_max:
            continue
        if together and together + count > job.scale.rows_together_max:
            number, together = number + 1, 0
        together += count
        portions[store] = [Portion(f"{bucket}-g{number:05d}", bucket)]
    return portions


def _sliced(job: Job, bucket: str, count_by_store: Counter[str]) -> dict[str, list[Portion]]:
    """Stores that do not fit: each in slices of whole hours."""
    most = job.scale.rows_together_max
    hours: dict[str, Counter[int]] = {
        store: Counter() for store, count in count_by_store.items() if count > most
    }
    if hours:
        for kind, as_type in KINDS.items():
            for frame in buckets.frames_of(job.folder, kind, bucket, as_type):
                for row in frame:
                    if row.store in hours:
                        hours[row.store][int(row.at // HOUR_SECONDS)] += 1
    return {
        store: [
            Portion(f"{bucket}-s{number:05d}-{index:05d}", bucket, since, until)
            for index, (since, until) in enumerate(_slices(hours[store], most))
        ]
        for number, store in enumerate(sorted(hours))
    }


def _slices(count_by_hour: Counter[int], most: int) -> list[tuple[float, float]]:
    """Stretches that hold at most `most` rows each, or one hour."""
    cuts: list[float] = [-inf]
    together = 0
    for hour, count in sorted(count_by_hour.items()):
        if together and together + count > most:
            cuts.append(float(hour * HOUR_SECONDS))
            together = 0
        together += count
    return list(zip(cuts, [*cuts[1:], inf], strict=True))


def _seen_by(portions: list[Portion], at: float) -> list[Portion]:
    """Those of a store's portions, which are in order, that see what is at `at`."""
    first = bisect_right(portions, at - MARGIN_SECONDS, key=lambda portion: portion.until)
    last = bisect_right(portions, at + MARGIN_SECONDS, key=lambda portion: portion.since)
    return portions[first:last]
