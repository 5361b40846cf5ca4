"""Events that name other times than the payment: it waits, and is a rival, when it was made."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.matching import store as matching_store
from chalicelib.purchases import reading, service
from chalicelib.purchases.explaining import MatchState
from chalicelib.purchases.model import Ending
from chalicelib.purchases.reading import Missing
from chalicelib.purchases.standing import find_standing
from chalicelib.receipts.canonical import Tender, TenderKind
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SALE,
    SHOP,
    cleared,
    event,
    found,
    open_town,
    receive,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]

DAYS_LATER = PAID_AT + timedelta(days=3)
OWN = replace(
    SALE, tenders=(Tender(TenderKind.CARD, 420),), issued_at=PAID_AT + timedelta(seconds=3)
)
ADA = event(card=CardFacts())
BELA = event("t-2", account_ref="acc-b", card=CardFacts(), made_at=PAID_AT + timedelta(seconds=10))
REFUND = event(
    "rf-1",
    event_key="refunded",
    kind=PaymentEventKind.REFUNDED,
    made_at=DAYS_LATER,
    occurred_at=DAYS_LATER,
    amount=Money(100, "GBP"),
    refers_to="t-1",
    card=CardFacts(),
    digest="refund",
)


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town()


def booked(hours: int) -> PaymentEvent:
    """Ada's clearing, which names the time of its booking."""
    return replace(cleared(ADA, 420), made_at=PAID_AT + timedelta(hours=hours))


def waiting_at(since: datetime, until: datetime) -> list[str]:
    waiting = matching_store.list_waiting_between(
        SHOP.store_id, since, until, now=DAYS_LATER, consistent=True
    )
    return [one.signals.payment_id for one in waiting]


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize("hours", [0, 2, 48])
@pytest.mark.parametrize("clearing_first", [True, False])
def test_nobody_gets_the_receipt_of_who_waits_though_a_clearing_names_another_time(
    hours: int, *, clearing_first: bool
) -> None:
    told = [booked(hours), ADA] if clearing_first else [ADA, booked(hours)]
    for one in (*told, BELA):
        service.record_payment(one, now=DAYS_LATER)

    receive(OWN, now=DAYS_LATER)

    assert found("t-2", now=DAYS_LATER) is Missing.PENDING
    assert waiting_at(PAID_AT, PAID_AT) == [ADA.payment_id]
    assert waiting_at(PAID_AT + timedelta(minutes=1), DAYS_LATER) == []


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize("hours", [2, 48])
def test_finds_the_receipt_of_when_it_was_authorised(hours: int) -> None:
    receive(OWN, now=A_MINUTE_LATER)
    service.record_payment(booked(hours), now=DAYS_LATER)

    service.record_payment(ADA, now=DAYS_LATER)

    assert found("t-1", now=DAYS_LATER) == "R-1"
    assert waiting_at(PAID_AT - timedelta(hours=1), DAYS_LATER) == []


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize("kind", [PaymentEventKind.REFUNDED, PaymentEventKind.REVERSED])
def test_a_payment_whose_refund_was_heard_first_waits_when_it_was_made(
    kind: PaymentEventKind,
) -> None:
    undone = replace(REFUND, kind=kind)
    if kind is PaymentEventKind.REVERSED:
        undone = replace(undone, transaction_id="t-1", refers_to=None)
    for one in (undone, ADA, BELA):
        service.record_payment(one, now=DAYS_LATER)

    story = find_standing(BANK, "t-1", now=DAYS_LATER)
    assert story is not None
    assert story.state is MatchState.WAITING
    assert found("t-1", now=DAYS_LATER) is Missing.PENDING
    assert waiting_at(PAID_AT, PAID_AT) == [ADA.payment_id]

    receive(OWN, now=DAYS_LATER)

    assert found("t-2", now=DAYS_LATER) is Missing.PENDING


@pytest.mark.requirement("RCP-05")
def test_a_payment_whose_refund_was_heard_first_finds_its_receipt() -> None:
    service.record_payment(REFUND, now=DAYS_LATER)
    assert reading.find_receipt(BANK, "t-1", now=DAYS_LATER) == reading.NoReceipt(
        Missing.NO_MATCH, Ending.REFUND_UNLINKED
    )
    service.record_payment(event(), now=DAYS_LATER)

    receive(SALE, now=DAYS_LATER)

    assert found("t-1", now=DAYS_LATER) == "R-1"
