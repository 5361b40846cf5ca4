"""What was given back of a purchase: each refund once, however many times and ways it was told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.ids import ConnectionId, MemberId, PaymentId
from chalicelib.kernel.money import Money
from chalicelib.matching.payment import Payment, PaymentState, add_event, first_of
from chalicelib.purchases.history import CHANGES_MAX, changes_of, in_words, noted
from chalicelib.purchases.model import Cause, Change, LinkedRefund, Purchase
from chalicelib.purchases.refunds import Refunded, flags_of, refunded, status_of
from chalicelib.purchases.versions import (
    REFUNDS_MAX,
    with_payment,
    with_refund,
    without_refund,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BANK, NETWORK = ConnectionId("harbour-bank"), ConnectionId("card-network")
AUTH = PaymentEvent(
    connection_id=BANK,
    transaction_id="t-1",
    event_key="authorised",
    kind=PaymentEventKind.AUTHORISED,
    made_at=NOON,
    occurred_at=NOON,
    amount=Money(1000, "GBP"),
    digest="a",
    merchant=(),
)


def told(name: str, minor: int, currency: str = "GBP") -> PaymentEvent:
    """The bank links a refund to the payment by itself."""
    return replace(
        AUTH,
        transaction_id=name,
        event_key=f"refunded:{name}",
        kind=PaymentEventKind.REFUNDED,
        occurred_at=NOON + timedelta(days=1),
        amount=Money(minor, currency),
        digest=name,
        refers_to="t-1",
    )


def found(
    name: str, minor: int, source: ConnectionId = BANK, currency: str = "GBP"
) -> LinkedRefund:
    """A refund payment that was found to be of the purchase."""
    payment_id = PaymentId(f"{source}/{name}")
    amount = Money(minor, currency)
    return LinkedRefund(payment_id, source, name, amount, NOON, "one_purchase_fits")


def paid(*refunds: PaymentEvent) -> Payment:
    payment = first_of(AUTH)
    for refund in refunds:
        payment = add_event(payment, refund)
    return payment


def purchase(*linked: LinkedRefund, payment: Payment | None = None) -> Purchase:
    return Purchase(MemberId("ada"), payment or paid(), version=1, refunds=linked)


@pytest.mark.parametrize(
    ("events", "linked", "minor"),
    [
        ((), (), 0),
        ((told("r-1", 300),), (), 300),
        ((), (found("r-1", 300), found("r-2", 300)), 600),
        ((told("r-1", 300),), (found("r-1", 300),), 300),
        ((told("r-1", 300),), (found("r-2", 300),), 600),
        ((told("r-1", 300),), (found("x-1", 300, NETWORK),), 300),
        ((told("r-1", 300),), (found("x-1", 300, NETWORK), found("x-2", 300, NETWORK)), 600),
        ((told("r-1", 300),), (found("x-1", 200, NETWORK),), 500),
        ((), (found("r-1", 300), found("x-1", 300, NETWORK), found("x-2", 200, NETWORK)), 500),
    ],
)
@pytest.mark.requirement("LNK-22")
def test_counts_a_refund_once_whoever_tells_of_it(
    events: tuple[PaymentEvent, ...], linked: tuple[LinkedRefund, ...], minor: int
) -> None:
    assert refunded(purchase(*linked, payment=paid(*events))) == Refunded(1000, minor)


@pytest.mark.parametrize(
    ("events", "linked"),
    [
        ((told("r-1", 3000, "JPY"), told("r-2", 300)), ()),
        ((told("r-2", 300),), (found("r-1", 3000, currency="JPY"),)),
        ((told("r-1", 300, "JPY"),), (found("x-1", 300, NETWORK),)),
    ],
)
@pytest.mark.requirement("LNK-22")
def test_what_came_back_in_another_currency_does_not_count_and_is_said(
    events: tuple[PaymentEvent, ...], linked: tuple[LinkedRefund, ...]
) -> None:
    mixed = purchase(*linked, payment=paid(*events))

    back = refunded(mixed)

    assert back == Refunded(1000, 300, has_other_currency=True)
    assert flags_of(back) == {"other_currency_refund"}
    assert status_of(mixed) is PaymentState.AUTHORISED


def test_never_counts_more_than_was_paid_and_says_so() -> None:
    back = refunded(purchase(found("r-1", 700), found("r-2", 600)))

    assert (back.minor, back.told_minor, back.remaining_minor, back.is_over) == (
        1000,
        1300,
        0,
        True,
    )
    assert flags_of(back) == {"over_refund"}
    assert not refunded(purchase(found("r-1", 1000))).is_over
    assert flags_of(refunded(purchase(found("r-1", 1000)))) == set()


def test_knows_where_a_purchase_stands_by_refunds_that_were_found() -> None:
    reversed_ = replace(AUTH, event_key="r", digest="r", kind=PaymentEventKind.REVERSED)

    assert status_of(purchase(found("r-1", 999))) is PaymentState.AUTHORISED
    assert status_of(purchase(found("r-1", 1000))) is PaymentState.REFUNDED
    assert status_of(purchase(payment=add_event(paid(), reversed_))) is PaymentState.REVERSED


def test_a_guess_ends_when_the_bank_links_the_refund_by_itself() -> None:
    guessed = purchase(found("r-1", 300), found("r-2", 200), found("r-1", 300, NETWORK))

    after = with_payment(guessed, paid(told("r-1", 300)))

    assert after.refunds == (found("r-2", 200), found("r-1", 300, NETWORK))
    assert (after.version, refunded(after).minor) == (2, 500)


def test_a_refund_is_linked_once_and_follows_its_amount() -> None:
    once = with_refund(purchase(), found("r-1", 300))

    assert with_refund(once, found("r-1", 300)) is once
    assert with_refund(once, found("r-1", 295)).refunds == (found("r-1", 295),)
    assert without_refund(once, PaymentId("none")) is once
    assert without_refund(once, found("r-1", 300).payment_id).refunds == ()


def test_links_no_more_refunds_than_anybody_gives() -> None:
    full = purchase(*(found(f"r-{number}", 1) for number in range(REFUNDS_MAX)))

    assert with_refund(full, found("r-more", 1)) is full


def test_the_history_is_bounded_and_keeps_what_came_first() -> None:
    standing = purchase()
    for number in range(CHANGES_MAX + 20):
        after = replace(standing, refunds=(found(f"r-{number}", 1),), version=standing.version + 1)
        standing = noted(standing, after, now=NOON)

    assert len(standing.changes) == CHANGES_MAX
    assert standing.changes[0] == Change(
        Cause.REFUND_FOUND, version=2, at=NOON, amount_minor=1, currency="GBP"
    )
    assert standing.changes[-1].version == CHANGES_MAX + 21
    assert changes_of(standing)[-1] == standing.changes[-1]


def test_what_is_the_same_is_no_change() -> None:
    standing = purchase()

    assert noted(standing, standing, now=NOON) is standing


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_its_words(cause: Cause) -> None:
    words = in_words(Change(cause, amount_minor=745, currency="GBP", reference="R-1", detail="2"))

    assert words.endswith(".")
    assert "None" not in words
