"""The events that AWS hands to a Lambda, to the field: what the local pump makes of messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

ACCOUNT = "123456789012"


def sqs_event(queue: str, messages: Sequence[dict[str, Any]], *, region: str) -> dict[str, Any]:
    """Messages as `ReceiveMessage` gave them, in the shape of the AWS Lambda developer guide,
    “Using Lambda with Amazon SQS”.
    """
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {
                    name: {"stringValue": one.get("StringValue"), "dataType": one["DataType"]}
                    for name, one in message.get("MessageAttributes", {}).items()
                },
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{region}:{ACCOUNT}:{queue}",
                "awsRegion": region,
            }
            for message in messages
        ]
    }


def scheduled_event(rule: str, *, at: datetime, event_id: str, region: str) -> dict[str, Any]:
    """A firing of `rule`, in the shape of the EventBridge user guide, “Scheduled events”."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:events:{region}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }
