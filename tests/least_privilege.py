"""Policies are what the code does: a pytest plugin.

Whatever a Lambda's handler asks of AWS in any test must be allowed by the policy that the template
gives its role: the test fails in which it is not. At the end of a whole run every grant must have
been used by some test, or be among those that are explained here; `build/privileges.json` says by
which Lambda what was used.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.handlers import BUILTIN_HANDLERS

from infra.template.roles import FOLDER
from tests.makers.privileges import Granted, Used, grant_of, grants, uses_of

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "build" / "privileges.json"
HANDED_OVER = "privileges_used"
# What AWS itself does with the role, so that no call of ours shows it.
BY_LAMBDA_ITSELF = {
    "logs:CreateLogStream": "Lambda writes the log",
    "logs:PutLogEvents": "Lambda writes the log",
    "sqs:DeleteMessage": "Lambda's poller",
    "sqs:GetQueueAttributes": "Lambda's poller",
    "sqs:ReceiveMessage": "Lambda's poller",
    "xray:PutTelemetryRecords": "Lambda's tracing",
    "xray:PutTraceSegments": "Lambda's tracing",
}

# Lambdas that share a road: what one of them used on it, all of them may use on it.
SHARED = (
    # A payment is settled by the same code, whoever finds its receipt.
    frozenset(
        {"record_payment", "record_receipts", "gather_receipts", "look_again", "end_waiting"}
    ),
    # A bank's token is renewed by the same code, whoever needs it.
    frozenset({"api_handler", "record_payment", "deliver_receipt", "send_notices"}),
    # A departure is finished by the same code, at once or later.
    frozenset({"api_handler", "finish_departures"}),
    # A payout is looked up by the same code, whoever sees that it has to be.
    frozenset({"send_payouts", "look_up_payouts"}),
    # Whatever worker meets an obstacle puts its message off by the same code.
    frozenset(
        {"record_payment", "record_receipts", "deliver_receipt", "send_notices", "settle_rewards"}
    ),
)
# What is asked for once in a process, and so not in every test, or where a test would say no more:
# by Lambda (None for all) and action, each with its reason.
EXPLAINED = {
    (None, "sqs:ChangeMessageVisibility"): "each worker puts off messages of its own queue",
    (None, "sqs:GetQueueUrl"): "once in a process, before whatever is done on the queue",
    (None, "secretsmanager:GetSecretValue"): "once in a process, before whatever is opened",
    ("sweep_retention", "dynamodb:DeleteItem"): "one loop deletes what has expired in any table",
}

_used: set[Used] = set()
_denied: list[Used] = []


def _hear(params: Any, model: Any, **_: object) -> None:
    """botocore's hook before it builds a request: `params` are the caller's."""
    service = model.service_model.service_name
    for use in uses_of(service, model.name, params):
        if use not in _used:
            (_used.add if grant_of(use) else _denied.append)(use)


@pytest.fixture(autouse=True)
def _asks_only_for_what_its_role_allows() -> Iterator[None]:
    """Fail a test in which a Lambda asked for more than its policy grants."""
    _denied.clear()
    yield
    assert _denied == [], "a Lambda's role does not allow this; see .chalice/policies"


def unused(used: set[Used]) -> dict[str, list[Granted]]:
    """What each Lambda may and never did, but for what AWS does itself."""
    idle: dict[str, list[Granted]] = {}
    for function in sorted(path.stem for path in FOLDER.glob("*.json")):
        road = {function}.union(*(shared for shared in SHARED if function in shared))
        done = {grant_of((function, *use[1:])) for use in used if use[0] in road}
        if left := [g for g in sorted(grants(function) - done) if not is_explained(function, g)]:
            idle[function] = left
    return idle


def is_explained(function: str, grant: Granted) -> bool:
    """Whether a grant needs no test that uses it."""
    action = grant[0]
    asked = {(None, action), (function, action)}
    return action in BY_LAMBDA_ITSELF or not asked.isdisjoint(EXPLAINED)


def is_whole(config: pytest.Config) -> bool:
    """Whether a run plays every test, and none was chosen by path, mark or name."""
    chosen = config.option.markexpr or config.option.keyword or config.option.deselect
    return not chosen and config.args_source is pytest.Config.ArgsSource.TESTPATHS


class Privileges:
    """Gathers what xdist's workers saw, and judges a whole run."""

    def __init__(self, config: pytest.Config) -> None:
        self._gathered: set[Used] = set()
        self._is_whole = is_whole(config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker process saw."""
        output: Mapping[str, Any] = getattr(node, "workeroutput", {})
        self._gathered |= {tuple(use) for use in output.get(HANDED_OVER, ())}

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over in a worker; else write the report, and fail a whole run with idle grants."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[HANDED_OVER] = sorted(_used)
            return
        used = self._gathered | _used
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps({"used": sorted(used), "idle": unused(used)}, indent=1) + "\n")
        if self._is_whole and unused(used) and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say which grants a whole run did not use."""
        if self._is_whole:
            idle = unused(self._gathered | _used)
            terminalreporter.write_line(f"grants that no test used: {idle or 'none'}")


def pytest_configure(config: pytest.Config) -> None:
    """Listen before any client is made."""
    BUILTIN_HANDLERS.append(("before-parameter-build", _hear))
    config.pluginmanager.register(Privileges(config), "least-privilege")
