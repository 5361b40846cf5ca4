"""How long a payment waits: as long as something may come, by its shops and its bank."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.matching.payment import add_event, first_of
from chalicelib.network.habits import Habits
from chalicelib.purchases.patience import Patience, patience_of
from tests.makers.purchases import PAID_AT, SHOP, cleared, event

SILENT_BANK = Habits(None)
CLEARS = Habits(timedelta(days=4))
SEEN_AT = PAID_AT + timedelta(minutes=1)
WEEK = timedelta(days=7)
QUICK = replace(SHOP, late_receipts_days=1)


def patience(*stores: object, habits: Habits = SILENT_BANK, is_cleared: bool = False) -> Patience:
    payment = first_of(event())
    if is_cleared:
        payment = add_event(payment, cleared(event(), 420))
    return patience_of(
        payment,
        stores,  # type: ignore[arg-type]
        habits,
        first_seen_at=SEEN_AT,
        waits_max=WEEK,
    )


def test_waits_a_week_for_a_till_that_may_have_been_without_a_line() -> None:
    assert patience(SHOP) == Patience(
        receipts_until=PAID_AT + timedelta(seconds=30),
        late_until=SEEN_AT + WEEK,
        clearing_until=None,
        ends_at=SEEN_AT + WEEK,
    )


@pytest.mark.parametrize(
    ("habits", "is_cleared", "ends_at"),
    [
        (SILENT_BANK, False, SEEN_AT + timedelta(days=1)),
        (CLEARS, False, PAID_AT + timedelta(days=4)),
        (CLEARS, True, SEEN_AT + timedelta(days=1)),
        (Habits(timedelta(days=30)), False, SEEN_AT + WEEK),
    ],
    ids=["bank says no more", "may still clear", "has cleared", "clears after everything"],
)
def test_waits_for_a_clearing_where_the_shop_sends_nothing_late(
    habits: Habits, is_cleared: bool, ends_at: object
) -> None:
    assert patience(QUICK, habits=habits, is_cleared=is_cleared).ends_at == ends_at


def test_waits_for_the_slowest_of_the_shops_it_may_be_of() -> None:
    batches = replace(SHOP, receipts_within_seconds=86_400, late_receipts_days=2)

    both = patience(QUICK, batches)

    assert both.receipts_until == PAID_AT + timedelta(days=1)
    assert both.ends_at == SEEN_AT + timedelta(days=2)


def test_waits_as_long_as_any_where_the_shop_is_known_no_more() -> None:
    assert patience().ends_at == SEEN_AT + WEEK
