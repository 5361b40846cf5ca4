"""Waiting: looks at the payments and refunds whose other half may have come."""

from typing import Any

from chalice import Blueprint

from chalicelib.purchases import waiting
from chalicelib.purchases.refunding import waiting as refunds
from chalicelib.runtime import clock
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
