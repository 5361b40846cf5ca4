"""Whole runs on files: answers in order, nothing lost silently, nothing left behind."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from infra.matchfiles.cutting import UnreadableFile
from infra.matchfiles.run import SamePath, rejected_path
from tests.makers.card_days import Street, write_street
from tests.makers.matchfiles import TINY, answers, quiet, refusals, run_match, write_lines

STREET = Street(stores=3, days=8, sales_a_day=60, last_fours=1.0)


def payment(name: str, **changes: Any) -> dict[str, Any]:
    at = "2026-11-20T09:15:30Z"
    known = {"id": name, "member": "M-1", "store": "0042", "at": at, "last_four": "1234"}
    return {**known, "amount_minor": 1090, "currency": "GBP", **changes}


def receipt(name: str, **changes: Any) -> dict[str, Any]:
    at = "2026-11-20T09:15:31Z"
    known = {"id": name, "store": "0042", "till": "3", "at": at, "last_four": "1234"}
    return {**known, "total_minor": 1090, "currency": "GBP", **changes}


def files(folder: Path, payments: list[Any], receipts: list[Any]) -> tuple[Path, Path, Path]:
    return (
        write_lines(folder / "p.jsonl", payments),
        write_lines(folder / "r.jsonl", receipts),
        folder / "m.jsonl",
    )


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.requirement("RCP-11")
def test_answers_each_payment_once_in_the_order_of_its_file(tmp_path: Path) -> None:
    paid, sold, truth = write_street(tmp_path, STREET, seed=1)
    out = tmp_path / "m.jsonl"

    summary = run_match(paid, sold, out)

    found = answers(out)
    asked = [json.loads(line)["id"] for line in paid.read_text().splitlines()]
    assert [answer["payment_id"] for answer in found] == asked
    given = {one["payment_id"]: one["receipt_id"] for one in found if one["receipt_id"]}
    assert {name: truth.get(name) for name in given} == given
    assert len(given) >= 0.95 * len(truth)
    assert summary.matched == len(given)
    assert summary.payments == len(asked)
    assert summary.receipts == len(sold.read_text().splitlines())
    assert summary.answers_by_reason == Counter(answer["reason"] for answer in found)
    assert (summary.refused, summary.repeated) == (0, 0)
    assert left_in(tmp_path) == {paid.name, sold.name, out.name}


def test_says_nothing_more_than_four_things_of_a_payment(tmp_path: Path) -> None:
    paid, sold, out = files(tmp_path, [payment("P-1", store="0043")], [receipt("R-1")])

    run_match(paid, sold, out)

    assert out.read_text() == (
        '{"payment_id":"P-1","receipt_id":null,"probability":0.0,"reason":"no_receipt_yet"}\n'
    )


def test_gives_the_same_outcome_for_any_number_of_processes(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, STREET, seed=2)
    alone, together = tmp_path / "one.jsonl", tmp_path / "two.jsonl"

    run_match(paid, sold, alone, scale=TINY)
    run_match(paid, sold, together, scale=TINY, processes=2)

    assert alone.read_bytes() == together.read_bytes()
    assert alone.read_bytes().count(b"\n") == paid.read_bytes().count(b"\n")


def test_gives_no_wrong_receipt_where_a_store_is_divided_by_time(tmp_path: Path) -> None:
    paid, sold, truth = write_street(tmp_path, Street(stores=1, days=20, last_fours=1.0), seed=3)
    whole, divided = tmp_path / "whole.jsonl", tmp_path / "divided.jsonl"

    run_match(paid, sold, whole)
    run_match(paid, sold, divided, scale=TINY)

    found = {one["payment_id"]: one["receipt_id"] for one in answers(divided)}
    given = {name: receipt_id for name, receipt_id in found.items() if receipt_id}
    assert list(found) == [one["payment_id"] for one in answers(whole)]
    assert {name: truth.get(name) for name in given} == given
    assert len(set(given.values())) == len(given)
    assert len(given) >= 0.95 * len(truth)


def test_reads_compressed_files_alike(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, STREET, seed=4)
    packed = [path.with_name(path.name + ".gz") for path in (paid, sold)]
    for plain, path in zip((paid, sold), packed, strict=True):
        path.write_bytes(gzip.compress(plain.read_bytes()))
    out, unpacked = tmp_path / "m.jsonl", tmp_path / "n.jsonl"

    run_match(*packed, out)
    run_match(paid, sold, unpacked)

    assert out.read_bytes() == unpacked.read_bytes()


def test_names_every_line_that_it_cannot_use(tmp_path: Path) -> None:
    fine = [payment(f"P-{n}") for n in range(60)]
    bad = [*fine[:20], "", "{", *fine[20:50], payment("P-x", currency="GBX"), *fine[50:]]
    paid, sold, out = files(tmp_path, bad, [receipt("R-1"), receipt("R-2", at="2026-11-20")])

    summary = run_match(paid, sold, out, scale=TINY)

    assert refusals(out) == [
        {
            "file": "payments",
            "line": 22,
            "code": "not_json",
            "field": None,
            "detail": "the body is not JSON",
        },
        {
            "file": "payments",
            "line": 53,
            "code": "unknown_currency",
            "field": "currency",
            "detail": "the currency is not an ISO 4217 code in upper case",
        },
        {
            "file": "receipts",
            "line": 2,
            "code": "time",
            "field": "at",
            "detail": "the time is not RFC 3339",
        },
    ]
    assert (summary.payments, summary.receipts, summary.refused) == (60, 1, 3)
    assert [one["payment_id"] for one in answers(out)] == [f"P-{n}" for n in range(60)]


def test_numbers_the_lines_of_a_compressed_file(tmp_path: Path) -> None:
    sold = write_lines(tmp_path / "r.jsonl", [])
    paid = tmp_path / "p.jsonl.gz"
    lines = [json.dumps(payment(f"P-{n}")) for n in range(50)] + ["{"]
    paid.write_bytes(gzip.compress("\n".join(lines).encode()))

    run_match(paid, sold, tmp_path / "m.jsonl", scale=TINY)

    assert [(one["line"], one["code"]) for one in refusals(tmp_path / "m.jsonl")] == [
        (51, "not_json")
    ]


def test_forgets_the_refused_lines_of_an_earlier_run(tmp_path: Path) -> None:
    paid, sold, out = files(tmp_path, ["{"], [])
    run_match(paid, sold, out)
    write_lines(paid, [payment("P-1")])

    run_match(paid, sold, out)

    assert not rejected_path(out).exists()


def test_takes_authorisation_and_clearing_of_one_id_for_one_payment(tmp_path: Path) -> None:
    auth = payment("P-1", kind="auth", amount_minor=1000, auth_code="01A2B3")
    cleared = payment("P-1", kind="clearing", at="2026-11-22T03:00:00Z")
    told = [payment("P-0", member="M-2"), auth, payment("P-2", store="0043"), cleared]
    paid, sold, out = files(tmp_path, told, [receipt("R-1", auth_code="01A2B3")])

    summary = run_match(paid, sold, out)

    assert [(one["payment_id"], one["receipt_id"]) for one in answers(out)] == [
        ("P-0", None),
        ("P-1", "R-1"),
        ("P-2", None),
    ]
    assert (summary.payments, summary.refused) == (3, 0)


def cleared(minor: int, *, on: int) -> dict[str, Any]:
    """What was cleared of `P-1` on that day of the month."""
    at = f"2026-11-{on}T03:00:00Z"
    return payment("P-1", kind="clearing", amount_minor=minor, at=at, auth_code="01A2B3")


@pytest.mark.parametrize(
    ("clearings", "printed", "found"),
    [
        ([cleared(300, on=21), cleared(690, on=22)], 990, "R-1"),
        ([cleared(690, on=22), cleared(300, on=21)], 990, "R-1"),
        ([cleared(300, on=21), cleared(690, on=22)], 690, "R-1"),
        ([cleared(300, on=21), cleared(300, on=22)], 600, "R-1"),
        ([cleared(300, on=21), {**cleared(300, on=21), "scheme": "visa"}], 600, None),
        ([cleared(900, on=21), cleared(700, on=22)], 1600, None),
        ([cleared(900, on=21), cleared(700, on=22)], 700, "R-1"),
    ],
    ids=["two", "out of order", "one of them", "alike", "one twice", "beyond", "corrected"],
)
def test_adds_up_what_was_cleared_in_parts(
    tmp_path: Path, clearings: list[dict[str, Any]], printed: int, found: str | None
) -> None:
    told = [payment("P-1", amount_minor=1500), *clearings]
    paid, sold, out = files(tmp_path, told, [receipt("R-1", total_minor=printed)])

    summary = run_match(paid, sold, out, threshold=0.9)

    assert [one["receipt_id"] for one in answers(out)] == [found]
    assert (summary.payments, summary.refused, refusals(out)) == (1, 0, [])


def test_refuses_a_refund_under_the_id_of_its_sale_and_says_why(tmp_path: Path) -> None:
    told = [payment("P-1"), payment("P-1", kind="refund", at="2026-11-21T12:00:00Z")]
    paid, sold, out = files(tmp_path, told, [receipt("R-1")])

    run_match(paid, sold, out)

    assert [(one["line"], one["code"], one["detail"]) for one in refusals(out)] == [
        (2, "id_used_twice", "a refund needs another id than its sale")
    ]
    assert [one["receipt_id"] for one in answers(out)] == ["R-1"]


def test_counts_a_line_that_stands_twice_once(tmp_path: Path) -> None:
    paid, sold, out = files(
        tmp_path,
        [
            payment("P-1"),
            json.dumps(payment("P-1"), separators=(",", ":")),
            payment("P-1", at="2026-11-20T10:15:30+01:00", auth_code=None, note="read again"),
        ],
        [receipt("R-1"), receipt("R-1", note="read again")],
    )

    summary = run_match(paid, sold, out)

    assert [one["payment_id"] for one in answers(out)] == ["P-1"]
    assert (summary.payments, summary.receipts, summary.repeated) == (1, 1, 3)
    assert (summary.refused, refusals(out)) == (0, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 1},
        {"member": "M-2"},
        {"store": "0043"},
        {"kind": "refund"},
        {"kind": "clearing", "member": "M-2"},
    ],
)
def test_refuses_another_payment_under_an_id_that_was_used(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    paid, sold, out = files(tmp_path, [payment("P-1"), payment("P-1", **changes)], [receipt("R")])

    run_match(paid, sold, out)

    assert [(one["file"], one["line"], one["code"]) for one in refusals(out)] == [
        ("payments", 2, "id_used_twice")
    ]
    assert [one["payment_id"] for one in answers(out)] == ["P-1"]


def test_refuses_another_receipt_under_an_id_of_its_store(tmp_path: Path) -> None:
    sold = [receipt("R-1"), receipt("R-1", total_minor=5), receipt("R-1", store="0043")]
    paid, given, out = files(tmp_path, [payment("P-1")], sold)

    summary = run_match(paid, given, out)

    assert [(one["file"], one["line"], one["code"], one["field"]) for one in refusals(out)] == [
        ("receipts", 2, "id_used_twice", "id")
    ]
    assert summary.receipts == 2


def test_finds_the_receipt_of_the_right_store_where_two_use_one_id(tmp_path: Path) -> None:
    sold = [receipt("R-1", store="0043", at="2026-11-20T10:00:00Z"), receipt("R-1")]
    paid, given, out = files(tmp_path, [payment("P-1")], sold)

    run_match(paid, given, out)

    assert [one["receipt_id"] for one in answers(out)] == ["R-1"]


def test_matches_refunds_with_returns_alone(tmp_path: Path) -> None:
    paid, sold, out = files(
        tmp_path,
        [payment("P-1"), payment("P-2", kind="refund", at="2026-11-21T12:00:00Z")],
        [
            receipt("R-1"),
            receipt("R-2", kind="return", total_minor=-1090, at="2026-11-21T12:00:02Z"),
            receipt("R-3", at="2026-11-21T12:00:02Z", last_four="9999"),
        ],
    )

    run_match(paid, sold, out)

    assert [one["receipt_id"] for one in answers(out)] == ["R-1", "R-2"]


def test_gives_no_receipt_to_a_check_of_a_card(tmp_path: Path) -> None:
    sold = [receipt("R-1", total_minor=0)]
    paid, given, out = files(tmp_path, [payment("P-1", amount_minor=0)], sold)

    summary = run_match(paid, given, out)

    assert answers(out) == [
        {
            "payment_id": "P-1",
            "receipt_id": None,
            "probability": 0.0,
            "reason": "no_receipt_yet",
        }
    ]
    assert (summary.receipts, summary.refused) == (1, 0)


@pytest.mark.parametrize(("paid_lines", "sold_lines"), [(0, 0), (0, 1), (1, 0)])
def test_takes_empty_files(tmp_path: Path, paid_lines: int, sold_lines: int) -> None:
    paid, sold, out = files(tmp_path, [payment("P-1")][:paid_lines], [receipt("R")][:sold_lines])

    summary = run_match(paid, sold, out)

    assert (summary.payments, summary.receipts, summary.matched) == (paid_lines, sold_lines, 0)
    assert [one["reason"] for one in answers(out)] == ["no_receipt_yet"] * paid_lines


def test_gives_a_receipt_to_nobody_below_the_threshold(tmp_path: Path) -> None:
    paid, sold, out = files(tmp_path, [payment("P-1")], [receipt("R-1")])

    run_match(paid, sold, out, threshold=1.0)
    strict = answers(out)
    run_match(paid, sold, out, threshold=0.5)

    assert [(one["receipt_id"], one["reason"]) for one in strict] == [(None, "probability_too_low")]
    assert [one["receipt_id"] for one in answers(out)] == ["R-1"]
    assert strict[0]["probability"] == answers(out)[0]["probability"] < 1.0


def test_replaces_no_file_that_it_reads(tmp_path: Path) -> None:
    paid, sold, _ = files(tmp_path, [payment("P-1")], [receipt("R-1")])

    with pytest.raises(SamePath):
        run_match(paid, sold, tmp_path / "." / "r.jsonl")

    assert answers(sold) == [receipt("R-1")]


def test_leaves_the_last_outcome_where_a_run_fails(tmp_path: Path) -> None:
    paid, sold, out = files(tmp_path, [payment("P-1")], [receipt("R-1")])
    run_match(paid, sold, out)
    before = out.read_bytes()
    broken = tmp_path / "r.jsonl.gz"
    broken.write_bytes(gzip.compress(sold.read_bytes())[:-9])

    with pytest.raises(UnreadableFile):
        run_match(paid, broken, out)

    assert out.read_bytes() == before
    assert left_in(tmp_path) == {paid.name, sold.name, out.name, broken.name}


def test_tells_how_far_each_step_is(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, STREET, seed=5)
    heard: list[tuple[str, int, int]] = []

    def report(step: str, done: int, total: int) -> None:
        quiet(step, done, total)
        heard.append((step, done, total))

    run_match(paid, sold, tmp_path / "m.jsonl", scale=TINY, report=report)

    steps = list(dict.fromkeys(step for step, _, _ in heard))
    names = ["reading payments", "reading receipts", "joining payments", "matching", "writing"]
    assert steps == names
    for name in steps:
        told = [(done, total) for step, done, total in heard if step == name]
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert told[-1][0] == told[-1][1] > 0
