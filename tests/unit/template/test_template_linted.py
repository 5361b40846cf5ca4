"""AWS's own linter has nothing to say about the template."""

import copy
import json
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.makers import template


def findings(document: dict[str, Any]) -> list[str]:
    """What cfn-lint finds, as `rule: message`."""
    config: ManualArgs = {"regions": ["eu-west-2"]}
    return sorted(f"{m.rule.id}: {m.message}" for m in lint(json.dumps(document), config=config))


@pytest.mark.requirement("SEC-07")
def test_gives_the_linter_nothing_to_say() -> None:
    assert findings(template.expanded(template.with_domains)) == []


def test_lets_the_linter_see_a_reference_to_nothing_and_a_dead_runtime() -> None:
    broken = copy.deepcopy(template.expanded())
    broken["Resources"]["RecordPayment"]["Properties"]["Runtime"] = "python2.7"
    broken["Resources"]["RecordPayment"]["DependsOn"] = ["NoSuchQueue"]
    kept = {name: broken["Resources"][name] for name in ("RecordPayment", "RecordPaymentRole")}

    found = findings({"Resources": kept, "AWSTemplateFormatVersion": "2010-09-09"})

    assert {line.partition(":")[0] for line in found} >= {"E2533", "E3005"}
