"""A receipt that is being gathered is still to come: nobody takes a stranger's for it meanwhile."""

from datetime import timedelta

import pytest

from chalicelib.kernel.cards import NO_CARD_FACTS
from chalicelib.matching.prices import Prices
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.purchases import receiving, service
from chalicelib.purchases.reading import Missing
from chalicelib.tills.pages import complete_after
from tests.makers.matching import receipt
from tests.makers.network import BAKERY
from tests.makers.purchases import PAID_AT, SHOP, event, found, open_town

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]


@pytest.mark.requirement("RCP-11")
def test_a_strangers_receipt_is_not_taken_for_one_that_is_being_gathered() -> None:
    open_town()
    own, strangers = (
        receipt(
            name,
            store_id=SHOP.store_id,
            retailer_id=BAKERY,
            issued_at=PAID_AT + timedelta(seconds=seconds),
        )
        for name, seconds in (("R-1", 2), ("R-2", 25))
    )

    before = receiving.receive(SHOP, [own], is_gathered=False, now=PAID_AT + timedelta(seconds=3))
    service.record_payment(event(card=NO_CARD_FACTS), now=PAID_AT + timedelta(seconds=5))
    after_a_while = PAID_AT + timedelta(seconds=40)
    receiving.receive(SHOP, [strangers], is_gathered=False, now=after_a_while)

    assert before.to_gather == (own,)
    assert found("t-1", now=after_a_while) is Missing.PENDING


def test_a_stores_receipts_are_complete_when_what_was_gathered_stands_on_pages() -> None:
    assert complete_after(SHOP) == timedelta(seconds=30 + 300)


@pytest.mark.requirement("RCP-11")
def test_what_receipts_come_to_is_counted_once() -> None:
    open_town()
    page = [
        receipt(
            f"R-{number}",
            store_id=SHOP.store_id,
            retailer_id=BAKERY,
            issued_at=PAID_AT + timedelta(seconds=number),
            minor=minor,
        )
        for number, minor in enumerate((420, 385, 420))
    ]

    for _ in range(2):
        receiving.receive(SHOP, page, is_gathered=True, now=PAID_AT + timedelta(minutes=5))

    known = timekeeping.store_clocks(SHOP.store_id, now=PAID_AT).prices
    assert known == Prices(3, {(420, "GBP"): 2, (385, "GBP"): 1})
