"""Schedules as messages: a night, or the look after payouts, comes at its time like anything else.

EventBridge calls a schedule again that failed, and comes the next day in any case. So a message of
these queues names a schedule; one that met a passing obstacle, or died, comes again.
"""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.kernel.refusals import TryAgain
from chalicelib.runtime import clock
from chalicelib.workers import cases, closing, payouts, rewards, waiting
from infra.local.lambda_events import scheduled_event
from infra.resources import Queue

NIGHTS = "nights"
LOOKS = "looks"  # Looks after payouts, apart from the nights, so that either may meet faults.
CASES = "cases"  # Looks at cases, and at what expires soon.
QUIET = "quiet_nights"  # All of them, where a history puts no faults.
CALLED_AGAIN_AFTER = 300
CLOCKS = tuple(
    Queue(name, visibility_seconds=CALLED_AGAIN_AFTER, receives_max=20)
    for name in (NIGHTS, LOOKS, CASES, QUIET)
)
SCHEDULES: Mapping[str, Callable[[Any, Any], None]] = {
    "close_day": closing.close_day,
    "look_up_payouts": payouts.look_up_payouts,
    "look_at_cases": cases.look_at_cases,
    "tell_expiring": rewards.tell_expiring,
    "end_waiting": waiting.end_waiting,
}


def run_schedules(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Run each schedule that is due; those that met a passing obstacle are named as failed."""
    again = [one["messageId"] for one in event["Records"] if not _is_done(one["body"], context)]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in again]}


def _is_done(name: str, context: object) -> bool:
    event = scheduled_event(name, at=clock.now(), event_id=name, region="eu-west-2")
    try:
        SCHEDULES[name](event, context)
    except TryAgain:
        return False
    return True
