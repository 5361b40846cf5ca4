"""What changes a receipt reaches whoever pays for a part of it later, as who paid before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.matching import store as matching_store
from chalicelib.purchases import reading, receiving, service
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.reading import Missing
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
    receive,
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
        if left:
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


# Ada pays £4.20 of it, and Bela £3.00.
OTHER_CARD = CardFacts(auth_code="BBBBBB")
SHARED = replace(
    SALE,
    total_minor=720,
    lines=(replace(SALE.lines[0], amount_minor=720),),
    tenders=(*SALE.tenders, Tender(TenderKind.CARD, 300, OTHER_CARD)),
)
VOID = replace(SHARED, version=2, kind=ReceiptKind.VOID, total_minor=0, lines=(), tenders=())
WAYS = pytest.mark.parametrize("way", [send, receive], ids=["alone", "in a batch"])
Way = Callable[[Receipt], object]


def bela_pays(now: datetime = A_MINUTE_LATER) -> None:
    told = event("t-2", account_ref="acc-b", amount=Money(300, "GBP"), card=OTHER_CARD)
    service.record_payment(told, now=now)


@WAYS
@pytest.mark.requirement("RCP-10")
def test_a_correction_reaches_who_pays_the_other_part_later(way: Way) -> None:
    way(SHARED)
    service.record_payment(event(), now=A_MINUTE_LATER)
    corrected = replace(SHARED, version=2, notes=("Corrected",))

    way(corrected)
    bela_pays()

    assert [purchase(name).receipt for name in ("t-1", "t-2")] == [corrected, corrected]


@WAYS
def test_a_void_sale_is_not_joined_by_who_pays_the_other_part_later(way: Way) -> None:
    way(SHARED)
    service.record_payment(event(), now=A_MINUTE_LATER)

    way(VOID)
    bela_pays()

    assert purchase().receipt == VOID
    assert found("t-2") is Missing.PENDING


@WAYS
@pytest.mark.requirement("RCP-09")
def test_a_return_reaches_who_pays_the_other_part_later(way: Way) -> None:
    way(SHARED)
    service.record_payment(event(), now=A_MINUTE_LATER)

    way(brought_back(720))
    bela_pays()

    assert [purchase(name).returns for name in ("t-1", "t-2")] == [(brought_back(720),)] * 2


def test_a_return_of_what_is_held_whole_costs_no_row() -> None:
    send(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)

    send(brought_back(420))

    assert matching_store.list_changes(SALE.receipt_id, now=A_MINUTE_LATER) == []
    assert purchase().returns == (brought_back(420),)


def test_a_return_of_two_sales_is_kept_for_the_one_that_nobody_holds() -> None:
    send(SALE, replace(SALE, reference="R-2", tenders=(Tender(TenderKind.CARD, 420, OTHER_CARD),)))
    service.record_payment(event(), now=A_MINUTE_LATER)
    (line,) = brought_back(420).lines
    other = replace(line, line_id="2", refers_to=LineReference("R-2", "1"))

    send(replace(brought_back(840), lines=(line, other)))
    service.record_payment(event("t-2", account_ref="acc-b", card=OTHER_CARD), now=A_MINUTE_LATER)

    assert [len(purchase(name).returns) for name in ("t-1", "t-2")] == [1, 1]


def test_what_contradicts_a_purchase_is_refused_and_stays_nowhere() -> None:
    send(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)
    moved = replace(SALE, version=2, currency="EUR")

    received = receiving.receive(SHOP, [moved], is_gathered=False, now=A_MINUTE_LATER)

    assert ([one for one, _ in received.contradicting], received.to_gather) == ([moved], ())
