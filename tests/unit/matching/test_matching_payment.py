"""A payment is the set of its events: their order of arrival changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.money import Money
from chalicelib.matching.payment import (
    ConflictingPayment,
    Payment,
    PaymentState,
    add_event,
    first_of,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AUTH = PaymentEvent(
    connection_id=ConnectionId("harbour-bank"),
    transaction_id="t-1",
    event_key="authorised",
    kind=PaymentEventKind.AUTHORISED,
    made_at=NOON,
    occurred_at=NOON,
    amount=Money(1000, "GBP"),
    digest="a",
    merchant=(),
)
CLEARED = replace(
    AUTH,
    event_key="cleared",
    kind=PaymentEventKind.CLEARED,
    occurred_at=NOON + timedelta(days=2),
    amount=Money(1150, "GBP"),
    digest="b",
)
REFUND = replace(
    AUTH,
    transaction_id="t-9",
    event_key="refunded",
    kind=PaymentEventKind.REFUNDED,
    occurred_at=NOON + timedelta(days=3),
    amount=Money(150, "GBP"),
    digest="c",
    refers_to="t-1",
)


def payment_of(*events: PaymentEvent) -> Payment:
    payment = first_of(events[0])
    for event in events[1:]:
        payment = add_event(payment, event)
    return payment


@pytest.mark.requirement("RCP-14")
def test_says_the_same_whatever_the_order_of_its_events() -> None:
    told = {
        (p.state, p.amount, p.amounts, p.refunded_minor, p.transaction_id)
        for order in permutations((AUTH, CLEARED, REFUND))
        for p in [payment_of(*order)]
    }

    assert told == {
        (
            PaymentState.CLEARED,
            Money(1150, "GBP"),
            (Money(1000, "GBP"), Money(1150, "GBP")),
            150,
            "t-1",
        )
    }


@pytest.mark.requirement("RCP-14")
def test_keeps_an_earlier_amount_beside_the_corrected_one() -> None:
    payment = payment_of(AUTH, CLEARED)

    assert [event.amount.minor for event in payment.events] == [1000, 1150]


def test_adding_a_known_event_gives_the_same_payment() -> None:
    payment = payment_of(AUTH, CLEARED)

    assert add_event(payment, CLEARED) is payment


def test_refuses_a_known_event_with_other_content() -> None:
    payment = payment_of(AUTH)

    with pytest.raises(ConflictingPayment):
        add_event(payment, replace(AUTH, amount=Money(999, "GBP"), digest="x"))


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((AUTH,), PaymentState.AUTHORISED),
        ((AUTH, replace(CLEARED, kind=PaymentEventKind.REVERSED)), PaymentState.REVERSED),
        ((AUTH, replace(REFUND, amount=Money(1000, "GBP"))), PaymentState.REFUNDED),
        ((REFUND,), PaymentState.REFUND_ONLY),
    ],
    ids=["authorised", "reversed", "refunded in whole", "a refund alone"],
)
def test_knows_where_it_stands(events: tuple[PaymentEvent, ...], state: PaymentState) -> None:
    assert payment_of(*events).state is state
