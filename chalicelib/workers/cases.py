"""Cases: what waits for a person is looked at, and ends."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalice import Blueprint

from chalicelib.loyalty.holding import service as holding
from chalicelib.rewards.inquiries import service as inquiries
from chalicelib.runtime import clock
from chalicelib.workers.rim import scheduled

LOOKING_SECONDS = 200  # Of 300 in all; what is left is looked at in an hour.

bp = Blueprint(__name__)


@bp.schedule("rate(1 hour)")
@scheduled
def look_at_cases(_event: Any) -> None:
    """Look at what members say is missing; end what is held for too long."""
    now = clock.now()
    inquiries.look_at_open(now=now, has_time=_time_of(now + timedelta(seconds=LOOKING_SECONDS)))
    holding.end_old_holds(now=now)


def _time_of(until: datetime) -> Callable[[], bool]:
    return lambda: clock.now() < until
