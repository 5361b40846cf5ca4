"""The house's own text, and the form of a rule over it.

A rule is a function from one source file to the breaches it finds there. It stands together with an
example that breaks it and one that keeps it, so that every rule is shown to be able to fail.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"build", "node_modules", "__pycache__", "dist", "deployments", "deployed"}
HIDDEN_AND_OURS = {".chalice", ".ci"}


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the repository's root, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the parsed file."""
        return tuple(ast.walk(self.tree))

    @property
    def name(self) -> str:
        """The module's name: `money` for `chalicelib/kernel/money.py`."""
        return Path(self.path).stem

    def is_in(self, *places: str) -> bool:
        """Whether the file is one of `places`, or in one of them (those that end with a slash)."""
        return any(
            self.path.startswith(place) if place.endswith("/") else self.path == place
            for place in places
        )

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and full dotted name of everything imported, at any depth of the file."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"

    def uses(self) -> Iterator[tuple[int, str]]:
        """Line and dotted text of every attribute chain, such as `os.environ` or `datetime.now`."""
        for node in self.nodes:
            if isinstance(node, ast.Attribute):
                yield node.lineno, ast.unparse(node)


Check = Callable[[Source], Iterator[str]]


@dataclass(frozen=True)
class Rule:
    """A rule with the sentence it holds, an example that breaks it and one that keeps it."""

    sentence: str
    check: Check
    broken_by: Source
    kept_by: Source

    def __str__(self) -> str:
        return self.check.__name__


RULES: list[Rule] = []


def rule(
    sentence: str, *, broken_by: tuple[str, str], kept_by: tuple[str, str]
) -> Callable[[Check], Check]:
    """Enter a check in `RULES`. Each example is a path and a text."""

    def enter(check: Check) -> Check:
        RULES.append(Rule(sentence, check, Source(*broken_by), Source(*kept_by)))
        return check

    return enter


def python_files() -> list[Source]:
    """Every Python file of the repository."""
    return [Source(path, text) for path, text in text_files() if path.endswith(".py")]


def text_files() -> Iterator[tuple[str, str]]:
    """Path and text of every text file of the repository, in order."""
    for path in sorted(_walk(ROOT)):
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        hidden = entry.name.startswith(".") and entry.name not in HIDDEN_AND_OURS
        if entry.is_symlink() or entry.name in NOT_OURS or (hidden and entry.is_dir()):
            continue
        if entry.is_dir():
            yield from _walk(entry)
        elif entry.is_file() and entry.name != ".git":
            yield entry
