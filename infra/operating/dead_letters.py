"""Dead letters: messages that failed too often, looked at, mended and put back on their queue.

SQS shows a message only to whoever receives it. So a look receives everything, holds it, and gives
back at its end what it does not take away; a look that dies gives it back when its hold is over. A
message that goes back is sent first and deleted second: a crash in between leaves it twice, which
changes nothing, and never loses it.
"""

from collections.abc import Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.kernel.refusals import NotAllowed, NotFound
from chalicelib.runtime import aws, queues, tracing
from infra.resources import DEAD_LETTER_SUFFIX

HELD_SECONDS = 900  # As long as somebody may take to mend a message in an editor.
RECEIVED_PER_CALL_MAX = 10
EMPTY_ANSWERS_MAX = 3  # SQS may answer nothing though there is something.
SEEN_MAX = 20_000  # SQS lets 120,000 be held at once; a second look goes on.
_VISIBLE = "ApproximateNumberOfMessages"
_HELD = "ApproximateNumberOfMessagesNotVisible"


class NoSuchQueue(NotAllowed):
    """The platform has no queue of that name."""

    code = "no_such_queue"


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue's dead letters are: `held` are being looked at by somebody."""

    queue: str
    waiting: int
    held: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that failed too often. `sent_at` is when it was sent first."""

    queue: str
    message_id: str
    body: str
    sent_at: datetime
    receives: int
    trace: str | None
    receipt_handle: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters are meant: those of `message_id`, those sent in [since, until), or all."""

    message_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def has(self, letter: DeadLetter) -> bool:
        """Whether `letter` is meant."""
        return (
            self.message_id in (None, letter.message_id)
            and (self.since is None or self.since <= letter.sent_at)
            and (self.until is None or letter.sent_at < self.until)
        )


def depths(names: tuple[str, ...] = queues.NAMES) -> list[Depth]:
    """How many dead letters each queue has, looked at or not."""
    return [_depth(name) for name in names]


def known_queue(name: str) -> str:
    """`name`, if it is a queue of ours. :raises NoSuchQueue: it is none."""
    if name not in queues.NAMES:
        raise NoSuchQueue(f"the queues are {', '.join(queues.NAMES)}")
    return name


def look(queue: str) -> Generator[DeadLetter]:
    """Each dead letter of `queue`, once; all are given back when the look ends."""
    seen: set[str] = set()
    with ExitStack() as at_end:
        empty = 0
        while empty < EMPTY_ANSWERS_MAX and len(seen) < SEEN_MAX and _depth(queue).waiting:
            letters = _receive(queue)
            at_end.callback(_give_back, letters)
            empty = 0 if letters else empty + 1
            for letter in letters:
                if letter.message_id not in seen:
                    seen.add(letter.message_id)
                    yield letter


def get(queue: str, message_id: str) -> DeadLetter:
    """The dead letter of that id, given back already. :raises NotFound: there is none."""
    with closing(look(queue)) as letters:
        for letter in letters:
            if letter.message_id == message_id:
                return letter
    raise NotFound("the queue has no dead letter of that id")


def replay(queue: str, wanted: Wanted, *, body: str | None = None) -> Generator[bool]:
    """Put the dead letters that are `wanted` back on `queue`, with `body` in place if given.

    Yields for each one looked at whether it went back.

    :raises TryAgain: SQS did not take one; it and those after it stay dead letters.
    """
    with closing(look(queue)) as letters:
        for letter in letters:
            if wanted.has(letter):
                with tracing.following(letter.trace):
                    queues.send(queue, [letter.body if body is None else body])
                _delete(letter)
            yield wanted.has(letter)


def _depth(queue: str) -> Depth:
    answer = aws.client("sqs").get_queue_attributes(
        QueueUrl=_url(queue), AttributeNames=[_VISIBLE, _HELD]
    )
    found = answer["Attributes"]
    return Depth(queue, int(found[_VISIBLE]), int(found[_HELD]))


def _receive(queue: str) -> list[DeadLetter]:
    answer = aws.client("sqs").receive_message(
        QueueUrl=_url(queue),
        MaxNumberOfMessages=RECEIVED_PER_CALL_MAX,
        VisibilityTimeout=HELD_SECONDS,
        WaitTimeSeconds=1,  # Longer than nought asks all of SQS's servers, not some.
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return [_letter(queue, message) for message in answer.get("Messages", [])]


def _letter(queue: str, message: dict[str, Any]) -> DeadLetter:
    attributes = message["Attributes"]
    said = message.get("MessageAttributes", {}).get(tracing.MESSAGE_ATTRIBUTE, {})
    sent_at = datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, tz=UTC)
    return DeadLetter(
        queue=queue,
        message_id=message["MessageId"],
        body=message["Body"],
        sent_at=sent_at,
        receives=int(attributes["ApproximateReceiveCount"]),
        trace=said.get("StringValue"),
        receipt_handle=message["ReceiptHandle"],
    )


def _give_back(letters: list[DeadLetter]) -> None:
    """Let others see what is still there; what was deleted meanwhile is not found, and is well."""
    for letter in letters:
        sqs = aws.client("sqs")
        try:
            sqs.change_message_visibility(
                QueueUrl=_url(letter.queue),
                ReceiptHandle=letter.receipt_handle,
                VisibilityTimeout=0,
            )
        except sqs.exceptions.ClientError:
            continue


def _delete(letter: DeadLetter) -> None:
    aws.client("sqs").delete_message(
        QueueUrl=_url(letter.queue), ReceiptHandle=letter.receipt_handle
    )


def _url(queue: str) -> str:
    return queues.url(queue + DEAD_LETTER_SUFFIX)
