"""An operator whose shell lacks a setting is told which one, without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

from infra.cli import terminal

ROOT = Path(__file__).parents[2]


def test_names_the_setting_that_is_missing_in_one_sentence() -> None:
    environment = {name: text for name, text in os.environ.items() if "COUNTERFOIL" not in name}

    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", "list-quarantine", "--day", "2026-11-20"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == terminal.EXIT_STOPPED
    assert " ".join(done.stderr.split()) == (
        "Stopped: set the environment variable COUNTERFOIL_STAGE. See docs/operating.md."
    )
