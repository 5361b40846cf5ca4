"""Which devices a member pays with: believed at the second word, few, and never by one payment."""

from datetime import UTC, datetime, timedelta

from chalicelib.kernel.ids import PaymentId
from chalicelib.members.devices import (
    DEVICES_MAX,
    HEARD_ONCE_FOR,
    Device,
    with_word,
    without_word,
)

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(days=1)
FIRST, SECOND, THIRD = PaymentId("p1"), PaymentId("p2"), PaymentId("p3")
HEARD = Device("9087", (FIRST,), AT)
BELIEVED = Device("9087", (FIRST, SECOND), LATER)


def heard(first: int, last: int, *, at: datetime = AT) -> tuple[Device, ...]:
    return tuple(Device(f"{n:04}", (PaymentId(f"of-{n}"),), at) for n in range(first, last))


def believed(first: int, last: int) -> tuple[Device, ...]:
    return tuple(Device(f"{n:04}", (FIRST, SECOND), AT) for n in range(first, last))


def test_is_believed_at_the_second_payments_word() -> None:
    once = with_word((), "9087", FIRST, at=AT)
    twice = with_word(once, "9087", SECOND, at=LATER)

    assert (once, HEARD.is_believed) == ((HEARD,), False)
    assert (twice, BELIEVED.is_believed) == ((BELIEVED,), True)


def test_a_payment_that_comes_again_says_nothing_new() -> None:
    assert with_word((HEARD,), "9087", FIRST, at=LATER) == (HEARD,)
    assert with_word((BELIEVED,), "9087", FIRST, at=LATER) == (BELIEVED,)


def test_what_is_believed_needs_no_further_word() -> None:
    assert with_word((BELIEVED,), "9087", THIRD, at=LATER) == (BELIEVED,)


def test_the_oldest_that_was_heard_once_gives_way_to_the_ninth() -> None:
    known = (*believed(1, 3), *heard(3, 3 + DEVICES_MAX - 2))
    new = Device("9087", (FIRST,), AT + HEARD_ONCE_FOR)

    now_known = with_word(known, "9087", FIRST, at=AT + HEARD_ONCE_FOR)

    assert now_known == (*known[:2], *known[3:], new)
    assert len(now_known) == DEVICES_MAX


def test_a_till_that_prints_other_digits_each_time_is_not_followed() -> None:
    known = heard(1, 1 + DEVICES_MAX)
    soon = AT + HEARD_ONCE_FOR - timedelta(seconds=1)

    assert with_word(known, "9087", FIRST, at=soon) == known
    assert with_word(known, "0004", FIRST, at=soon)[-1] == Device(
        "0004", (PaymentId("of-4"), FIRST), soon
    )


def test_the_oldest_of_eight_believed_gives_way() -> None:
    known = believed(1, 1 + DEVICES_MAX)

    assert with_word(known, "9087", THIRD, at=AT) == (*known[1:], Device("9087", (THIRD,), AT))


def test_forgets_what_a_payment_said() -> None:
    other = Device("1122", (THIRD,), AT)

    assert without_word((other, BELIEVED), SECOND) == (other, Device("9087", (FIRST,), LATER))
    assert without_word((HEARD, other), FIRST) == (other,)
    assert without_word((other, BELIEVED), PaymentId("p9")) == (other, BELIEVED)
