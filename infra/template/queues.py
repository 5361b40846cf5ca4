"""The queues with their dead-letter queues, and one queue more for each retailer that sends itself.

A message on `receipts` names its retailer and is believed, so only our own Lambdas may write there.
A retailer that sends without our API gets a queue of its own. The queue's name says whose it is,
only that retailer may write to it, and the worker takes the retailer from the queue
(docs/decisions/0027-a-queue-for-each-retailer-that-sends-directly.md).
"""

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.runtime import queues
from infra import resources
from infra.resources import DEAD_LETTER_SUFFIX, DEAD_LETTERS_KEPT_SECONDS, Queue
from infra.template.naming import KEY, Part, arn, attribute, logical, physical, ref
from infra.template.plain_http import refuse_plain_http
from infra.template.stages import Stage

# SQS asks KMS for a data key once in this time and principal: $3 per million calls, else.
KEY_REUSED_SECONDS = 3_600
MESSAGE_BYTES_MAX = 262_144  # What `runtime.queues` and `tills.messages` reckon with.


def direct_queue(retailer: str) -> str:
    """The name of the queue on which `retailer` sends receipts by itself."""
    return queues.DIRECT_RECEIPTS + retailer


def direct_queues(stage: Stage) -> tuple[str, ...]:
    """The names of the queues of retailers that send by themselves."""
    return tuple(direct_queue(retailer) for retailer in sorted(stage.direct_retailers))


def queues_of(stage: Stage) -> tuple[Queue, ...]:
    """Every queue of the stage: the common ones and those of retailers that send themselves."""
    common = {queue.name: queue for queue in resources.QUEUES}
    direct = (replace(common[queues.RECEIPTS], name=name) for name in direct_queues(stage))
    return (*resources.QUEUES, *direct)


def arn_of(stage: Stage, queue: str) -> Part:
    """The ARN of the queue called `queue`, by name."""
    return arn("sqs", physical(stage.name, queue))


def make_queues(stage: Stage) -> dict[str, Part]:
    """Every queue, its dead-letter queue, and the policies of both."""
    made: dict[str, Part] = {}
    for queue in queues_of(stage):
        made |= _queue(stage, queue)
    return made


def _queue(stage: Stage, queue: Queue) -> dict[str, Part]:
    dead = queue.name + DEAD_LETTER_SUFFIX
    senders = stage.direct_retailers.get(queue.name.removeprefix(queues.DIRECT_RECEIPTS), ())
    return {
        logical(queue.name, "queue"): _resource(
            stage,
            queue.name,
            kept_seconds=queue.kept_seconds,
            more={
                "VisibilityTimeout": queue.visibility_seconds,
                "RedrivePolicy": {
                    "deadLetterTargetArn": attribute(logical(dead, "queue")),
                    "maxReceiveCount": queue.receives_max,
                },
            },
        ),
        logical(dead, "queue"): _resource(
            stage,
            dead,
            kept_seconds=DEAD_LETTERS_KEPT_SECONDS,
            more={
                "RedriveAllowPolicy": {
                    "redrivePermission": "byQueue",
                    "sourceQueueArns": [arn_of(stage, queue.name)],
                }
            },
        ),
        logical(queue.name, "queue-policy"): _policy(stage, queue.name, senders),
        logical(dead, "queue-policy"): _policy(stage, dead, ()),
    }


def _resource(stage: Stage, name: str, *, kept_seconds: int, more: Part) -> Part:
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "QueueName": physical(stage.name, name),
            "MessageRetentionPeriod": kept_seconds,
            "MaximumMessageSize": MESSAGE_BYTES_MAX,
            "KmsMasterKeyId": attribute(KEY),
            "KmsDataKeyReusePeriodSeconds": KEY_REUSED_SECONDS,
            **more,
        },
    }


def _policy(stage: Stage, name: str, senders: Iterable[str]) -> Part:
    document = refuse_plain_http("sqs:*", arn_of(stage, name))
    if listed := sorted(senders):
        document["Statement"].append(
            {
                "Sid": "TheRetailerSends",
                "Effect": "Allow",
                "Principal": {"AWS": listed},
                "Action": ["sqs:GetQueueUrl", "sqs:SendMessage"],
                "Resource": arn_of(stage, name),
            }
        )
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [ref(logical(name, "queue"))], "PolicyDocument": document},
    }
