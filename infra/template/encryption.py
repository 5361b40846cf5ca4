"""The stage's key: one customer-managed KMS key for tables, queues, logs, secrets and alarms.

Its policy gives the account's administrators the care of the key and nobody the use of it by hand:
it is used only through DynamoDB, SQS and Secrets Manager on behalf of somebody who may use those,
and by CloudWatch for this stage's logs and alarms. A role that may read a table needs no word
about the key.
"""

from infra.template import queues
from infra.template.naming import APP, KEY, Part, attribute, root_of_account, sub
from infra.template.stages import Stage

ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RetireGrant",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
USE = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
SERVICES = ("dynamodb", "secretsmanager", "sqs")
DAYS_UNTIL_DELETED = 30  # The longest KMS knows: without the key nothing is readable.


def make_key(stage: Stage) -> dict[str, Part]:
    """The key and its alias, `alias/counterfoil-<stage>-master`."""
    return {
        KEY: {
            "Type": "AWS::KMS::Key",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "Description": f"Counterfoil, stage {stage.name}: tables, queues, logs, secrets",
                "EnableKeyRotation": True,
                "PendingWindowInDays": DAYS_UNTIL_DELETED,
                "KeyPolicy": {"Version": "2012-10-17", "Statement": _statements(stage)},
            },
        },
        "StageKeyAlias": {
            "Type": "AWS::KMS::Alias",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "AliasName": f"alias/{APP}-{stage.name}-master",
                "TargetKeyId": attribute(KEY),
            },
        },
    }


def _statements(stage: Stage) -> list[Part]:
    """A key policy's `Resource` is the key it stands in, and is written `*`."""
    through = [sub(f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}") for service in SERVICES]
    return [
        {
            "Sid": "AdministratorsCareForTheKey",
            "Effect": "Allow",
            "Principal": {"AWS": root_of_account()},
            "Action": list(ADMINISTRATION),
            "Resource": "*",
        },
        {
            "Sid": "UseThroughServicesOfThisAccount",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": list(USE),
            "Resource": "*",
            "Condition": {
                "StringEquals": {
                    "kms:CallerAccount": sub("${AWS::AccountId}"),
                    "kms:ViaService": through,
                }
            },
        },
        _grants(),
        _logs(stage),
        _alarms(),
        *(_direct_retailer(stage, retailer) for retailer in sorted(stage.direct_retailers)),
    ]


def _grants() -> Part:
    """With a grant DynamoDB keeps its copies and backups in order by itself."""
    return {
        "Sid": "GrantsForTables",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:CallerAccount": sub("${AWS::AccountId}"),
                "kms:ViaService": sub("dynamodb.${AWS::Region}.${AWS::URLSuffix}"),
            },
            "Bool": {"kms:GrantIsForAWSResource": "true"},
        },
    }


def _logs(stage: Stage) -> Part:
    groups = "logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws"
    return {
        "Sid": "LogsOfThisStage",
        "Effect": "Allow",
        "Principal": {"Service": sub("logs.${AWS::Region}.${AWS::URLSuffix}")},
        "Action": list(USE),
        "Resource": "*",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": [
                    sub(f"arn:${{AWS::Partition}}:{groups}/lambda/{APP}-{stage.name}-*"),
                    sub(f"arn:${{AWS::Partition}}:{groups}/apigateway/{APP}-{stage.name}-*"),
                ]
            }
        },
    }


def _alarms() -> Part:
    return {
        "Sid": "AlarmsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": sub("${AWS::AccountId}")}},
    }


def _direct_retailer(stage: Stage, retailer: str) -> Part:
    """SQS encrypts with the rights of the sender, who is of another account."""
    return {
        "Sid": "MessagesOf" + "".join(letter for letter in retailer.title() if letter.isalnum()),
        "Effect": "Allow",
        "Principal": {"AWS": list(stage.direct_retailers[retailer])},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:ViaService": sub("sqs.${AWS::Region}.${AWS::URLSuffix}"),
                "kms:EncryptionContext:aws:sqs:arn": queues.arn_of(
                    stage, queues.direct_queue(retailer)
                ),
            }
        },
    }
