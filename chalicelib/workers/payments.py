"""Payments: what banks told, and looks at what waits."""

from typing import assert_never

from chalice import Blueprint

from chalicelib.kernel.refusals import concerning
from chalicelib.purchases import facts, messages, service, withdrawing
from chalicelib.purchases.correcting import joining
from chalicelib.purchases.messages import (
    JoinMessage,
    LookAgainMessage,
    MemberLeftMessage,
    PaymentMessage,
    WithdrawMessage,
)
from chalicelib.runtime import clock, queues, settings
from chalicelib.workers.rim import BATCHING_SECONDS, Message, each_message

bp = Blueprint(__name__)


@bp.on_sqs_message(
    queue=settings.queue(queues.PAYMENTS),
    batch_size=10,
    maximum_batching_window_in_seconds=BATCHING_SECONDS,
)
@each_message
def record_payment(message: Message) -> None:
    """Record a payment event, look for its receipt, and deliver what is found."""
    match messages.decode_payments(message.body):
        case PaymentMessage(event=event, received_at=received_at):
            facts.taken_up(event, received_at=received_at, receives=message.receives)
            with concerning(event.connection_id):
                service.record_payment(event, now=clock.now())
        case LookAgainMessage(payment_id=payment_id):
            service.look_again(payment_id, now=clock.now())
        case MemberLeftMessage(member_id=member_id, left_at=left_at):
            from chalicelib.privacy import leaving  # It knows all areas, and few members leave.

            leaving.end_retention(member_id, left_at=left_at, now=clock.now())
        case WithdrawMessage() as order:
            withdrawing.carry_out(order, now=clock.now())
        case JoinMessage() as order:
            joining.finish(order, now=clock.now())
        case unreachable:
            assert_never(unreachable)
