"""Tables and queues, declared once as data: the local stack creates them, the template deploys
them.

Visibility is at least six times the worker's timeout and its batching window, as AWS asks. A
message that fails `receives_max` times goes to the queue's dead-letter queue, which keeps it for
fourteen days.
"""

from dataclasses import dataclass
from typing import Any

from chalicelib.runtime import queues, settings

TABLES = ("tills", "wallets", "people", "network", "money", "cases")
DEAD_LETTER_SUFFIX = "-dead"
DEAD_LETTERS_KEPT_SECONDS = 14 * 24 * 3600
KEY_SCHEMA = (
    {"AttributeName": "pk", "KeyType": "HASH"},
    {"AttributeName": "sk", "KeyType": "RANGE"},
)
KEY_ATTRIBUTES = (
    {"AttributeName": "pk", "AttributeType": "S"},
    {"AttributeName": "sk", "AttributeType": "S"},
)
BILLING_MODE = "PAY_PER_REQUEST"
EXPIRY = {"Enabled": True, "AttributeName": "expires_at"}


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with its dead-letter queue."""

    name: str
    visibility_seconds: int
    receives_max: int
    kept_seconds: int = 4 * 24 * 3600


QUEUES = (
    Queue(queues.PAYMENTS, visibility_seconds=200, receives_max=6),
    Queue(queues.RECEIPTS, visibility_seconds=200, receives_max=6),
    Queue(queues.GATHER, visibility_seconds=660, receives_max=6),
    # Deliveries back off for days: the worker postpones each attempt itself.
    Queue(queues.DELIVERIES, visibility_seconds=200, receives_max=12, kept_seconds=14 * 24 * 3600),
    Queue(queues.REWARDS, visibility_seconds=400, receives_max=12, kept_seconds=14 * 24 * 3600),
    # A destination that was changed is waited for a day, a rail that is away for longer.
    Queue(queues.PAYOUTS, visibility_seconds=400, receives_max=12, kept_seconds=14 * 24 * 3600),
    Queue(queues.NOTICES, visibility_seconds=600, receives_max=12, kept_seconds=14 * 24 * 3600),
)


def create_tables(dynamodb: Any) -> None:
    """Create every table on demand, on an emulator: on AWS the template creates them, with TTL.

    Without TTL here: DynamoDB Local deletes by the machine's clock, and whoever asks here has a
    clock of their own. What is past its end and not deleted yet is hidden by `runtime.rows`.
    """
    for name in TABLES:
        dynamodb.create_table(
            TableName=settings.table(name),
            KeySchema=list(KEY_SCHEMA),
            AttributeDefinitions=list(KEY_ATTRIBUTES),
            BillingMode=BILLING_MODE,
        )


def create_queues(sqs: Any) -> None:
    """Create every queue and its dead-letter queue."""
    for queue in QUEUES:
        dead = sqs.create_queue(
            QueueName=settings.queue(queue.name + DEAD_LETTER_SUFFIX),
            Attributes={"MessageRetentionPeriod": str(DEAD_LETTERS_KEPT_SECONDS)},
        )["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
        target = arn["Attributes"]["QueueArn"]
        policy = f'{{"deadLetterTargetArn":"{target}","maxReceiveCount":"{queue.receives_max}"}}'
        sqs.create_queue(
            QueueName=settings.queue(queue.name),
            Attributes={
                "VisibilityTimeout": str(queue.visibility_seconds),
                "MessageRetentionPeriod": str(queue.kept_seconds),
                "RedrivePolicy": policy,
            },
        )


def create_kms_key(kms: Any) -> None:
    """Make the KMS key that encrypts the stage's secrets, under its alias."""
    key_id = kms.create_key(Description="counterfoil secrets")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=settings.master_key_alias(), TargetKeyId=key_id)
