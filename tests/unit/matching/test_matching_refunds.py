"""Which purchase a refund gives back: certain or not at all, whatever else there is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import ConnectionId, PaymentId, ReceiptId, RetailerId, StoreId
from chalicelib.kernel.money import Money
from chalicelib.matching.refunds import (
    Bought,
    OpenReturn,
    RefundFound,
    RefundOpen,
    RefundSignals,
    RefundWhy,
    decide_refund,
)
from chalicelib.matching.returned import amounts_givable, is_tied, money_back
from chalicelib.receipts.canonical import Receipt, ReceiptKind, Tender, TenderKind
from tests.makers.receipts import giving_back, line, sale

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=365)
A_DAY = timedelta(days=1)
BANK = ConnectionId("harbour-bank")
BAKERY, CINEMA = RetailerId("bakery"), RetailerId("cinema")
REFUND = RefundSignals(
    payment_id=PaymentId("refund"),
    connection_id=BANK,
    transaction_id="t-9",
    made_at=NOON,
    amount=Money(770, "GBP"),
    retailers=(BAKERY,),
    stores=(StoreId("wharf-lane"),),
    account_ref="acc-a",
)
BREAD = Bought(
    payment_id=PaymentId("bread"),
    connection_id=BANK,
    made_at=NOON - 3 * A_DAY,
    paid=Money(770, "GBP"),
    left_minor=770,
    retailers=(BAKERY,),
    return_days=30,
    stores=(StoreId("wharf-lane"),),
    account_ref="acc-a",
    givable=frozenset({350, 420, 770}),
)
TAKEN_BACK = OpenReturn(ReceiptId("back"), 350, NOON - timedelta(hours=1))


def decided(refund: RefundSignals, *bought: Bought) -> RefundWhy:
    return decide_refund(refund, bought, known_since=LONG_AGO).why


def other(**more: object) -> Bought:
    return replace(BREAD, payment_id=PaymentId("other"), **more)  # type: ignore[arg-type]


def test_is_certain_of_the_one_purchase_that_cost_just_that() -> None:
    found = decide_refund(REFUND, [BREAD], known_since=LONG_AGO)

    assert isinstance(found, RefundFound)
    assert (found.payment_id, found.why) == (PaymentId("bread"), RefundWhy.ONE_PURCHASE_FITS)
    assert 0.999 < found.probability < 1
    assert found.runner_up == 0


@pytest.mark.parametrize(
    "refund",
    [
        replace(REFUND, amount=Money(771, "GBP")),
        replace(REFUND, amount=Money(770, "EUR")),
        replace(REFUND, retailers=(CINEMA,)),
        replace(REFUND, made_at=NOON - 4 * A_DAY),
        replace(REFUND, made_at=NOON + 45 * A_DAY),
    ],
    ids=["more than is left", "currency", "shop", "before the sale", "after the return period"],
)
def test_never_takes_a_purchase_that_it_cannot_be_of(refund: RefundSignals) -> None:
    assert decided(refund, BREAD) is RefundWhy.NO_PURCHASE_FITS


def test_tells_an_amount_that_nothing_cost_from_one_that_some_goods_did() -> None:
    some, odd = (replace(REFUND, amount=Money(minor, "GBP")) for minor in (350, 333))

    assert decided(some, BREAD) is RefundWhy.ONE_PURCHASE_FITS
    assert decided(odd, BREAD) is RefundWhy.PROBABILITY_TOO_LOW


def test_is_not_certain_between_two_that_fit_alike() -> None:
    decision = decide_refund(REFUND, [BREAD, other()], known_since=LONG_AGO)

    assert isinstance(decision, RefundOpen)
    assert decision.why is RefundWhy.SEVERAL_PURCHASES
    assert [name for name, _ in decision.candidates] == ["bread", "other"]
    assert all(499_000 < share < 500_000 for _, share in decision.candidates)


def test_an_amount_that_is_only_a_part_of_the_other_decides() -> None:
    dearer = other(paid=Money(2000, "GBP"), left_minor=2000, givable=frozenset())

    found = decide_refund(REFUND, [BREAD, dearer], known_since=LONG_AGO)

    assert isinstance(found, RefundFound)
    assert (found.payment_id, found.why) == ("bread", RefundWhy.ONE_PURCHASE_FITS)


@pytest.mark.parametrize(
    "against",
    [
        {"account_ref": "acc-b"},
        {"stores": (StoreId("kings-road"),)},
        {"connection_id": ConnectionId("meadow-bank")},
        {"retailers": (CINEMA, BAKERY)},
        {"made_at": NOON - 20 * A_DAY},
        {"card": CardFacts(last_four=LastFour("4322", LastFourKind.CARD))},
    ],
    ids=["account", "store", "source", "brand", "time", "digits"],
)
def test_what_speaks_against_one_makes_the_other_more_probable(against: dict[str, object]) -> None:
    refund = replace(REFUND, card=CardFacts(last_four=LastFour("4321", LastFourKind.CARD)))

    decision = decide_refund(refund, [other(**against), BREAD], known_since=LONG_AGO)

    assert isinstance(decision, RefundOpen)
    assert [name for name, _ in decision.candidates] == ["bread", "other"]
    assert decision.candidates[0][1] > 700_000


def test_goods_that_were_taken_back_decide() -> None:
    refund = replace(REFUND, amount=Money(350, "GBP"))
    told = other(open_returns=(TAKEN_BACK,))

    found = decide_refund(refund, [BREAD, told], known_since=LONG_AGO)

    assert isinstance(found, RefundFound)
    assert (found.payment_id, found.why) == ("other", RefundWhy.RETURN_RECEIPT)


def test_goods_that_were_taken_back_for_another_amount_decide_nothing() -> None:
    refund = replace(REFUND, amount=Money(420, "GBP"))

    assert decided(refund, BREAD, other(open_returns=(TAKEN_BACK,))) is RefundWhy.SEVERAL_PURCHASES


def test_the_banks_own_link_is_above_all_else() -> None:
    linked = other(left_minor=0, linked=frozenset({"t-9"}))

    found = decide_refund(REFUND, [BREAD, linked], known_since=LONG_AGO)

    assert found == RefundFound(PaymentId("other"), RefundWhy.LINKED_BY_BANK)


def test_a_member_who_has_just_joined_may_have_bought_before() -> None:
    joined = NOON - 3 * A_DAY - timedelta(minutes=1)

    before = decide_refund(REFUND, [BREAD], known_since=joined)
    long_known = decide_refund(REFUND, [BREAD], known_since=LONG_AGO)

    assert isinstance(before, RefundFound)
    assert isinstance(long_known, RefundFound)
    assert before.probability < long_known.probability


purchases = st.builds(
    lambda number, days, minor, left, where: replace(
        BREAD,
        payment_id=PaymentId(f"p-{number}"),
        made_at=NOON - days * A_DAY,
        paid=Money(minor, "GBP"),
        left_minor=min(left, minor),
        stores=(StoreId(where),),
    ),
    st.integers(0, 10_000),
    st.integers(-1, 60),
    st.integers(100, 2_000),
    st.integers(0, 2_000),
    st.sampled_from(["wharf-lane", "kings-road"]),
)


@given(st.lists(purchases, max_size=6, unique_by=lambda one: one.payment_id))
def test_the_order_of_purchases_changes_nothing_and_more_is_never_given_back_than_is_left(
    bought: list[Bought],
) -> None:
    decision = decide_refund(REFUND, bought, known_since=LONG_AGO)
    turned = decide_refund(REFUND, bought[::-1], known_since=LONG_AGO)

    assert decision.why is turned.why
    if isinstance(decision, RefundFound):
        assert isinstance(turned, RefundFound)
        assert decision.payment_id == turned.payment_id
        (one,) = [p for p in bought if p.payment_id == decision.payment_id]
        assert one.left_minor >= 770
        assert decision.probability >= 0.99
        assert decision.probability + decision.runner_up <= 1.000001


def test_knows_what_may_come_back_for_some_of_the_goods() -> None:
    receipt = sale(
        line("1", amount=900, quantity=Decimal(3)),
        line("2", amount=250, quantity=Decimal("0.5"), returned_quantity=Decimal("0.5")),
        line("3", amount=100),
    )

    assert amounts_givable(receipt) == {100, 300, 400, 600, 700, 900, 1000}


def test_stops_adding_up_where_the_lines_are_many() -> None:
    many = sale(*(line(str(number), amount=2**number) for number in range(20)))

    assert len(amounts_givable(many)) <= 4_096 + 20


def tender(minor: int, digits: str = "", kind: LastFourKind = LastFourKind.CARD) -> Tender:
    card = CardFacts(last_four=LastFour(digits, kind)) if digits else CardFacts()
    return Tender(TenderKind.CARD, minor, card)


def taken(*tenders: Tender, at: datetime = NOON) -> Receipt:
    back = giving_back(line(amount=770), refers_to=None)
    return replace(back, retailer_id=BAKERY, tenders=tenders, issued_at=at)


def test_knows_what_a_till_gave_back_onto_cards() -> None:
    cash = Tender(TenderKind.CASH, 70)
    exchange = replace(taken(), kind=ReceiptKind.EXCHANGE, total_minor=-300)

    assert money_back(taken(tender(400), tender(300), cash)) == (400, 300)
    assert money_back(taken(cash)) == ()
    assert money_back(exchange) == (300,)
    assert money_back(replace(exchange, total_minor=300, tenders=(tender(300),))) == ()
    assert money_back(replace(taken(tender(400)), kind=ReceiptKind.VOID)) == ()


CARD = CardFacts(last_four=LastFour("4321", LastFourKind.CARD))


@pytest.mark.parametrize(
    ("refund", "returned", "tied"),
    [
        (REFUND, taken(tender(770)), True),
        (REFUND, taken(tender(770), at=NOON - timedelta(hours=2)), False),
        (replace(REFUND, card=CARD), taken(tender(770, "4321"), at=NOON - 5 * A_DAY), True),
        (replace(REFUND, card=CARD), taken(tender(770, "4322")), False),
        (replace(REFUND, card=CARD), taken(tender(770, "4322", LastFourKind.DEVICE)), True),
        (
            replace(REFUND, known_last_fours=(LastFour("4321", LastFourKind.CARD),)),
            taken(tender(770, "4322")),
            False,
        ),
        (REFUND, replace(taken(tender(770)), retailer_id=CINEMA), False),
        (REFUND, replace(taken(tender(770)), currency="EUR"), False),
    ],
)
def test_ties_a_refund_to_a_return_by_the_card_or_the_hour(
    refund: RefundSignals, returned: Receipt, *, tied: bool
) -> None:
    assert is_tied(refund, returned) is tied
