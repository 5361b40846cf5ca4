"""A return that the shop voids: the goods are with the member again, however late it is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.matching import store as matching_store
from chalicelib.purchases import reading, receiving, service
from chalicelib.purchases.codes import store as codes
from chalicelib.purchases.codes.service import find_sale
from chalicelib.purchases.explaining import explain_match
from chalicelib.purchases.history import changes_of, in_words
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import (
    Barcode,
    Line,
    LineKind,
    LineReference,
    Receipt,
    ReceiptKind,
    Tender,
    TenderKind,
)
from chalicelib.receipts.returns import Returned, returnable_quantity
from tests.makers.dying import Died, dying
from tests.makers.network import BAKERY
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
WEEKS_LATER = PAID_AT + timedelta(days=20)  # The pages are gone.
MONTHS_LATER = PAID_AT + timedelta(days=300)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


def send(receipt: Receipt, now: datetime = A_MINUTE_LATER) -> None:
    """The till sends `receipt` alone, in the fast lane; what is left is gathered."""
    left = receiving.receive(SHOP, [receipt], is_gathered=False, now=now).to_gather
    if left:
        receiving.receive(SHOP, left, is_gathered=True, now=now)


def in_a_batch(receipt: Receipt, now: datetime = A_MINUTE_LATER) -> None:
    receive(receipt, now=now)


Way = Callable[..., None]
WAYS = pytest.mark.parametrize("way", [send, in_a_batch])

BACK = replace(
    SALE,
    reference="B-1",
    kind=ReceiptKind.RETURN,
    lines=(Line("1", "Rye loaf", 420, kind=LineKind.RETURN, refers_to=LineReference("R-1", "1")),),
    tenders=(Tender(TenderKind.CARD, 420),),
    issued_at=PAID_AT + timedelta(hours=1),
)
VOID = replace(BACK, version=2, kind=ReceiptKind.VOID, lines=(), total_minor=0, tenders=())


def pay() -> None:
    service.record_payment(event(), now=A_MINUTE_LATER)
    assert found("t-1") == "R-1"


def purchase(name: str = "t-1", now: datetime = LATER) -> Purchase:
    answer = reading.find_receipt(BANK, name, now=now)
    assert isinstance(answer, Purchase)
    return answer


def returnable(sale: Returned) -> list[Decimal]:
    return [returnable_quantity(line) for line in sale.sale.lines]


@WAYS
@pytest.mark.requirement("RCP-09")
@pytest.mark.parametrize(
    "void", [VOID, replace(VOID, lines=BACK.lines)], ids=["empty", "with its lines"]
)
def test_its_goods_may_come_back_again(way: Way, void: Receipt) -> None:
    way(SALE)
    pay()
    way(BACK)
    assert returnable(purchase().after_returns) == [0]

    way(void)

    mine = purchase()
    assert (mine.version, mine.returns) == (3, (void,))
    assert returnable(mine.after_returns) == [1]
    assert [turn.what for turn in explain_match(mine).history] == ["authorised", "matched"]
    assert in_words(changes_of(mine)[-1]) == "The shop declared the return B-1 void."
    sale = find_sale(BAKERY, "R-1", now=LATER)
    assert sale is not None
    assert returnable(sale) == [1]


def test_told_again_it_changes_nothing() -> None:
    send(SALE)
    pay()
    send(BACK)

    for _ in range(2):
        send(VOID)
        send(BACK)

    assert (purchase().version, purchase().returns) == (3, (VOID,))


def test_it_may_be_voided_months_after_the_pages_are_gone() -> None:
    send(SALE)
    pay()
    send(replace(BACK, issued_at=WEEKS_LATER), now=WEEKS_LATER)

    send(replace(VOID, issued_at=WEEKS_LATER), now=MONTHS_LATER)

    assert returnable(purchase(now=MONTHS_LATER).after_returns) == [1]


@WAYS
def test_it_may_be_voided_before_anybody_holds_the_sale(way: Way) -> None:
    way(SALE)
    way(BACK)

    way(VOID)
    codes.record_strips(BAKERY, [SALE], now=A_MINUTE_LATER)
    sale = find_sale(BAKERY, "R-1", now=LATER)
    pay()

    assert sale is not None
    assert returnable(sale) == [1]
    assert returnable(purchase().after_returns) == [1]


@WAYS
def test_it_may_be_voided_when_the_sale_was_joined_after_it(way: Way) -> None:
    way(SALE)
    way(BACK)
    pay()

    way(VOID)

    assert (purchase().version, purchase().returns) == (2, (VOID,))


@WAYS
def test_it_may_be_voided_when_its_page_is_gone_and_the_sale_was_joined_after_it(way: Way) -> None:
    way(SALE)
    way(BACK)
    pay()

    way(VOID, now=MONTHS_LATER)

    mine = purchase(now=MONTHS_LATER)
    assert (mine.version, mine.returns) == (2, (VOID,))


@WAYS
@pytest.mark.parametrize("is_held", [True, False])
def test_the_void_may_overtake_it(way: Way, *, is_held: bool) -> None:
    way(SALE)
    if is_held:
        pay()

    way(VOID)
    way(BACK)
    if not is_held:
        pay()

    assert returnable(purchase().after_returns) == [1]


DYING = pytest.mark.parametrize("nth", [1, 2, 3, 4])
HEARD = pytest.mark.parametrize("is_heard", [True, False])


@DYING
@HEARD
def test_whoever_dies_while_goods_come_back_still_leads_the_void_there(
    nth: int, *, is_heard: bool
) -> None:
    send(SALE)
    pay()
    try:
        with dying(nth, is_heard=is_heard):
            send(BACK)
    except Died:
        send(BACK)

    send(VOID, now=WEEKS_LATER)

    assert returnable(purchase(now=WEEKS_LATER).after_returns) == [1]


@DYING
@HEARD
def test_whoever_dies_on_the_way_does_it_when_the_message_comes_again(
    nth: int, *, is_heard: bool
) -> None:
    receive(SALE)
    receive(BACK)
    try:
        with dying(nth, is_heard=is_heard):
            receive(VOID)
    except Died:
        receive(VOID)

    pay()

    assert returnable(purchase().after_returns) == [1]


def test_a_void_exchange_leaves_the_sale_that_it_took_from_as_it_was() -> None:
    code = CardFacts(auth_code="EX1234")
    exchange = replace(
        BACK,
        reference="X-1",
        kind=ReceiptKind.EXCHANGE,
        total_minor=580,
        lines=(Line("2", "Cake", 1000), *BACK.lines),
        tenders=(Tender(TenderKind.CARD, 580, code),),
        issued_at=LATER,
    )
    topped_up = event("t-2", made_at=LATER, occurred_at=LATER, amount=Money(580, "GBP"), card=code)
    void = replace(exchange, version=2, kind=ReceiptKind.VOID, total_minor=0, lines=(), tenders=())
    send(SALE)
    pay()
    send(exchange, now=LATER)
    service.record_payment(topped_up, now=LATER)

    send(void, now=LATER)

    assert purchase("t-2").receipt == void
    assert returnable(purchase().after_returns) == [1]


def test_who_pays_another_part_later_finds_it_undone() -> None:
    card = CardFacts(auth_code="BBBBBB")
    tenders = (*SALE.tenders, Tender(TenderKind.CARD, 300, card))
    send(replace(SALE, total_minor=720, tenders=tenders))
    pay()
    send(BACK)

    send(VOID)
    told = event("t-2", account_ref="acc-b", amount=Money(300, "GBP"), card=card)
    service.record_payment(told, now=A_MINUTE_LATER)

    assert returnable(purchase("t-2").after_returns) == [1]
    assert matching_store.list_changes(SALE.receipt_id, now=LATER) == [BACK, VOID]


def test_a_return_by_another_code_is_found_by_its_void() -> None:
    back = replace(
        BACK,
        refers_to="NEW-77",
        lines=(Line("1", "Rye loaf", 420, kind=LineKind.RETURN),),
    )
    send(replace(SALE, barcode=Barcode("code128", "NEW-77")))
    pay()
    send(back)
    assert returnable(purchase().after_returns) == [0]

    send(VOID)

    assert returnable(purchase().after_returns) == [1]
