"""Every command of the operator's terminal that the docs show is one, with options that it has."""

import re
import shlex
from pathlib import Path

import pytest
from click import Parameter

from tests.makers.operating import commands

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
CALLED = re.compile(r"^(?:\S*python -m infra\.cli|counterfoil) ")
COMMANDS = commands()
SHOWN = re.compile(r"^(?: {4,}|\t)(\S.*)$")
LEFT_OUT = re.compile(r"…|\.\.\.| \[| \| |  |, ")  # An abridged call: its end is for people.


def calls(page: Path) -> list[str]:
    """The indented or fenced calls of a page, each on one line."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    is_fenced, found = False, []
    for line in text.splitlines():
        is_fenced ^= line.lstrip().startswith("```")
        shown = line.strip() if is_fenced or SHOWN.match(line) else ""
        call = CALLED.sub("", shown)
        if call != shown or shown.split(" ")[0] in COMMANDS:
            found.append(call)
    return found


SHOWN_CALLS = sorted({(page.name, call) for page in PAGES for call in calls(page)})


def test_the_docs_show_most_commands() -> None:
    shown = {call.split(" ")[0] for _, call in SHOWN_CALLS}

    assert len(SHOWN_CALLS) > 90
    assert len(set(COMMANDS) & shown) > len(COMMANDS) * 0.8


@pytest.mark.parametrize(("page", "call"), SHOWN_CALLS, ids=lambda one: one.split(" --")[0])
def test_a_call_in_the_docs_is_one_that_the_terminal_takes(page: str, call: str) -> None:
    name, _, rest = call.partition(" ")
    assert name in COMMANDS, (page, call)
    options = {spelled: option for option in COMMANDS[name].params for spelled in option.opts}
    is_abridged = LEFT_OUT.search(re.sub(r" {2,}--", " --", call)) is not None
    said = re.findall(r"(?:^|[\s\[])(--[a-z-]+)", rest)

    assert set(said) <= {*options, *_negated(name)}, (page, call)
    if not is_abridged:
        shlex.split(rest)
        needed = {one.opts[0] for one in COMMANDS[name].params if one.required and _is_option(one)}
        assert needed <= set(said), (page, call)


def _is_option(one: Parameter) -> bool:
    return one.param_type_name == "option"


def _negated(name: str) -> set[str]:
    return {spelled for option in COMMANDS[name].params for spelled in option.secondary_opts}
