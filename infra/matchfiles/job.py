"""What one run is asked to do, and how its files are divided: that follows from the files."""

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from infra.matchfiles.cutting import is_compressed

THRESHOLD = 0.999
GZIP_FACTOR = 8  # JSON lines in gzip have an eighth of their length, or less.


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done in one go: less needs less memory, and more files meanwhile.

    - `part_bytes`: of a file, read by one process.
    - `bucket_bytes`: of both files, spread into one bucket. Beyond what is known of each till, the
      matcher learns from what is in a bucket.
    - `rows_together_max`: lines of both files that are matched together. A bucket with more is
      divided by store, a store with more by time.
    """

    part_bytes: int = 33_554_432
    bucket_bytes: int = 25_165_824
    rows_together_max: int = 250_000


@dataclass(frozen=True, slots=True)
class Job:
    """One run. `folder` is where its own files stand meanwhile.

    `store_buckets` and `id_buckets` say over how many buckets lines are spread.
    """

    payments: Path
    receipts: Path
    folder: Path
    store_buckets: int
    id_buckets: int
    threshold: float
    scale: Scale

    def bucket_of_store(self, store: str) -> str:
        """The bucket in which everything of `store` is."""
        return f"{crc32(store.encode()) % self.store_buckets:05d}"

    def bucket_of_id(self, name: str) -> str:
        """The bucket in which every payment line with that id is."""
        return f"{crc32(name.encode()) % self.id_buckets:05d}"

    def part_at(self, offset: int) -> str:
        """The part of the payments file, or a stretch of that length, in which `offset` is."""
        return f"{offset // self.scale.part_bytes:08d}"


def plan(payments: Path, receipts: Path, folder: Path, *, threshold: float, scale: Scale) -> Job:
    """The job for these two files, with as many buckets as their sizes ask for."""
    paid, sold = (_size(path) for path in (payments, receipts))
    return Job(
        payments,
        receipts,
        folder,
        store_buckets=-(-(paid + sold) // scale.bucket_bytes) or 1,
        id_buckets=-(-paid // scale.bucket_bytes) or 1,
        threshold=threshold,
        scale=scale,
    )


def _size(path: Path) -> int:
    return path.stat().st_size * (GZIP_FACTOR if is_compressed(path) else 1)
