"""What changes a receipt reaches whoever pays for a part of it later, as who paid before."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.purchases import reading, receiving, service
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import (
    Line,
    LineKind,
    LineReference,
    Receipt,
    ReceiptKind,
    Tender,
    TenderKind,
)
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SALE,
    SHOP,
    event,
    found,
    open_town,
)

pytestmark = pytest.mark.stores
LATER = PAID_AT + timedelta(hours=2)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


def send(*receipts: Receipt, now: datetime = A_MINUTE_LATER) -> None:
    """The till sends `receipts` one by one, in the fast lane; what is left is gathered."""
    for receipt in receipts:
        left = receiving.receive(SHOP, [receipt], is_gathered=False, now=now).to_gather
        receiving.receive(SHOP, left, is_gathered=True, now=now)


def purchase(name: str = "t-1", now: datetime = A_MINUTE_LATER) -> Purchase:
    answer = reading.find_receipt(BANK, name, now=now)
    assert isinstance(answer, Purchase)
    return answer


def brought_back(minor: int, reference: str = "B-1") -> Receipt:
    """The loaf of the sale R-1 comes back."""
    line = Line("1", "Rye loaf", minor, kind=LineKind.RETURN, refers_to=LineReference("R-1", "1"))
    return replace(
        SALE,
        reference=reference,
        kind=ReceiptKind.RETURN,
        lines=(line,),
        total_minor=minor,
        tenders=(Tender(TenderKind.CARD, minor),),
        issued_at=PAID_AT + timedelta(hours=1),
    )


@pytest.mark.requirement("RCP-09")
def test_an_exchange_that_comes_before_its_payment_finds_it_though_its_sale_is_held() -> None:
    code = CardFacts(auth_code="EX1234")
    send(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)
    exchange = replace(
        brought_back(420, "X-1"),
        kind=ReceiptKind.EXCHANGE,
        total_minor=580,
        lines=(Line("2", "Cake", 1000), *brought_back(420).lines),
        tenders=(Tender(TenderKind.CARD, 580, code),),
        issued_at=LATER,
    )
    topped_up = event("t-2", made_at=LATER, occurred_at=LATER, amount=Money(580, "GBP"), card=code)

    send(exchange, now=LATER)
    service.record_payment(topped_up, now=LATER)

    assert found("t-2", LATER) == "X-1"
    assert [one.reference for one in purchase(now=LATER).returns] == ["X-1"]
