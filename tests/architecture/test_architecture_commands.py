"""What the documents tell people to type is there: operator's commands, options, make's targets."""

import re
from collections.abc import Iterator

from tests.architecture.sources import ROOT
from tests.makers.operating import commands

BLOCK = re.compile(r"^```.*?^```|(?:^(?: {4}|\t).*\n)+", re.M | re.S)
SPAN = re.compile(r"`([^`]+)`")
CALLED = ("infra.cli", "counterfoil")  # As `python -m`, and the alias of docs/deploy.md.
MAKE = re.compile(r"\bmake ((?:[a-z][a-z-]*)(?: (?=[a-z])[a-z][a-z-]*)*)(?![\w=])")

OPTIONS = {
    name: {text for one in command.params for text in (*one.opts, *one.secondary_opts)}
    for name, command in commands().items()
}
VERBS = {name.partition("-")[0] for name in OPTIONS if "-" in name}


def code_in(text: str) -> Iterator[str]:
    """Every block and span of code of a Markdown text, continued lines joined."""
    for block in BLOCK.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    for span in SPAN.findall(BLOCK.sub("\n", text)):
        yield " ".join(span.split())


def unknown_commands(text: str) -> list[str]:
    """The commands and options in the code of `text` that the operator's terminal has not."""
    return [wrong for line in code_in(text) for wrong in _unknown(line.split())]


def _unknown(words: list[str]) -> Iterator[str]:
    """A command stands after the terminal's name, or where a line begins with one of its verbs.

    Options belong to the command before them; other words are values.
    """
    command, before = "", ""
    for number, raw in enumerate(words):
        word = raw.strip("[](),;`")
        is_called = before in CALLED and re.fullmatch(r"[a-z][a-z-]*", word) is not None
        begins = number == 0 and re.fullmatch(rf"({'|'.join(VERBS)})-[a-z-]+", word) is not None
        if word in OPTIONS:
            command = word
        elif is_called or begins:
            yield word
        elif command and re.fullmatch(r"--[a-z-]+(=.*)?", word):
            option = word.partition("=")[0]
            if option not in OPTIONS[command] | {"--help"}:
                yield f"{command} {option}"
        before = word


def unknown_targets(text: str, targets: set[str]) -> list[str]:
    """The targets in the code of `text`, after `make`, that are none of `targets`."""
    return [
        target
        for line in code_in(text)
        for named in MAKE.findall(line)
        for target in named.split()
        if target not in targets
    ]


def documents() -> dict[str, str]:
    """Every Markdown file that people read, by its path."""
    found = (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md")))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in found}


def test_documents_name_only_commands_and_options_that_are_there() -> None:
    wrong = {path: found for path, text in documents().items() if (found := unknown_commands(text))}

    assert wrong == {}


def test_a_guide_names_every_command() -> None:
    guides = (
        documents()[f"docs/{name}.md"]
        for name in (
            "operating deploy receipt-files match-files money paying-cashback offers".split()
        )
    )

    lines = [line for guide in guides for line in code_in(guide)]
    words = {word.strip("[](),;`") for line in lines for word in line.split()}

    assert set(OPTIONS) - words == set()


def test_documents_name_only_targets_that_make_has() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.M))

    wrong = {
        path: found
        for path, text in documents().items()
        if (found := unknown_targets(text, targets))
    }

    assert {"demo", "bad-days", "test-real"} <= targets
    assert wrong == {}


def test_notices_commands_options_and_targets_that_are_gone() -> None:
    text = (
        "Say `python -m infra.cli fly --far`, `show-nothing`, or `health --hours 3 --days 2`.\n"
        "A `list-like` thing, `aws events list-rules`, `infra.cli COMMAND --help`; make fun.\n\n"
        "    counterfoil health --minutes=3\n"
        "    .venv/bin/python -m infra.cli replay-quarantine \\\n        --id ID | --everything\n\n"
        "```sh\nmake demo && make tea\nrematch --store S --day D --night\n```\n"
    )

    assert sorted(unknown_commands(text)) == [
        "fly",
        "health --days",
        "health --minutes",
        "list-like",
        "rematch --night",
        "replay-quarantine --everything",
        "show-nothing",
    ]
    assert unknown_targets(text, {"demo"}) == ["tea"]
