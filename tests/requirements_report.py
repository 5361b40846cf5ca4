"""Which requirements the tests show: a pytest plugin.

Tests say what they show with `@pytest.mark.requirement("RCP-05")`. A row counts as shown when at
least one such test ran and none failed. The report stands in `build/requirements.json` and at the
end of a whole run; under pytest-xdist the workers hand their findings to the controller.
"""

import json
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
IN_SCOPE = ROOT / "tests" / "requirements_in_scope.txt"
REPORT = ROOT / "build" / "requirements.json"
PROPERTY = "requirement"


def read_scope(text: str) -> list[str]:
    """The row ids in `text`: one per line, `#` begins a comment."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def summarise(outcomes: Mapping[str, Mapping[str, str]], scope: Iterable[str]) -> dict[str, Any]:
    """The report of `outcomes` (row id → test → `passed`, `failed` or `skipped`) over `scope`."""
    scope = list(scope)
    shown = [row for row in scope if _is_shown(outcomes.get(row, {}))]
    return {
        "shown": shown,
        "not_shown": [row for row in scope if row not in shown],
        "out_of_scope": sorted(row for row in outcomes if row not in scope),
        "tests": {row: dict(sorted(outcomes[row].items())) for row in sorted(outcomes)},
    }


def _is_shown(outcome_by_test: Mapping[str, str]) -> bool:
    outcomes = set(outcome_by_test.values())
    return "passed" in outcomes and "failed" not in outcomes


class RequirementsReport:
    """Collects outcomes while tests run. Workers put the rows into their reports' properties."""

    def __init__(self) -> None:
        self._outcomes: dict[str, dict[str, str]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write the rows a test shows into its report, which travels from worker to controller."""
        report = yield
        rows = [str(row) for mark in item.iter_markers(PROPERTY) for row in mark.args]
        report.user_properties.extend((PROPERTY, row) for row in rows)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of a test's three phases, row by row."""
        if report.when != "call" and report.outcome == "passed":
            return
        for name, row in report.user_properties:
            if name == PROPERTY:
                tests = self._outcomes.setdefault(str(row), {})
                if tests.get(report.nodeid) != "failed":
                    tests[report.nodeid] = report.outcome

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the report and print what is not shown yet. A partial run only writes the file."""
        if not self._outcomes:
            return
        summary = summarise(self._outcomes, read_scope(IN_SCOPE.read_text()))
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps(summary, indent=2) + "\n")
        whole = len(summary["shown"]) + len(summary["not_shown"])
        missing = ", ".join(summary["not_shown"]) or "none"
        terminalreporter.write_line(
            f"requirements: {len(summary['shown'])} of {whole} shown; not shown: {missing}"
        )


def pytest_configure(config: pytest.Config) -> None:
    """Report once: pytest-xdist's workers only mark their reports."""
    config.pluginmanager.register(RequirementsReport(), "requirements-report")
