"""What expires soon is told of once, two weeks before, and what is left goes by the local day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.loyalty.cards import store
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.expiring import tell_of_expiring
from chalicelib.members.messages import NoticeMessage
from chalicelib.notices.messages import decode_notices
from chalicelib.runtime import queues
from tests.makers.meanwhile import meanwhile
from tests.makers.purchases import PAID_AT, queued
from tests.makers.rewarding import DAY, buy, card, open_bakery, settle

pytestmark = pytest.mark.stores
LOOKING = ["GetItem", "GetItem", "SendMessageBatch", "GetItem", "PutItem", "DeleteItem"]
DUE_AT = datetime(2027, 5, 7, 4, 0, tzinfo=UTC)  # Two weeks before 20 May is over in London.


def told() -> list[tuple[str, int, date | None]]:
    notices = [decode_notices(body) for body in queued(queues.NOTICES)]
    said = [one for one in notices if isinstance(one, NoticeMessage) and one.kind == "expiring"]
    return [(one.kind, one.units, one.on) for one in said]


def look(at: datetime) -> int:
    return tell_of_expiring(now=at, has_time=lambda: True)


def test_what_expires_is_told_of_two_weeks_before_and_once(embedded_aws: None) -> None:
    open_bakery(expiry={"after": 6, "unit": "months", "end_of": "day"}, pending_days=0)
    buy("t-1", 2)
    buy("t-2", 1, at=PAID_AT + 40 * DAY)
    settle(now=PAID_AT + 41 * DAY)
    early = look(DUE_AT - 2 * DAY)

    looked = [look(DUE_AT), look(DUE_AT + DAY)]

    assert (early, looked) == (0, [1, 0])
    assert told() == [("expiring", 2, date(2027, 5, 20))]
    found = card(now=DUE_AT)
    assert found is not None
    ends = datetime(2027, 5, 20, 23, 0, tzinfo=UTC)
    before, after = balance_at(found, ends - timedelta(seconds=1)), balance_at(found, ends)
    assert (before.active, after.active, after.expired) == (3, 1, 2)
    assert [one.day for one in store.list_due(date(2027, 6, 16), now=DUE_AT)] == [date(2027, 6, 16)]


def test_what_is_earned_and_expires_within_two_weeks_is_told_of_once_each_day(
    embedded_aws: None,
) -> None:
    open_bakery(expiry={"after": 10, "unit": "days", "end_of": "day"}, pending_days=0)
    buy("t-1", 2)
    settle()
    looked = [look(PAID_AT + DAY / 24)]
    buy("t-2", 1, at=PAID_AT + 2 * DAY)
    buy("t-3", 1, at=PAID_AT + 2 * DAY + DAY / 24)
    settle(now=PAID_AT + 2 * DAY + DAY / 12)

    looked += [look(PAID_AT + 2 * DAY + n * DAY / 8) for n in range(1, 4)]

    assert looked == [1, 1, 0, 0]
    assert told() == [
        ("expiring", 2, date(2026, 11, 30)),
        ("expiring", 2, date(2026, 12, 2)),
    ]


@pytest.mark.parametrize("nth", range(len(LOOKING) + 1))
def test_what_comes_while_somebody_looks_is_told_of_whenever_it_comes(
    embedded_aws: None, nth: int
) -> None:
    open_bakery(expiry={"after": 10, "unit": "days", "end_of": "day"}, pending_days=0)
    buy("t-1", 2, at=PAID_AT + 2 * DAY)
    now = PAID_AT + 2 * DAY + DAY / 12
    settle(now=now)

    def buy_another() -> None:
        buy("t-2", 1, at=PAID_AT + DAY)
        settle(now=now)

    with meanwhile(nth, buy_another) as calls:
        look(now)
    assert nth or calls == LOOKING
    if not nth:
        buy_another()
    looked = [look(now + n * DAY / 8) for n in range(1, 3)]

    assert looked == [1, 0]
    assert sorted(told()) == [
        ("expiring", 1, date(2026, 12, 1)),
        ("expiring", 2, date(2026, 12, 2)),
    ]
