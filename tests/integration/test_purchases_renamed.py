"""A bank books a payment under another id than it had while pending: it stays one payment."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.matching import store as matching_store
from chalicelib.network.model import Connection, Provider
from chalicelib.purchases import reading, service
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.reading import Missing
from tests.makers.network import make_connection
from tests.makers.outside import Counted
from tests.makers.purchases import (
    BANK,
    CODE,
    PAID_AT,
    SALE,
    SHOP,
    cleared,
    deliveries,
    event,
    found,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores

AN_HOUR_LATER = PAID_AT + timedelta(hours=1)
RENAMING = make_connection(
    provider=Provider.STANDARD, told_at_url="https://bank.test/receipts", renames=True
)
NAMING = replace(RENAMING, renames=False)
PENDING = event("pending-1")
BOOKED = replace(cleared(PENDING, 420), transaction_id="booked-1")
BOOKED_WITH_A_TIP = replace(cleared(PENDING, 480), transaction_id="booked-1")


def tell(told: PaymentEvent) -> None:
    service.record_payment(told, now=AN_HOUR_LATER)


def purchases() -> list[Purchase]:
    """What Ada's bank would list, one for each purchase with a receipt."""
    listed = reading.list_of_user(BANK, "ada", now=AN_HOUR_LATER)
    assert listed is not None
    return listed[1]


def purchase_of(transaction: str) -> Purchase:
    answer = reading.find_receipt(BANK, transaction, now=AN_HOUR_LATER)
    assert isinstance(answer, Purchase)
    return answer


def claims() -> int:
    return len(matching_store.list_claims(SALE.receipt_id, now=AN_HOUR_LATER))


def waiting() -> int:
    since, until = PAID_AT - timedelta(hours=1), PAID_AT + timedelta(hours=1)
    found = matching_store.list_waiting_between(SHOP.store_id, since, until, now=PAID_AT)
    return len(found)


@pytest.mark.requirement("RCP-14")
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize(
    ("bank", "booked"),
    [
        (RENAMING, BOOKED),
        (RENAMING, BOOKED_WITH_A_TIP),
        (NAMING, replace(BOOKED_WITH_A_TIP, continues="pending-1")),
    ],
    ids=["found out", "found out by its code", "told"],
)
def test_ends_as_one_purchase_in_whatever_order_they_come(
    embedded_aws: None, order: Sequence[int], bank: Connection, booked: PaymentEvent
) -> None:
    open_town(bank)
    steps: list[Callable[[], object]] = [
        lambda: tell(PENDING),
        lambda: tell(booked),
        lambda: receive(SALE, now=AN_HOUR_LATER),
    ]

    for step in (*order, *order):  # Everything comes twice.
        steps[step]()

    (only,) = purchases()
    assert only.receipt == SALE
    assert [e.transaction_id for e in only.payment.events] == ["pending-1", "booked-1"]
    assert purchase_of("pending-1") == purchase_of("booked-1") == only
    assert (claims(), waiting()) == (1, 0)


def test_tells_the_bank_of_the_booked_id_under_the_same_name_as_before(embedded_aws: None) -> None:
    open_town(RENAMING)
    receive(SALE, now=AN_HOUR_LATER)
    tell(PENDING)
    before = purchase_of("pending-1")

    tell(BOOKED)

    after = purchase_of("booked-1")
    assert (before.payment.transaction_id, after.payment.transaction_id) == (
        "pending-1",
        "booked-1",
    )
    assert (after.external_id, after.version) == (before.external_id, 2)
    assert len(deliveries()) == 2


def test_counts_that_a_payment_has_a_further_name(embedded_aws: None, counted: Counted) -> None:
    open_town(RENAMING)
    tell(PENDING)

    tell(BOOKED)
    tell(BOOKED)

    assert counted["payments_renamed:inferred"] == 1


def test_a_refund_of_the_booked_id_reaches_the_one_payment(embedded_aws: None) -> None:
    open_town(RENAMING)
    receive(SALE, now=AN_HOUR_LATER)
    tell(PENDING)
    tell(BOOKED)
    refund = replace(
        PENDING,
        transaction_id="refund-1",
        event_key="refunded",
        kind=PaymentEventKind.REFUNDED,
        amount=Money(100, "GBP"),
        refers_to="booked-1",
        digest="a refund",
    )

    tell(refund)

    assert purchase_of("pending-1").payment.refunded_minor == 100


@pytest.mark.parametrize(
    "other",
    [
        replace(BOOKED, account_ref="acc-b"),
        replace(BOOKED, card=CardFacts(auth_code="9Z9Z9Z")),
        replace(BOOKED_WITH_A_TIP, card=CardFacts()),
        replace(BOOKED, card=CardFacts(), made_at=PAID_AT + timedelta(seconds=61)),
        replace(BOOKED, made_at=PAID_AT + timedelta(hours=3, seconds=1)),
    ],
    ids=["other person", "other code", "other amount, no code", "later, no code", "much later"],
)
def test_keeps_apart_what_may_be_another_payment(
    embedded_aws: None, other: PaymentEvent, counted: Counted
) -> None:
    open_town(RENAMING)
    receive(SALE, now=AN_HOUR_LATER)
    tell(PENDING)

    tell(other)

    assert found("pending-1", now=AN_HOUR_LATER) == "R-1"
    assert found("booked-1", now=AN_HOUR_LATER) is Missing.PENDING
    assert counted["payments_renamed:inferred"] == 0


def test_a_bank_whose_ids_stay_is_asked_for_no_other_name(embedded_aws: None) -> None:
    open_town(NAMING)
    tell(PENDING)

    tell(BOOKED)

    assert waiting() == 2


def test_of_two_alike_neither_is_taken_for_the_booked_one(embedded_aws: None) -> None:
    open_town(RENAMING)
    for name in ("pending-1", "pending-2"):
        tell(replace(PENDING, transaction_id=name, card=CardFacts(), digest=name))

    tell(replace(BOOKED, card=CardFacts()))

    assert waiting() == 3


def test_a_name_that_another_payment_has_is_left_to_it(
    embedded_aws: None, counted: Counted
) -> None:
    """The bank told of the booked one alone, and only later which pending one it was."""
    open_town(NAMING)
    receive(SALE, now=AN_HOUR_LATER)
    tell(PENDING)
    tell(replace(BOOKED, card=CardFacts(auth_code="9Z9Z9Z")))

    tell(replace(BOOKED, card=CODE, event_key="booked again", continues="pending-1"))

    assert found("pending-1", now=AN_HOUR_LATER) == "R-1"
    assert found("booked-1", now=AN_HOUR_LATER) is Missing.PENDING
    assert counted["payments_renamed:taken"] == 1
