"""Closing days: what the journal and payouts do every night."""

from typing import Any

from chalice import Blueprint

from chalicelib.payouts import closing
from chalicelib.runtime import clock
from chalicelib.workers.rim import scheduled

bp = Blueprint(__name__)


@bp.schedule("cron(10/15 3-8 * * ? *)")
@scheduled
def close_day(_event: Any) -> None:
    """Go on closing days: due gifts, payouts, what retailers owe, reconciliation."""
    closing.close_days(now=clock.now())
