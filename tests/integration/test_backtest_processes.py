"""A back-test on members by several processes: each reads the stage itself, and all agree."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.local.embedded_aws import EmbeddedAws

MEMBERS = 51  # Three pieces of work, so that three processes have one each.
SECONDS_MAX = 240.0


@pytest.fixture
def aws_url() -> Iterator[str]:
    """An AWS that every process on this machine reaches."""
    running = EmbeddedAws()
    yield running.url
    running.stop()


@pytest.mark.requirement("OFR-13")
def test_the_outcome_is_the_same_for_one_two_and_three_processes(aws_url: str) -> None:
    elsewhere = {"AWS_ENDPOINT_URL": aws_url, "AWS_ENDPOINT_URL_DYNAMODB": aws_url}

    run = subprocess.run(
        [sys.executable, "-m", "tests.makers.backtest_apart", str(MEMBERS)],
        env={**os.environ, **elsewhere},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
    alone, two, three = json.loads(run.stdout).values()
    assert alone["winners"] == MEMBERS
    assert alone == two == three
