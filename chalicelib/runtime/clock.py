"""The clock. Only `api/`, `workers/` and local tools read it; the rest is given `now`."""

from collections.abc import Callable
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present instant, in UTC."""
    return _source()


def use(source: Callable[[], datetime] | None) -> None:
    """Read time from `source` from now on; None goes back to the system's. For local stacks."""
    global _source
    _source = source or _system
