"""Money: exact, whole, and never a float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.money import (
    EXPONENT_BY_CURRENCY,
    MINOR_MAX,
    Money,
    NotMinorUnits,
    UnknownCurrency,
    parse_decimal,
)
from chalicelib.kernel.refusals import NotAllowed, Rejected

CURRENCIES = st.sampled_from(sorted(EXPONENT_BY_CURRENCY))
MINORS = st.integers(-MINOR_MAX, MINOR_MAX)


@given(MINORS, CURRENCIES)
def test_survives_the_way_to_text_and_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)

    assert parse_decimal(money.to_text(), currency) == money


@given(st.text(max_size=30), st.text(max_size=4) | CURRENCIES)
def test_reads_any_text_or_refuses_it(text: str, currency: str) -> None:
    try:
        money = parse_decimal(text, currency)
    except Rejected as refusal:
        assert refusal.code in {"not_minor_units", "unknown_currency"}
    else:
        assert money.to_decimal() == Decimal(text)


@given(MINORS, MINORS)
def test_takes_away_what_was_added(one: int, other: int) -> None:
    if abs(one + other) <= MINOR_MAX:
        total = Money(one, "GBP") + Money(other, "GBP")

        assert total - Money(other, "GBP") == Money(one, "GBP")
        assert Money(0, "GBP") - total == -total


@pytest.mark.requirement("RCP-06")
@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1234, "GBP", "12.34"),
        (1234, "JPY", "1234"),
        (1234, "KWD", "1.234"),
        (12345, "CLF", "1.2345"),
        (5, "GBP", "0.05"),
        (-5, "EUR", "-0.05"),
        (0, "GBP", "0.00"),
        (MINOR_MAX, "JPY", "1000000000000"),
    ],
)
def test_writes_the_decimals_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert Money(minor, currency).to_text() == text
    assert parse_decimal(text, currency) == Money(minor, currency)


def test_reads_trailing_zeros_beyond_the_minor_unit() -> None:
    assert parse_decimal("150.0000", "GBP") == Money(15000, "GBP")
    assert parse_decimal("3.000", "JPY") == Money(3, "JPY")


@pytest.mark.requirement("RCP-06")
@pytest.mark.parametrize("minor", [12.0, 12.5, "12", True, None, MINOR_MAX + 1, -MINOR_MAX - 1])
def test_refuses_what_is_no_whole_number_in_range(minor: object) -> None:
    with pytest.raises(NotMinorUnits) as refused:
        Money(minor, "GBP")  # type: ignore[arg-type]

    assert refused.value.code == "not_minor_units"


@pytest.mark.parametrize(
    "text", ["", "12,34", "1e3", "12.345", "+1", " 1", "1 ", ".5", "5.", "NaN", "٣", "1_000", "--1"]
)
def test_refuses_text_that_is_no_plain_decimal(text: str) -> None:
    with pytest.raises(NotMinorUnits):
        parse_decimal(text, "GBP")


@pytest.mark.parametrize("currency", ["gbp", "GB", "", "XXX", "XAU", "BTC", "GBP "])
def test_refuses_a_currency_that_is_not_circulating_money(currency: str) -> None:
    with pytest.raises(UnknownCurrency) as refused:
        Money(1, currency)

    assert refused.value.code == "unknown_currency"


def test_refuses_to_add_different_currencies() -> None:
    with pytest.raises(NotAllowed, match="different currencies"):
        Money(1, "GBP") + Money(1, "EUR")
    with pytest.raises(NotAllowed, match="different currencies"):
        Money(1, "GBP") - Money(1, "EUR")
