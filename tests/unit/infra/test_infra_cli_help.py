"""What an operator reads of the commands on a terminal of eighty columns."""

import pytest
from click import unstyle

from infra.cli import commands as composed
from tests.makers.operating import commands, look_at

COMMANDS = sorted(commands())
CUT = "…"


def test_gives_each_command_one_line_in_the_panel_of_its_subject() -> None:
    lines = unstyle(look_at("--help").stdout).splitlines()

    panels = [line.split("─ ")[1].split(" ─")[0] for line in lines if line.startswith("╭")]
    named = [line.removeprefix("│ ").split(" ")[0] for line in lines if line.startswith("│ ")]
    assert panels == ["Options", *composed.PANELS]
    assert sorted(named) == ["--help", *COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_explains_each_option_and_cuts_nothing(name: str) -> None:
    shown = look_at(name, "--help")

    unexplained = [one.name for one in commands()[name].params if not getattr(one, "help", None)]
    assert unexplained == []
    assert {len(line) for line in unstyle(shown.stdout).splitlines()[1:]} <= {0, 80}
    assert CUT not in shown.stdout
    assert shown.exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_sums_each_command_up_in_a_sentence(name: str) -> None:
    summary = (commands()[name].help or "").partition("\n")[0]

    assert summary.endswith(".")
    assert summary[0].isupper()
