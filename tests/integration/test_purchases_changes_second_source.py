"""What the shop told before a second source told of a purchase is shown there, too."""

from dataclasses import replace

import pytest

from chalicelib.banks.payments import PaymentEvent
from chalicelib.purchases import reading, service
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import ReceiptKind
from tests.makers.corrections import brought_back
from tests.makers.dying import Died, dying
from tests.makers.network import CARD_NETWORK
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    SALE,
    event,
    open_town,
    open_two_sources,
    receive,
)

pytestmark = pytest.mark.stores
BACK = brought_back("B-1")
CORRECTED = replace(SALE, version=2, notes=("Corrected",))


@pytest.fixture
def second(embedded_aws: None) -> PaymentEvent:
    """What the second source tells, of a purchase that the first told of."""
    open_town()
    told = open_two_sources()
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)
    return told


def shown(connection: str, name: str) -> Purchase:
    purchase = reading.find_receipt(connection, name, now=A_MINUTE_LATER)
    assert isinstance(purchase, Purchase)
    return purchase


@pytest.mark.requirement("RCP-09")
def test_goods_that_came_back_are_back_at_both(second: PaymentEvent) -> None:
    receive(BACK)

    service.record_payment(second, now=A_MINUTE_LATER)

    mine = shown(CARD_NETWORK, "n-1")
    assert (mine.same_as, mine.version, mine.returns) == (event().payment_id, 2, (BACK,))
    assert mine.after_returns == shown(BANK, "t-1").after_returns


def test_a_return_that_was_voided_is_void_at_both(second: PaymentEvent) -> None:
    void = replace(BACK, version=2, kind=ReceiptKind.VOID, total_minor=0, lines=(), tenders=())
    receive(BACK)
    receive(void)

    service.record_payment(second, now=A_MINUTE_LATER)

    assert shown(CARD_NETWORK, "n-1").returns == (void,)


def test_a_corrected_sale_is_corrected_at_both(second: PaymentEvent) -> None:
    receive(CORRECTED)

    service.record_payment(second, now=A_MINUTE_LATER)

    assert shown(CARD_NETWORK, "n-1").receipt == CORRECTED


def test_told_again_it_changes_nothing(second: PaymentEvent) -> None:
    receive(BACK)

    for _ in range(2):
        service.record_payment(second, now=A_MINUTE_LATER)

    assert shown(CARD_NETWORK, "n-1").version == 2


@pytest.mark.parametrize("is_heard", [True, False])
@pytest.mark.parametrize("nth", range(1, 13))
def test_whoever_dies_on_the_way_does_it_when_the_message_comes_again(
    second: PaymentEvent, nth: int, *, is_heard: bool
) -> None:
    receive(BACK)
    try:
        with dying(nth, is_heard=is_heard):
            service.record_payment(second, now=A_MINUTE_LATER)
    except Died:
        service.record_payment(second, now=A_MINUTE_LATER)

    assert shown(CARD_NETWORK, "n-1").returns == (BACK,)
