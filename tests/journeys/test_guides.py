"""The guides, followed to the letter: each block of Python, in order, on a running stack."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DESCRIBED = "build/local.json"  # Where the guides find it; the test's own lies elsewhere.
START_SECONDS_MAX = 120
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stack as `make run` starts it, on a free port; the file that describes it."""
    path = tmp_path_factory.mktemp("guides") / "local.json"
    command = [sys.executable, "-m", "infra.local.run", "--port", "0", "--description", str(path)]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        _wait_until_described(path, running)
        yield path
    finally:
        running.terminate()
        said, _ = running.communicate(timeout=60)
    assert b"Stopped." in said


def _wait_until_described(path: Path, running: "subprocess.Popen[bytes]") -> None:
    last = time.monotonic() + START_SECONDS_MAX
    while not (path.exists() and path.read_text().endswith("}\n")):
        assert running.poll() is None, "the stack did not start"
        assert time.monotonic() < last, "the stack did not start in time"
        time.sleep(0.1)


def test_brings_the_first_receipt_of_a_stage_as_written(description: Path) -> None:
    text = (ROOT / "docs/deploy.md").read_text("utf-8").replace("\\\n", " ")
    commands = re.findall(r"^ {7}(counterfoil (?:set|add)-.*)$", text, re.M)
    (program,) = BLOCK.findall(text)
    of_stack = f"set -a; . {description.with_suffix('.env')}; set +a"
    alias = f'counterfoil() {{ {sys.executable} -m infra.cli "$@"; }}'

    shown = _run(["bash", "-ec", "\n".join((of_stack, alias, *commands))])
    till_secret, hook, verify, _, bank_secret = [
        line.split()[-1] for line in shown.stdout.splitlines()
    ]
    secrets = f"TILL_SECRET={till_secret} BANK_SECRET={bank_secret} HOOK={hook} VERIFY={verify}"
    done = _run(["bash", "-ec", f'{of_stack}; {secrets} exec {sys.executable} -c "$0"', program])

    assert len(commands) == 6
    lines = [line.split()[:2] for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr, lines) == (
        0,
        "",
        [["member", "201"], ["payment", "200"], ["receipt", "202"], ["found", "200"]],
    )
    assert done.stdout.endswith("card_facts_agree\n")


@pytest.mark.parametrize("guide", ["connect-a-bank.md", "connect-a-till.md"])
def test_works_as_written(guide: str, description: Path) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / guide).read_text("utf-8"))
    program = "\n".join(blocks).replace(DESCRIBED, str(description))

    done = _run([sys.executable, "-c", program])

    assert len(blocks) >= 8
    assert DESCRIBED in "\n".join(blocks)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("guide", ["connect-a-bank.md", "bank-formats.md"])
def test_signs_with_openssl_as_written(guide: str) -> None:
    text = (ROOT / "docs" / guide).read_text("utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", text, re.S | re.M)
    *commands, promised = block.strip().splitlines()

    done = _run(["bash", "-ec", "\n".join(commands)])

    assert done.stdout.strip() == promised.removeprefix("# ")


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, check=False, text=True, timeout=120
    )
