"""Driving a shift down the road: the deployed handlers, message by message, under the meter."""

import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from time import thread_time
from typing import Any

from chalicelib.runtime import clock, observability, queues, settings
from chalicelib.tills.pages import GATHERING_SECONDS
from chalicelib.workers import deliveries, notices, payments, receipts, rewards, waiting
from infra.bench.meter import Meter
from infra.bench.shift import STARTS, Sale
from infra.bench.stage import Stage
from infra.bench.town import Town, lambda_context, payment_webhook, till_post, token_request
from infra.local.lambda_events import scheduled_event, sqs_event

TOKEN_LASTS = timedelta(minutes=50)
GATHERS_EVERY = timedelta(seconds=GATHERING_SECONDS)
LOOKS_EVERY = timedelta(minutes=15)
METRIC_LINE = '{"_aws"'  # CloudWatch's embedded metric format: one for each invocation.
RUNS_ON = timedelta(hours=14)  # Until the patience of every store is over.
WORKERS: dict[str, Any] = {
    queues.PAYMENTS: payments.record_payment,
    queues.RECEIPTS: receipts.record_receipts,
    queues.GATHER: receipts.gather_receipts,
    queues.DELIVERIES: deliveries.deliver_receipt,
    queues.REWARDS: rewards.settle_rewards,
    queues.NOTICES: notices.send_notices,
}
AT_ONCE = (queues.PAYMENTS, queues.RECEIPTS, queues.DELIVERIES, queues.REWARDS)
NOTICES_TOGETHER = 10  # As everywhere here: as many as a batching window finds on a busy day.
TOGETHER = {queues.GATHER: receipts.GATHERED_MESSAGES_MAX}


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that is sent at `at`: a payment webhook, or a post of receipts."""

    at: datetime
    sale: Sale | None = None
    kind: str = "authorised"
    receipts: tuple[dict[str, Any], ...] = ()


@dataclass
class Outcome:
    """What came of a shift."""

    matched: int = 0
    payments: int = 0
    receipts: int = 0


class Road:
    """One shift's way through the handlers; the clock is the shift's."""

    def __init__(
        self,
        app: Any,
        town: Town,
        meter: Meter,
        stage: Stage,
        *,
        looks_every: timedelta = LOOKS_EVERY,
    ) -> None:
        self._app = app
        self._stage = stage
        self._town = town
        self._meter = meter
        self._token = ""
        self._token_until: datetime | None = None
        self._now = self._gathered_at = self._looked_at = STARTS
        self._looks_every = looks_every
        self._ids = count()
        self.outcome = Outcome()

    def play(self, posts: Sequence[Sent], *, with_card_facts: bool) -> Outcome:
        """Send `posts` in order of time and let the workers follow at once; notices wait until ten
        can be told together.
        """
        clock.use(lambda: self._now)
        stop = observability.listen(self._hear)
        posts = sorted(posts, key=lambda one: one.at)
        self._now = posts[0].at
        self._gathered_at = self._looked_at = self._now
        try:
            for post in posts:
                self._go_on_to(post.at)
                self._send(post, with_card_facts=with_card_facts)
                self._work()
            self._go_on_to(posts[-1].at + RUNS_ON)
            while self._turn(queues.NOTICES):
                pass
        finally:
            stop()
            clock.use(None)
        return self.outcome

    def _go_on_to(self, at: datetime) -> None:
        """Let time pass until `at`, with the gathering windows and schedules that end before."""
        while True:
            gathers_at, looks_at = (
                self._gathered_at + GATHERS_EVERY,
                self._looked_at + self._looks_every,
            )
            due = min(gathers_at, looks_at)
            if due > at:
                break
            self._pass(due)
            if due == gathers_at:
                self._gathered_at = due
                self._work(queues.GATHER)
            else:
                self._looked_at = due
                self._look_again()
        self._pass(at)

    def _pass(self, until: datetime) -> None:
        self._now = until
        self._work()

    def _send(self, post: Sent, *, with_card_facts: bool) -> None:
        if post.sale is not None:
            event = payment_webhook(
                self._town, post.sale, kind=post.kind, at=post.at, with_card_facts=with_card_facts
            )
            self._request("api: hooks", event)
            self.outcome.payments += 1
            return
        event = till_post(self._bearer(), list(post.receipts))
        self._request("api: tills", event)
        self.outcome.receipts += len(post.receipts)

    def _bearer(self) -> str:
        if self._token_until is None or self._token_until <= self._now:
            answer = self._request("api: tokens", token_request(self._town))
            self._token = json.loads(answer["body"])["access_token"]
            self._token_until = self._now + TOKEN_LASTS
        return self._token

    def _request(self, part: str, event: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._measured(part, self._app, event, "api_handler")
        if answer["statusCode"] >= 300:
            raise RuntimeError(f"{part} answered {answer['statusCode']}: {answer['body']}")
        return answer

    def _work(self, *names: str) -> None:
        """Let the workers empty their queues; `gather` only where it is named."""
        asked = names or AT_ONCE
        while sum(self._turn(name) for name in asked):
            asked = (*names, *AT_ONCE)
        while self._waiting(queues.NOTICES) >= NOTICES_TOGETHER:
            self._turn(queues.NOTICES)

    def _turn(self, name: str) -> bool:
        messages = self._receive(name)
        if not messages:
            return False
        event = sqs_event(settings.queue(name), messages, region=settings.region())
        handler = WORKERS[name]
        part: str = handler.func.__name__
        with self._meter.part(part):
            self._meter.add("messages", len(messages))
        answer = self._measured(part, handler, event, part)
        if answer["batchItemFailures"]:
            raise RuntimeError(f"{part} failed: {answer}")
        return True

    def _waiting(self, name: str) -> int:
        return sum(message.queue == name for message in self._stage.queues.waiting.values())

    def _receive(self, name: str) -> list[dict[str, Any]]:
        """What is visible, as Lambda gets it; nothing fails on this road, so it is done with."""
        found = self._stage.queues.receive(name, TOGETHER.get(name, 10))
        for message in found:
            self._stage.queues.acknowledge(message)
        return [
            {
                "MessageId": message.message_id,
                "ReceiptHandle": message.receipt_handle,
                "Body": message.body,
                "MD5OfBody": "",
                "Attributes": {"ApproximateReceiveCount": str(message.receives)},
            }
            for message in found
        ]

    def _look_again(self) -> None:
        event = scheduled_event(
            "look_again", at=self._now, event_id=str(next(self._ids)), region=settings.region()
        )
        self._measured("look_again", waiting.look_again, event, "look_again")

    def _measured(self, part: str, handler: Any, event: Any, name: str) -> Any:
        said = io.StringIO()
        with self._meter.part(part), contextlib.redirect_stdout(said):
            began = thread_time()
            answer = handler(event, lambda_context(name))
            self._meter.add("cpu_seconds", thread_time() - began)
            self._meter.add("invocations")
            for line in said.getvalue().splitlines(keepends=True):
                is_metric = line.startswith(METRIC_LINE)
                self._meter.add("metric_bytes" if is_metric else "log_bytes", len(line.encode()))
        return answer

    def _hear(self, name: str, _dimensions: dict[str, str], by: int) -> None:
        if name == "matched":
            self.outcome.matched += by
