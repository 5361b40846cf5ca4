"""What was read at one store for many who look: receipts, and who may have paid for them."""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.kernel.ids import StoreId
from chalicelib.matching.questions import Near
from chalicelib.matching.reach import Window
from chalicelib.matching.standing import Waiting
from tests.makers.matching import HIGH_STREET, SALE_AT, payment

HOUR = timedelta(hours=1)
SPANS = ((-60.0, 120.0),)  # The till may be a minute behind, or two ahead.


def who_waits(name: str, made_at: datetime) -> Waiting:
    signals = replace(payment(), payment_id=name, made_at=made_at)
    return Waiting(signals, made_at, made_at)


def near() -> Near:
    """Who waits, of those who paid in the two hours about the sale."""
    waiting = tuple(
        who_waits(name, SALE_AT + timedelta(seconds=seconds))
        for name, seconds in (("early", -121), ("first", -120), ("last", 60), ("late", 61))
    )
    return Near(HIGH_STREET, (Window(SALE_AT - HOUR, SALE_AT + HOUR),), waiting)


def test_those_may_have_paid_for_a_receipt_whose_till_may_be_as_far_off() -> None:
    found = near().who_paid(HIGH_STREET, [SALE_AT], SPANS)

    assert found is not None
    assert [one.signals.payment_id for one in found] == ["first", "last"]


def test_who_paid_is_not_known_where_somebody_may_have_paid_at_another_time_or_place() -> None:
    last_known = SALE_AT + HOUR - timedelta(seconds=60)

    assert near().who_paid(HIGH_STREET, [last_known], SPANS) == []
    assert near().who_paid(HIGH_STREET, [last_known + timedelta(seconds=1)], SPANS) is None
    assert near().who_paid(StoreId("another"), [SALE_AT], SPANS) is None


def test_whoever_found_a_receipt_wants_no_other() -> None:
    found = near().without(near().waiting[1].signals.payment_id)

    left = found.who_paid(HIGH_STREET, [SALE_AT], SPANS)
    assert left is not None
    assert [one.signals.payment_id for one in left] == ["last"]
