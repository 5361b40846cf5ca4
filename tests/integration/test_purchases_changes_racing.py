"""A newer version of a receipt that comes while a payment takes the one before it."""

from dataclasses import replace

import pytest

from chalicelib.matching import store as matching_store
from chalicelib.purchases import receiving, service
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.reading import find_receipt
from chalicelib.receipts.canonical import Barcode, Receipt, ReceiptKind
from tests.makers.purchases import A_MINUTE_LATER, BANK, SALE, SHOP, event, open_town

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

VOID = replace(SALE, version=2, kind=ReceiptKind.VOID, total_minor=0, lines=(), tenders=())
CORRECTED = replace(SALE, version=2, notes=("Corrected at the counter",))


@pytest.mark.parametrize("newer", [VOID, CORRECTED], ids=["void", "corrected"])
def test_who_joins_what_was_read_before_sees_what_was_kept_for_them(newer: Receipt) -> None:
    """The page was read before the newer version came, the claim is written after it looked."""
    open_town()
    receiving.receive(SHOP, [SALE], is_gathered=True, now=A_MINUTE_LATER)

    matching_store.keep_change(SALE.receipt_id, newer, now=A_MINUTE_LATER)
    service.record_payment(event(), now=A_MINUTE_LATER)

    purchase = find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(purchase, Purchase)
    assert purchase.receipt == newer
    assert (purchase.version, purchase.returns) == (1, ())


@pytest.mark.parametrize("newer", [VOID, CORRECTED], ids=["void", "corrected"])
def test_a_newer_version_is_kept_for_who_may_be_joining_the_one_before(newer: Receipt) -> None:
    open_town()
    receiving.receive(SHOP, [SALE], is_gathered=True, now=A_MINUTE_LATER)

    receiving.receive(SHOP, [newer], is_gathered=True, now=A_MINUTE_LATER)

    assert matching_store.list_changes(SALE.receipt_id, now=A_MINUTE_LATER) == [newer]


def test_a_void_of_the_sale_whose_number_a_barcode_repeats_is_of_no_other() -> None:
    open_town()
    another = replace(SALE, reference="R-2", barcode=Barcode("code_128", SALE.reference))
    receiving.receive(SHOP, [another], is_gathered=True, now=A_MINUTE_LATER)
    receiving.receive(SHOP, [VOID], is_gathered=True, now=A_MINUTE_LATER)

    service.record_payment(event(), now=A_MINUTE_LATER)

    purchase = find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(purchase, Purchase)
    assert (purchase.receipt, purchase.returns) == (another, ())
