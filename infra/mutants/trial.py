"""One mutant on trial: written into a copy of the tree, and the tests that have to find it run."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.mutants.model import Mutant

TIMEOUT_SECONDS = 600  # The slowest test file takes a tenth of it on an idle machine.
_LEFT_OUT = (".venv", ".git", "build", "__pycache__", ".*_cache", ".hypothesis")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)  # An id may have blanks.
# What pytest ends with (docs.pytest.org, "Exit codes").
_PASSED, _TESTS_FAILED = 0, 1


class Verdict(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    STALE = "stale"  # the code that it was written for is not there any more
    BROKEN = "broken"  # the tests could not even be collected: it proves nothing


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the mutant `name`, whose print is `bug`.

    `by` is the test that failed first, or `timeout`.
    """

    name: str
    what: str
    module: str
    bug: str
    verdict: Verdict
    by: str
    seconds: float


@contextmanager
def copied(root: Path) -> Iterator[Path]:
    """A copy of the tree under `root`, without what is made from it."""
    with TemporaryDirectory(prefix="mutants-") as place:
        tree = Path(place) / "tree"
        shutil.copytree(root, tree, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
        yield tree


def try_mutant(mutant: Mutant, tree: Path) -> Tried:
    """Put `mutant` into `tree`, run the tests that have to find it, and take it out again."""
    began = time.monotonic()
    if mutant.is_stale(tree):
        return _tried(mutant, Verdict.STALE, "", began)
    module = tree / mutant.module
    sound = module.read_text()
    module.write_text(mutant.written(tree))
    try:
        verdict, by = run_tests(tree, mutant.killed_by)
    finally:
        module.write_text(sound)
    return _tried(mutant, verdict, by, began)


def run_tests(tree: Path, files: tuple[str, ...]) -> tuple[Verdict, str]:
    """Run the tests in `files` until one fails; whether they passed, and which failed.

    Without bytecode: a file that is changed twice in a second would be taken for the one before.
    """
    asked = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-x",
        "-q",
        "-rfE",
        "--no-header",
        "--tb=no",
        "--hypothesis-profile=mutants",  # Of tests/conftest.py.
        "--hypothesis-seed=0",  # The same examples each time: a verdict can be repeated.
        *files,
    ]
    try:
        ran = subprocess.run(
            asked,
            cwd=tree,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Verdict.KILLED, "timeout"
    if ran.returncode == _PASSED:
        return Verdict.SURVIVED, ""
    found = _FAILED.search(ran.stdout)
    by = found.group(1) if found else ran.stdout[-200:]
    return (Verdict.KILLED if ran.returncode == _TESTS_FAILED else Verdict.BROKEN), by


def _tried(mutant: Mutant, verdict: Verdict, by: str, began: float) -> Tried:
    seconds = round(time.monotonic() - began, 1)
    return Tried(mutant.name, mutant.what, mutant.module, mutant.bug, verdict, by, seconds)
