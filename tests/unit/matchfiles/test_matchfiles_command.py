"""The command `match`: how it ends, what it says, and that nothing is left when it is stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from infra.cli import terminal
from infra.cli.matching import ended_alike, ends_told
from infra.matchfiles.crew import WorkerLost, crew_of
from tests.makers.card_days import Street, write_street
from tests.makers.matchfiles import answers
from tests.makers.operating import operate

ROOT = Path(__file__).parents[3]
# What runs in the background ignores interrupts, and so does what it starts; this must not.
HEARS_INTERRUPTS = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); "  # Whoever runs the tests may ignore it.
    "from infra.cli.commands import app; app()"
)
DAY = Street(stores=2, days=5, sales_a_day=40, last_fours=1.0)


def arguments(paid: Path, sold: Path, out: Path, *more: str) -> tuple[str, ...]:
    files = ("--payments", str(paid), "--receipts", str(sold), "--out", str(out))
    return ("match", *files, "--processes", "1", *more)


def test_ends_with_nought_and_says_what_came_of_it(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, DAY, seed=1)

    result = operate(*arguments(paid, sold, tmp_path / "m.jsonl"))

    found = answers(tmp_path / "m.jsonl")
    given = sum(one["receipt_id"] is not None for one in found)
    assert result.exit_code == 0
    told = " ".join(result.stderr.split())
    assert f"{given} of {len(found)} payments have a receipt, of" in told
    assert "0 lines were repetitions, 0 refused." in told
    table = [line.split("  ") for line in result.stdout.splitlines()]
    assert sum(int(count) for _, count, _ in table) == len(found)
    assert {reason for reason, _, _ in table} == {one["reason"] for one in found}


def test_ends_with_one_where_lines_were_refused(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, DAY, seed=1)
    with paid.open("a") as stream:
        stream.write("{\n")

    result = operate(*arguments(paid, sold, tmp_path / "m.jsonl"))

    assert result.exit_code == terminal.EXIT_REFUSED
    assert "m.jsonl.rejected.jsonl" in result.stderr.replace("\n", "")
    assert "1 refused" in " ".join(result.stderr.split())


def test_says_what_is_wrong_with_an_export_and_where_it_begins(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, DAY, seed=1)
    lines = paid.read_text().splitlines()
    texts = [
        line.replace('"amount_minor": ', '"amount_minor": "').replace(', "currency', '", "currency')
        for line in lines
    ]
    paid.write_text("\r\n".join([lines[0], *texts[1:]]) + "\r\n")
    with sold.open("a") as stream:
        stream.write('["a", "list"]\n')

    result = operate(*arguments(paid, sold, tmp_path / "m.jsonl"))

    told = " ".join(result.stderr.split())
    assert result.exit_code == terminal.EXIT_REFUSED
    wrong = f"{len(lines) - 1} of the payments file: amount_minor: Expected `int`, got `str`"
    assert f"{wrong}, first in line 2" in told
    assert "1 of the receipts file: Expected `object`, got `array`, first in line" in told
    assert len(answers(tmp_path / "m.jsonl")) == 1


def test_says_how_many_reasons_it_does_not_show(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, DAY, seed=1)
    line = json.loads(paid.read_text().splitlines()[0])
    with paid.open("a") as stream:
        for name in line:
            stream.write(json.dumps({**line, name: {}}) + "\n")
            stream.write(json.dumps({k: v for k, v in line.items() if k != name}) + "\n")

    result = operate(*arguments(paid, sold, tmp_path / "m.jsonl"))

    rejected = (tmp_path / "m.jsonl.rejected.jsonl").read_text().splitlines()
    reasons = {(one["field"], one["detail"]) for one in map(json.loads, rejected)}
    assert f"And {len(reasons) - 6} more reasons." in " ".join(result.stderr.split())


@pytest.mark.parametrize("wrong", ["missing", "same", "folder", "threshold", "broken"])
def test_ends_with_two_where_it_cannot_begin(tmp_path: Path, wrong: str) -> None:
    paid, sold, _ = write_street(tmp_path, DAY, seed=1)
    out = tmp_path / "m.jsonl"
    broken = tmp_path / "r.jsonl.gz"
    broken.write_bytes(b"no gzip")
    asked = {
        "missing": arguments(tmp_path / "nothing.jsonl", sold, out),
        "same": arguments(paid, sold, paid),
        "folder": arguments(paid, sold, tmp_path / "nowhere" / "m.jsonl"),
        "threshold": arguments(paid, sold, out, "--threshold", "1.5"),
        "broken": arguments(paid, broken, out),
    }
    before = paid.read_bytes()

    result = operate(*asked[wrong])

    assert result.exit_code == terminal.EXIT_STOPPED
    assert result.stderr != ""
    assert paid.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {paid.name, sold.name, broken.name}


def test_needs_no_stage_and_no_aws(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, DAY, seed=1)
    command = [sys.executable, "-m", "infra.cli"]
    asked = arguments(paid, sold, tmp_path / "m.jsonl")

    done = subprocess.run([*command, *asked], cwd=ROOT, env={}, capture_output=True, check=False)

    assert done.returncode == 0


def _children(pid: int) -> list[int]:
    """The processes that `pid` started, on Linux; elsewhere none are known."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


def _wait_until_gone(pids: list[int]) -> None:
    ends = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < ends:
        time.sleep(0.02)
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


STOPPED = [
    (signal.SIGINT, True),
    (signal.SIGTERM, False),
    (signal.SIGHUP, False),
    (signal.SIGHUP, True),
]


@pytest.mark.parametrize(("sent", "to_all"), STOPPED)
def test_leaves_nothing_when_it_is_stopped(
    tmp_path: Path, sent: signal.Signals, to_all: bool
) -> None:
    paid, sold, _ = write_street(tmp_path, Street(stores=2, days=30, sales_a_day=300), seed=2)
    out = tmp_path / "m.jsonl"
    out.write_text("of an earlier run\n")
    asked = (*arguments(paid, sold, out)[:-1], "2")
    run = subprocess.Popen(
        [sys.executable, "-c", HEARS_INTERRUPTS, *asked],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not list(tmp_path.glob(".m.jsonl.*/receipts-by-store")) and run.poll() is None:
        time.sleep(0.01)
    children = _children(run.pid)

    for _ in range(2):  # A shell passes on what the terminal told already.
        os.killpg(run.pid, sent) if to_all else run.send_signal(sent)
    _, told = run.communicate(timeout=30)

    assert run.returncode == terminal.EXIT_STOPPED
    assert b"interrupted" in told
    assert out.read_text() == "of an earlier run\n"
    assert list(tmp_path.glob(".m.jsonl.*")) == []
    _wait_until_gone(children)


def test_goes_on_when_its_terminal_closes_where_nohup_started_it(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, DAY, seed=1)
    asked = arguments(paid, sold, tmp_path / "m.jsonl")
    with ignored(signal.SIGHUP), ended_alike():
        os.kill(os.getpid(), signal.SIGHUP)
        result = operate(*asked)

    assert result.exit_code == 0


@contextmanager
def ignored(sent: signal.Signals) -> Iterator[None]:
    before = signal.signal(sent, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(sent, before)


def _end_this_process() -> None:
    os._exit(1)


def _meet_a_defect() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("processes", [1, 2])
def test_ends_with_two_where_a_process_meets_a_defect(
    capsys: pytest.CaptureFixture[str], processes: int
) -> None:
    with pytest.raises(typer.Exit) as ended, ends_told(), crew_of(processes) as workers:
        list(workers.do(_meet_a_defect, [()]))

    assert ended.value.exit_code == terminal.EXIT_STOPPED
    assert "Stopped: ZeroDivisionError, which is a defect." in capsys.readouterr().err


def test_says_that_a_process_was_lost() -> None:
    with pytest.raises(WorkerLost), crew_of(2) as workers:
        list(workers.do(_end_this_process, [()]))


def test_does_tasks_in_this_process_where_one_is_enough() -> None:
    with crew_of(1) as workers:
        assert list(workers.do(os.getpid, [(), ()])) == [os.getpid()] * 2


def test_does_tasks_in_others_where_several_are_asked_for() -> None:
    with crew_of(2) as workers:
        found = set(workers.do(os.getpid, [()] * 8))

    assert os.getpid() not in found
    assert 1 <= len(found) <= 2


def test_outcomes_are_lines_of_json_with_four_fields(tmp_path: Path) -> None:
    paid, sold, _ = write_street(tmp_path, DAY, seed=3)

    operate(*arguments(paid, sold, tmp_path / "m.jsonl"))

    for line in (tmp_path / "m.jsonl").read_text().splitlines():
        assert list(json.loads(line)) == ["payment_id", "receipt_id", "probability", "reason"]
