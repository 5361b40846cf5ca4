"""SQS in memory. Workers send and put off; the scheduler receives, acknowledges and gives up.

A message is waiting (visible at a time that may be past), done, or dead. None is ever dropped.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.runtime import settings
from infra.local.lambda_events import ACCOUNT
from infra.resources import QUEUES, Queue
from infra.simulation.expressions import NotSimulated
from infra.simulation.items import Answer, Refused, Request


@dataclass(frozen=True, slots=True)
class Message:
    """A message. `receives` counts its deliveries so far; `visible_at` is when it may be next."""

    message_id: str
    queue: str
    body: str
    visible_at: datetime
    receives: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def receipt_handle(self) -> str:
        """What names this delivery of it."""
        return f"{self.message_id}#{self.receives}"


@dataclass(frozen=True, slots=True)
class QueuesState:
    """Everything the queues hold, to come back to."""

    waiting: Mapping[str, Message]
    done: tuple[Message, ...]
    dead: tuple[Message, ...]
    sent_count: int


class SimQueues:
    """The platform's queues, by the names that `infra.resources` gives them.

    `also` are others, of whoever waits for the platform and asks again.
    """

    def __init__(self, *, now: Callable[[], datetime], also: Sequence[Queue] = ()) -> None:
        self._now = now
        self._rules = {queue.name: queue for queue in (*QUEUES, *also)}
        self.waiting: dict[str, Message] = {}
        self.done: list[Message] = []
        self.dead: list[Message] = []
        self.sent_count = 0
        self.redriven_count = 0

    def state(self) -> QueuesState:
        """What they hold now."""
        return QueuesState(dict(self.waiting), tuple(self.done), tuple(self.dead), self.sent_count)

    def restore(self, state: QueuesState) -> None:
        """Hold what they held at `state`."""
        self.waiting, self.done, self.dead = dict(state.waiting), list(state.done), list(state.dead)
        self.sent_count = state.sent_count

    def put(
        self,
        queue: str,
        body: str,
        *,
        delay_seconds: int = 0,
        attributes: Mapping[str, Any] | None = None,
    ) -> str:
        """Send `body` to `queue`; returns the message's id."""
        self.sent_count += 1
        message_id = f"m{self.sent_count}"
        visible_at = self._now() + timedelta(seconds=delay_seconds)
        said = Message(message_id, queue, body, visible_at, attributes=attributes or {})
        self.waiting[message_id] = said
        return message_id

    def next_visible(self) -> Message | None:
        """The message that is visible first; of several, the one sent first."""
        order = sorted(self.waiting.values(), key=lambda m: (m.visible_at, int(m.message_id[1:])))
        return order[0] if order else None

    def receive(self, queue: str, count_max: int) -> list[Message]:
        """Take what is visible on `queue`; what was received too often goes to the dead."""
        taken: list[Message] = []
        for message in list(self.waiting.values()):
            if message.queue != queue or message.visible_at > self._now():
                continue
            if message.receives >= self._rules[queue].receives_max:
                del self.waiting[message.message_id]
                self.dead.append(message)
            elif len(taken) < count_max:
                taken.append(self._received(message))
        return taken

    def _received(self, message: Message) -> Message:
        hidden = timedelta(seconds=self._rules[message.queue].visibility_seconds)
        received = replace(message, receives=message.receives + 1, visible_at=self._now() + hidden)
        self.waiting[message.message_id] = received
        return received

    def acknowledge(self, message: Message) -> None:
        """Delete the message: it is done."""
        if self.waiting.pop(message.message_id, None) is not None:
            self.done.append(message)

    def redrive(self, queue: str) -> None:
        """Send again what `queue` gave up, as new messages; some days later, a person does."""
        given_up = [message for message in self.dead if message.queue == queue]
        self.dead = [message for message in self.dead if message.queue != queue]
        self.redriven_count += len(given_up)
        for message in given_up:
            self.put(queue, message.body, attributes=message.attributes)

    def repeat(self, message: Message) -> None:
        """Let an acknowledged message come once more, as at-least-once delivery may."""
        self.done.remove(message)
        self.waiting[message.message_id] = replace(message, visible_at=self._now())

    def answer(self, operation: str, request: Request) -> Answer:
        """Do `operation`. :raises Refused: as SQS would."""
        match operation:
            case "GetQueueUrl":
                self._queue(request["QueueName"])
                url = f"https://sqs.{settings.region()}.amazonaws.com/{ACCOUNT}"
                return {"QueueUrl": f"{url}/{request['QueueName']}"}
            case "SendMessageBatch":
                queue = self._queue(request["QueueUrl"].rpartition("/")[2])
                sent = [
                    {
                        "Id": entry["Id"],
                        "MessageId": self.put(
                            queue,
                            entry["MessageBody"],
                            delay_seconds=entry.get("DelaySeconds", 0),
                            attributes=entry.get("MessageAttributes"),
                        ),
                        "MD5OfMessageBody": "",
                    }
                    for entry in request["Entries"]
                ]
                return {"Successful": sent}
            case "ChangeMessageVisibility":
                return self.postpone(request["ReceiptHandle"], request["VisibilityTimeout"])
        raise NotSimulated(f"SQS's {operation}")

    def postpone(self, receipt_handle: str, seconds: int) -> Answer:
        """Let the message be visible so many seconds from now. :raises Refused: it is another's."""
        message = self.waiting.get(receipt_handle.partition("#")[0])
        if message is None or message.receipt_handle != receipt_handle:
            raise Refused("InvalidParameterValue", "the receipt handle has expired")
        later = self._now() + timedelta(seconds=seconds)
        self.waiting[message.message_id] = replace(message, visible_at=later)
        return {}

    def _queue(self, name: str) -> str:
        for rule in self._rules:
            if settings.queue(rule) == name:
                return rule
        raise Refused("AWS.SimpleQueueService.NonExistentQueue", "there is no such queue")
