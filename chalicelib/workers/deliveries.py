"""Deliveries: telling banks of receipts, with back-off over days."""

from chalice import Blueprint

from chalicelib.notices import service
from chalicelib.purchases.messages import decode_delivery
from chalicelib.runtime import clock, queues, settings
from chalicelib.workers.rim import BATCHING_SECONDS, Message, each_message

bp = Blueprint(__name__)


@bp.on_sqs_message(
    queue=settings.queue(queues.DELIVERIES),
    batch_size=10,
    maximum_batching_window_in_seconds=BATCHING_SECONDS,
)
@each_message
def deliver_receipt(message: Message) -> None:
    """Tell the payment's bank of the newest version of its purchase."""
    service.deliver(decode_delivery(message.body), now=clock.now(), receives=message.receives)
