"""Closing days: what the journal and payouts do every night."""

from datetime import timedelta
from typing import Any

from chalice import Blueprint

from chalicelib.payouts import closing
from chalicelib.runtime import clock
from chalicelib.workers.rim import scheduled

CLOSING_SECONDS = 600  # Of 900 in all; the last place that was begun has the rest.

bp = Blueprint(__name__)


@bp.schedule("cron(10/15 3-8 * * ? *)")
@scheduled
def close_day(_event: Any) -> None:
    """Go on closing days: due gifts, payouts, what retailers owe, reconciliation."""
    now = clock.now()
    until = now + timedelta(seconds=CLOSING_SECONDS)
    closing.close_days(now=now, has_time=lambda: clock.now() < until)
