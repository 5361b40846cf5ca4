"""The rail ISO 20022: an order is put in the file of the day, which the operator gives to the bank.

The file of a day holds what was sent from noon UTC of the day before to noon of the day itself.
Nothing can join it once noon is past by more than a worker lives, so whoever makes it after that
makes the same file as everybody else.
"""

from datetime import date, datetime, timedelta

from chalicelib.kernel.refusals import NotAllowed
from chalicelib.payouts.model import Accepted, Outcome
from chalicelib.payouts.orders import store
from chalicelib.payouts.rails.model import Handed, RailPort

CLOSES_BEFORE_MIDNIGHT = timedelta(hours=12)
# A worker that read the clock before noon is over by then: it lives for a minute at most.
SETTLED_AFTER = timedelta(minutes=10)


class FileStillOpen(NotAllowed):
    """Orders may still join the file of that day."""

    code = "file_still_open"


def file_day(at: datetime) -> date:
    """The day of the file that what is sent `at` joins."""
    return (at + CLOSES_BEFORE_MIDNIGHT).date()


def check_closed(day: date, *, now: datetime) -> None:
    """:raises FileStillOpen: something may still join the file of `day`."""
    if file_day(now - SETTLED_AFTER) <= day:
        raise FileStillOpen("the file of a day closes at noon UTC; make it ten minutes later")


def send(handed: Handed, *, now: datetime) -> Outcome:
    """Put the order in the file of the day, unless it is in one already."""
    day = store.put_in_file(handed.order, file_day(now), now=now)
    return Accepted(f"{day.isoformat()}/{handed.order.payout_id}")


def look_up(handed: Handed, provider_id: str, *, now: datetime) -> Outcome:
    """It is in its file; what became of it the bank's reports say."""
    return Accepted(provider_id) if provider_id else send(handed, now=now)


PORT = RailPort(send, look_up)
