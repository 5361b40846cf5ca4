"""Workers that are killed at their timeout: before or after any of their calls to AWS."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from chalicelib.runtime import aws
from infra.baddays.street import Ledger, Street

VISIBLE_AGAIN = timedelta(seconds=400)  # Longer than any queue keeps a message from others.
CALLS_MAX = 40  # More than one message leads to.


class Killed(BaseException):
    """As Lambda ends a process: no `except Exception` hears of it."""


def play(street: Street, ledger: Ledger, *, size: int) -> None:
    """`size` purchases, each with a worker killed at another of its calls; then what is left."""
    errands, kills = [], 0
    for number in range(size):
        at = 1 + number * CALLS_MAX // size
        pair = street.errands(2, every=timedelta(seconds=30))
        street.tell(pair)
        street.ring_up([errand.receipt for errand in pair])
        try:
            with _killing(at, after=bool(number % 2)):
                street.work()
        except Killed:
            kills += 1
        street.pass_time(VISIBLE_AGAIN, stride=VISIBLE_AGAIN)
        errands += pair
    street.pass_time(timedelta(hours=1), stride=timedelta(minutes=20))
    ledger.check_within("workers killed", kills, size // 3, size)
    ledger.check("messages still waiting", street.stack.pump.waiting(), 0)
    street.settle_accounts(ledger, errands)


@contextmanager
def _killing(at: int, *, after: bool) -> Iterator[None]:
    """Kill whoever makes the call number `at` to DynamoDB, or to a queue that it fills."""
    from chalicelib.runtime.rows import RowMeta  # Row types need the stage at their import.

    left = at

    def strike(**_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    dynamodb = RowMeta.row_types[0]._get_connection().connection.client.meta.events
    places = [(dynamodb, "dynamodb"), (aws.client("sqs").meta.events, "sqs.SendMessageBatch")]
    moment = "after-call" if after else "before-call"
    for events, name in places:
        events.register(f"{moment}.{name}", strike)
    try:
        yield
    finally:
        for events, name in places:
            events.unregister(f"{moment}.{name}", strike)
