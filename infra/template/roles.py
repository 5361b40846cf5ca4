"""What each Lambda may do: `.chalice/policies/<lambda>.json`, made exact for one stage.

The files are written for any account, region and stage (`arn:aws:sqs:*:*:counterfoil-*-payments`).
Here each of these stars is filled in, and a statement that keeps one is refused, but for the few
that AWS leaves no other way. No policy speaks of the stage's key: whoever may read a table, a queue
or a secret may use the key for it, and for nothing else (`infra.template.encryption`).
"""

import json
import re
from pathlib import Path
from typing import Any

from chalicelib.runtime import queues as names
from infra.template import queues
from infra.template.chalice_template import ROOT
from infra.template.naming import APP, Part, arn, logical
from infra.template.stages import Stage

FOLDER = ROOT / ".chalice" / "policies"
_ANYWHERE = re.compile(r"arn:aws:(?P<service>[a-z-]+):\*:\*:(?P<resource>.+)")
_STAGE = f"{APP}-*"
# What stays open, because AWS or a running stage makes up the rest of the name: log streams, the
# six letters that Secrets Manager adds, and secrets of connections and of the accounts that are
# paid from, recorded after a deployment.
_LEFT_OPEN = (
    re.compile(r"log-group:[^*?]+:\*"),
    re.compile(r"secret:[^*?]+/(connections|paying)/\*"),
    re.compile(r"secret:[^*?]+-\?{6}"),
)
TRACING: Part = {
    "Sid": "Trace",
    "Effect": "Allow",
    "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    "Resource": "*",  # X-Ray knows no resources for these two.
}


class InexactPolicy(ValueError):
    """A statement grants more than can be said exactly. The message shows it."""


def make_role_policies(stage: Stage, function: str) -> dict[str, Part]:
    """What the template lays over the role that Chalice makes for the Lambda called `function`."""
    document = exact_policy(stage, function)
    policy = {"PolicyName": logical(function, "policy"), "PolicyDocument": document}
    return {logical(function, "role"): {"Properties": {"Policies": [policy]}}}


def exact_policy(stage: Stage, function: str, *, folder: Path = FOLDER) -> Part:
    """The policy document of one Lambda in one stage.

    :raises InexactPolicy: a statement would grant more than one stage's resources.
    """
    written = json.loads((folder / f"{function}.json").read_text())
    statements = [_exact(stage, statement) for statement in written["Statement"]]
    if stage.tracing:
        statements.append(TRACING)
    return {"Version": written["Version"], "Statement": statements}


def _exact(stage: Stage, statement: Part) -> Part:
    actions = _listed(statement["Action"])
    if star := [action for action in actions if "*" in action]:
        raise InexactPolicy(f"the action {star[0]} is more than one action")
    resources = [_exact_resource(stage, entry) for entry in _listed(statement["Resource"])]
    if "sqs:ReceiveMessage" in actions:
        resources += _direct_queues(stage, statement)
    return {"Sid": statement["Sid"], "Effect": "Allow", "Action": actions, "Resource": resources}


def _exact_resource(stage: Stage, written: str) -> Part:
    found = _ANYWHERE.fullmatch(written)
    if found is None:
        raise InexactPolicy(f"{written} is no name of ours in any account and region")
    named = found["resource"].replace(_STAGE, f"{APP}-{stage.name}", 1)
    is_exact = "*" not in named and "?" not in named
    if not is_exact and not any(pattern.fullmatch(named) for pattern in _LEFT_OPEN):
        raise InexactPolicy(f"{written} is more than one resource of a stage")
    return arn(found["service"], named)


def _direct_queues(stage: Stage, statement: Part) -> list[Part]:
    """Who receives from `receipts` receives also from the queues of retailers that send."""
    if not any(entry.endswith(f"-{names.RECEIPTS}") for entry in _listed(statement["Resource"])):
        return []
    return [queues.arn_of(stage, queue) for queue in queues.direct_queues(stage)]


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
