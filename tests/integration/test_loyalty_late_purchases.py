"""What a bank tells late, of a time that is in a card's history, counts as if it came in time."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.loyalty import service as loyalty
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.memberships import service as memberships
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.purchases import service as purchases
from tests.makers.purchases import PAID_AT, event, receive
from tests.makers.rewarding import (
    DAY,
    SCHEME,
    bought,
    bring_back,
    buy,
    card,
    holder,
    member,
    open_bakery,
    settle,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
HOUR = DAY / 24
AUTHORISED, CLEARED = PaymentEventKind.AUTHORISED, PaymentEventKind.CLEARED
LATE = PAID_AT + 14 * DAY
MUG = {
    "id": "mug",
    "title": "A mug",
    "cost": 50,
    "reward": {"kind": "free_text", "text": "A mug"},
}
TIERS = {
    "measure": "visits",
    "span": "year",
    "downgrade": "never",
    "steps": [
        {"id": "bronze", "name": "Bronze", "threshold": 0},
        {"id": "gold", "name": "Gold", "threshold": 4, "multiplier": "3"},
    ],
}


def open_points(**more: Any) -> None:
    """Points that may be spent at once, for a mug."""
    open_bakery(unit="points", card=None, pending_days=0, catalogue=[MUG], **more)


def a_coffee_each_day(days: range) -> None:
    for day in days:
        buy(f"t-{day}", at=PAID_AT + day * DAY)
        settle(now=PAID_AT + day * DAY + HOUR)


def active(now: datetime = LATE) -> int:
    found = card(now=now)
    return balance_at(found, now).active if found else 0


@pytest.mark.parametrize("kinds", [(AUTHORISED, CLEARED), (CLEARED, AUTHORISED)])
def test_a_word_that_names_a_later_time_of_a_purchase_in_the_history_earns_nothing_more(
    kinds: tuple[PaymentEventKind, PaymentEventKind],
) -> None:
    open_points()
    a_coffee_each_day(range(8))
    at = PAID_AT + 8 * DAY
    told, again = (
        event(
            "moving",
            made_at=at + number * timedelta(seconds=1),
            occurred_at=at,
            kind=kind,
            event_key=kind.value,
            amount=Money(100, "GBP"),
            card=CardFacts(auth_code="Cmoving"),
            digest=f"digest of {kind.value}",
        )
        for number, kind in enumerate(kinds)
    )
    purchases.record_payment(told, now=at + HOUR)
    receive(bought("moving", 1, at=at), now=at + HOUR)
    settle(now=at + HOUR)
    a_coffee_each_day(range(9, 13))
    found = card(now=LATE)
    assert found is not None
    assert (found.find_entry(told.payment_id), found.watermark) == (None, at)

    purchases.record_payment(again, now=LATE)
    settle(now=LATE)

    assert active() == 13


def test_what_was_forfeited_on_coming_back_is_not_taken_again() -> None:
    open_points(rejoin="reset", refund_policy="negative")
    a_coffee_each_day(range(14))
    scheme = schemes.get_valid(SCHEME, at=LATE, now=LATE)
    taker = loyalty.taker_of(member(now=LATE), scheme, now=LATE)
    memberships.leave(holder(now=LATE), scheme, taker, now=LATE)
    memberships.join(holder(now=LATE), scheme, taker, now=LATE + DAY)
    assert active(LATE + DAY) == 0
    buy("new", 2, at=LATE + 2 * DAY)
    settle(now=LATE + 3 * DAY)

    bring_back("t-0", 1, reference="B-1", at=LATE + 4 * DAY)
    settle(now=LATE + 4 * DAY)

    assert active(LATE + 5 * DAY) == 2


@pytest.mark.parametrize("days", [5, 14])
def test_a_late_purchase_does_not_pass_the_cap_of_its_day(days: int) -> None:
    open_points(caps=[{"units": 1, "per": "day"}])
    a_coffee_each_day(range(days))

    buy("late", at=PAID_AT + HOUR)
    settle(now=LATE)

    assert active() == days


def test_a_late_purchase_has_the_tier_of_its_own_time_also_when_it_is_corrected() -> None:
    open_points(tiers=TIERS)
    a_coffee_each_day(range(14))
    before = active()
    buy("late", at=PAID_AT + DAY + HOUR)
    settle(now=LATE)
    late = active() - before

    receive(bought("late", 2, at=PAID_AT + DAY + HOUR, version=2), now=LATE)
    settle(now=LATE)

    assert (late, active() - before) == (1, 2)
