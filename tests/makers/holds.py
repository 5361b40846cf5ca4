"""Awards that are held, of invented purchases."""

import json
from dataclasses import replace
from datetime import datetime

from botocore.exceptions import ClientError

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.loyalty.holding.model import Held
from chalicelib.loyalty.watching import HoldReason
from chalicelib.runtime import aws, queues, settings
from tests.makers.purchases import PAID_AT

HELD = Held(
    subject="coffee-card",
    purchase_id=PaymentId("p" * 26),
    member_id=MemberId("m" * 26),
    reason=HoldReason.MANY_IN_AN_HOUR,
    units=2,
    since=PAID_AT,
    anchored_at=PAID_AT,
    version=1,
    held_at=PAID_AT,
)


def make_held(number: int, *, held_at: datetime = PAID_AT) -> Held:
    """The award of purchase `number`."""
    return replace(HELD, purchase_id=PaymentId(f"payment-{number}"), held_at=held_at)


def ensure_queue(name: str) -> None:
    """The queue `name` is there, also where no worker reads it yet."""
    try:
        queues.url(name)
    except ClientError:
        aws.client("sqs").create_queue(QueueName=settings.queue(name))


def settled() -> list[tuple[str, int]]:
    """Payment and version of every purchase that is to be settled anew, in order; none is left."""
    sqs, url = aws.client("sqs"), queues.url(queues.REWARDS)
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            body = json.loads(message["Body"])
            found.append((body["payment_id"], body["version"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(found)
