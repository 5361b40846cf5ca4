"""What expires soon, and tiers that were reached, are listed as banks hear of them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.loyalty.expiring import tell_of_expiring
from chalicelib.members import service as members
from chalicelib.members.announcing import Announcement, NoticeKind, from_message
from chalicelib.members.choices import Channel, with_mute
from chalicelib.members.messages import NoticeMessage
from chalicelib.notices import inbox
from chalicelib.notices.messages import decode_notices
from chalicelib.runtime import queues
from tests.makers.purchases import PAID_AT, queued
from tests.makers.rewarding import (
    DAY,
    bring_back,
    buy,
    member,
    open_bakery,
    settle,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
SOON = datetime(2027, 5, 6, 23, 0, tzinfo=UTC)  # Two weeks before 20 May is over in London.
MINUTE = timedelta(minutes=1)
BASE = {"id": "base", "name": "Base", "threshold": 0}
STEPS = [BASE, *({"id": f"{n}", "name": f"From {n}", "threshold": n} for n in (3, 6))]


def listed(kind: NoticeKind, now: datetime) -> list[Announcement]:
    found = inbox.list_inbox(member(now=now), cursor=None, limit=50, now=now)
    return [one.announcement for one in found.items if one.announcement.kind is kind]


def told(kind: NoticeKind) -> list[Announcement]:
    said = [decode_notices(body) for body in queued(queues.NOTICES)]
    heard = [from_message(one) for one in said if isinstance(one, NoticeMessage)]
    return [one for one in heard if one.kind is kind]


def look(at: datetime) -> int:
    return tell_of_expiring(now=at, has_time=lambda: True)


def with_an_end(days: int = 0) -> None:
    expiry = {"after": days or 6, "unit": "days" if days else "months", "end_of": "day"}
    open_bakery(expiry=expiry, pending_days=0)


def test_what_expires_is_listed_from_two_weeks_before_under_the_name_that_is_announced() -> None:
    with_an_end()
    buy("t-1", 2)
    settle()
    inbox.mark_read(member(now=SOON), SOON - MINUTE, now=SOON)
    early = listed(NoticeKind.EXPIRING, SOON - MINUTE)

    look(SOON + MINUTE)

    (shown,) = listed(NoticeKind.EXPIRING, SOON + MINUTE)
    (said,) = told(NoticeKind.EXPIRING)
    assert early == []
    assert (shown.at, shown.units, shown.on) == (SOON, 2, date(2027, 5, 20))
    assert shown.notice_id == said.notice_id
    assert inbox.list_inbox(member(now=SOON), cursor=None, limit=1, now=SOON).unread == 1


def test_what_is_used_or_over_is_listed_no_more() -> None:
    with_an_end()
    buy("t-1", 2)
    settle()
    buy("t-2", 2, at=SOON)
    settle(now=SOON + MINUTE)
    (loose,) = listed(NoticeKind.EXPIRING, SOON + MINUTE)
    over = listed(NoticeKind.EXPIRING, SOON + 14 * DAY)
    buy("t-3", 1, at=SOON + DAY)

    settle(now=SOON + DAY + MINUTE)

    assert (loose.units, over) == (2, [])
    assert listed(NoticeKind.EXPIRING, SOON + 2 * DAY) == []


def test_what_expires_within_two_weeks_of_being_earned_is_listed_since_it_was_earned() -> None:
    with_an_end(days=10)
    buy("t-1", 1)
    buy("t-2", 1)
    settle(now=PAID_AT + MINUTE)

    (shown,) = listed(NoticeKind.EXPIRING, PAID_AT + DAY)

    assert (shown.at, shown.units, shown.on) == (PAID_AT + MINUTE, 2, date(2026, 11, 30))


def test_somebody_who_does_not_want_to_hear_of_expiry_is_not_shown_it() -> None:
    with_an_end()
    buy("t-1", 2)
    settle()
    anchor = member(now=SOON).anchor
    assert anchor is not None
    members.change_choices(
        anchor,
        lambda choices: with_mute(choices, NoticeKind.EXPIRING, Channel.INBOX, is_told=False),
        now=SOON,
    )

    assert listed(NoticeKind.EXPIRING, SOON) == []


def test_tiers_are_listed_when_they_were_reached_under_the_names_that_are_announced() -> None:
    open_bakery(tiers={"steps": STEPS})
    for number, coffees in enumerate((1, 3, 4)):
        buy(f"t-{number}", coffees, at=PAID_AT + number * DAY)
        settle(now=PAID_AT + number * DAY + MINUTE)

    shown = listed(NoticeKind.TIER_CHANGED, PAID_AT + 3 * DAY)

    assert [(one.reason, one.at) for one in shown] == [
        ("6", PAID_AT + 2 * DAY + MINUTE),
        ("3", PAID_AT + DAY + MINUTE),
    ]
    assert {one.notice_id for one in shown} == {
        one.notice_id for one in told(NoticeKind.TIER_CHANGED)
    }


def test_a_tier_that_a_return_took_away_is_listed_no_more() -> None:
    open_bakery(tiers={"steps": STEPS, "downgrade": "by_balance"})
    buy("t-1", 4)
    settle()
    bring_back("t-1", 2, reference="B-1", at=PAID_AT + DAY)

    settle(now=PAID_AT + DAY)

    assert listed(NoticeKind.TIER_CHANGED, PAID_AT + 2 * DAY) == []


def test_a_tier_is_listed_although_what_reached_it_is_in_the_history() -> None:
    open_bakery(tiers={"steps": STEPS})
    for number in range(20):
        buy(f"t-{number}", at=PAID_AT + number * DAY)
        settle(now=PAID_AT + number * DAY + MINUTE)

    shown = listed(NoticeKind.TIER_CHANGED, PAID_AT + 21 * DAY)

    assert [(one.reason, one.at) for one in shown] == [
        ("6", PAID_AT + 5 * DAY + MINUTE),
        ("3", PAID_AT + 2 * DAY + MINUTE),
    ]


def test_what_is_looked_at_early_on_its_day_is_told_of_later_on_that_day() -> None:
    with_an_end()
    buy("t-1", 2)
    settle()

    for hours in (20, 3, 0):
        look(SOON + MINUTE - timedelta(hours=hours))

    assert [one.on for one in told(NoticeKind.EXPIRING)] == [date(2027, 5, 20)]
