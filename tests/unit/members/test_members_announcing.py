"""What lower areas announce travels whole and has the same name every time."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, Misshapen
from chalicelib.members.announcing import (
    Announcement,
    NoticeKind,
    from_message,
    notice_id_of,
    to_message,
)
from chalicelib.members.messages import NoticeMessage, encode
from chalicelib.notices.messages import decode_notices

MEMBER = MemberId("m" * 26)
AT = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
NOTICE_ID = notice_id_of(
    NoticeKind.REWARD_PAID, member_id=MEMBER, subject="payout-7", cause="payout-7"
)
PAID = Announcement(
    NOTICE_ID,
    NoticeKind.REWARD_PAID,
    MEMBER,
    AT,
    "payout-7",
    retailer_id="bean-street",
    payment_id="p" * 26,
    units=3,
    amount=Money(-250, "GBP"),
    reason="returned",
    on=date(2026, 3, 29),
)


def read(body: str) -> NoticeMessage:
    """The announcement that `body` is."""
    message = decode_notices(body)
    assert isinstance(message, NoticeMessage)
    return message


@pytest.mark.parametrize(
    "announcement",
    [
        PAID,
        Announcement(NOTICE_ID, NoticeKind.STAMP_EARNED, MEMBER, AT, "coffee-card"),
    ],
)
def test_an_announcement_travels_whole(announcement: Announcement) -> None:
    body = encode(to_message(announcement))

    assert from_message(read(body)) == announcement


def test_a_field_of_a_later_release_is_ignored() -> None:
    body = encode(to_message(PAID)).replace('"notice_id"', '"colour":"red","notice_id"', 1)

    assert from_message(read(body)) == PAID


def test_the_same_cause_has_the_same_id_and_another_has_another() -> None:
    named = {"member_id": MEMBER, "subject": "coffee-card"}
    first = notice_id_of(NoticeKind.STAMP_EARNED, cause="payment-1", **named)

    assert first == notice_id_of(NoticeKind.STAMP_EARNED, cause="payment-1", **named)
    assert first != notice_id_of(NoticeKind.STAMP_EARNED, cause="payment-2", **named)
    assert first != notice_id_of(NoticeKind.ADJUSTED, cause="payment-1", **named)


def test_a_kind_that_is_not_known_is_refused() -> None:
    message = read(encode(to_message(PAID)).replace("reward_paid", "crowned"))

    with pytest.raises(Misshapen) as refused:
        from_message(message)

    assert refused.value.field == "kind"


@pytest.mark.parametrize(
    "body",
    ["", "[]", '{"message":"notice"}', '{"message":"crown"}', '{"message":"tell_page","left":[]}'],
)
def test_what_is_no_notice_is_refused(body: str) -> None:
    with pytest.raises(Malformed):
        read(body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"notice_id": ""},
        {"subject": ""},
        {"reason": "x" * 101},
        {"units": 10**9 + 1},
        {"at": AT.replace(tzinfo=None)},
    ],
)
def test_an_announcement_that_could_not_be_told_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Misshapen):
        replace(PAID, **wrong)  # type: ignore[arg-type]
