"""What comes back takes back what it earned, by line and quantity, never more than was given."""

from dataclasses import replace
from decimal import Decimal

from chalicelib.loyalty.earning import Share, decide_award
from chalicelib.loyalty.rules import Condition, EarnRule, Matching, Tier, Tiering
from chalicelib.loyalty.sale import Sale, SaleCharge, sale_of
from chalicelib.loyalty.taking_back import kept_minor, taken_back
from chalicelib.loyalty.terms import Measure, RuleKind
from chalicelib.receipts.canonical import ChargeKind, LineKind, ReceiptKind
from tests.makers.loyalty import (
    POINT_A_POUND,
    STAMP_A_VISIT,
    purchase,
    refund_event,
    sale_line,
    scheme,
    sold,
)
from tests.makers.receipts import STORE, giving_back, line, sale

COFFEE = EarnRule("coffee", RuleKind.ITEM, when=Condition(lines=Matching(("Coffee",))))
BILL = sold(
    sale_line("1", gross=1000, quantity=Decimal(2)),
    sale_line("2", gross=500, category=("Food", "Cake")),
)


def returned(sale: Sale, line_id: str, quantity: str, **more: object) -> Sale:
    lines = tuple(
        one._replace(returned_quantity=Decimal(quantity)) if one.line_id == line_id else one
        for one in sale.lines
    )
    return replace(sale, lines=lines, **more)  # type: ignore[arg-type]


def back(sale: Sale, *rules: EarnRule, after: Sale) -> dict[tuple[str, str], int]:
    """What of the award of `sale` must be back, once `after` is known, by rule and line."""
    given = decide_award(sale, scheme(*rules)).shares
    return {(one.rule_id, one.line_id): one.units for one in taken_back(given, after)}


LADDER = Tiering((Tier("base", "Base", 0), Tier("gold", "Gold", 50_000)), measure=Measure.SPEND)


def test_what_is_kept_of_what_was_paid_is_what_neither_goods_nor_money_brought_back() -> None:
    odd = sold(sale_line("1", gross=1001, quantity=Decimal(2)), sale_line("2", gross=500))
    shared = replace(odd, paid_minor=1000)
    half = returned(odd, "1", "1")

    sales = (odd, shared, half, replace(half, refunded_minor=500), returned(shared, "1", "2"))
    kept = [kept_minor(one, scheme(tiering=LADDER)) for one in sales]
    refunded, gone = replace(odd, is_refunded=True), returned(returned(odd, "1", "2"), "2", "1")
    nothing = [kept_minor(one, scheme(tiering=LADDER)) for one in (refunded, gone)]
    nothing.append(kept_minor(odd, scheme(tiering=LADDER, min_spend_minor=1502)))
    nothing.append(kept_minor(odd, scheme()))

    assert kept == [1501, 1000, 1000, 500, 333]
    assert nothing == [0, 0, 0, 0]


def test_nothing_comes_back_of_a_sale_that_stays() -> None:
    assert back(BILL, after=BILL) == {}


def test_a_returned_line_gives_back_what_it_earned_and_no_other_does() -> None:
    assert back(BILL, after=returned(BILL, "2", "1")) == {("pound", "2"): 5}


def test_a_part_of_a_line_gives_back_its_part_rounded_down() -> None:
    odd = sold(sale_line("1", gross=1100, quantity=Decimal(2)))

    assert back(odd, after=returned(odd, "1", "1")) == {("pound", "1"): 5}
    assert back(odd, after=returned(odd, "1", "2")) == {("pound", "1"): 11}


def test_each_returned_item_gives_back_its_stamp() -> None:
    assert back(BILL, COFFEE, after=returned(BILL, "1", "1")) == {("coffee", "1"): 1}
    assert back(BILL, COFFEE, after=returned(BILL, "1", "2")) == {("coffee", "1"): 2}
    assert back(BILL, COFFEE, after=returned(BILL, "2", "1")) == {}


def test_something_weighed_gives_back_its_stamp_once_all_of_it_is_back() -> None:
    beans = sold(sale_line("1", quantity=Decimal("0.500"), unit="kg"), sale_line("2"))

    assert back(beans, COFFEE, after=returned(beans, "1", "0.250")) == {}
    assert back(beans, COFFEE, after=returned(beans, "1", "0.500")) == {("coffee", "1"): 1}


def test_a_visit_stays_until_nothing_is_left_of_the_sale() -> None:
    most = returned(BILL, "1", "2")

    assert back(BILL, STAMP_A_VISIT, after=most) == {}
    assert back(BILL, STAMP_A_VISIT, after=returned(most, "2", "1")) == {("visit", ""): 1}


def test_a_visit_that_needed_a_minimum_goes_when_less_is_left() -> None:
    over_six = replace(STAMP_A_VISIT, when=Condition(min_spend_minor=600))

    assert back(BILL, over_six, after=returned(BILL, "2", "1")) == {}
    assert back(BILL, over_six, after=returned(BILL, "1", "2")) == {("visit", ""): 1}


def test_money_given_back_beyond_lines_takes_the_same_part_of_each() -> None:
    half = replace(BILL, refunded_minor=750)

    assert back(BILL, after=half) == {("pound", "1"): 5, ("pound", "2"): 2}


def test_money_beyond_a_returned_line_is_taken_from_what_was_left() -> None:
    after = returned(BILL, "2", "1", refunded_minor=500)

    assert back(BILL, after=after) == {("pound", "1"): 5, ("pound", "2"): 5}


def test_everything_of_a_sale_that_is_refunded_or_withdrawn_comes_back() -> None:
    for after in (
        replace(BILL, is_refunded=True),
        replace(BILL, is_withdrawn=True),
        replace(BILL, is_withdrawn=True, lines=()),
        replace(BILL, refunded_minor=1500),
        returned(returned(BILL, "1", "2"), "2", "1"),
    ):
        assert back(BILL, POINT_A_POUND, STAMP_A_VISIT, after=after) == {
            ("pound", "1"): 10,
            ("pound", "2"): 5,
        }
        assert back(BILL, STAMP_A_VISIT, after=after) == {("visit", ""): 1}


def test_a_line_that_a_corrected_receipt_no_longer_has_is_back() -> None:
    corrected = replace(BILL, lines=BILL.lines[:1])

    assert back(BILL, after=corrected) == {("pound", "2"): 5}


def test_what_a_charge_earned_comes_back_with_the_money() -> None:
    given = (Share("pound", "charge#0", 4),)
    delivered = replace(BILL, charges=(SaleCharge("charge#0", ChargeKind.DELIVERY, 400, 400),))

    assert taken_back(given, returned(delivered, "2", "1")) == ()
    assert taken_back(given, replace(delivered, refunded_minor=750)) == (
        Share("pound", "charge#0", 2),
    )
    assert taken_back(given, replace(delivered, is_refunded=True)) == given


def test_an_even_exchange_takes_back_nothing_that_money_earned() -> None:
    bought = sale(line("1", amount=1000))
    exchange = sale(
        line("r", amount=1000, kind=LineKind.RETURN),
        line("n", amount=1000),
        kind=ReceiptKind.EXCHANGE,
        reference="X-1",
        refers_to="A-1001",
    )
    before = sale_of(purchase(bought), STORE)
    after = sale_of(purchase(bought, returns=(exchange,)), STORE)

    assert after.lines[0].returned_quantity == Decimal(1)
    assert back(before, after=after) == {}
    assert back(before, EarnRule("item", RuleKind.ITEM), after=after) == {("item", "1"): 1}


def test_an_exchange_for_less_takes_back_what_money_came_back() -> None:
    bought = sale(line("1", amount=1000))
    exchange = sale(
        line("r", amount=1000, kind=LineKind.RETURN),
        line("n", amount=600),
        kind=ReceiptKind.EXCHANGE,
        reference="X-1",
        refers_to="A-1001",
    )
    before = sale_of(purchase(bought), STORE)
    after = sale_of(purchase(bought, refund_event(400), returns=(exchange,)), STORE)

    assert back(before, after=after) == {("pound", "1"): 4}


def test_a_return_whose_refund_is_told_too_takes_back_once() -> None:
    bought = sale(line("1", amount=1000), line("2", amount=500, description="Cake"))
    gone = giving_back(line("r", amount=500, description="Cake"), reference="R-1")
    before = sale_of(purchase(bought), STORE)

    found = [
        back(before, after=sale_of(purchase(bought, *told, returns=(gone,)), STORE))
        for told in ((), (refund_event(500),))
    ]

    assert found == [{("pound", "2"): 5}] * 2
