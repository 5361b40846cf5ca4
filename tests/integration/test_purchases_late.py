"""What comes days late or in pieces: offline sales, parcels of one order, holds that shrink."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import NO_CARD_FACTS, CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import payment_id_of
from chalicelib.kernel.money import Money
from chalicelib.matching import store as matching_store
from chalicelib.matching.payment import PaymentState
from chalicelib.purchases import service, waiting
from chalicelib.purchases.model import Ending, Purchase
from chalicelib.purchases.reading import Missing, NoReceipt, find_receipt
from chalicelib.purchases.refunds import status_of
from chalicelib.receipts.canonical import Line, Receipt, Tender, TenderKind
from tests.makers.outside import Counted
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    CODE,
    PAID_AT,
    SALE,
    SHOP,
    cleared,
    deliveries,
    event,
    found,
    open_town,
    receive,
)
from tests.makers.refunds import A_DAY

pytestmark = pytest.mark.stores
WEB_SHOP = replace(SHOP, online=True)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town(store=WEB_SHOP)


@pytest.mark.parametrize("days_late", [0, 3, 6])
@pytest.mark.parametrize("receipt_first", [True, False])
def test_an_offline_sale_is_matched_when_the_second_side_is_told(
    days_late: int, *, receipt_first: bool
) -> None:
    told_at = PAID_AT + days_late * A_DAY + timedelta(minutes=1)
    paid = event()

    if receipt_first:
        receive(SALE, now=A_MINUTE_LATER)
        service.record_payment(paid, now=told_at)
    else:
        service.record_payment(paid, now=A_MINUTE_LATER)
        receive(SALE, now=told_at)
    service.record_payment(paid, now=told_at)
    receive(SALE, now=told_at)

    assert found("t-1", now=told_at) == "R-1"
    assert len(deliveries()) == 1


def test_both_sides_may_be_told_late() -> None:
    told_at = PAID_AT + 10 * A_DAY
    receive(SALE, now=told_at)

    service.record_payment(event(), now=told_at + timedelta(hours=5))

    assert found("t-1", now=told_at + timedelta(hours=5)) == "R-1"


@pytest.mark.parametrize("days_late", [0, 6, 13])
def test_a_sale_told_late_waits_its_week_and_ends(days_late: int, counted: Counted) -> None:
    told_at = PAID_AT + days_late * A_DAY
    service.record_payment(event(), now=told_at)

    for day in (3, 6):
        now = told_at + day * A_DAY
        waiting.look_again_between(now - waiting.LONGEST, now, now=now)
    before = find_receipt(BANK, "t-1", now=told_at + 6 * A_DAY)
    end = told_at + 7 * A_DAY + timedelta(hours=3)
    waiting.look_again_between(end - waiting.LONGEST, end, now=end)

    assert before == NoReceipt(Missing.PENDING)
    assert find_receipt(BANK, "t-1", now=end) == NoReceipt(Missing.NO_MATCH, Ending.NO_RECEIPT_CAME)
    assert counted["payments_ended:no_receipt_came"] == 1


def hold_shrinks(minor: int, key: str) -> PaymentEvent:
    return replace(
        event(),
        event_key=key,
        digest=key,
        kind=PaymentEventKind.REVERSED,
        occurred_at=PAID_AT + timedelta(minutes=5),
        amount=Money(minor, "GBP"),
    )


@pytest.mark.requirement("RCP-14")
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_a_hold_of_which_a_part_is_reversed_finds_the_receipt_of_the_rest(
    order: tuple[int, ...],
) -> None:
    """A fuel pump holds £42.00, and £4.20 of petrol is bought."""
    held = replace(event(), amount=Money(4200, "GBP"))
    steps = [
        lambda: service.record_payment(held, now=A_MINUTE_LATER),
        lambda: service.record_payment(hold_shrinks(3780, "less"), now=A_MINUTE_LATER),
        lambda: receive(SALE),
    ]
    for place in order:
        steps[place]()
        steps[place]()

    answer = find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    assert (answer.payment.amount, answer.receipt) == (Money(420, "GBP"), SALE)
    assert status_of(answer) is PaymentState.AUTHORISED


def test_a_part_that_is_reversed_after_the_match_keeps_the_receipt() -> None:
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)

    service.record_payment(hold_shrinks(100, "less"), now=A_MINUTE_LATER)

    answer = find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    assert (answer.version, answer.payment.amount) == (2, Money(320, "GBP"))
    assert answer.receipt == SALE
    assert len(deliveries()) == 2


def test_the_clearings_of_two_parcels_make_one_purchase_of_the_whole() -> None:
    receive(SALE)
    first = cleared(event(), 120)
    second = replace(
        cleared(event(), 300), event_key="cleared-2", digest="2", occurred_at=PAID_AT + 5 * A_DAY
    )

    for told in (second, event(), first, second, first):
        service.record_payment(told, now=PAID_AT + 5 * A_DAY)

    answer = find_receipt(BANK, "t-1", now=PAID_AT + 5 * A_DAY)
    assert isinstance(answer, Purchase)
    assert (answer.payment.amount, answer.payment.state) == (
        Money(420, "GBP"),
        PaymentState.CLEARED,
    )
    assert answer.receipt == SALE


def order_of(*minors: int, card: CardFacts = NO_CARD_FACTS) -> Receipt:
    """An order at the web shop, of which each part is charged when it leaves."""
    first, *others = minors
    tenders = (Tender(TenderKind.CARD, first, CODE),)
    tenders += tuple(Tender(TenderKind.CARD, minor, card) for minor in others)
    total = sum(minors)
    return replace(
        SALE, total_minor=total, tenders=tenders, lines=(Line("1", "Crate of loaves", total),)
    )


def parcel(
    name: str, minor: int, at: datetime, *, account: str = "acc-a", card: CardFacts = NO_CARD_FACTS
) -> PaymentEvent:
    """A later parcel is charged, as a payment of its own."""
    return event(
        name,
        made_at=at,
        occurred_at=at,
        amount=Money(minor, "GBP"),
        card=card,
        account_ref=account,
    )


def look_daily(now: datetime) -> None:
    waiting.look_again_between(now - waiting.LONGEST, now, now=now)


def order_and_parcels(*parcels: PaymentEvent, order: Receipt) -> datetime:
    """The order is paid and found; its parcels are charged on other days. The last look."""
    receive(order)
    service.record_payment(event(amount=Money(420, "GBP")), now=A_MINUTE_LATER)
    for one in parcels:
        service.record_payment(one, now=one.made_at)
        service.record_payment(one, now=one.made_at)
    last = max(one.made_at for one in parcels) + timedelta(hours=12)
    look_daily(last)
    look_daily(last)
    return last


def test_a_parcel_charged_days_later_finds_its_part_of_the_order(counted: Counted) -> None:
    order = order_of(420, 250, 130)
    later = parcel("t-2", 250, PAID_AT + 3 * A_DAY), parcel("t-3", 130, PAID_AT + 5 * A_DAY)

    last = order_and_parcels(*later, order=order)

    answers = [find_receipt(BANK, name, now=last) for name in ("t-1", "t-2", "t-3")]
    assert [a.part for a in answers if isinstance(a, Purchase)] == [0, 1, 2]
    assert all(a.receipt == order for a in answers if isinstance(a, Purchase))
    claims = matching_store.list_claims(order.receipt_id, now=last)
    assert [claim.hold.payment_id for claim in claims] == [
        payment_id_of(BANK, name) for name in ("t-1", "t-2", "t-3")
    ]
    assert counted["matched:same_order"] == 2


def test_a_parcel_of_the_same_amount_as_the_first_takes_the_other_part() -> None:
    last = order_and_parcels(parcel("t-2", 420, PAID_AT + A_DAY), order=order_of(420, 420))

    answer = find_receipt(BANK, "t-2", now=last)
    assert isinstance(answer, Purchase)
    assert answer.part == 1


@pytest.mark.parametrize(
    ("parcels", "order"),
    [
        ((parcel("t-2", 251, PAID_AT + A_DAY),), order_of(420, 250)),
        ((parcel("t-2", 250, PAID_AT + A_DAY),), order_of(420, 250, 250)),
        ((parcel("t-2", 250, PAID_AT + A_DAY, account="acc-b"),), order_of(420, 250)),
        (
            (
                parcel(
                    "t-2",
                    250,
                    PAID_AT + A_DAY,
                    card=CardFacts(last_four=LastFour("1111", LastFourKind.CARD)),
                ),
            ),
            order_of(420, 250, card=CardFacts(last_four=LastFour("2222", LastFourKind.CARD))),
        ),
    ],
    ids=["another amount", "two parts alike", "another member", "another card"],
)
def test_a_payment_that_may_not_be_a_parcel_waits(
    parcels: tuple[PaymentEvent, ...], order: Receipt
) -> None:
    last = order_and_parcels(*parcels, order=order)

    assert find_receipt(BANK, "t-2", now=last) == NoReceipt(Missing.PENDING)
    assert len(matching_store.list_claims(order.receipt_id, now=last)) == 1


def test_a_shop_in_the_street_sends_no_parcels() -> None:
    open_town(store=SHOP)

    last = order_and_parcels(parcel("t-2", 250, PAID_AT + A_DAY), order=order_of(420, 250))

    assert find_receipt(BANK, "t-2", now=last) == NoReceipt(Missing.PENDING)
