"""A long day, and days that were left: runs that end early go on where they were."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from chalicelib.ledger.closing import store as closed
from chalicelib.ledger.giving import give
from chalicelib.ledger.model import Balances
from chalicelib.members.model import Member
from chalicelib.payouts import closing as job
from chalicelib.payouts.model import payout_id_of
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import queues
from tests.makers.dying import Died, dying_at_call
from tests.makers.ledger import RETAILER, balances, book_of, make_gift
from tests.makers.nights import begin, night_after
from tests.makers.paying import make_account, make_payee, record_paying
from tests.makers.payouts import sent_to

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

BEGUN_AT = datetime(2026, 12, 2, 9, 30, tzinfo=UTC)
FIRST = BEGUN_AT.date()
DAY = timedelta(days=1)
DAYS = 2
MORNING = night_after(FIRST + (DAYS - 1) * DAY)  # The first run after an outage of some days.
MEMBERS = 2
RUNS_MAX = 2_000
WHILE_PAYING = 60  # The call at which a run dies: some of the first day's members are paid.


@pytest.fixture(autouse=True)
def left_days(embedded_aws: None) -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))
    begin(FIRST)


def several() -> list[Member]:
    """Members with a gift each on every day: due on the day after, on the last due at once."""
    found = [make_payee(f"p{n}", n, account_number=f"{n:08}") for n in range(1, MEMBERS + 1)]
    numbers = count(1)
    for day in range(DAYS):
        at = BEGUN_AT + day * DAY
        for member in found:
            due_at = min(at + DAY, BEGUN_AT + (DAYS - 1) * DAY)
            more = {"member_id": member.member_id, "at": at, "available_at": due_at}
            give(make_gift(next(numbers), 100 + day, **more), now=at)
    return found


def for_places(most: int) -> Callable[[], bool]:
    """There is time for so many places."""
    asked: Iterator[int] = count()
    return lambda: next(asked) < most


def run_until_closed(most: int) -> int:
    """Runs that end early, one after the other, until yesterday is closed; returns how many."""
    for runs in range(1, RUNS_MAX):
        if job.close_days(now=MORNING, has_time=for_places(most)).next_day == MORNING.date():
            return runs
    raise AssertionError("it never ends")


def check_paid_once(found: list[Member]) -> None:
    """Each of `found` has orders of all that was given, and books without anything twice."""
    ordered = {str(one["payout_id"]) for one in sent_to(queues.PAYOUTS)}
    for member in found:
        keys = [posting.entry.key for posting in book_of(member.member_id, now=MORNING)]
        assert len(set(keys)) == len(keys)
        has = balances(member.member_id, now=MORNING)
        assert has == Balances("GBP", in_payment=sum(100 + day for day in range(DAYS)))
    # What was due at once is paid in the first night, the rest as each day is closed.
    nights = [FIRST + (day + 1) * DAY for day in range(DAYS)]
    each = {payout_id_of(member.member_id, "GBP", on) for member in found for on in nights}
    assert ordered <= each
    days = closed.list_days(RETAILER, FIRST, FIRST + DAYS * DAY, now=MORNING)
    assert [(day.on, day.lines[0].given) for day in days] == [
        (FIRST + day * DAY, MEMBERS) for day in range(DAYS)
    ]


def test_days_that_were_left_are_closed_in_order_however_early_each_run_ends() -> None:
    found = several()

    runs = run_until_closed(7)

    assert runs > DAYS
    check_paid_once(found)


def test_a_run_without_time_does_nothing() -> None:
    several()

    done = job.close_days(now=MORNING, has_time=lambda: False)

    assert (done.work, done.next_day, done.next_step) == (0, FIRST, "fold")
    assert sent_to(queues.PAYOUTS) == []


def test_a_run_that_dies_is_gone_on_with_and_pays_nothing_twice() -> None:
    found = several()
    with pytest.raises(Died), dying_at_call(WHILE_PAYING, is_heard=True):
        job.close_days(now=MORNING, has_time=lambda: True)

    run_until_closed(1_000)

    check_paid_once(found)
