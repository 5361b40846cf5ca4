"""Rules about sizes, names, docstrings and the places of things."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.architecture.sources import Source, rule

MODULE_LINES_MAX = 300
TEST_MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 40
TEST_FUNCTION_LINES_MAX = 60  # Arranging takes room, and a test is read on its own.
APP_LINES_MAX = 59
PACKAGES_DEEP_MAX = 2  # Below the root package: `payouts/rails` is as deep as it gets.

VAGUE_MODULES = {"utils", "util", "helpers", "helper", "manager", "data", "info", "misc", "common"}
VAGUE_WORDS = {"utils", "util", "helpers", "helper", "manager"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
LONG = "x = 1\n"


@rule(
    f"Modules have at most {MODULE_LINES_MAX} lines ({TEST_MODULE_LINES_MAX} in tests).",
    broken_by=("chalicelib/kernel/long.py", LONG * (MODULE_LINES_MAX + 1)),
    kept_by=("chalicelib/kernel/long.py", LONG * MODULE_LINES_MAX),
)
def modules_are_short(source: Source) -> Iterator[str]:
    """Count the lines of the file."""
    limit = TEST_MODULE_LINES_MAX if source.is_in("tests/") else MODULE_LINES_MAX
    lines = len(source.text.splitlines())
    if lines > limit:
        yield f"{lines} lines, at most {limit}"


@rule(
    f"Functions have at most {FUNCTION_LINES_MAX} lines ({TEST_FUNCTION_LINES_MAX} in tests).",
    broken_by=("infra/a.py", "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX),
    kept_by=("infra/a.py", "def f():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)),
)
def functions_are_short(source: Source) -> Iterator[str]:
    """Count from `def` to the last line of the body; decorators do not count."""
    limit = TEST_FUNCTION_LINES_MAX if source.is_in("tests/") else FUNCTION_LINES_MAX
    for node in source.nodes:
        if isinstance(node, Function) and (node.end_lineno or 0) - node.lineno + 1 > limit:
            yield f"line {node.lineno}: {node.name} has over {limit} lines"


@rule(
    "app.py is assembly only: under 60 lines.",
    broken_by=("app.py", LONG * (APP_LINES_MAX + 1)),
    kept_by=("app.py", LONG * APP_LINES_MAX),
)
def the_app_only_assembles(source: Source) -> Iterator[str]:
    """Count the lines of `app.py`, and allow no function or class in it."""
    if not source.is_in("app.py"):
        return
    if len(source.text.splitlines()) > APP_LINES_MAX:
        yield f"over {APP_LINES_MAX} lines"
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef | Function):
            yield f"line {node.lineno}: {node.name} belongs in a package"


@rule(
    "Packages are at most two deep.",
    broken_by=("chalicelib/a/b/c/d.py", ""),
    kept_by=("chalicelib/a/b/d.py", ""),
)
def packages_are_shallow(source: Source) -> Iterator[str]:
    """Count the folders below the root package."""
    folders = PurePosixPath(source.path).parts[:-1]
    if len(folders) - 1 > PACKAGES_DEEP_MAX:
        yield f"{len(folders) - 1} packages deep"


@rule(
    "Every __init__.py is a docstring and nothing else, because imports cost cold start.",
    broken_by=("chalicelib/a/__init__.py", '"""A."""\nfrom chalicelib.a import b\n'),
    kept_by=("chalicelib/a/__init__.py", '"""A."""\n'),
)
def package_files_hold_a_docstring_only(source: Source) -> Iterator[str]:
    """Look for one statement, which is the docstring."""
    if source.name == "__init__" and (
        len(source.tree.body) != 1 or ast.get_docstring(source.tree) is None
    ):
        yield "holds something else than one docstring"


@rule(
    "Everything public has a docstring.",
    broken_by=("chalicelib/a/b.py", '"""A."""\n\n\ndef pay() -> None:\n    return None\n'),
    kept_by=("chalicelib/a/b.py", '"""A."""\n\n\ndef pay() -> None:\n    """Pay."""\n'),
)
def public_things_are_described(source: Source) -> Iterator[str]:
    """Look at the module, its public classes, functions and methods; tests speak by their names."""
    if source.is_in("tests/"):
        return
    if ast.get_docstring(source.tree) is None:
        yield "the module has no docstring"
    for node in _public(source.tree):
        if ast.get_docstring(node) is None:
            yield f"line {node.lineno}: {node.name} has no docstring"


def _public(parent: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    for node in parent.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


@rule(
    "Names say what a thing is: no utils, helpers, manager, process, data or info.",
    broken_by=("chalicelib/a/b.py", "def process_payment(): ...\n"),
    kept_by=("chalicelib/a/b.py", "def record_payment(): ...\n"),
)
def names_say_something(source: Source) -> Iterator[str]:
    """Look at the names of modules, packages, classes and functions."""
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if part in VAGUE_MODULES:
            yield f"the module name {part} says nothing"
    for node in source.nodes:
        if not isinstance(node, Function | ast.ClassDef):
            continue
        words = re.findall(r"[a-z]+", re.sub(r"([A-Z])", r" \1", node.name).lower())
        if VAGUE_WORDS & set(words) or words[:1] == ["process"]:
            yield f"line {node.lineno}: the name {node.name} says nothing"


@rule(
    "Test names are sentences.",
    broken_by=("tests/unit/test_a.py", "def test_pan(): ...\n"),
    kept_by=("tests/unit/test_a.py", "def test_refuses_a_card_number(): ...\n"),
)
def test_names_are_sentences(source: Source) -> Iterator[str]:
    """Ask for three words at least after `test_`, and no running number at the end."""
    if not source.is_in("tests/"):
        return
    for node in source.nodes:
        if isinstance(node, Function) and node.name.startswith("test_"):
            words = node.name.split("_")[1:]
            if len(words) < 3 or (words[-1].isdigit() and len(words[-1]) == 1):
                yield f"line {node.lineno}: {node.name} is not a sentence"
