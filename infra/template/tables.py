"""The tables, as `infra.resources` declares them, encrypted, recoverable, and hard to delete."""

from infra import resources
from infra.template.naming import KEY, Part, arn, attribute, logical, physical
from infra.template.plain_http import refuse_plain_http
from infra.template.stages import Stage


def make_tables(stage: Stage) -> dict[str, Part]:
    """Every table of the stage."""
    return {logical(name, "table"): _table(stage, name) for name in resources.TABLES}


def _table(stage: Stage, name: str) -> Part:
    own_name = physical(stage.name, name)
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "TableName": own_name,
            "KeySchema": list(resources.KEY_SCHEMA),
            "AttributeDefinitions": list(resources.KEY_ATTRIBUTES),
            "BillingMode": resources.BILLING_MODE,
            "TimeToLiveSpecification": resources.EXPIRY,
            "DeletionProtectionEnabled": True,
            "PointInTimeRecoverySpecification": {
                "PointInTimeRecoveryEnabled": True,
                # Recovery brings back what was erased: no longer than an accident goes unseen.
                "RecoveryPeriodInDays": stage.recovery_days,
            },
            "SSESpecification": {
                "SSEEnabled": True,
                "SSEType": "KMS",
                "KMSMasterKeyId": attribute(KEY),
            },
            "ResourcePolicy": {
                "PolicyDocument": refuse_plain_http(
                    "dynamodb:*", arn("dynamodb", f"table/{own_name}")
                )
            },
        },
    }
