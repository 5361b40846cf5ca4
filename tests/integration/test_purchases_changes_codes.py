"""A code that a correction prints on a member's receipt leads there, from the correction on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.purchases import reading, service
from chalicelib.purchases.codes.service import find_sale
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import Barcode, Line, LineKind, Receipt, ReceiptKind
from chalicelib.receipts.returns import returnable_quantity
from tests.makers.network import BAKERY
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SALE,
    deliveries,
    event,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores
WEEKS_LATER = PAID_AT + timedelta(days=20)  # The pages are gone.
WITH_BARCODE = replace(SALE, version=2, barcode=Barcode("code128", "NEW-77"))
WITH_NUMBER = replace(SALE, version=2, return_reference="NEW-77")


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)
    deliveries()


def returned() -> Receipt:
    """The loaf comes back; the till scanned the new code."""
    return replace(
        SALE,
        reference="B-1",
        kind=ReceiptKind.RETURN,
        refers_to="NEW-77",
        lines=(Line("1", "Rye loaf", 420, kind=LineKind.RETURN),),
        issued_at=PAID_AT + timedelta(hours=1),
    )


def purchase() -> Purchase:
    answer = reading.find_receipt(BANK, "t-1", now=WEEKS_LATER)
    assert isinstance(answer, Purchase)
    return answer


@pytest.mark.requirement("RCP-09")
@pytest.mark.parametrize("corrected", [WITH_BARCODE, WITH_NUMBER])
def test_a_return_by_the_new_code_finds_its_sale(corrected: Receipt) -> None:
    receive(corrected)

    receive(returned(), now=WEEKS_LATER)

    assert (purchase().version, purchase().returns) == (3, (returned(),))


def test_a_till_that_asks_by_the_new_code_is_told_of_the_sale() -> None:
    receive(WITH_BARCODE)

    found = find_sale(BAKERY, "NEW-77", now=WEEKS_LATER)

    assert found is not None
    assert [returnable_quantity(line) for line in found.sale.lines] == [1]


def test_a_return_that_overtakes_the_correction_is_not_lost() -> None:
    receive(returned())
    assert purchase().returns == ()

    receive(WITH_BARCODE)

    assert (purchase().version, purchase().returns) == (2, (returned(),))
    assert len(deliveries()) == 1
