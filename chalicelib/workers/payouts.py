"""Payouts: handing them to their rails, and asking what became of them."""

from typing import Any, assert_never

from chalice import Blueprint

from chalicelib.payouts import hearing, looking, messages, sending
from chalicelib.payouts.messages import ReportMessage, SendPayoutMessage
from chalicelib.runtime import clock, queues, settings
from chalicelib.workers.rim import BATCHING_SECONDS, Message, each_message, scheduled

bp = Blueprint(__name__)

BATCH_SIZE = 5  # Each calls a rail, and a Lambda lives for a minute.


@bp.on_sqs_message(
    queue=settings.queue(queues.PAYOUTS),
    batch_size=BATCH_SIZE,
    maximum_batching_window_in_seconds=BATCHING_SECONDS,
)
@each_message
def send_payouts(message: Message) -> None:
    """Hand a payout to its rail, or record what a rail or bank told of one."""
    match messages.decode_payouts(message.body):
        case SendPayoutMessage(payout_id=payout_id):
            sending.send(payout_id, now=clock.now())
        case ReportMessage() as report:
            hearing.take_report(report, now=clock.now())
        case unreachable:
            assert_never(unreachable)


@bp.schedule("rate(10 minutes)")
@scheduled
def look_up_payouts(_event: Any) -> None:
    """Ask rails for the payouts whose time for that has come."""
    looking.look_up_due(now=clock.now())
