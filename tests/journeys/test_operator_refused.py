"""What an operator who asked wrongly reads: one sentence, never a traceback."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.network.model import Provider
from chalicelib.runtime import aws, queues, settings
from infra import deploying, packaging
from infra.resources import DEAD_LETTER_SUFFIX
from tests.makers.journeys import open_town
from tests.makers.operating import operate

ROOT = Path(__file__).parents[2]
NOT_THERE = "Stopped: there is no stage `test` in eu-west-2 of this account, or not all of it."


def test_lists_what_came_by_a_retailers_own_queue(embedded_aws: None) -> None:
    done = operate("list-quarantine", "--area=receipts-from-bean")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "0 in quarantine.\n")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("list-quarantine", "--day=20-11-2026"), 2, "`20-11-2026` is no day; one is 2026-11-20"),
        (("rematch", "--store=s", "--day=2026-02-30"), 2, "`2026-02-30` is no day"),
        (("list-quarantine", "--area=payment"), 2, "the areas are hooks, tills, payments, "),
        (
            ("list-quarantine", "--since=2026-11-20", "--until=2026-11-19"),
            2,
            "--until is before --since",
        ),
        (
            ("list-reconciled", "--since=2026-11-20", "--until=2026-11-19"),
            2,
            "--until is before --since",
        ),
        (
            (
                "replay-dead-letters",
                "--queue=gather",
                "--since=2026-11-20T09:00:00",
                "--until=2026-11-20T08:00:00",
            ),
            2,
            "--until is before --since",
        ),
        (
            ("show-statement", "--retailer=r", "--period=2026-11", "--to=november.xls"),
            2,
            "--to ends with .csv or .pdf",
        ),
        (("trace", "--connection=x", "--transaction=t"), 1, "there is no such connection."),
        (("replay-delivery", "--connection=x", "--transaction=t"), 1, "no such connection."),
        (("replay-dead-letters", "--all"), 0, "No dead letter waits."),
        (("replay-dead-letters", "--queue=gather", "--all"), 0, "No dead letter waits."),
        (
            ("replay-dead-letters", "--queue=gather", "--all", "--id=x"),
            1,
            "there is no such dead letter",
        ),
    ],
)
def test_says_what_was_asked_wrongly(
    embedded_aws: None, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    open_town(providers=(Provider.STANDARD,))

    done = operate(*arguments)

    sentence = " ".join(done.stderr.replace("│", " ").split())
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert said in sentence
    assert "Traceback" not in sentence


def test_names_the_stage_and_region_where_a_table_is_not_there(embedded_aws: None) -> None:
    aws.client("dynamodb").delete_table(TableName=settings.table("network"))

    done = operate("list-retailers")

    assert (done.exit_code, done.stdout, " ".join(done.stderr.split())) == (2, "", NOT_THERE)


def test_names_the_stage_and_region_where_a_queue_is_not_there(embedded_aws: None) -> None:
    aws.client("sqs").delete_queue(QueueUrl=queues.url(queues.GATHER + DEAD_LETTER_SUFFIX))

    done = operate("list-dead-letters")

    assert (done.exit_code, done.stdout, " ".join(done.stderr.split())) == (2, "", NOT_THERE)


def test_says_that_credentials_are_missing(tmp_path: Path) -> None:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    nowhere = str(tmp_path / "none")
    shell = {
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", "list-retailers"],
        cwd=ROOT,
        env=kept | shell,
        capture_output=True,
        check=False,
        text=True,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert " ".join(done.stderr.split()) == (
        "Stopped: there are no AWS credentials in the environment. See docs/operating.md."
    )


@pytest.mark.parametrize("main", [deploying.main, packaging.main])
def test_asks_for_the_stage_that_was_not_named(
    main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 1
    assert capsys.readouterr().err.startswith("say which stage: make ")
