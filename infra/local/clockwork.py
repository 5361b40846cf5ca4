"""Time that a local stack can step, so that a day plays in seconds."""

import threading
from datetime import UTC, datetime, timedelta


class SteppableClock:
    """A clock that stands still until it is told to go on. Safe to read from any thread."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware start")
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The instant it shows, in UTC."""
        with self._lock:
            return self._now

    def step_to(self, instant: datetime) -> timedelta:
        """Go on to `instant`; an earlier one changes nothing. Returns how far it went."""
        with self._lock:
            step = max(instant.astimezone(UTC) - self._now, timedelta(0))
            self._now += step
            return step
