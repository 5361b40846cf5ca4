"""How guests tip, as it is believed and as it is learned."""

import pytest

from chalicelib.matching.amounts import (
    TIP_SHARE_MAX,
    TIPS_BELIEVED,
    Relation,
    TipLaw,
    tip_density,
)
from chalicelib.matching.learning import RateTally
from chalicelib.matching.sides import Charge, Slip
from chalicelib.matching.weighing import Pair

TENTH = 1  # Its place among the ways.


@pytest.mark.parametrize("printed", [500, 2_350, 4_799])
def test_all_tips_on_a_bill_are_one_altogether(printed: int) -> None:
    most = int(printed * (1 + TIP_SHARE_MAX))

    whole = sum(tip_density(charged, printed) for charged in range(printed + 1, most + 1))

    assert sum(TIPS_BELIEVED.shares) == pytest.approx(1.0)
    assert whole == pytest.approx(1.0, abs=0.11)  # Bills just below a whole pound allow fewer.


def test_no_tip_and_far_too_much_are_no_tips() -> None:
    assert tip_density(2_000, 2_000) == 0.0
    assert tip_density(1_900, 2_000) == 0.0
    assert tip_density(2_701, 2_000) == 0.0


def test_a_tenth_and_the_next_pound_are_likelier_than_anything_else() -> None:
    tenth, pound, other = (tip_density(charged, 2_350) for charged in (2_585, 2_400, 2_441))

    assert tenth > 40 * other
    assert pound > 40 * other


def test_learns_that_all_guests_of_a_trade_leave_a_tenth() -> None:
    tally = RateTally(looks_for_tips=False)
    slips = [Slip("r", 0, "bistro", "1", 0.0, 2_350, "GBP")]
    charge = Charge("p", "m", 0.0, ((2_585, "GBP"),), ("bistro",))
    pair = Pair(0, 999.0, 0.0, 0.0, 6.0, Relation.TIP_ADDED, ())
    for _ in range(100):
        tally.add(charge, [pair], 1_000.0, slips)

    law = tally.rates().tips

    assert law.shares[TENTH] > 0.85
    assert sum(law.shares) == pytest.approx(1.0)
    assert law.density(2_585, 2_350) > 5 * tip_density(2_585, 2_350)
    assert law.density(2_400, 2_350) < tip_density(2_400, 2_350) / 5


def test_says_by_which_way_a_tip_was_left() -> None:
    ways = dict(TipLaw().ways(2_585, 2_350))

    assert ways[TENTH] > 0.95
    assert sum(ways.values()) == pytest.approx(1.0)
    assert TipLaw().ways(2_350, 2_350) == []
