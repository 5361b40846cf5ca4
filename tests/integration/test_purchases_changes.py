"""How a purchase changes: clearing, corrected receipts, returns; each once, and told each time."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from chalicelib.kernel.money import Money
from chalicelib.purchases import reading, service
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
from chalicelib.receipts.returns import FlagKind, returnable_quantity
from chalicelib.tills import store as tills_store
from tests.makers.network import mid
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SALE,
    SHOP,
    cleared,
    deliveries,
    event,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


@pytest.mark.requirement("RCP-14")
def test_clearing_with_another_amount_makes_a_version_and_keeps_the_receipt() -> None:
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)

    service.record_payment(cleared(event(), 480), now=A_MINUTE_LATER)

    answer = reading.find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    assert (answer.version, answer.payment.amount) == (2, Money(480, "GBP"))
    assert answer.receipt == SALE
    assert len(deliveries()) == 2


def test_a_clearing_whose_merchant_is_unknown_still_finds_its_payment() -> None:
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)

    service.record_payment(
        replace(cleared(event(), 480), merchant=(mid("66666"),)), now=A_MINUTE_LATER
    )

    answer = reading.find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    assert answer.payment.amount == Money(480, "GBP")


@pytest.mark.requirement("RCP-10")
def test_a_newer_version_of_the_receipt_updates_the_purchase_and_tells_the_bank() -> None:
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)
    corrected = replace(SALE, version=2, notes=("Corrected",))

    receive(corrected)

    answer = reading.find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    assert (answer.version, answer.receipt) == (2, corrected)
    assert len(deliveries()) == 2
    receive(corrected)
    assert deliveries() == []


def test_the_first_submission_stands_against_another_content() -> None:
    receive(SALE)
    other = replace(SALE, notes=("Not what it was",))

    received = receive(other)

    assert received.conflicting == (other,)
    service.record_payment(event(), now=A_MINUTE_LATER)
    answer = reading.find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    assert answer.receipt == SALE


def test_a_version_that_changes_where_it_was_sold_spoils_no_other() -> None:
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)
    moved = replace(SALE, version=2, currency="EUR")
    other = replace(SALE, reference="R-2", tenders=())

    received = receive(moved, other)

    assert received.conflicting == (moved,)
    answer = reading.find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    assert answer.receipt == SALE
    pages = tills_store.list_pages(SHOP.store_id, since=PAID_AT, until=PAID_AT, now=A_MINUTE_LATER)
    assert [r.reference for page in pages for r in page.receipts] == ["R-1", "R-2"]


@pytest.mark.requirement("RCP-09")
def test_a_return_of_one_of_two_leaves_one_and_a_second_of_two_is_flagged() -> None:
    two = replace(SALE, lines=(replace(SALE.lines[0], quantity=Decimal(2), unit_price_minor=210),))
    receive(two)
    service.record_payment(event(), now=A_MINUTE_LATER)

    receive(returned("B-1", 1))
    receive(returned("B-1", 1))
    receive(returned("B-2", 2))

    answer = reading.find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    after = answer.after_returns
    assert [returnable_quantity(line) for line in after.sale.lines] == [Decimal(1)]
    assert [(f.kind, f.return_reference) for f in after.flags] == [(FlagKind.OVER_RETURN, "B-2")]
    assert answer.version == 3
    assert len(deliveries()) == 3


def returned(reference: str, quantity: int) -> Receipt:
    """Brought back: `quantity` loaves of the sale R-1."""
    minor = 210 * quantity
    line = Line(
        "1",
        "Rye loaf",
        minor,
        quantity=Decimal(quantity),
        kind=LineKind.RETURN,
        refers_to=LineReference("R-1", "1"),
    )
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
def test_a_return_that_overtakes_its_sales_payment_is_not_lost() -> None:
    two = replace(SALE, lines=(replace(SALE.lines[0], quantity=Decimal(2), unit_price_minor=210),))
    receive(two)
    receive(returned("B-1", 1))

    service.record_payment(event(), now=A_MINUTE_LATER)

    answer = reading.find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    assert [returnable_quantity(one) for one in answer.after_returns.sale.lines] == [Decimal(1)]
    assert answer.version == 1


@pytest.mark.requirement("RCP-09")
def test_a_return_after_the_usual_month_still_finds_its_sale() -> None:
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)
    months_later = PAID_AT + timedelta(days=80)

    receive(replace(returned("B-1", 1), issued_at=months_later), now=months_later)

    answer = reading.find_receipt(BANK, "t-1", now=months_later)
    assert isinstance(answer, Purchase)
    assert [one.reference for one in answer.returns] == ["B-1"]
