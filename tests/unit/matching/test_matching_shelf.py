"""How common an amount is, by the slips at hand: an hour of them, or weeks."""

import pytest

from chalicelib.matching.prices import NO_PRICES
from chalicelib.matching.shelf import Shelf
from chalicelib.matching.sides import Slip
from tests.makers.slips import NOON, SHOP, slip

HOUR = ((-1_800.0, 1_800.0),)
DAY = 86_400.0


def an_hour(*, of_day: int = 0) -> list[Slip]:
    """Forty amounts once and ten twice, minor units from 1,000 and from 2,000 on."""
    amounts = [*range(1_000, 1_040), *range(2_000, 2_010), *range(2_000, 2_010)]
    return [
        slip(f"r{of_day}-{n}", seconds=of_day * DAY + 30 * n - 900, amount_minor=amount)
        for n, amount in enumerate(amounts)
    ]


def strangers(shelf: Shelf, amount: int) -> float:
    """Expected in the hour."""
    return 3_600 * shelf.strangers(SHOP, (amount, "GBP"), NOON, HOUR)


def test_an_amount_seen_once_comes_again_as_often_as_good_and_turing_say() -> None:
    again = (2 * 10 + 20 * 0.2) / (40 + 20)

    assert strangers(Shelf(an_hour()), 1_000) == pytest.approx(again * 60 / 59 + 0.01 / 3)


def test_what_stands_in_the_hour_counts_once_where_the_shelf_is_that_hour() -> None:
    again = (2 * 10 + 20 * 0.2) / (40 + 20)

    assert strangers(Shelf(an_hour()), 2_000) == pytest.approx((1 + again) * 60 / 59 + 0.01 / 3)


def test_what_stands_in_the_hour_is_news_beside_ten_days() -> None:
    shelf = Shelf([one for day in range(10) for one in an_hour(of_day=day)])

    of_days = (19 + 0.2) * 60 / 599  # No amount is seen once or twice.
    assert strangers(shelf, 2_000) == pytest.approx((3 * of_days + 0.9 * 1 + 0.01) / 3.9)


def test_of_few_slips_none_is_taken_for_a_common_amount() -> None:
    alone = Shelf([slip("r1", amount_minor=1_000)])

    assert strangers(alone, 1_000) == pytest.approx((4 / 21) / 20 + 0.01 / 3)


def test_a_price_that_stands_there_once_may_be_the_most_usual_one() -> None:
    coffee = (420, "GBP")
    counted = NO_PRICES.plus([coffee] * 100 + [(minor, "GBP") for minor in range(1_000, 1_900)])
    shelf = Shelf([slip(f"r{n}", seconds=9 * n, amount_minor=420 + n) for n in range(30)])
    known = 1_000 + 30

    expected = (100 - 1 + counted.again) * 30 / (known - 1)
    of_coffee = 3_600 * shelf.strangers(SHOP, coffee, NOON, HOUR, counted)

    assert of_coffee == pytest.approx((3 * expected + 0.01) / (4 - 30 / known))


def test_where_nothing_was_counted_a_price_is_believed_to_come_again_a_fifth_of_a_time() -> None:
    alone = Shelf([slip("r1", amount_minor=1_000)])

    at_a_store = 3_600 * alone.strangers(SHOP, (1_000, "GBP"), NOON, HOUR, NO_PRICES)

    assert at_a_store == pytest.approx(0.2 / 20 + 0.01 / 3)
