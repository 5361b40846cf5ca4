"""An operator writes, shows and ends schemes with nothing but the commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.loyalty.schemes import service
from chalicelib.runtime import clock
from tests.makers.operating import operate
from tests.makers.schemes import NOW, open_shop, points, stamps

pytestmark = pytest.mark.stores

POINTS = "bean-and-leaf.points"


@pytest.fixture(autouse=True)
def shop(embedded_aws: None) -> None:
    clock.use(lambda: NOW)
    open_shop()


def run(*arguments: str) -> tuple[int, str, str]:
    done = operate(*arguments)
    return done.exit_code, done.stdout, done.stderr


def write(tmp_path: Path, document: dict[str, Any], *more: str) -> tuple[int, str, str]:
    file = tmp_path / "scheme.json"
    file.write_text(json.dumps(document))
    said = ("import-scheme", str(file), "--retailer=bean-and-leaf", "--reference=points")
    return run(*said, *more)


def test_a_scheme_is_written_listed_shown_and_ended(tmp_path: Path) -> None:
    code, _, told = write(tmp_path, points())
    assert (code, told) == (0, f"{POINTS} version 1 is written; from 2026-11-20T12:00:00Z.\n")
    assert write(tmp_path, points())[2].startswith(f"{POINTS} version 1 was so already")

    _, listed, _ = run("list-schemes", "--retailer=bean-and-leaf")
    assert listed == f"{POINTS}  1  points  2026-11-20T12:00:00Z  -  Bean points\n"

    _, shown, _ = run("show-scheme", f"--scheme={POINTS}")
    assert json.loads(shown) == {**points(), "starts_at": "2026-11-20T12:00:00Z"}

    code, _, told = run("end-scheme", f"--scheme={POINTS}", "--at=2026-12-31T00:00:00Z")
    assert (code, told) == (0, f"{POINTS} ends 2026-12-31T00:00:00Z.\n")
    _, listed, _ = run("list-schemes", "--retailer=bean-and-leaf")
    assert "2026-12-31T00:00:00Z" in listed
    _, _, told = run("end-scheme", f"--scheme={POINTS}", "--at=2027-03-01T00:00:00Z")
    assert told == f"{POINTS} ends 2026-12-31T00:00:00Z.\n"
    code, _, told = run("end-scheme", f"--scheme={POINTS}", "--at=2026-11-01T00:00:00Z")
    assert (code, told) == (1, "Refused: a scheme cannot end in the past (at).\n")


def test_every_problem_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    code, _, told = write(tmp_path, stamps(budget_minor=None, currency="XXX"))

    assert (code, told.splitlines()[:2]) == (
        1,
        [
            "currency: the currency is not in ISO 4217 (unknown_currency)",
            "budget_minor: a reward pays money, so the scheme needs a budget (no_budget)",
        ],
    )
    assert run("list-schemes", "--retailer=bean-and-leaf")[1] == ""


def test_a_dry_run_says_what_is_wrong_and_writes_nothing(tmp_path: Path) -> None:
    good, bad = points(), points(currency="XXX")

    assert write(tmp_path, good, "--dry-run")[0] == 0
    assert write(tmp_path, bad, "--dry-run")[0] == 1
    assert service.list_schemes(service.retailer_of(POINTS), now=NOW) == ()


def test_a_scheme_that_is_not_there_cannot_be_shown_or_ended() -> None:
    for command in ("show-scheme", "end-scheme"):
        code, shown, told = run(command, f"--scheme={POINTS}")
        assert (code, shown, told) == (1, "", "Refused: there is no such scheme.\n")
