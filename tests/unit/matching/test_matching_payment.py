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


def at_day(event: PaymentEvent, day: int, minor: int, key: str, **more: object) -> PaymentEvent:
    """`event` once more, `day` days after the sale."""
    return replace(
        event,
        event_key=key,
        digest=key,
        occurred_at=NOON + timedelta(days=day),
        amount=Money(minor, "GBP"),
        **more,  # type: ignore[arg-type]
    )


def in_any_order(*events: PaymentEvent) -> Payment:
    """The payment of `events`, the same whatever their order, each told twice."""
    (payment,) = {payment_of(*order, *order) for order in permutations(events)}
    return payment


REVERSAL = replace(AUTH, kind=PaymentEventKind.REVERSED)


@pytest.mark.requirement("RCP-14")
def test_a_reversal_of_a_part_lowers_the_amount_and_keeps_the_payment() -> None:
    payment = in_any_order(
        AUTH, at_day(REVERSAL, 1, 400, "rev-1"), at_day(REVERSAL, 2, 100, "rev-2")
    )

    assert (payment.state, payment.amount) == (PaymentState.AUTHORISED, Money(500, "GBP"))
    assert payment.amounts == (Money(1000, "GBP"), Money(500, "GBP"))


def test_reversals_that_come_to_the_whole_reverse_the_payment() -> None:
    payment = in_any_order(
        AUTH, at_day(REVERSAL, 1, 400, "rev-1"), at_day(REVERSAL, 2, 600, "rev-2")
    )

    assert (payment.state, payment.amount) == (PaymentState.REVERSED, Money(1000, "GBP"))


@pytest.mark.requirement("RCP-14")
def test_a_reversal_told_twice_under_two_names_is_one() -> None:
    half, again = at_day(REVERSAL, 1, 500, "rev-1"), at_day(REVERSAL, 1, 500, "rev-2")

    payment = in_any_order(AUTH, half, again)

    assert (payment.state, payment.amount) == (PaymentState.AUTHORISED, Money(500, "GBP"))


@pytest.mark.parametrize(("day", "minor", "left"), [(2, 300, 400), (1, 200, 500)])
def test_reversals_of_another_time_or_amount_are_two(day: int, minor: int, left: int) -> None:
    first, second = at_day(REVERSAL, 1, 300, "rev-1"), at_day(REVERSAL, day, minor, "rev-2")

    assert in_any_order(AUTH, first, second).amount == Money(left, "GBP")


@pytest.mark.parametrize(
    ("local", "left"), [(None, 1000), (Money(400, "GBP"), 600), (Money(400, "EUR"), 1000)]
)
def test_a_reversal_counts_in_the_currency_of_the_payment_alone(
    local: Money | None, left: int
) -> None:
    yen = replace(REVERSAL, event_key="rev-1", digest="rev-1", amount=Money(76_000, "JPY"))

    payment = in_any_order(AUTH, replace(yen, local_amount=local))

    assert (payment.state, payment.amount) == (PaymentState.AUTHORISED, Money(left, "GBP"))


def test_a_clearing_has_the_reversals_before_it_within() -> None:
    cleared = at_day(CLEARED, 2, 600, "cleared")

    payment = in_any_order(AUTH, at_day(REVERSAL, 1, 400, "rev-1"), cleared)

    assert (payment.state, payment.amount) == (PaymentState.CLEARED, Money(600, "GBP"))


def test_a_reversal_after_the_clearing_lowers_what_was_cleared() -> None:
    cleared = at_day(CLEARED, 2, 900, "cleared")

    payment = in_any_order(AUTH, cleared, at_day(REVERSAL, 3, 400, "rev-1"))

    assert (payment.state, payment.amount) == (PaymentState.CLEARED, Money(500, "GBP"))


@pytest.mark.requirement("RCP-14")
def test_the_clearings_of_several_parcels_add_up() -> None:
    first, second = at_day(CLEARED, 2, 300, "parcel-1"), at_day(CLEARED, 5, 700, "parcel-2")

    payment = in_any_order(AUTH, first, second)

    assert (payment.state, payment.amount) == (PaymentState.CLEARED, Money(1000, "GBP"))
    assert payment.amounts == (Money(1000, "GBP"), Money(300, "GBP"), Money(700, "GBP"))
    assert payment.made_at == NOON


def test_a_clearing_that_goes_beyond_what_was_authorised_corrects_the_one_before() -> None:
    first, second = at_day(CLEARED, 2, 1150, "cleared-1"), at_day(CLEARED, 3, 1140, "cleared-2")

    assert in_any_order(AUTH, first, second).amount == Money(1140, "GBP")


@pytest.mark.parametrize("currencies", [("EUR", "GBP"), ("GBP", "EUR")])
def test_clearings_in_two_currencies_do_not_add_up(currencies: tuple[str, str]) -> None:
    first, second = (
        replace(at_day(CLEARED, 2 + at, 300, f"parcel-{at}"), amount=Money(300, currency))
        for at, currency in enumerate(currencies)
    )

    assert in_any_order(AUTH, first, second).amount == Money(300, currencies[1])


def test_clearings_do_not_add_up_within_what_was_held_in_another_currency() -> None:
    held = replace(AUTH, amount=Money(1000, "JPY"))
    first, second = at_day(CLEARED, 2, 300, "parcel-1"), at_day(CLEARED, 3, 400, "parcel-2")

    assert in_any_order(held, first, second).amount == Money(400, "GBP")


def test_authorisations_do_not_add_up_and_the_same_told_again_changes_nothing() -> None:
    again = replace(AUTH, event_key="authorised-again", digest="again")
    parcel = at_day(CLEARED, 2, 300, "parcel-1")

    assert in_any_order(AUTH, again).amount == Money(1000, "GBP")
    assert in_any_order(AUTH, again, parcel).amount == Money(300, "GBP")


def test_a_clearing_told_twice_under_two_names_is_one() -> None:
    first, again = at_day(CLEARED, 2, 400, "cleared-1"), at_day(CLEARED, 2, 400, "cleared-2")

    assert in_any_order(AUTH, first, again).amount == Money(400, "GBP")


def test_a_refund_told_twice_under_two_event_names_counts_once() -> None:
    again = at_day(REFUND, 4, 150, "refunded-again")
    other = at_day(REFUND, 4, 200, "refunded-2", transaction_id="t-10")

    payment = in_any_order(AUTH, REFUND, again, other)

    assert payment.refunded_minor == 350
    assert [refund.name for refund in payment.refunds] == ["t-9", "t-10"]


def test_a_refund_in_another_currency_is_kept_and_does_not_count() -> None:
    yen = replace(REFUND, amount=Money(80_000, "JPY"))
    part = at_day(REFUND, 4, 200, "refunded-2", transaction_id="t-10")

    payment = in_any_order(AUTH, yen, part)

    assert (payment.refunded_minor, payment.state) == (200, PaymentState.AUTHORISED)
    assert [one.amount for one in payment.refunds] == [Money(80_000, "JPY"), Money(200, "GBP")]


@pytest.mark.parametrize(
    ("amount", "local", "minor"),
    [
        (Money(150, "GBP"), Money(175, "EUR"), 150),
        (Money(28_500, "JPY"), Money(150, "GBP"), 150),
        (Money(28_500, "JPY"), Money(175, "EUR"), 0),
        (Money(28_500, "JPY"), None, 0),
    ],
)
def test_a_refund_counts_by_what_the_bank_says_in_the_currency_of_the_payment(
    amount: Money, local: Money | None, minor: int
) -> None:
    payment = payment_of(AUTH, replace(REFUND, amount=amount, local_amount=local))

    assert payment.refunded_minor == minor


def test_refunds_that_the_bank_gives_no_name_of_their_own_are_named_by_their_events() -> None:
    bare = {"transaction_id": "t-1", "refers_to": None}
    first, second = at_day(REFUND, 3, 150, "e-1", **bare), at_day(REFUND, 4, 150, "e-2", **bare)

    assert in_any_order(AUTH, first, second).refunded_minor == 300
