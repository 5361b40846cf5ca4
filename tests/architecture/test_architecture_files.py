"""What must stand beside what: events with tests, decisions in one form, rows in the register."""

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from chalicelib.runtime.rows import RowMeta
from tests.architecture.rules_of_care import machine_words
from tests.architecture.sources import ROOT, Source, python_files, text_files

REGISTER = ROOT / "chalicelib" / "privacy" / "register.py"
DECISION_HEAD = re.compile(
    r"# \d{4}: \w.*[^.]\n\n"
    r"Date: \d{4}-\d{2}-\d{2}\n"
    r"Status: (accepted|superseded by \d{4}|proposed)\n\n"
    r"## Context\n"
)
DECISION_LINES_MAX = 70
README_LINES_MAX = 149
EVENT_PREFIX_MIN = 5  # Less than that of a file's name could mean any file.


def unused_events(events: Iterable[str], tests: list[Source]) -> list[str]:
    """Those of the file names `events` that no text in a test names, or could name when filled in.

    `f"standard_{kind}"` could name any file that begins so.
    """
    said = [pattern for test in tests for node in test.nodes for pattern in _patterns(node)]
    names = [(name, (name, Path(name).stem)) for name in sorted(events)]
    return [
        name
        for name, forms in names
        if not any(re.fullmatch(pattern, form) for pattern in said for form in forms)
    ]


def _patterns(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 100:
        yield re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [p.value if isinstance(p, ast.Constant) else None for p in node.values]
        if len(str(parts[0] or "")) >= EVENT_PREFIX_MIN:
            yield "".join(".+" if part is None else re.escape(str(part)) for part in parts)


def test_uses_every_event_file_in_a_test() -> None:
    events = [path.name for path in (ROOT / "events").glob("**/*.json")]
    tests = [source for source in python_files() if source.is_in("tests/")]

    assert unused_events(events, tests) == []


def test_notices_an_event_file_that_no_test_uses() -> None:
    text = 'read("monzo_created.json"); read("fidel_auth"); read(f"standard_{kind}")'
    tests = [Source("tests/a.py", text)]
    events = ["monzo_created.json", "fidel_auth.json", "orphan.json", "standard_cleared.json"]

    assert unused_events(events, tests) == ["orphan.json"]


@pytest.mark.parametrize("path", sorted((ROOT / "events").glob("**/*.json")), ids=lambda p: p.name)
def test_keeps_each_event_file_readable(path: Path) -> None:
    json.loads(path.read_text("utf-8"))


def decision_flaws(name: str, text: str) -> Iterator[str]:
    """What is missing in the decision record `name`."""
    if not DECISION_HEAD.match(text):
        yield "the head is not: title, date, status, context"
    if not text.startswith(f"# {name[:4]}: "):
        yield "the number of the title is not that of the file"
    if re.findall(r"^## (.*)$", text, re.M) != ["Context", "Decision", "Consequences"]:
        yield "the parts are not Context, Decision, Consequences"
    if len(text.splitlines()) > DECISION_LINES_MAX:
        yield "longer than a page"


def test_writes_each_decision_on_one_page_of_one_form() -> None:
    flaws = {
        path.name: list(decision_flaws(path.name, path.read_text("utf-8")))
        for path in (ROOT / "docs" / "decisions").iterdir()
    }

    assert {name: found for name, found in flaws.items() if found} == {}
    numbers = [name[:4] for name in flaws]
    assert len(set(numbers)) == len(numbers)


def test_notices_a_decision_without_date_status_or_consequences() -> None:
    good = "# 0001: Use rows\n\nDate: 2026-11-20\nStatus: accepted\n\n## Context\n\n## Decision\n\n"

    assert list(decision_flaws("0001-use-rows.md", good + "## Consequences\n")) == []
    assert list(decision_flaws("0002-use-rows.md", good + "## Consequences\n")) != []
    assert list(decision_flaws("0001-use-rows.md", good)) != []
    assert list(decision_flaws("0001-a.md", good.replace("Status", "State"))) != []
    assert list(decision_flaws("0001-a.md", good + "## Consequences\n" + "\n" * 80)) != []


def test_keeps_the_readme_under_150_lines_with_both_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")

    assert len(readme.splitlines()) <= README_LINES_MAX
    assert "make demo" in readme
    assert "make test" in readme


def dead_links(path: str, text: str) -> Iterator[str]:
    """Relative Markdown links in `text` that lead nowhere from `path`."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target and not (ROOT / path).parent.joinpath(target).exists():
            yield target


def test_links_only_to_what_is_there() -> None:
    dead = {
        path: found
        for path, text in text_files()
        if path.endswith(".md") and (found := list(dead_links(path, text)))
    }

    assert dead == {}
    assert list(dead_links("README.md", "[a](docs/gone.md) [b](app.py#x)")) == ["docs/gone.md"]


def test_names_no_machine_in_any_text_file() -> None:
    breaches = {path: found for path, text in text_files() if (found := list(machine_words(text)))}

    assert breaches == {}


def row_types(source: Source) -> Iterator[str]:
    """The dotted names of the row types that a module defines."""
    module = source.path.removesuffix(".py").replace("/", ".")
    for node in source.tree.body:
        bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.ClassDef) and {"rows.Row", "Row"} & set(bases):
            yield f"{module}.{node.name}"


def test_finds_row_types_however_they_are_imported() -> None:
    source = Source("chalicelib/a/store.py", "class A(rows.Row): ...\nclass B(Row): ...\n")

    assert list(row_types(source)) == ["chalicelib.a.store.A", "chalicelib.a.store.B"]


def test_knows_every_row_type_in_the_register() -> None:
    defined = {
        name
        for source in python_files()
        if source.is_in("chalicelib/")
        for name in row_types(source)
    }
    for name in defined:
        importlib.import_module(name.rpartition(".")[0])
    declared = {f"{row.__module__}.{row.__qualname__}" for row in RowMeta.row_types}

    assert "chalicelib.runtime.quarantine.QuarantineRow" in defined
    assert defined - declared == set()
    for row in RowMeta.row_types:
        assert row.retention.reason.endswith("."), row


@pytest.mark.skipif(not REGISTER.exists(), reason="the register comes with privacy/")
def test_reaches_every_store_from_the_register_alone() -> None:
    defined = sorted(
        name
        for source in python_files()
        if source.is_in("chalicelib/")
        for name in row_types(source)
    )
    program = (
        "import chalicelib.privacy.register\nfrom chalicelib.runtime.rows import RowMeta\n"
        "print(*sorted(f'{r.__module__}.{r.__qualname__}' for r in RowMeta.row_types))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == defined
