"""The report of requirements: what counts as shown, alone and under several workers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements_report import IN_SCOPE, read_scope, summarise

SUITE = """
import pytest

@pytest.mark.requirement("RCP-01")
def test_passes_one_thing():
    assert True

@pytest.mark.requirement("RCP-01", "RCP-02")
def test_passes_another_thing():
    assert True

@pytest.mark.requirement("RCP-02")
def test_fails_one_thing():
    assert False

@pytest.mark.requirement("RCP-03")
def test_skips_one_thing():
    pytest.skip("later")

@pytest.fixture
def broken():
    raise RuntimeError

@pytest.mark.requirement("RCP-04")
def test_has_a_broken_fixture(broken):
    assert True

@pytest.mark.requirement("GEO-01")
def test_shows_what_nobody_asked_for():
    assert True
"""
PLUGIN = """
from pathlib import Path
from tests import requirements_report
requirements_report.REPORT = Path(__file__).parent / "build" / "requirements.json"
requirements_report.IN_SCOPE = Path(__file__).parent / "scope.txt"
pytest_plugins = ("tests.requirements_report",)
"""
INI = """
[pytest]
markers =
    requirement(id): for these tests
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "two_workers"])
def test_counts_a_row_as_shown_if_a_test_passed_and_none_failed(
    tmp_path: Path, workers: list[str]
) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "pytest.ini").write_text(INI)
    (tmp_path / "scope.txt").write_text("RCP-01\nRCP-02\nRCP-03\nRCP-04\nRCP-05\n")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers, "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(IN_SCOPE.parents[1]), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    report = json.loads((tmp_path / "build" / "requirements.json").read_text())
    assert report["shown"] == ["RCP-01"]
    assert report["not_shown"] == ["RCP-02", "RCP-03", "RCP-04", "RCP-05"]
    assert report["out_of_scope"] == ["GEO-01"]
    assert report["tests"]["RCP-02"] == {
        "test_suite.py::test_fails_one_thing": "failed",
        "test_suite.py::test_passes_another_thing": "passed",
    }
    line = "requirements: 1 of 5 shown; not shown: RCP-02, RCP-03, RCP-04, RCP-05"
    assert line in done.stdout


def test_reads_ids_and_steps_over_comments() -> None:
    assert read_scope("# first\nRCP-01  # why\n\n  RCP-02\n") == ["RCP-01", "RCP-02"]


def test_names_each_row_in_scope_once() -> None:
    rows = read_scope(IN_SCOPE.read_text())

    assert len(rows) == len(set(rows))
    assert "RCP-05" in rows


def test_reports_nothing_shown_where_nothing_ran() -> None:
    assert summarise({}, ["RCP-01"]) == {
        "shown": [],
        "not_shown": ["RCP-01"],
        "out_of_scope": [],
        "tests": {},
    }
