"""The local stack with a small app: HTTP in, queue through the pump, schedules, and a clean end."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice import Chalice, Rate

from chalicelib.runtime import aws, clock, queues, settings
from infra.local.calling import call, call_json
from infra.local.clockwork import SteppableClock
from infra.local.stack import Stack

MORNING = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Shown:
    """What the handlers of the small app were given."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.fired: list[str] = []
        self.failing: set[str] = set()
        self.crashing = False


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def stack(shown: Shown) -> Iterator[Stack]:
    with Stack(
        lambda: _small_app(shown), stage="test", use_clock=SteppableClock(MORNING)
    ) as running:
        yield running


def _small_app(shown: Shown) -> Chalice:
    app = Chalice(app_name="small")

    @app.route("/say", methods=["POST"])
    def say() -> dict[str, int]:
        raw = app.current_request.raw_body.decode()
        return {"calls": queues.send(queues.PAYMENTS, json.loads(raw))}

    @app.on_sqs_message(queue=settings.queue(queues.PAYMENTS), batch_size=10)
    def hear(event: Any) -> dict[str, Any]:
        if shown.crashing:
            raise RuntimeError("as a bug would")
        records = list(event)
        failed = [r.to_dict()["messageId"] for r in records if r.body in shown.failing]
        shown.bodies += [r.body for r in records if r.body not in shown.failing]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}

    @app.schedule(Rate(1, unit=Rate.HOURS))
    def sweep(event: Any) -> None:
        shown.fired.append(event.time)

    return app


def test_moves_what_was_posted_over_http_through_the_queue(stack: Stack, shown: Shown) -> None:
    words = [f"word {number}" for number in range(25)]

    answer = call_json("POST", f"{stack.base_url}/say", words)
    stack.pump.drain()

    assert answer.json() == {"calls": 3}
    assert sorted(shown.bodies) == sorted(words)
    assert stack.pump.counts["hear", "handled"] == 25
    assert (stack.pump.waiting(), stack.pump.dead_lettered()) == (0, 0)


def test_deletes_the_rest_of_a_batch_and_redrives_the_failed_message(
    stack: Stack, shown: Shown
) -> None:
    shown.failing = {"bad"}
    call_json("POST", f"{stack.base_url}/say", ["good", "bad"])
    stack.pump.drain()
    assert shown.bodies == ["good"]
    assert stack.pump.waiting() == 1

    for _ in range(6):
        stack.skip_queue_time(201)
        stack.pump.drain()

    assert shown.bodies == ["good"]
    assert (stack.pump.waiting(), stack.pump.dead_lettered()) == (0, 1)
    assert stack.pump.counts["hear", "failed"] == 6


def test_fails_the_whole_batch_when_a_handler_raises(stack: Stack, shown: Shown) -> None:
    shown.crashing = True
    call_json("POST", f"{stack.base_url}/say", ["one", "two"])
    stack.pump.drain()
    assert shown.bodies == []
    assert stack.pump.waiting() == 2

    shown.crashing = False
    stack.skip_queue_time(201)
    stack.pump.drain()

    assert sorted(shown.bodies) == ["one", "two"]
    assert stack.pump.waiting() == 0


def test_fires_a_schedule_once_for_a_step_of_the_clock(stack: Stack, shown: Shown) -> None:
    early = stack.pump.fire_schedules(after=MORNING, until=MORNING + timedelta(minutes=59))
    late = stack.pump.fire_schedules(after=MORNING, until=MORNING + timedelta(hours=5))

    assert (early, late) == (0, 1)
    assert shown.fired == ["2026-11-20T13:00:00Z"]


def test_leaves_nothing_running_and_the_clock_as_it_was() -> None:
    before = threading.active_count()
    with Stack(lambda: _small_app(Shown()), stage="test", use_clock=SteppableClock(MORNING)) as s:
        url = s.base_url
        assert clock.now() == MORNING

    assert call("GET", url).status == 0
    assert clock.now() > datetime(2026, 1, 1, tzinfo=UTC)
    assert clock.now() != MORNING
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before
    aws.forget_clients()
