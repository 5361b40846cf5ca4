"""Queues: sending messages, and putting one off with a delay."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.kernel.refusals import TooLarge, TryAgain
from chalicelib.runtime import aws, settings, tracing

MESSAGES_PER_CALL_MAX = 10
BYTES_PER_CALL_MAX = 250_000  # SQS takes 256 KiB a call; room is left for its own envelope.
DELAY_SECONDS_MAX = 900
VISIBILITY_SECONDS_MAX = 43_000  # SQS allows 12 hours, counted from the receive.

PAYMENTS = "payments"
RECEIPTS = "receipts"
# Before a retailer's id: the queue of a retailer that sends by itself, and only for itself.
DIRECT_RECEIPTS = "receipts-from-"
GATHER = "gather"
DELIVERIES = "deliveries"
REWARDS = "rewards"
NOTICES = "notices"
PAYOUTS = "payouts"
NAMES = (PAYMENTS, RECEIPTS, GATHER, DELIVERIES, REWARDS, NOTICES, PAYOUTS)


def name_of(arn: str) -> str:
    """The name of one of the stage's queues by its ARN, as `url` and `send` take it."""
    return arn.rpartition(":")[2].removeprefix(settings.queue(""))


@lru_cache(maxsize=32)
def url(name: str) -> str:
    """The URL of the queue called `name`; asked for once per process."""
    answer = aws.client("sqs").get_queue_url(QueueName=settings.queue(name))
    return str(answer["QueueUrl"])


def send(name: str, bodies: Sequence[str], *, delay_seconds: int = 0) -> int:
    """Send `bodies` to the queue called `name`; one call per ten. Returns the number of calls.

    `bodies` are JSON texts: the two characters that SQS takes in no message are sent escaped. The
    messages carry the present trace as an attribute.

    :raises TooLarge: one body does not fit a message; nothing is sent.
    :raises TryAgain: SQS did not take all of them. Some may be there: whoever repeats the whole is
        safe, because every message names its effect.
    """
    calls = 0
    carried: dict[str, Any] = {"DelaySeconds": min(delay_seconds, DELAY_SECONDS_MAX)}
    if trace := tracing.current():
        attribute = {"DataType": "String", "StringValue": trace}
        carried["MessageAttributes"] = {tracing.MESSAGE_ATTRIBUTE: attribute}
    for batch in _batches([_fit_for_sqs(body) for body in bodies]):
        entries = [
            {"Id": str(index), "MessageBody": body, **carried} for index, body in enumerate(batch)
        ]
        try:
            answer = aws.client("sqs").send_message_batch(QueueUrl=url(name), Entries=entries)
        except (BotoCoreError, ClientError) as error:
            raise TryAgain("SQS did not take the messages") from error
        calls += 1
        if answer.get("Failed"):
            raise TryAgain("SQS did not take every message")
    return calls


def postpone(name: str, receipt_handle: str, *, seconds: int) -> None:
    """Let a message that is being handled come back after `seconds` (at most twelve hours)."""
    try:
        aws.client("sqs").change_message_visibility(
            QueueUrl=url(name),
            ReceiptHandle=receipt_handle,
            VisibilityTimeout=min(seconds, VISIBILITY_SECONDS_MAX),
        )
    except (BotoCoreError, ClientError) as error:
        raise TryAgain("SQS did not put the message off") from error


def forget_urls() -> None:
    """Drop cached queue URLs. For tests and local stacks."""
    url.cache_clear()


def _fit_for_sqs(body: str) -> str:
    """`body` without the characters outside XML 1.0 §2.2 that JSON leaves unescaped."""
    if len(body.encode()) > BYTES_PER_CALL_MAX:
        raise TooLarge("the message is over what a queue takes")
    return body.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def _batches(bodies: Sequence[str]) -> list[list[str]]:
    batches: list[list[str]] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if (
            not batches
            or len(batches[-1]) == MESSAGES_PER_CALL_MAX
            or (size + length > BYTES_PER_CALL_MAX)
        ):
            batches.append([])
            size = 0
        batches[-1].append(body)
        size += length
    return batches
