"""Rules about errors, logs, mocks, and words that do not belong in a repository."""

import ast
import re
from collections.abc import Iterator

from chalicelib.runtime.observability import KEYS
from tests.architecture.sources import Source, rule

MACHINE_PATH = re.compile(r"""(?<![\w.:/~-])/(?:home|root|Users|mnt|work)/\w""")
PACKAGE_SOURCE = re.compile(
    r"--(?:extra-)?index[-]url|--trusted[-]host|--find[-]links|^registry *=", re.M
)
BLANKET = {"Exception", "BaseException"}
MOCKS = {"unittest.mock", "mock", "pytest_mock"}
SENTENCES = {f"observability.{verb}" for verb in ("log", "warn", "failure", "count", "observe")}


@rule(
    "No mocks: real formats, real signatures, a real local server.",
    broken_by=("tests/unit/a.py", "from unittest.mock import patch\n"),
    kept_by=("tests/unit/a.py", "from moto import mock_aws\n"),
)
def nothing_is_mocked(source: Source) -> Iterator[str]:
    """Look for mock libraries, and for code replaced through pytest's monkeypatch."""
    for line, name in source.imports():
        if any(name == mock or name.startswith(mock + ".") for mock in MOCKS):
            yield f"line {line}: {name}"
    for line, name in source.uses():
        if name in {"monkeypatch.setattr", "monkeypatch.setitem", "mocker.patch"}:
            yield f"line {line}: {name}"


@rule(
    "The API is asked through tests.makers.api, not through Chalice's test client.",
    broken_by=("tests/unit/a.py", "from chalice.test import Client\n"),
    kept_by=("tests/unit/a.py", "from tests.makers.api import call\n"),
)
def the_environment_stays_in_its_place(source: Source) -> Iterator[str]:
    """Look for what replaces `os.environ` while it asks: two threads leave a copy of it behind."""
    for line, name in source.imports():
        if name == "chalice.test" or name.startswith("chalice.test."):
            yield f"line {line}: {name}"


@rule(
    "An except is narrow: never bare, never Exception.",
    broken_by=("chalicelib/a/b.py", "try:\n    pay()\nexcept Exception:\n    raise\n"),
    kept_by=("chalicelib/a/b.py", "try:\n    pay()\nexcept ValueError:\n    raise\n"),
)
def an_except_is_narrow(source: Source) -> Iterator[str]:
    """Look at what every handler names.

    Five places catch all: the workers' rim, where a bug in one message must not fail the rest of
    its batch, the pump of the local stack and the world of the simulation, which stand in for
    Lambda, the start of the local stack, which undoes itself, and the command that matches files,
    whose exit of a bug must not be that of refused lines.
    """
    stand_ins = ("infra/local/pump.py", "infra/simulation/world.py")
    ends = ("infra/local/stack.py", "infra/cli/matching.py")
    catch_all = ("chalicelib/workers/rim.py", *ends, *stand_ins)
    if source.is_in(*catch_all):
        return
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler):
            named = (
                {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)}
                if node.type
                else BLANKET
            )
            if named & BLANKET:
                yield f"line {node.lineno}: a blanket except"


@rule(
    "An except is never silent.",
    broken_by=("chalicelib/a/b.py", "try:\n    pay()\nexcept ValueError:\n    pass\n"),
    kept_by=("chalicelib/a/b.py", "try:\n    pay()\nexcept ValueError:\n    count()\n"),
)
def an_except_is_never_silent(source: Source) -> Iterator[str]:
    """Look for handlers that only pass."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and isinstance(node.body[0], ast.Pass):
            yield f"line {node.lineno}: a silent except"


@rule(
    "One statement stands inside a try.",
    broken_by=("chalicelib/a/b.py", "try:\n    a()\n    b()\nexcept ValueError:\n    c()\n"),
    kept_by=("chalicelib/a/b.py", "try:\n    a()\nexcept ValueError:\n    c()\n"),
)
def a_try_guards_one_statement(source: Source) -> Iterator[str]:
    """Count the statements of each try that has handlers; tests and local tools are free."""
    if source.is_in("tests/", "infra/local/"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Try) and node.handlers and len(node.body) > 1:
            yield f"line {node.lineno}: {len(node.body)} statements inside a try"


@rule(
    "Logs are constant sentences, written through observability.",
    broken_by=("chalicelib/a/b.py", "observability.log(f'paid by {name}')\n"),
    kept_by=("chalicelib/a/b.py", "observability.log('paid', id=payment_id)\n"),
)
def logs_are_constant_sentences(source: Source) -> Iterator[str]:
    """Look at the first argument of each log, warning and count, and for other ways to log."""
    plays = ("infra/local/", "infra/fuzzing/", "infra/baddays/", "infra/simulation/living.py")
    if source.is_in("tests/", *plays):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in SENTENCES:
            first = node.args[0] if node.args else None
            if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
                yield f"line {node.lineno}: not a constant sentence"
    if not source.is_in("chalicelib/runtime/observability.py"):
        for line, name in source.imports():
            if name.split(".")[0] in {"logging", "aws_lambda_powertools"} and "batch" not in name:
                yield f"line {line}: {name}"


@rule(
    "A log or count has only keys on the allow-list, which has none for personal values.",
    broken_by=("chalicelib/a/b.py", "observability.log('paid', email=email)\n"),
    kept_by=("chalicelib/a/b.py", "observability.count('paid', by=2, reason=why)\n"),
)
def logged_keys_are_allowed(source: Source) -> Iterator[str]:
    """Look at every keyword; one that is spread from a mapping cannot be checked."""
    if source.is_in("tests/"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in SENTENCES:
            for keyword in node.keywords:
                if keyword.arg not in KEYS | {"by"}:
                    yield f"line {node.lineno}: the key {keyword.arg}"


@rule(
    "No path of somebody's machine and no package mirror is written down.",
    broken_by=("infra/a.py", "KEPT = '" + "/home" + "/ada/keys'\n"),
    kept_by=("infra/a.py", "KEPT = 'build/keys'\n"),
)
def nothing_names_a_machine(source: Source) -> Iterator[str]:
    """Look through the text of any file, comments included."""
    yield from machine_words(source.text)


def machine_words(text: str) -> Iterator[str]:
    """What in `text` names a machine or a mirror; for files that are not Python, too."""
    for pattern in (MACHINE_PATH, PACKAGE_SOURCE):
        for found in pattern.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield f"line {line}: {found.group()}"
