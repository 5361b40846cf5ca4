"""Nights: days closed one after the other, as the schedule does."""

from datetime import UTC, date, datetime, time, timedelta

from chalicelib.ledger.closing import store as closing
from chalicelib.ledger.closing.store import Progress
from chalicelib.payouts import closing as job

RUNS_MAX = 200


def always() -> bool:
    """There is time."""
    return True


def begin(first: date) -> None:
    """Let the first day that is closed be `first`."""
    assert closing.record_progress(Progress(first, job.STEPS[0][0], version=1))


def night_after(on: date) -> datetime:
    """When the day `on` is closed: at half past four of the next morning."""
    return datetime.combine(on + timedelta(days=1), time(4, 30), UTC)


def close_until(last: date) -> datetime:
    """Close every day until `last`, each in the night after it; returns the last night's time."""
    progress = closing.find_progress(now=night_after(last))
    assert progress is not None
    on = progress.day
    while on <= last:
        now = night_after(on)
        for _ in range(RUNS_MAX):
            if job.close_days(now=now, has_time=always).next_day > on:
                break
        else:
            raise AssertionError("the day is not closed after many runs")
        on += timedelta(days=1)
    return night_after(last)
