"""The handlers behind the queues and schedules, and the events that Lambda calls them with."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from chalice.local import LambdaContext

from chalicelib.runtime import queues, settings
from chalicelib.workers import (
    deliveries,
    notices,
    payments,
    payouts,
    receipts,
    rewards,
    waiting,
)
from infra.local.lambda_events import scheduled_event, sqs_event
from infra.simulation.nights import CLOCKS, run_schedules
from infra.simulation.queues import Message

SWEEP = "end_waiting"  # The daily schedule comes when all is quiet; no queue, but a handler too.
REGION = "eu-west-2"
WORKERS: Mapping[str, tuple[Callable[..., Any], int]] = {
    queues.PAYMENTS: (payments.record_payment, 10),
    queues.RECEIPTS: (receipts.record_receipts, 10),
    queues.GATHER: (receipts.gather_receipts, receipts.GATHERED_MESSAGES_MAX),
    queues.DELIVERIES: (deliveries.deliver_receipt, 10),
    queues.REWARDS: (rewards.settle_rewards, 10),
    queues.NOTICES: (notices.send_notices, notices.BATCH_MESSAGES),
    queues.PAYOUTS: (payouts.send_payouts, payouts.BATCH_SIZE),
    **{clock.name: (run_schedules, 1) for clock in CLOCKS},
    SWEEP: (waiting.end_waiting, 0),
}
LAMBDA_SECONDS = 30


def context_of(queue: str) -> LambdaContext:
    """What Lambda tells the handler of itself."""
    return LambdaContext(queue, 512, max_runtime_ms=LAMBDA_SECONDS * 1000)


def event_of(queue: str, taken: Sequence[Message], *, now: datetime) -> dict[str, Any]:
    """What Lambda calls the worker of `queue` with."""
    if queue == SWEEP:
        return scheduled_event(SWEEP, at=now, event_id="sweep", region=REGION)
    return sqs_event(settings.queue(queue), [_wire(one) for one in taken], region=REGION)


def _wire(message: Message) -> dict[str, Any]:
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle,
        "Body": message.body,
        "MD5OfBody": "",
        "MessageAttributes": message.attributes,
        "Attributes": {"ApproximateReceiveCount": str(message.receives)},
    }
