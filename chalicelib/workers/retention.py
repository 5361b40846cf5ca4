"""Retention: the leavings that had to wait, and the sweep of what should be gone.

Whoever forgets a member knows everything that is kept of one, so these Lambdas import more than
others; they are called by the hour.
"""

from typing import Any

from chalice import Blueprint

from chalicelib.privacy import leaving, retention
from chalicelib.runtime import clock, quarantine
from chalicelib.workers.rim import scheduled

bp = Blueprint(__name__)


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
