"""The rules a receipt keeps: each refusal names its rule and its place."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.money import MINOR_MAX
from chalicelib.kernel.refusals import Rejected, TooLarge
from chalicelib.receipts import rules
from chalicelib.receipts.canonical import (
    Barcode,
    Charge,
    ChargeKind,
    Discount,
    LineKind,
    Modifier,
    Receipt,
    ReceiptKind,
    Tax,
    Tender,
    TenderKind,
)
from tests.makers.receipts import NOW, giving_back, line, receipts, sale, with_sums


def refusal_of(receipt: Receipt) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as caught:
        rules.check(receipt, now=NOW)
    return caught.value.code, caught.value.field


@given(receipts())
def test_takes_every_receipt_that_keeps_the_rules(receipt: Receipt) -> None:
    rules.check(receipt, now=NOW)

    paid = sum(tender.amount_minor for tender in receipt.tenders)
    assert rules.parts_total_minor(receipt) == receipt.total_minor
    assert paid == abs(receipt.total_minor) + receipt.change_minor


@given(receipts(), st.integers(-3, 3).filter(bool))
def test_refuses_a_total_off_by_any_amount(receipt: Receipt, off: int) -> None:
    wrong = replace(receipt, total_minor=receipt.total_minor + off)

    assert refusal_of(wrong)[0] in {"total_mismatch", "negative_amount"}


@pytest.mark.requirement("RCP-06")
@pytest.mark.parametrize(("currency", "amount"), [("JPY", 1480), ("GBP", 1480)])
def test_totals_yen_and_pounds_in_their_own_minor_units(currency: str, amount: int) -> None:
    receipt = sale(line(amount=amount), currency=currency)

    rules.check(receipt, now=NOW)

    assert receipt.total.to_text() == {"JPY": "1480", "GBP": "14.80"}[currency]


@pytest.mark.requirement("RCP-06")
def test_refuses_a_float_amount() -> None:
    wrong = replace(sale(), lines=(line(amount=3.5),))  # type: ignore[arg-type]

    assert refusal_of(wrong) == ("not_minor_units", "lines[0].amount_minor")


WRONG = [
    (replace(sale(), total_minor=351), "total_mismatch", "total_minor"),
    (replace(sale(), tenders=(Tender(TenderKind.CASH, 349),)), "tenders_mismatch", "tenders"),
    (replace(sale(), change_minor=1), "tenders_mismatch", "tenders"),
    (sale(line(), line("2", amount=-1)), "negative_amount", "lines[1].amount_minor"),
    (sale(line(amount=MINOR_MAX + 1)), "not_minor_units", "lines[0].amount_minor"),
    (sale(discounts=(Discount("x", -1),)), "negative_amount", "discounts[0].amount_minor"),
    (replace(sale(), total_minor=-350), "negative_amount", "total_minor"),
    (sale(rounding_minor=10_001), "not_minor_units", "rounding_minor"),
    (sale(line(quantity=Decimal(-1))), "negative_quantity", "lines[0].quantity"),
    (sale(line(quantity=Decimal("NaN"))), "quantity", "lines[0].quantity"),
    (sale(line(quantity=Decimal("1e400"))), "quantity", "lines[0].quantity"),
    (sale(line(quantity=Decimal("0.0000001"))), "quantity", "lines[0].quantity"),
    (sale(line(quantity=Decimal(0))), "zero_quantity", "lines[0].quantity"),
    (sale(line(returned_quantity=Decimal(2))), "quantity", "lines[0].returned_quantity"),
    (sale(line(taxes=(Tax(1, rate=Decimal(20)),))), "quantity", "lines[0].taxes[0].rate"),
    (sale(line(taxes=(Tax(351),))), "taxes_exceed_line", "lines[0].taxes"),
    (sale(taxes=(Tax(351),)), "taxes_exceed_total", "taxes"),
    (sale(line(), line()), "line_id_twice", "lines[1].line_id"),
    (sale(line(gtin="12AB")), "gtin", "lines[0].gtin"),
    (sale(version=0), "version", "version"),
    (sale(line(description="")), "text_length", "lines[0].description"),
    (sale(line(description="x" * 1001)), "text_length", "lines[0].description"),
    (sale(reference="x" * 201), "text_length", "reference"),
    (sale(barcode=Barcode("qr", "")), "text_length", "barcode.value"),
    (sale(currency="GBX"), "unknown_currency", "currency"),
    (sale(currency="gbp"), "unknown_currency", "currency"),
    (sale(*(line(str(n)) for n in range(501))), "too_many", "lines"),
    (sale(line(modifiers=(Modifier("x"),) * 51)), "too_many", "lines[0].modifiers"),
    (
        replace(sale(), tenders=(Tender(TenderKind.CARD, 0),) * 20 + sale().tenders),
        "too_many",
        "tenders",
    ),
    (sale(line(unit_price_minor=175)), "line_price_mismatch", "lines[0].amount_minor"),
    (
        sale(line(modifiers=(Modifier("x", 200), Modifier("y", 151)))),
        "modifiers_exceed_line",
        "lines[0].modifiers",
    ),
    (replace(sale(), lines=(), total_minor=0, tenders=()), "lines_of_kind", "lines"),
    (sale(line(kind=LineKind.RETURN)), "lines_of_kind", "lines"),
    (sale(kind=ReceiptKind.RETURN), "lines_of_kind", "lines"),
    (sale(kind=ReceiptKind.EXCHANGE), "lines_of_kind", "lines"),
    (sale(kind=ReceiptKind.VOID), "void_with_money", "total_minor"),
]


@pytest.mark.parametrize(("receipt", "code", "field"), WRONG)
def test_refuses_what_breaks_a_rule(receipt: Receipt, code: str, field: str) -> None:
    assert refusal_of(receipt) == (code, field)


def test_calls_five_hundred_and_one_lines_too_large() -> None:
    with pytest.raises(TooLarge):
        rules.check(sale(*(line(str(n)) for n in range(501))), now=NOW)


FINE = {
    "zero-price line": sale(line(), line("2", amount=0)),
    "free line without quantity": sale(line(), line("2", amount=0, quantity=Decimal(0))),
    "child without price": sale(line(modifiers=(Modifier("no sugar"),))),
    "free receipt": replace(sale(line(amount=0)), tenders=()),
    "units": sale(line(unit_price_minor=175, quantity=Decimal(2))),
    "units with priced parts and a discount": sale(
        line(
            unit_price_minor=300,
            modifiers=(Modifier("Oat milk", 80),),
            discounts=(Discount("Loyal", 30),),
        )
    ),
    "a free line by its own discount, with a part": sale(
        line(amount=0, modifiers=(Modifier("Oat", 40),), discounts=(Discount("Gift", 350),))
    ),
    "tip and service": sale(
        charges=(Charge(ChargeKind.TIP, "Tip", 100), Charge(ChargeKind.SERVICE, "Service", 35))
    ),
    "discount on the receipt": sale(discounts=(Discount("Staff", 350),)),
    "tax on top": sale(taxes=(Tax(70),), tax_included=False),
    "cash with change and rounding": sale(rounding_minor=-2, change_minor=152),
    "return less a fee": giving_back(line(), discounts=(Discount("Restocking", 50),)),
    "void": replace(sale(kind=ReceiptKind.VOID), total_minor=0, tenders=()),
    "500 lines": sale(*(line(str(n)) for n in range(500))),
}


@pytest.mark.parametrize("name", FINE)
def test_takes_what_tills_really_print(name: str) -> None:
    rules.check(FINE[name], now=NOW)


SUMS = {
    "lines": (sale(line(), line("2", amount=40)), 390),
    "discounts off": (sale(discounts=(Discount("Staff", 50), Discount("Monday", 1))), 299),
    "charges on": (sale(charges=(Charge(ChargeKind.TIP, "Tip", 100),)), 450),
    "tax within": (sale(taxes=(Tax(58),)), 350),
    "tax on top": (sale(taxes=(Tax(70), Tax(2)), tax_included=False), 422),
    "rounding either way": (sale(rounding_minor=-2), 348),
    "line discounts are already off": (sale(line(discounts=(Discount("Cup", 50),))), 350),
    "a return mirrors a sale": (
        giving_back(
            line(),
            discounts=(Discount("Restocking", 50),),
            charges=(Charge(ChargeKind.DELIVERY, "Delivery", 199),),
            taxes=(Tax(10),),
            tax_included=False,
            rounding_minor=1,
        ),
        510,
    ),
    "an exchange sets one against the other": (
        sale(line(amount=900), line("2", kind=LineKind.RETURN), kind=ReceiptKind.EXCHANGE),
        550,
    ),
}


@pytest.mark.parametrize("name", SUMS)
def test_the_parts_come_to_the_total(name: str) -> None:
    receipt, total = SUMS[name]

    paid = replace(receipt, total_minor=total, tenders=(Tender(TenderKind.CARD, total),))
    rules.check(paid, now=NOW)
    for wrong in (total - 1, total + 1):
        assert refusal_of(replace(paid, total_minor=wrong))[0] == "total_mismatch"


def test_counted_goods_are_not_rounded() -> None:
    pair = line(amount=351, unit_price_minor=175, quantity=Decimal(2))

    assert refusal_of(sale(pair)) == ("line_price_mismatch", "lines[0].amount_minor")


def test_rounds_measured_goods_by_at_most_one_minor_unit() -> None:
    bananas = line(amount=42, unit="kg", unit_price_minor=120, quantity=Decimal("0.347"))
    rules.check(sale(bananas), now=NOW)

    too_much = replace(bananas, amount_minor=43)
    assert refusal_of(sale(too_much)) == ("line_price_mismatch", "lines[0].amount_minor")


def test_an_exchange_may_give_money_back() -> None:
    back = line("2", amount=500, kind=LineKind.RETURN)
    exchange = with_sums(sale(line(), back, kind=ReceiptKind.EXCHANGE))

    rules.check(exchange, now=NOW)

    assert exchange.total_minor == -150
    assert [tender.amount_minor for tender in exchange.tenders] == [150]


def test_a_return_less_a_fee_gives_back_the_difference() -> None:
    assert FINE["return less a fee"].total_minor == 300


@pytest.mark.parametrize(
    ("ago", "code"),
    [
        (timedelta(hours=-24), None),
        (timedelta(hours=-24, seconds=-1), "time_in_future"),
        (timedelta(days=90), None),
        (timedelta(days=90, seconds=1), "time_in_past"),
    ],
)
def test_refuses_times_beyond_a_day_ahead_or_ninety_days_behind(
    ago: timedelta, code: str | None
) -> None:
    receipt = sale(issued_at=NOW - ago)

    if code is None:
        rules.check(receipt, now=NOW)
    else:
        assert refusal_of(receipt) == (code, "issued_at")


def test_says_how_a_rate_is_written() -> None:
    with pytest.raises(Rejected) as refused:
        rules.check(sale(line(taxes=(Tax(1, rate=Decimal(20)),))), now=NOW)

    assert refused.value.detail == "a rate is a share: 20 % is 0.20"
