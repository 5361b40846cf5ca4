"""What of an award has to be back, by what of the sale came back: never more, all of it at last."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty.earning import WHOLE_SALE, Share
from chalicelib.loyalty.sale import Sale, SaleCharge, SaleLine
from chalicelib.loyalty.taking_back import taken_back
from chalicelib.loyalty.terms import RuleKind
from chalicelib.receipts.canonical import ChargeKind
from tests.makers.loyalty import sale_line, sold

POINTS_1, POINTS_2 = Share("pound", "1", 10), Share("pound", "2", 5)
VISIT = Share("visit", WHOLE_SALE, 1, RuleKind.VISIT, needs_minor=500)
A_STAMP_EACH = (Share("coffee", "1", 3, RuleKind.ITEM),)


def lines(first_back: int = 0) -> tuple[SaleLine, SaleLine]:
    """Two of something for £10, `first_back` of which came back, and one for £5."""
    two = sale_line("1", gross=1000, quantity=Decimal(2), returned_quantity=Decimal(first_back))
    return two, sale_line("2", gross=500)


def back(sale: Sale, *given: Share) -> list[tuple[str, int]]:
    return [(share.line_id, share.units) for share in taken_back(given, sale)]


def test_a_line_gives_back_by_the_quantity_that_was_returned() -> None:
    assert back(sold(*lines(1)), POINTS_1, POINTS_2) == [("1", 5)]


def test_a_line_that_is_back_gives_back_everything_it_earned() -> None:
    assert back(sold(*lines(2)), POINTS_1, POINTS_2) == [("1", 10)]


def test_money_beyond_the_lines_takes_its_part_of_what_each_line_has_left() -> None:
    half_of_what_is_left = sold(*lines(1), refunded_minor=500)

    assert back(half_of_what_is_left, POINTS_1, POINTS_2) == [("1", 7), ("2", 2)]


def test_all_the_money_that_is_left_takes_all_that_is_left() -> None:
    assert back(sold(*lines(1), refunded_minor=1000), POINTS_1, POINTS_2) == [("1", 10), ("2", 5)]


@pytest.mark.parametrize(
    "gone",
    [
        {"is_withdrawn": True},
        {"is_refunded": True},
        {"lines": (lines(2)[0],)},
    ],
)
def test_a_sale_of_which_nothing_is_left_gives_everything_back(gone: dict[str, object]) -> None:
    sale = sold(**{"lines": lines(), **gone})  # type: ignore[arg-type]

    assert back(sale, POINTS_1, POINTS_2, VISIT) == [("1", 10), ("2", 5), (WHOLE_SALE, 1)]


def sale_refunded_by(minor: int) -> Sale:
    return sold(*lines(), refunded_minor=minor)


def test_a_visit_stays_while_as_much_is_left_as_it_needed() -> None:
    assert back(sale_refunded_by(1000), VISIT) == []


def test_a_visit_is_back_once_less_is_left_than_it_needed() -> None:
    assert back(sale_refunded_by(1001), VISIT) == [(WHOLE_SALE, 1)]


def test_a_line_that_the_corrected_receipt_no_longer_has_is_back() -> None:
    assert back(sold(lines()[0]), POINTS_1, POINTS_2) == [("2", 5)]


def test_a_charge_gives_back_with_the_money_beyond_the_lines_only() -> None:
    charge = SaleCharge("charge:0", ChargeKind.DELIVERY, 500, 400)
    points = Share("pound", "charge:0", 4)
    whole = sold(*lines(), charges=(charge,), due_minor=2000, paid_minor=2000)
    half = sold(*lines(), charges=(charge,), due_minor=2000, paid_minor=2000, refunded_minor=1000)

    assert (back(whole, points), back(half, points)) == ([], [("charge:0", 2)])


def test_one_of_three_items_takes_one_of_three_stamps() -> None:
    three = sale_line("1", gross=1050, quantity=Decimal(3), returned_quantity=Decimal(1))

    assert back(sold(three, sale_line("2")), *A_STAMP_EACH) == [("1", 1)]


def test_a_weighed_item_keeps_its_stamp_until_all_of_it_is_back() -> None:
    stamp = Share("cheese", "1", 1, RuleKind.ITEM)
    weighed = {"quantity": Decimal("0.400"), "unit": "kg"}
    part = sale_line("1", returned_quantity=Decimal("0.399"), **weighed)
    whole = sale_line("1", returned_quantity=Decimal("0.400"), **weighed)

    assert back(sold(part, sale_line("2")), stamp) == []
    assert back(sold(whole, sale_line("2")), stamp) == [("1", 1)]


@given(
    returned=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    units=st.lists(st.integers(0, 50), min_size=5, max_size=5),
    refunded=st.integers(0, 5000),
)
def test_never_more_is_back_than_was_given_and_more_returned_never_takes_less(
    returned: list[int], units: list[int], refunded: int
) -> None:
    given_shares = [Share("pound", str(at), units[at]) for at in range(len(returned))]
    bought = [
        sale_line(str(at), gross=400, quantity=Decimal(4), returned_quantity=Decimal(count))
        for at, count in enumerate(returned)
    ]
    more = [
        sale_line(str(at), gross=400, quantity=Decimal(4), returned_quantity=min(count + 1, 4))
        for at, count in enumerate(returned)
    ]

    before = dict(back(sold(*bought, refunded_minor=refunded), *given_shares))
    after = dict(back(sold(*more, refunded_minor=refunded), *given_shares))

    for share in given_shares:
        assert before.get(share.line_id, 0) <= after.get(share.line_id, 0) <= share.units
