"""A purchase that two sources told of is changed for both: only one of them has a claim."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.purchases import reading, service
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import Receipt, ReceiptKind
from tests.makers.corrections import brought_back
from tests.makers.dying import Died, dying
from tests.makers.network import CARD_NETWORK
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SALE,
    event,
    open_town,
    open_two_sources,
    receive,
)

pytestmark = pytest.mark.stores
CORRECTED = replace(SALE, version=2, notes=("Corrected",))
VOID = replace(SALE, version=2, kind=ReceiptKind.VOID, total_minor=0, lines=(), tenders=())


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()
    told = open_two_sources()
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)
    service.record_payment(told, now=A_MINUTE_LATER)
    assert [one.same_as for one in both()] == [None, event().payment_id]


def both() -> list[Purchase]:
    told = [
        reading.find_receipt(connection, name, now=A_MINUTE_LATER)
        for connection, name in ((BANK, "t-1"), (CARD_NETWORK, "n-1"))
    ]
    return [one for one in told if isinstance(one, Purchase)]


@pytest.mark.requirement("RCP-10")
@pytest.mark.parametrize("change", [CORRECTED, VOID])
def test_a_newer_version_reaches_both(change: Receipt) -> None:
    receive(change)

    assert [(one.version, one.receipt) for one in both()] == [(2, change)] * 2


@pytest.mark.requirement("RCP-09")
def test_a_return_reaches_both() -> None:
    receive(brought_back("B-1"))

    assert [one.returns for one in both()] == [(brought_back("B-1"),)] * 2


def test_the_void_of_a_return_reaches_both() -> None:
    back = brought_back("B-1")
    void = replace(back, version=2, kind=ReceiptKind.VOID, total_minor=0, lines=(), tenders=())
    receive(back)

    receive(void)

    assert [one.returns for one in both()] == [(void,)] * 2


def test_another_purchase_of_that_day_is_left_alone() -> None:
    code = CardFacts(auth_code="BBBBBB")
    tender = replace(SALE.tenders[0], card=code)
    at = PAID_AT + timedelta(minutes=5)
    receive(replace(SALE, reference="R-2", tenders=(tender,), issued_at=at))
    service.record_payment(
        event("t-2", made_at=at, occurred_at=at, amount=Money(420, "GBP"), card=code),
        now=at + timedelta(minutes=1),
    )

    receive(CORRECTED)

    other = reading.find_receipt(BANK, "t-2", now=at + timedelta(minutes=1))
    assert isinstance(other, Purchase)
    assert other.version == 1


@pytest.mark.parametrize("is_heard", [True, False])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_whoever_dies_between_the_two_does_the_second_when_it_comes_again(
    nth: int, *, is_heard: bool
) -> None:
    try:
        with dying(nth, is_heard=is_heard):
            receive(CORRECTED)
    except Died:
        receive(CORRECTED)

    assert [(one.version, one.receipt) for one in both()] == [(2, CORRECTED)] * 2
