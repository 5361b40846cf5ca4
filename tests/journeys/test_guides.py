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
