"""What comes to be known late stands in the member's list at the time at which it was told."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.loyalty.cards import store as cards
from chalicelib.members.messages import NoticeMessage
from chalicelib.notices import inbox
from chalicelib.notices.inbox import Item
from chalicelib.notices.messages import decode_notices
from chalicelib.runtime import queues
from tests.makers.nights import begin, close_until
from tests.makers.purchases import PAID_AT, queued
from tests.makers.rewarding import (
    DAY,
    bring_back,
    buy,
    card,
    holder,
    member,
    open_bakery,
    settle,
    settle_again,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
MINUTE = timedelta(minutes=1)
DUE_AT = datetime(2026, 12, 21, tzinfo=UTC)  # Of a reward of `PAID_AT`, a month later.
UNITS = ("stamp_earned", "adjusted")


def listed(now: datetime, *, cursor: str | None = None, limit: int = 50) -> inbox.Inbox:
    return inbox.list_inbox(member(now=now), cursor=cursor, limit=limit, now=now)


def lines(now: datetime) -> list[tuple[str, int, datetime, bool]]:
    def line(item: Item) -> tuple[str, int, datetime, bool]:
        told = item.announcement
        return told.kind.value, told.units, told.at, item.is_read

    return [line(item) for item in listed(now).items]


def read(now: datetime) -> None:
    inbox.mark_read(member(now=now), now, now=now)


def told_ids() -> set[str]:
    notices = [decode_notices(body) for body in queued(queues.NOTICES)]
    told = [one for one in notices if isinstance(one, NoticeMessage)]
    return {one.notice_id for one in told if one.kind in UNITS}


def test_stamps_of_a_late_match_are_new_although_what_came_after_them_was_read() -> None:
    open_bakery()
    buy("t-2", 2, at=PAID_AT + DAY)
    settle(now=PAID_AT + DAY + MINUTE)
    read(PAID_AT + DAY + 2 * MINUTE)
    buy("t-1", 1)
    late = PAID_AT + 2 * DAY

    again = settle(now=late)
    settle_again(again, now=late + DAY)

    assert lines(late + 2 * DAY) == [
        ("stamp_earned", 1, late, False),
        ("stamp_earned", 2, PAID_AT + DAY + MINUTE, True),
    ]
    assert listed(late).unread == 1


def test_what_a_late_return_takes_back_is_new_and_what_it_was_taken_of_stays_read() -> None:
    open_bakery()
    buy("t-1", 3)
    settle(now=PAID_AT + MINUTE)
    read(PAID_AT + 2 * MINUTE)
    for number, days in ((1, 20), (2, 25)):
        bring_back("t-1", 1, reference=f"B-{number}", at=PAID_AT + days * DAY)
        settle(now=PAID_AT + days * DAY + MINUTE)

    assert lines(PAID_AT + 26 * DAY) == [
        ("adjusted", -1, PAID_AT + 25 * DAY + MINUTE, False),
        ("adjusted", -1, PAID_AT + 20 * DAY + MINUTE, False),
        ("stamp_earned", 3, PAID_AT + MINUTE, True),
    ]
    assert {item.announcement.notice_id for item in listed(PAID_AT + 26 * DAY).items} == told_ids()


def test_a_late_return_is_told_although_its_purchase_is_in_the_history() -> None:
    open_bakery()
    for number in range(20):
        buy(f"t-{number}", at=PAID_AT + number * DAY)
        settle(now=PAID_AT + number * DAY)
    late = PAID_AT + 100 * DAY
    buy("t-20", at=late - DAY)
    settle(now=late - DAY)
    read(late)
    bring_back("t-0", 1, reference="B-1", at=late)

    settle(now=late + MINUTE)

    told = [line for line in lines(late + DAY) if line[0] == "adjusted"]
    assert ("adjusted", -1, late + MINUTE, False) in told


def test_a_reward_that_becomes_available_is_told_when_the_night_found_it_due() -> None:
    open_bakery()
    begin(PAID_AT.date())
    buy("t-1", 5)
    settle()
    close_until(date(2026, 12, 20))
    assert len(lines(DUE_AT)) == 2
    read(DUE_AT + timedelta(hours=2))

    night = close_until(date(2026, 12, 21))

    newest, *others = lines(night)
    assert newest == ("reward_available", 0, night, False)
    assert [is_read for *_, is_read in others] == [True, True]


def test_what_is_told_while_somebody_turns_pages_moves_nothing_on_them() -> None:
    open_bakery()
    for number in range(3):
        buy(f"t-{number}", at=PAID_AT + number * DAY)
        settle(now=PAID_AT + number * DAY + MINUTE)
    now = PAID_AT + 5 * DAY
    whole = [item.announcement.notice_id for item in listed(now).items]
    first = listed(now, limit=2)
    buy("t-late")
    settle(now=now)

    second = listed(now + MINUTE, cursor=first.cursor, limit=1)

    turned = [item.announcement.notice_id for item in (*first.items, *second.items)]
    assert turned == whole
    assert (second.cursor, second.unread) == (None, 4)


def test_of_a_purchase_from_before_times_were_noted_the_sale_says_when() -> None:
    open_bakery()
    buy("t-1", 1)
    settle()
    found = card()
    assert found is not None

    (entry,) = found.entries
    older = replace(found, entries=(replace(entry, lag_seconds=0),))

    assert cards.record_card(older, holder())

    assert entry.lag_seconds == 300
    assert lines(PAID_AT + DAY) == [("stamp_earned", 1, PAID_AT, False)]
