"""Roles: each Lambda's policy names one stage's resources exactly, and refuses to name more."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.template import roles
from infra.template.roles import InexactPolicy
from tests.makers import template
from tests.makers.template import resources_of

# What stays open, each with the reason why AWS leaves no other way.
OPEN = {
    "*": "X-Ray knows no resources",
    "log-group:*:*": "log streams are named by Lambda",
    "/connections/*": "connections are recorded after a deployment",
    "-??????": "Secrets Manager adds six letters to a name",
}


def statements() -> list[tuple[str, dict[str, Any]]]:
    """Every statement of every role of a Lambda."""
    return [
        (logical_id, statement)
        for logical_id, role in resources_of("AWS::IAM::Role").items()
        for policy in role.get("Policies", ())
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def is_explained(resource: Any) -> bool:
    """Whether what is open of `resource` is among `OPEN`."""
    text = resource if isinstance(resource, str) else resource["Fn::Sub"]
    if ":log-group:" in text:
        return text.endswith(":*") and "*" not in text.removesuffix(":*")
    for ending in ("/connections/*", "/paying/*", "-??????"):
        text = text.removesuffix(ending)
    return text == "*" or ("*" not in text and "?" not in text)


@pytest.mark.requirement("SEC-01")
def test_grants_no_action_with_a_star_and_no_resource_with_one_that_is_not_explained() -> None:
    found = statements()

    assert len({logical_id for logical_id, _ in found}) == 17
    for logical_id, statement in found:
        assert [a for a in statement["Action"] if "*" in a] == [], logical_id
        listed = statement["Resource"]
        for resource in [listed] if isinstance(listed, str) else listed:
            assert is_explained(resource), (logical_id, resource)
            if resource == "*":
                assert statement["Sid"] == "Trace"


def test_has_no_policy_that_aws_keeps_for_a_lambda() -> None:
    for logical_id, role in resources_of("AWS::IAM::Role").items():
        assert ("ManagedPolicyArns" in role) == (logical_id == "GatewayLogRole"), logical_id


def test_lets_the_worker_of_receipts_read_the_queues_of_direct_retailers_and_no_other() -> None:
    readers = {
        logical_id
        for logical_id, statement in statements()
        if "sqs:ReceiveMessage" in statement["Action"]
        and any("receipts-from-acme" in r["Fn::Sub"] for r in statement["Resource"])
    }

    assert readers == {"RecordReceiptsRole"}


@pytest.mark.parametrize(
    ("action", "resource", "said"),
    [
        ("sqs:*", "arn:aws:sqs:*:*:counterfoil-*-payments", "more than one action"),
        ("sqs:SendMessage", "*", "no name of ours"),
        ("sqs:SendMessage", "arn:aws:sqs:*:*:counterfoil-*-*", "more than one resource"),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-2:*:counterfoil-*-payments", "no name of ours"),
        (
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:*:*:secret:counterfoil-*/*",
            "more than one resource",
        ),
    ],
)
def test_refuses_a_policy_that_cannot_be_made_exact(
    action: str, resource: str, said: str, tmp_path: Path
) -> None:
    statement = {"Sid": "Any", "Effect": "Allow", "Action": action, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    (tmp_path / "record_payment.json").write_text(json.dumps(document))

    with pytest.raises(InexactPolicy, match=said):
        roles.exact_policy(template.production(), "record_payment", folder=tmp_path)
