"""Rewards: what purchases earn, and what of it expires soon."""

from datetime import timedelta
from typing import Any

from chalice import Blueprint

from chalicelib.loyalty import expiring
from chalicelib.purchases.messages import decode_reward
from chalicelib.rewards import service
from chalicelib.runtime import clock, queues, settings
from chalicelib.workers.rim import BATCHING_SECONDS, Message, each_message, scheduled

LOOKING_SECONDS = 200  # Of 300 in all; what is left is looked at in an hour.

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


@bp.schedule("rate(1 hour)")
@scheduled
def tell_expiring(_event: Any) -> None:
    """Tell members of stamps and points that expire within two weeks."""
    now = clock.now()
    until = now + timedelta(seconds=LOOKING_SECONDS)
    expiring.tell_of_expiring(now=now, has_time=lambda: clock.now() < until)
