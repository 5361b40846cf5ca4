"""The operator's import, end to end against a real HTTP server on loopback."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from chalicelib.kernel.personal import Personal
from chalicelib.tills.entries import BatchAnswer
from chalicelib.tills.native_shapes import NativeReceipt
from infra.cli import commands, terminal
from infra.importing import run as importing
from infra.importing.client import BatchRefused, ImportStopped, ReceiptsClient
from tests.makers.till_api import SECRET, TillApi, till_api

ROOT = Path(__file__).parents[2]
ISSUED = (datetime.now(UTC) - timedelta(hours=1)).isoformat()  # The command reads the real clock.


def native(reference: str, **changes: Any) -> str:
    receipt = {
        "reference": reference,
        "store": "0042",
        "issued_at": ISSUED,
        "currency": "GBP",
        "total_minor": 350,
        "lines": [{"description": "Flat white", "amount_minor": 350}],
        "tenders": [{"kind": "card", "amount_minor": 350}],
    }
    return json.dumps({**receipt, **changes})


def day(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "day.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def arguments(path: Path, api: TillApi) -> list[str]:
    secret = path.with_name("secret.txt")
    secret.write_text(f"{SECRET}\n")
    return [
        *("import-receipts", str(path), "--retailer", "bean-and-leaf", "--url", api.url),
        *("--client-id", "till", "--client-secret-file", str(secret)),
    ]


def invoke(path: Path, api: TillApi, *more: str) -> Result:
    return CliRunner().invoke(commands.app, [*arguments(path, api), *more])


def rejected(path: Path) -> list[dict[str, Any]]:
    text = path.with_name(path.name + ".rejected.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_sends_a_file_in_batches_and_names_what_is_refused(tmp_path: Path) -> None:
    lines = [native(f"A-{n}") for n in range(250)]
    lines[7] = native("A-7", total_minor=1)
    lines[120] = native("A-120", notes=["card 4000056655665556"])
    path = day(tmp_path, *lines)

    with till_api() as api:
        result = invoke(path, api)

    assert result.exit_code == terminal.EXIT_REFUSED
    assert "248 receipts sent, 2 refused." in result.output
    assert api.posts == [100, 100, 48]
    assert api.taken == {f"A-{n}": 1 for n in range(250) if n not in (7, 120)}
    assert rejected(path) == [
        {
            "line": 8,
            "last_line": 8,
            "reference": "A-7",
            "code": "total_mismatch",
            "field": "total_minor",
            "detail": "lines, discounts, charges, taxes and rounding do not come to the total",
        },
        {
            "line": 121,
            "last_line": 121,
            "reference": "A-120",
            "code": "card_number",
            "field": "notes[0]",
            "detail": "the field holds a card number",
        },
    ]


def test_running_it_again_sends_nothing(tmp_path: Path) -> None:
    path = day(tmp_path, *(native(f"A-{n}") for n in range(3)), "{")

    with till_api() as api:
        invoke(path, api)
        again = invoke(path, api)

    assert (again.exit_code, api.posts) == (terminal.EXIT_REFUSED, [3])
    assert [one["line"] for one in rejected(path)] == [4]


def test_restarting_sends_all_of_it_again(tmp_path: Path) -> None:
    path = day(tmp_path, native("A-1"))

    with till_api() as api:
        invoke(path, api)
        assert invoke(path, api, "--restart").exit_code == 0

    assert api.taken == {"A-1": 2}


def test_a_changed_file_begins_anew(tmp_path: Path) -> None:
    with till_api() as api:
        invoke(day(tmp_path, native("A-1")), api)
        invoke(day(tmp_path, native("A-2"), native("A-3")), api)

    assert api.taken == {"A-1": 1, "A-2": 1, "A-3": 1}


def test_killing_it_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = day(tmp_path, *(native(f"A-{n}") for n in range(150)), "{", *(
        native(f"A-{n}") for n in range(150, 350)))  # fmt: skip

    with till_api() as api:
        api.hold_at_post = 2
        command = [sys.executable, "-m", "infra.cli", *arguments(path, api)]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as importer:
            assert api.holding.wait(30)
            importer.kill()
        api.hold_at_post = None
        api.release.set()
        result = invoke(path, api)

    assert result.exit_code == terminal.EXIT_REFUSED
    assert "350 receipts sent, 1 refused." in result.output
    assert set(api.taken) == {f"A-{n}" for n in range(350)}
    assert api.posts == [100, 100, 100, 100, 50]  # only the unanswered batch went twice
    assert [one["line"] for one in rejected(path)] == [151]


def test_refusals_written_without_their_progress_are_written_once(tmp_path: Path) -> None:
    path = day(tmp_path, "{", *(native(f"A-{n}") for n in range(150)), "[")
    job = importing.ImportJob(path, "bean-and-leaf")
    posts: list[int] = []

    def post(receipts: Sequence[NativeReceipt]) -> BatchAnswer:
        posts.append(len(receipts))
        if len(posts) == 2:
            raise ImportStopped("no answer")
        return BatchAnswer(taken=len(receipts))

    now = datetime.now(UTC)
    with pytest.raises(ImportStopped):
        importing.run(job, post, now=now, report=lambda _: None)
    with job.rejected_path.open("ab") as stream:
        stream.write(b'{"line": 152, "code": "written just before the end"}\n')
    done = importing.run(job, post, now=now, report=lambda _: None)

    assert posts == [100, 50, 50]
    assert (done.line, done.taken, done.refused) == (152, 150, 2)
    assert [(one["line"], one["code"]) for one in rejected(path)] == [
        (1, "not_json"),
        (152, "not_json"),
    ]


def test_without_a_url_it_only_checks(tmp_path: Path) -> None:
    path = day(tmp_path, native("A-1"), native("A-2", total_minor=1))

    result = CliRunner().invoke(
        commands.app, ["import-receipts", str(path), "--retailer", "bean-and-leaf"]
    )

    assert result.exit_code == terminal.EXIT_REFUSED
    assert "1 receipts fit to be sent, 1 refused." in result.output
    assert [one["line"] for one in rejected(path)] == [2]
    assert not path.with_name("day.jsonl.progress").exists()


def test_a_batch_refused_as_a_whole_is_halved_until_the_bad_one_stands_alone(
    tmp_path: Path,
) -> None:
    path = day(tmp_path, *(native(f"A-{n}") for n in range(8)))

    with till_api() as api:
        api.refused_whole = frozenset({"A-5"})
        result = invoke(path, api)

    assert result.exit_code == terminal.EXIT_REFUSED
    assert api.taken == {f"A-{n}": 1 for n in range(8) if n != 5}
    assert [(one["line"], one["code"], one["field"]) for one in rejected(path)] == [
        (6, "store_unknown", "store")
    ]


def test_stops_where_the_credentials_are_wrong(tmp_path: Path) -> None:
    path = day(tmp_path, native("A-1"))

    with till_api() as api:
        result = CliRunner().invoke(commands.app, [*arguments(path, api)[:-1], "-"], "wrong")

    assert result.exit_code == terminal.EXIT_STOPPED
    assert "does not take the client's credentials" in result.output
    assert api.taken == {}


def client(api: TillApi, waits: list[float]) -> ReceiptsClient:
    return ReceiptsClient(
        api.url, client_id="till", client_secret=Personal(SECRET), sleep=waits.append
    )


def test_waits_as_long_as_the_server_asks_and_no_answer_is_asked_again() -> None:
    waits: list[float] = []
    with till_api() as api:
        api.scripted = [503, 0, 429, 200]
        assert client(api, waits).post([]).taken == 0

    assert waits == [0.0, 2.0, 0.0]


def test_asks_for_a_new_token_once_when_the_old_one_has_expired() -> None:
    with till_api() as api:
        importer = client(api, [])
        importer.post([])
        api.scripted = [401]
        importer.post([])
        api.scripted = [401, 401]
        with pytest.raises(ImportStopped):
            importer.post([])


def test_gives_up_after_eight_attempts() -> None:
    waits: list[float] = []
    with till_api() as api:
        api.scripted = [503] * 9
        with pytest.raises(ImportStopped):
            client(api, waits).post([])

    assert len(waits) == 8
    assert api.scripted == [503]


def test_says_what_the_api_refused() -> None:
    with till_api() as api:
        api.scripted = [409]
        with pytest.raises(BatchRefused) as caught:
            client(api, []).post([])

    assert (caught.value.code, caught.value.detail, caught.value.field) == (
        "try_again",
        "later",
        None,
    )
