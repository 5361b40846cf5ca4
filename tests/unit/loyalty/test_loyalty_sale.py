"""What a purchase says to schemes: what each line cost, who paid, and what came back."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.money import Money
from chalicelib.loyalty.sale import Sale, SaleCharge, SaleLine, sale_of
from chalicelib.receipts.canonical import (
    Charge,
    ChargeKind,
    Discount,
    LineKind,
    Receipt,
    ReceiptKind,
    Tax,
    Tender,
    TenderKind,
)
from tests.makers import receipts as made
from tests.makers.loyalty import SOLD_AT, paid_event, purchase, refund_event
from tests.makers.receipts import RETAILER, STORE, by_cards, giving_back, line, sale

AUTHORISED, CLEARED = PaymentEventKind.AUTHORISED, PaymentEventKind.CLEARED


def of(receipt: Receipt, *events: object, **more: object) -> Sale:
    return sale_of(purchase(receipt, *events, **more), STORE)  # type: ignore[arg-type]


def test_tells_a_plain_sale_whole() -> None:
    bought = purchase(
        sale(
            line(
                "1",
                amount=350,
                gtin="5012345678900",
                sku="FW",
                category=("Drinks", "Coffee"),
                taxes=(Tax(58),),
            )
        )
    )

    assert sale_of(bought, STORE) == Sale(
        purchase_id=bought.payment.payment_id,
        version=1,
        retailer_id=RETAILER.retailer_id,
        store_id=STORE.store_id,
        zone="Europe/London",
        sold_at=SOLD_AT,
        currency="GBP",
        lines=(
            SaleLine(
                line_id="1",
                description="Flat white",
                quantity=Decimal(1),
                unit=None,
                gross_minor=350,
                net_minor=292,
                gtin="5012345678900",
                sku="FW",
                category=("Drinks", "Coffee"),
            ),
        ),
        total_minor=350,
        paid_minor=350,
        due_minor=350,
        receipt_id=sale().receipt_id,
        told_from=SOLD_AT,
    )


@pytest.mark.parametrize("kinds", [(AUTHORISED, CLEARED), (CLEARED, AUTHORISED)])
def test_further_words_of_the_bank_move_the_earliest_time_of_a_sale_only_back(
    kinds: tuple[PaymentEventKind, PaymentEventKind],
) -> None:
    told, later = (paid_event(350, event_key=one.value, kind=one) for one in kinds)
    after, before = SOLD_AT + timedelta(seconds=1), SOLD_AT - timedelta(seconds=1)

    alone, forward, back = (
        of(sale(line("1", amount=350)), told, *more).earliest_at
        for more in ((), (replace(later, made_at=after),), (replace(later, made_at=before),))
    )

    assert (alone, forward, back) == (SOLD_AT, SOLD_AT, before)


def test_shares_a_discount_over_the_whole_receipt_by_largest_remainder() -> None:
    bought = sale(
        line("1", amount=333),
        line("2", amount=333),
        line("3", amount=334),
        discounts=(Discount("Ten per cent", 100),),
    )

    sold = of(bought)

    assert [one.gross_minor for one in sold.lines] == [300, 300, 300]
    assert sold.due_minor == 900


def test_shares_a_discount_alike_for_any_order_of_the_lines() -> None:
    lines = [line("a", amount=100), line("b", amount=100), line("c", amount=100)]
    off = (Discount("A penny off", 1),)

    shares = {
        tuple(sorted((one.line_id, one.gross_minor) for one in of(sold).lines))
        for sold in (sale(*lines, discounts=off), sale(*lines[::-1], discounts=off))
    }

    assert shares == {(("a", 99), ("b", 100), ("c", 100))}


def test_adds_tax_that_stands_on_top_to_the_lines() -> None:
    bought = sale(
        line("1", amount=1000), line("2", amount=500), taxes=(Tax(300),), tax_included=False
    )

    sold = of(bought)

    assert [(one.gross_minor, one.net_minor) for one in sold.lines] == [(1200, 1000), (600, 500)]
    assert (sold.due_minor, sold.total_minor) == (1800, 1800)


def test_takes_the_receipts_tax_out_of_lines_and_charges_but_not_out_of_a_tip() -> None:
    bought = sale(
        line("1", amount=900),
        charges=(
            Charge(ChargeKind.DELIVERY, "Delivery", 300),
            Charge(ChargeKind.TIP, "Tip", 100),
        ),
        taxes=(Tax(200),),
    )

    sold = of(bought)

    assert [(one.gross_minor, one.net_minor) for one in sold.lines] == [(900, 750)]
    assert sold.charges == (
        SaleCharge("charge#0", ChargeKind.DELIVERY, 300, 250),
        SaleCharge("charge#1", ChargeKind.TIP, 100, 100),
    )


def test_believes_lines_that_say_their_own_tax_and_gives_charges_the_rest() -> None:
    bought = sale(
        line("1", amount=600, taxes=(Tax(100),)),
        line("2", amount=400),
        charges=(Charge(ChargeKind.SERVICE, "Service", 120),),
        taxes=(Tax(120),),
    )

    sold = of(bought)

    assert [one.net_minor for one in sold.lines] == [500, 400]
    assert sold.charges == (SaleCharge("charge#0", ChargeKind.SERVICE, 120, 100),)


def test_counts_what_this_payment_paid_of_a_split_bill() -> None:
    bought = by_cards(sale(line(amount=4000)), 3000, 500, gift_card=500)

    first, second = of(bought), of(bought, paid_event(500), part=1)

    assert (first.paid_minor, first.paid_share) == (3000, Fraction(3, 4))
    assert (second.paid_minor, second.paid_share) == (500, Fraction(1, 8))
    assert first.own_tender_minor == second.own_tender_minor == 500
    assert (first.is_largest_part, second.is_largest_part) == (True, False)


def test_the_first_of_two_equal_parts_is_the_largest() -> None:
    bought = by_cards(sale(line(amount=4000)), 2000, 2000)

    parts = [of(bought, paid_event(2000), part=part).is_largest_part for part in (0, 1)]

    assert parts == [True, False]


def test_a_tip_that_only_the_bank_knows_is_not_paid_for_goods() -> None:
    sold = of(sale(line(amount=2740)), paid_event(3000))

    assert (sold.paid_minor, sold.due_minor, sold.refunded_minor) == (2740, 2740, 0)


def test_a_bill_shared_out_behind_the_tills_back_is_paid_in_part() -> None:
    sold = of(sale(line(amount=6000)), paid_event(3000))

    assert (sold.paid_minor, sold.paid_share) == (3000, Fraction(1, 2))


def test_change_out_of_a_card_payment_is_not_spent() -> None:
    bought = replace(
        sale(line(amount=2000)), tenders=(Tender(TenderKind.CARD, 5000),), change_minor=3000
    )

    sold = of(bought, paid_event(5000))

    assert (sold.paid_minor, sold.due_minor) == (2000, 2000)


def test_change_is_given_out_of_the_card_where_no_cash_was_paid() -> None:
    bought = by_cards(sale(line(amount=2500)), 3000, gift_card=500)

    sold = of(replace(bought, change_minor=1000), paid_event(3000))

    assert (sold.paid_minor, sold.own_tender_minor, sold.due_minor) == (2000, 500, 2500)


def test_a_foreign_card_paid_what_the_till_says() -> None:
    abroad = paid_event(410, amount=Money(410, "EUR"), local_amount=Money(350, "GBP"))

    sold = of(sale(line(amount=350)), abroad)

    assert (sold.paid_minor, sold.currency) == (350, "GBP")


def test_a_returned_line_accounts_for_its_refund() -> None:
    bought = sale(line("1", amount=1000, quantity=Decimal(2)), line("2", amount=500))
    back = giving_back(line("1", amount=500, refers_to=None), reference="R-1")

    sold = of(bought, refund_event(500), returns=(back,))

    assert sold.lines[0].returned_quantity == Decimal(1)
    assert (sold.refunded_minor, sold.is_refunded) == (0, False)


def test_money_given_back_without_a_line_is_counted_beside_them() -> None:
    sold = of(sale(line(amount=1000)), refund_event(400))

    assert (sold.refunded_minor, sold.is_refunded) == (400, False)


def test_money_given_back_in_whole_is_said_so() -> None:
    sold = of(sale(line(amount=1000)), refund_event(1000))

    assert (sold.refunded_minor, sold.is_refunded) == (1000, True)


def test_what_was_reversed_in_part_was_given_back() -> None:
    undone = paid_event(
        300, event_key="reversed", kind=PaymentEventKind.REVERSED, digest="reversed"
    )

    sold = of(sale(line(amount=1000)), paid_event(1000), undone)

    assert (sold.paid_minor, sold.refunded_minor, sold.is_withdrawn) == (1000, 300, False)


def test_a_payment_that_was_reversed_counts_no_more() -> None:
    undone = paid_event(
        1000, event_key="reversed", kind=PaymentEventKind.REVERSED, digest="reversed"
    )

    assert of(sale(line(amount=1000)), paid_event(1000), undone).is_withdrawn


def test_a_purchase_that_lost_its_receipt_is_a_sale_of_nothing() -> None:
    bought = purchase(None)

    sold = sale_of(bought, None)

    assert (sold.is_withdrawn, sold.lines, sold.paid_share) == (True, (), Fraction(0))


def test_a_purchase_that_another_source_tells_of_too_says_so() -> None:
    assert of(sale(line()), same_as=PaymentId("p-2")).is_told_twice


def test_an_exchange_is_paid_by_what_was_brought_back_and_by_the_card() -> None:
    bought = sale(
        line("1", amount=1500),
        line("2", amount=1000, kind=LineKind.RETURN),
        kind=ReceiptKind.EXCHANGE,
    )

    sold = of(bought)

    assert (sold.total_minor, sold.due_minor, sold.paid_minor) == (500, 1500, 500)
    assert (sold.is_exchange, [one.line_id for one in sold.sold]) == (True, ["1"])


def test_the_value_that_an_exchange_kept_in_goods_stays_with_its_sale() -> None:
    bought = sale(line("1", amount=1000))
    exchange = sale(
        line("r", amount=1000, kind=LineKind.RETURN),
        line("n", amount=600),
        kind=ReceiptKind.EXCHANGE,
        reference="X-1",
        refers_to="A-1001",
    )

    sold = of(bought, refund_event(400), returns=(exchange,))

    assert sold.lines[0].returned_quantity == Decimal(1)
    assert (sold.lines[0].swapped_minor, sold.refunded_minor) == (600, 0)


def test_a_receipt_needs_its_store() -> None:
    with pytest.raises(ValueError, match="its store is known"):
        sale_of(purchase(sale()), None)


def test_a_discount_over_more_than_the_lines_comes_off_the_charges() -> None:
    bought = sale(
        line(amount=100),
        charges=(Charge(ChargeKind.DELIVERY, "Delivery", 300),),
        discounts=(Discount("Voucher", 250),),
    )

    sold = of(bought)

    assert (sold.lines[0].gross_minor, sold.charges[0].gross_minor) == (0, 150)


@given(made.receipts())
def test_what_the_parts_of_any_receipt_cost_comes_to_its_total(receipt: Receipt) -> None:
    sold = of(receipt)

    assert all(one.gross_minor >= one.net_minor >= 0 for one in sold.lines if not one.is_return)
    assert 0 <= sold.paid_minor <= max(sold.due_minor, 0)
    off = sum(discount.amount_minor for discount in receipt.discounts)
    costs = sum(one.amount_minor for one in (*receipt.lines, *receipt.charges))
    if receipt.kind is ReceiptKind.SALE and off <= costs:
        assert sold.due_minor == sold.total_minor == receipt.total_minor
