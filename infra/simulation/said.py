"""What was said to members, as far as it has left its queue."""

from collections.abc import Iterator

from chalicelib.members.messages import NoticeMessage
from chalicelib.notices.messages import decode_notices
from chalicelib.runtime import queues
from infra.simulation.world import World


def announced_in(world: World) -> Iterator[NoticeMessage]:
    """Everything that was announced and has left its queue."""
    for message in world.aws.queues.done:
        if message.queue == queues.NOTICES:
            said = decode_notices(message.body)
            if isinstance(said, NoticeMessage):
                yield said
