"""Names inside the template: logical ids, references, and ARNs that say exactly one resource."""

from typing import Any

Part = dict[str, Any]

APP = "counterfoil"
KEY = "StageKey"


def logical(*words: str) -> str:
    """The logical id made of `words`, CloudFormation's letters and digits only.

    `logical("receipts-from-acme", "queue")` is `ReceiptsFromAcmeQueue`.
    """
    parts = "-".join(words).replace("_", "-").split("-")
    return "".join(part[:1].upper() + part[1:] for part in parts)


def physical(stage: str, name: str) -> str:
    """The name of a resource in AWS, as `runtime.settings` makes it."""
    return f"{APP}-{stage}-{name}"


def ref(logical_id: str) -> Part:
    """The resource's own reference (a queue's URL, a table's name)."""
    return {"Ref": logical_id}


def attribute(logical_id: str, name: str = "Arn") -> Part:
    """An attribute of a resource of this template."""
    return {"Fn::GetAtt": [logical_id, name]}


def sub(text: str) -> Part:
    """`text` with `${…}` filled in by CloudFormation."""
    return {"Fn::Sub": text}


def arn(service: str, resource: str) -> Part:
    """The ARN of a resource of this account and region, by its name and so without a dependency."""
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def root_of_account() -> Part:
    """The account itself, as a principal."""
    return sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")
