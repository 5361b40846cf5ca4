"""What is deployed: the snapshot to review first, and each Lambda's name, policy and runbook.

`UPDATE_SNAPSHOTS=1` writes the snapshot anew; then read the difference.
"""

import json
import os
import subprocess
import sys

import pytest

from app import app
from infra import resources
from tests.architecture import deployment
from tests.architecture.sources import ROOT

SNAPSHOT = ROOT / "tests" / "architecture" / "deployment.snapshot.json"
LAMBDAS = sorted(deployment.lambdas(app))
SOURCES = {source.name: source for source in app.event_sources}
ENVIRONMENT_OF_A_LAMBDA = {
    "COUNTERFOIL_STAGE": "test",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "PATH": os.environ["PATH"],
}


def test_deploys_what_the_snapshot_says() -> None:
    actual = deployment.snapshot(app)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(actual, indent=2) + "\n")

    assert actual == json.loads(SNAPSHOT.read_text()), "UPDATE_SNAPSHOTS=1 writes it anew"


@pytest.mark.parametrize("name", LAMBDAS)
def test_gives_each_lambda_a_policy_of_its_own_name(name: str) -> None:
    config = deployment.config_of(name, app)

    assert config.autogen_policy is False
    assert config.iam_policy_file == f"policies/{name}.json"
    policy = json.loads((ROOT / ".chalice" / config.iam_policy_file).read_text())
    assert [s for s in policy["Statement"] if _grants_everything(s)] == []


def _grants_everything(statement: dict[str, object]) -> bool:
    actions, resources_granted = statement["Action"], statement["Resource"]
    listed = [*_listed(actions), *_listed(resources_granted)]
    return any(item == "*" or (str(item).endswith(":*") and "logs" not in item) for item in listed)


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


def test_sees_through_a_policy_that_grants_everything() -> None:
    assert _grants_everything({"Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:a"})
    assert _grants_everything({"Action": ["sqs:SendMessage"], "Resource": "*"})
    assert not _grants_everything({"Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:*:*:a"})


@pytest.mark.parametrize("name", LAMBDAS)
def test_gives_each_lambda_a_runbook_that_answers_the_four_questions(name: str) -> None:
    runbook = (ROOT / "docs" / "runbooks" / f"{name}.md").read_text()

    headings = [line for line in runbook.splitlines() if line.startswith("## ")]
    assert headings == [
        "## What it does",
        "## What its dead letters mean",
        "## How to replay",
        "## How to stop it",
    ]


def test_has_no_policy_and_no_runbook_without_a_lambda() -> None:
    policies = {path.stem for path in (ROOT / ".chalice" / "policies").glob("*.json")}
    runbooks = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")} - {"alarms"}

    assert policies == set(LAMBDAS)
    assert runbooks == set(LAMBDAS)


def test_gives_each_queue_six_times_its_workers_timeout_and_its_window() -> None:
    visibility = {
        resources.settings.queue(queue.name): queue.visibility_seconds for queue in resources.QUEUES
    }
    for name, source in SOURCES.items():
        if hasattr(source, "queue"):
            timeout = deployment.config_of(name, app).lambda_timeout
            window = source.maximum_batching_window_in_seconds
            assert visibility[source.queue] >= 6 * timeout + window, name


def test_names_each_lambda_after_its_function() -> None:
    for name, source in SOURCES.items():
        assert source.handler_string.rpartition(".")[2] == name


def import_alone(dotted: str) -> subprocess.CompletedProcess[str]:
    """Import the handler called `dotted` as Lambda does: a new interpreter, little environment."""
    module, _, attribute = dotted.rpartition(".")
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        f"import {module} as imported\n"
        f"assert callable(imported.{attribute})\n"
        f"assert {dotted!r} == 'app.app' or 'app' not in sys.modules\n"
        "print('imported')"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        env=ENVIRONMENT_OF_A_LAMBDA,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", LAMBDAS)
def test_imports_each_lambda_by_its_deployed_name_alone(name: str) -> None:
    source = SOURCES.get(name)

    done = import_alone(source.handler_string if source else "app.app")

    assert (done.returncode, done.stdout) == (0, "imported\n"), done.stderr


def test_notices_a_lambda_that_does_not_import() -> None:
    assert import_alone("chalicelib.api.description.no_such_function").returncode == 1
    assert import_alone("chalicelib.no_such_module.function").returncode == 1
