"""The rim of the workers: one decorator under Chalice's own, with the three endings of a message.

Done: the message is acknowledged. `Rejected`: it can never succeed, so it goes to quarantine,
whole, and is acknowledged. `TryAgain`: it is put off with a growing delay and reported as failed;
anything else is a bug and reported as failed at once. SQS deletes only what is not reported
(partial batch responses), and moves a message that keeps failing to the dead-letter queue.

This loop is our own because Powertools' batch utility costs a third of a worker's import time
(docs/decisions/0010-a-loop-of-our-own-for-batches.md).
"""

import os
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from chalicelib.kernel.refusals import Conflicting, Rejected, TryAgain
from chalicelib.runtime import clock, observability, quarantine, queues, settings, tracing

BACK_OFF_SECONDS = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 36_000, 43_000)
# How long Lambda lets messages gather before it calls a worker. A second is not felt, and from ten
# messages a second on it saves nine of ten calls.
BATCHING_SECONDS = 1
JITTER = 0.2  # Retries of many messages that failed together must not come back together.


@dataclass(frozen=True, slots=True)
class Message:
    """An SQS message. `receives` counts this delivery too; `queue` is the one it came on, `trace`
    came with it, if any did.
    """

    message_id: str
    body: str
    receipt_handle: str
    receives: int
    queue: str
    trace: str | None = None


Worker = Callable[[Any], dict[str, Any]]


@contextmanager
def _invocation() -> Iterator[None]:
    """One call by Lambda: it has a trace, and what it counted is written out at its end."""
    now, fresh = clock.now(), os.urandom(tracing.RANDOM_BYTES)
    trace = tracing.new_trace(settings.trace_header(), fresh=fresh, now=now)
    with tracing.following(trace), observability.invocation(clock.now):
        yield


def scheduled(job: Callable[[Any], None]) -> Callable[[Any], None]:
    """Make `job` the handler of a schedule; a run that came to its end is counted."""

    @wraps(job)
    def handler(event: Any) -> None:
        with _invocation():
            job(event)
            observability.count("schedules_done", job=job.__name__)

    return handler


def each_message(handle: Callable[[Message], None]) -> Worker:
    """Make a function of one message the handler of batches."""

    @wraps(handle)
    def worker(event: Any) -> dict[str, Any]:
        with _invocation():
            messages = _messages(event)
            return _report([m for m in messages if not is_handled(handle, m)])

    return worker


def all_messages(handle: Callable[[Sequence[Message]], Collection[str]]) -> Worker:
    """Make a function of a whole batch its handler; it returns the ids of messages to try again."""

    @wraps(handle)
    def worker(event: Any) -> dict[str, Any]:
        with _invocation():
            messages = _messages(event)
            failed = handle(messages)
            return _report([m for m in messages if m.message_id in failed])

    return worker


def refuse(queue: str, body: str, refusal: Rejected, *, sender: str | None = None) -> None:
    """Put what can never succeed into quarantine, with an alarm where it contradicts what came.

    Where nobody knows who sent it, the queue stands in.
    """
    sender = sender or refusal.party or queue
    quarantine.keep(queue, body, refusal, sender=sender, now=clock.now())
    if isinstance(refusal, Conflicting):
        observability.count("conflicts", code=refusal.code)


def is_handled(handle: Callable[[Message], None], message: Message) -> bool:
    """Whether `message` is done with. Nothing leaves here: the batch goes on whatever happens."""
    with tracing.following(message.trace or tracing.current()):
        try:
            return attempt(message.queue, message.message_id, lambda: _handle(handle, message))
        except TryAgain as passing:
            _put_off(message, passing)
            return False


def _handle(handle: Callable[[Message], None], message: Message) -> None:
    try:
        handle(message)
    except Rejected as refusal:
        refuse(message.queue, message.body, refusal)


def attempt(queue: str, name: str, step: Callable[[], None]) -> bool:
    """Do `step`; False where it met a bug, which is logged as the failure of `name`.

    The one place where anything is caught: a bug in one message must not fail the rest of its
    batch. Rejected and TryAgain are no bugs and pass through.
    """
    try:
        step()
    except (Rejected, TryAgain):
        raise
    except Exception:  # noqa: BLE001 - see above
        observability.failure("step failed", queue=queue, id=name)
        return False
    return True


def _put_off(message: Message, passing: TryAgain) -> None:
    queue = message.queue
    seconds = passing.after_seconds or _back_off_seconds(message.receives)
    observability.count("messages_put_off", queue=queue)
    observability.log(
        "message put off", queue=queue, message=message.message_id, reason=passing.detail
    )
    try:
        queues.postpone(queue, message.receipt_handle, seconds=seconds)
    except TryAgain:  # It comes back all the same, when the queue's own time is over.
        observability.count("messages_not_put_off", queue=queue)


def _back_off_seconds(receives: int) -> int:
    base = BACK_OFF_SECONDS[min(receives, len(BACK_OFF_SECONDS)) - 1]
    return int(base * (1 + JITTER * random.random()))


def _messages(event: Any) -> list[Message]:
    return [
        Message(
            message_id=record["messageId"],
            body=record["body"],
            receipt_handle=record["receiptHandle"],
            receives=int(record["attributes"]["ApproximateReceiveCount"]),
            queue=queues.name_of(record["eventSourceARN"]),
            trace=_trace(record.get("messageAttributes") or {}),
        )
        for record in event.to_dict()["Records"]
    ]


def _trace(attributes: Any) -> str | None:
    """The trace that a message carries. Others may send to our queues, so it must look like one."""
    said = (attributes.get(tracing.MESSAGE_ATTRIBUTE) or {}).get("stringValue") or ""
    return said if tracing.is_trace(said) else None


def _report(failed: Sequence[Message]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": m.message_id} for m in failed]}
