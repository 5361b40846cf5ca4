"""Spreading over buckets, cutting of files, and portions: nothing is lost, nothing is held."""

import gzip
import tracemalloc
from collections import Counter
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.matchfiles import buckets, cutting
from infra.matchfiles.buckets import Spreader
from infra.matchfiles.cutting import FilePart, UnreadableFile, lines_of, parts_of
from infra.matchfiles.job import Job, Scale, plan
from infra.matchfiles.joining import PAYMENTS_BY_STORE
from infra.matchfiles.lines import LINE_BYTES_MAX
from infra.matchfiles.portions import MARGIN_SECONDS, Portion, portions_of
from infra.matchfiles.rows import ClaimRow, JoinedRow, ReceiptRow
from infra.matchfiles.spreading import RECEIPTS_BY_STORE

HOUR = 3600.0


def receipt_row(offset: int, *, store: str = "0042", at: float = 0.0) -> ReceiptRow:
    name = f"R-{offset}"
    return ReceiptRow(
        offset=offset,
        line=offset,
        id=name,
        store=store,
        at=at,
        total_minor=350,
        currency="GBP",
        till="1",
        last_four=None,
        last_four_kind="unknown",
        auth_code=None,
        scheme=None,
        tip_minor=0,
        is_return=False,
        refers_to=None,
    )


def payment_row(offset: int, *, store: str = "0042", at: float = 0.0) -> JoinedRow:
    return JoinedRow(
        offset=offset,
        line=offset,
        id=f"P-{offset}",
        member="M-1",
        store=store,
        at=at,
        amounts=((350, "GBP"),),
        last_four=None,
        last_four_kind="unknown",
        auth_code=None,
        scheme=None,
        kind="auth",
    )


def job_in(folder: Path, *, together: int) -> Job:
    empty = folder / "empty.jsonl"
    empty.touch()
    return plan(empty, empty, folder, threshold=0.999, scale=Scale(rows_together_max=together))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2**40)), max_size=60))
def test_gives_back_what_was_put_into_each_bucket_in_order(
    tmp_path_factory: pytest.TempPathFactory, put: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("buckets")

    with Spreader(folder, "claims", buffered_bytes_max=40) as rows:
        for bucket, offset in put:
            rows.add(bucket, ClaimRow(offset, 1, 2))

    expected = {name: sorted(at for bucket, at in put if bucket == name) for name, _ in put}
    assert buckets.names(folder, "claims") == sorted(expected)
    assert {
        name: [row.offset for row in buckets.rows_of(folder, "claims", name, ClaimRow)]
        for name in expected
    } == expected


def test_writes_nothing_more_when_the_block_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with Spreader(tmp_path, "claims") as rows:
            rows.add("a", ClaimRow(1, 1, 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert buckets.names(tmp_path, "claims") == []


def test_holds_no_more_than_its_buffer(tmp_path: Path) -> None:
    most = 100_000

    tracemalloc.start()
    with Spreader(tmp_path, "receipts", buffered_bytes_max=most) as rows:
        for offset in range(20_000):
            rows.add(f"{offset % 50}", receipt_row(offset))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    written = sum(buckets.size_of(tmp_path, "receipts", f"{n}") for n in range(50))
    assert written > 8 * most
    assert peak < 4 * most  # A growing buffer is copied now and then.


TEXTS = st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"x")), max_size=30)


@given(lines=TEXTS, part_bytes=st.integers(1, 50), ended=st.booleans())
def test_each_line_belongs_to_one_part(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], part_bytes: int, ended: bool
) -> None:
    path = tmp_path_factory.mktemp("cutting") / "lines.jsonl"
    path.write_bytes(b"\n".join(lines) + (b"\n" if ended else b""))

    found = [line for part in parts_of(path, part_bytes=part_bytes) for line in lines_of(part)]

    expected = path.read_bytes().split(b"\n")
    expected = expected[:-1] if expected[-1] == b"" else expected
    assert [line.raw.rstrip(b"\n") for line in found] == [
        line.removeprefix(b"\xef\xbb\xbf") if n == 0 else line for n, line in enumerate(expected)
    ]
    offsets = [line.offset for line in found]
    assert offsets == sorted(set(offsets))


def test_cuts_an_endless_line_short_and_goes_on_after_it(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"a\n" + b"x" * (3 * LINE_BYTES_MAX) + b"\nb\n")

    found = [
        (part.number, line.number, len(line.raw))
        for part in parts_of(path, part_bytes=LINE_BYTES_MAX)
        for line in lines_of(part)
    ]

    assert found == [(0, 1, 2), (0, 2, LINE_BYTES_MAX + 1), (3, 1, 2)]


def test_reads_a_compressed_file_in_one_part(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(gzip.compress(b"a\nb\n"))

    (part,) = parts_of(path, part_bytes=1)

    assert part == FilePart(str(path), 0, 0, cutting.WHOLE_FILE)
    assert [(line.offset, line.number, line.raw) for line in lines_of(part)] == [
        (0, 1, b"a\n"),
        (2, 2, b"b\n"),
    ]


@pytest.mark.parametrize(
    "content", [gzip.compress(b"a\nb\n")[:-9], b"no gzip at all"], ids=["cut short", "no gzip"]
)
def test_refuses_a_broken_compressed_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile):
        list(lines_of(parts_of(path, part_bytes=1)[0]))


def test_an_empty_file_has_no_parts(tmp_path: Path) -> None:
    for name in ("empty.jsonl", "empty.jsonl.gz"):
        (tmp_path / name).touch()

        assert parts_of(tmp_path / name, part_bytes=10) == []


def test_plans_buckets_by_the_size_of_the_files(tmp_path: Path) -> None:
    paid, sold = tmp_path / "p.jsonl", tmp_path / "r.jsonl.gz"
    paid.write_bytes(b"x" * 100)
    sold.write_bytes(b"x" * 50)

    job = plan(paid, sold, tmp_path, threshold=0.9, scale=Scale(bucket_bytes=60))

    assert (job.id_buckets, job.store_buckets) == (2, 9)  # The second file holds some 400 bytes.


def _put(job: Job, *, receipts: list[ReceiptRow], payments: list[JoinedRow]) -> None:
    with Spreader(job.folder, RECEIPTS_BY_STORE) as rows:
        for receipt in receipts:
            rows.add("00000", receipt)
    with Spreader(job.folder, PAYMENTS_BY_STORE) as rows:
        for payment in payments:
            rows.add("00000", payment)


def _offsets(job: Job, kind: str, as_type: Any, portion: Portion) -> list[int]:
    return [row.offset for row in buckets.rows_of(job.folder, kind, portion.bucket, as_type)]


def test_leaves_a_bucket_that_fits_as_it_is(tmp_path: Path) -> None:
    job = job_in(tmp_path, together=3)
    _put(job, receipts=[receipt_row(0), receipt_row(1)], payments=[payment_row(0)])

    assert portions_of(job, "00000") == [Portion("00000", "00000", -inf, inf)]


def test_divides_a_bucket_by_store_and_never_a_store_that_fits(tmp_path: Path) -> None:
    job = job_in(tmp_path, together=4)
    stores = {"a": 3, "b": 1, "c": 2, "d": 3}
    rows = [receipt_row(n, store=store) for store in stores for n in range(stores[store])]
    _put(job, receipts=rows, payments=[payment_row(0, store="c")])

    portions = portions_of(job, "00000")

    held = [
        Counter(
            row.store
            for row in buckets.rows_of(job.folder, RECEIPTS_BY_STORE, one.bucket, ReceiptRow)
        )
        for one in portions
    ]
    assert held == [{"a": 3, "b": 1}, {"c": 2}, {"d": 3}]
    assert [_offsets(job, PAYMENTS_BY_STORE, JoinedRow, one) for one in portions] == [[], [0], []]
    assert buckets.names(job.folder, RECEIPTS_BY_STORE) == [one.bucket for one in portions]


def test_divides_a_large_store_by_time_with_a_margin_on_both_sides(tmp_path: Path) -> None:
    job = job_in(tmp_path, together=10)
    days = [receipt_row(n, at=n * 24 * HOUR) for n in range(30)]
    _put(
        job,
        receipts=days,
        payments=[payment_row(n, at=n * 24 * HOUR + 60) for n in range(0, 30, 3)],
    )

    portions = portions_of(job, "00000")

    cuts = [one.since for one in portions[1:]]
    assert [one.until for one in portions] == [*cuts, inf]
    owned = [sum(one.owns(row.at) for row in days) for one in portions]
    assert sum(owned) == 30
    assert max(owned) <= 10
    for one in portions:
        seen = _offsets(job, RECEIPTS_BY_STORE, ReceiptRow, one)
        assert seen == [
            row.offset
            for row in days
            if one.since - MARGIN_SECONDS <= row.at < one.until + MARGIN_SECONDS
        ]


@given(st.integers(0, 100), st.integers(0, 100), st.floats(-200, 300))
def test_knows_what_its_neighbours_see(since: int, length: int, at: float) -> None:
    margin = MARGIN_SECONDS
    one = Portion("b", "b", since * HOUR, (since + length) * HOUR)
    before = Portion("a", "b", -inf, one.since)
    after = Portion("c", "b", one.until, inf)

    def sees(portion: Portion) -> bool:
        return portion.since - margin <= at * HOUR < portion.until + margin

    if one.owns(at * HOUR):
        assert one.is_shared(at * HOUR) == (sees(before) or sees(after))
