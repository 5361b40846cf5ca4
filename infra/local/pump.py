"""The queue and schedule pump: what Lambda's event source mappings and EventBridge do in AWS.

It finds every SQS handler and schedule in the Chalice app itself, so nothing is listed twice. A
message is deleted when its handler returned and did not name it in `batchItemFailures`; an
exception fails the whole batch; what failed becomes visible again when its time has come and goes
to the dead-letter queue after the queue's own number of receives.
"""

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalice import Chalice
from chalice.app import ScheduledEventConfig, ScheduleExpression, SQSEventConfig
from chalice.local import LambdaContext

from chalicelib.runtime import aws, settings
from infra.local import schedules
from infra.local.lambda_events import scheduled_event, sqs_event
from infra.resources import DEAD_LETTER_SUFFIX

RECEIVED_PER_CALL_MAX = 10  # SQS's own limit.
POLL_SECONDS = 1
WINDOW_SECONDS_MAX = 0.2  # A batching window of minutes gathers this long on a laptop.
LAMBDA_SECONDS = 60
VISIBLE = "ApproximateNumberOfMessages"
NOT_VISIBLE = "ApproximateNumberOfMessagesNotVisible"
DELAYED = "ApproximateNumberOfMessagesDelayed"
_log = logging.getLogger("counterfoil.local")


class Stuck(Exception):
    """The queues did not become empty in time."""


@dataclass(frozen=True, slots=True)
class Source:
    """One SQS queue with the handler that Lambda would call for it."""

    name: str
    queue: str
    url: str
    batch_size: int
    window_seconds: float


class Pump:
    """Moves messages from the queues to the handlers of `app`, and fires its schedules.

    `counts` holds, by handler and outcome (`called`, `handled`, `failed`, `crashed`), how often.
    """

    def __init__(self, app: Chalice) -> None:
        self._app = app
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Condition()
        self._busy = 0
        self._left: set[str] = set()  # ids of messages that failed and wait to become visible
        self.counts: Counter[tuple[str, str]] = Counter()
        self.sources = tuple(
            _source(found) for found in app.event_sources if isinstance(found, SQSEventConfig)
        )
        self.schedules = tuple(
            found for found in app.event_sources if isinstance(found, ScheduledEventConfig)
        )

    def start(self, *, gathers: bool) -> None:
        """Poll every queue in the background.

        Without `gathers`, queues with a batching window are left to `drain`: where the clock is
        stepped, a window ends with the step.
        """
        for source in self.sources:
            if source.window_seconds and not gathers:
                continue
            thread = threading.Thread(target=self._poll, args=(source,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Let running handlers finish and poll no more."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def drain(self, *, seconds_max: float = 60.0) -> int:
        """Work until no message is visible or being handled; returns how many were handled here.

        What waits for its time (a delay, a back-off) is left.

        :raises Stuck: it took longer than `seconds_max`.
        """
        handled = 0
        last = time.monotonic() + seconds_max
        while True:
            turn = self._round()
            handled += turn
            if turn == 0 and self._is_idle(self.sources):
                return handled
            if time.monotonic() > last:
                raise Stuck(f"messages are still moving after {seconds_max:.0f} seconds")
            if turn == 0:
                time.sleep(0.01)

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """No handler is running and none begins, so that the clock can be stepped: a handler in
        which time jumps would sign with one time and be checked at another.
        """
        with self._lock:
            self._lock.wait_for(lambda: self._busy == 0)
            yield

    def _round(self) -> int:
        """One turn at each queue that holds something; at those with a batching window only when
        the others are empty, so that their batches are as full as the window would have made them.
        """
        at_once = [source for source in self.sources if not source.window_seconds]
        gathering = [source for source in self.sources if source.window_seconds]
        for sources in (at_once, gathering):
            filled = [source for source in sources if _depths(source.url)[VISIBLE]]
            handled = sum(self._turn(source, wait_seconds=0) for source in filled)
            if handled or not self._is_idle(sources):
                return handled
        return 0

    def fire_schedules(self, *, after: datetime, until: datetime) -> int:
        """Call each schedule that falls in (`after`, `until`], once however often it falls.

        Schedules are sweeps, so one call at the end does what many in between would have done.
        """
        fired = 0
        for schedule in self.schedules:
            expression = schedule.schedule_expression
            if isinstance(expression, ScheduleExpression):
                expression = expression.to_string()
            if schedules.count_due(expression, after=after, until=until):
                self.fire(schedule.name, at=until)
                fired += 1
        return fired

    def fire(self, name: str, *, at: datetime) -> None:
        """Call the schedule `name` as EventBridge would at `at`."""
        event_id = str(uuid.uuid4())
        self._call(name, scheduled_event(name, at=at, event_id=event_id, region=settings.region()))

    def dead_lettered(self) -> int:
        """How many messages lie in the dead-letter queues of all sources."""
        return sum(_depths(source.url + DEAD_LETTER_SUFFIX)[VISIBLE] for source in self.sources)

    def waiting(self) -> int:
        """How many messages wait for a delay or a back-off to pass."""
        depths = [_depths(source.url) for source in self.sources]
        return sum(depth[NOT_VISIBLE] + depth[DELAYED] for depth in depths)

    def _poll(self, source: Source) -> None:
        while not self._stopping.is_set():
            self._turn(source, wait_seconds=POLL_SECONDS, window_seconds=source.window_seconds)

    def _turn(self, source: Source, *, wait_seconds: int, window_seconds: float = 0) -> int:
        """Receive one batch, hand it over, delete what succeeded; returns how many it held."""
        messages = _receive(source, min(source.batch_size, RECEIVED_PER_CALL_MAX), wait_seconds)
        if not messages:
            return 0
        with self._working():
            messages += self._gather(source, len(messages), window_seconds)
            self._hand_over(source, messages)
        return len(messages)

    def _gather(self, source: Source, held: int, window_seconds: float) -> list[dict[str, Any]]:
        """More messages for the batch, until it is full, or the queue empty and its window over."""
        more: list[dict[str, Any]] = []
        last = time.monotonic() + window_seconds
        while (room := source.batch_size - held - len(more)) > 0:
            found = _receive(source, min(room, RECEIVED_PER_CALL_MAX), 0)
            more += found
            if not found and (self._stopping.is_set() or time.monotonic() >= last):
                break
            if not found:
                time.sleep(WINDOW_SECONDS_MAX / 4)
        return more

    def _hand_over(self, source: Source, messages: list[dict[str, Any]]) -> None:
        failed = self._failures(source, messages)
        self.counts[source.name, "handled"] += len(messages)
        self.counts[source.name, "failed"] += len(failed)
        with self._lock:
            self._left -= {message["MessageId"] for message in messages}
            self._left |= failed
        done = [message for message in messages if message["MessageId"] not in failed]
        for first in range(0, len(done), RECEIVED_PER_CALL_MAX):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(done[first : first + RECEIVED_PER_CALL_MAX])
            ]
            aws.client("sqs").delete_message_batch(QueueUrl=source.url, Entries=entries)

    def _failures(self, source: Source, messages: list[dict[str, Any]]) -> set[str]:
        """The ids of the messages that failed, by AWS's rules for partial batch answers."""
        ids = {message["MessageId"] for message in messages}
        event = sqs_event(source.queue, messages, region=settings.region())
        try:
            answer = self._call(source.name, event)
        except Exception:  # noqa: BLE001 - whatever a handler raises, Lambda keeps the batch
            _log.exception("handler failed")
            self.counts[source.name, "crashed"] += 1
            return ids
        failures = (answer or {}).get("batchItemFailures") or []
        named = {failure.get("itemIdentifier") for failure in failures}
        return named if named <= ids else ids

    def _call(self, name: str, event: dict[str, Any]) -> Any:
        self.counts[name, "called"] += 1
        context = LambdaContext(name, 512, max_runtime_ms=LAMBDA_SECONDS * 1000)
        return self._app.handler_map[name](event, context)

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
                self._lock.notify_all()

    def _is_idle(self, sources: Sequence[Source]) -> bool:
        """No message of `sources` is visible, being handled, or just received by another thread.

        A received message is not visible; so is one that failed, and those are known.
        """
        depths = [_depths(source.url) for source in sources]
        received = sum(depth[NOT_VISIBLE] for depth in depths)
        visible = sum(depth[VISIBLE] for depth in depths)
        with self._lock:
            return self._busy == 0 and visible == 0 and received <= len(self._left)


def _source(found: SQSEventConfig) -> Source:
    queue = found.queue or str(found.queue_arn).rpartition(":")[2]
    return Source(
        name=found.name,
        queue=queue,
        url=aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"],
        batch_size=found.batch_size,
        window_seconds=_window_seconds(found.maximum_batching_window_in_seconds),
    )


def _window_seconds(deployed: int) -> float:
    """A second's window, which is there for full batches, is none where nobody pays for calls."""
    return 0.0 if deployed <= POLL_SECONDS else min(deployed, WINDOW_SECONDS_MAX)


def _receive(source: Source, count: int, wait_seconds: int) -> list[dict[str, Any]]:
    answer = aws.client("sqs").receive_message(
        QueueUrl=source.url,
        MaxNumberOfMessages=count,
        WaitTimeSeconds=wait_seconds,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    found: list[dict[str, Any]] = answer.get("Messages", [])
    return found


def _depths(url: str) -> dict[str, int]:
    names = [VISIBLE, NOT_VISIBLE, DELAYED]
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return {name: int(answer["Attributes"][name]) for name in names}
