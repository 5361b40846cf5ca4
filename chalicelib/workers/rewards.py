"""Rewards: what purchases earn."""

from chalice import Blueprint

from chalicelib.purchases.messages import decode_reward
from chalicelib.rewards import service
from chalicelib.runtime import clock, queues, settings
from chalicelib.workers.rim import BATCHING_SECONDS, Message, each_message

bp = Blueprint(__name__)


@bp.on_sqs_message(
    queue=settings.queue(queues.REWARDS),
    batch_size=10,
    maximum_batching_window_in_seconds=BATCHING_SECONDS,
)
@each_message
def settle_rewards(message: Message) -> None:
    """Bring cards, offers and the journal up to the newest version of a purchase."""
    service.settle(decode_reward(message.body), now=clock.now(), receives=message.receives)
