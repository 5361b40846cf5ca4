"""Schedules: looks at what waits, and the sweep of what should be gone."""

from typing import Any

from chalice import Blueprint

from chalicelib.privacy import leaving, retention
from chalicelib.purchases import waiting
from chalicelib.purchases.refunding import waiting as refunds
from chalicelib.runtime import clock, quarantine
from chalicelib.workers.rim import scheduled

bp = Blueprint(__name__)


@bp.schedule("rate(15 minutes)")
@scheduled
def look_again(_event: Any) -> None:
    """Look again at the payments whose time for that has come."""
    waiting.look_again_when_due(clock.now())


@bp.schedule("cron(20 3 * * ? *)")
@scheduled
def end_waiting(_event: Any) -> None:
    """Once a day, look again at everything that waits, and end what waited too long."""
    now = clock.now()
    refunds.look_daily(now)
    waiting.look_again_between(now - waiting.LONGEST, now, now=now)


@bp.schedule("rate(1 hour)")
@scheduled
def sweep_retention(_event: Any) -> None:
    """Delete and count what DynamoDB's TTL has missed; say how much waits in quarantine."""
    quarantine.observe_sizes(now=clock.now())
    retention.sweep(now=clock.now())


@bp.schedule("rate(10 minutes)")
@scheduled
def finish_departures(_event: Any) -> None:
    """Finish the leavings that a bank or a queue was too busy for."""
    leaving.finish_departures(now=clock.now())
