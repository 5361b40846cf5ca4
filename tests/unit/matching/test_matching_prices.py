"""How often each sum is paid at a store: counted over weeks, in a few kilobytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.matching.kept_clocks import NO_CLOCKS, from_bytes
from chalicelib.matching.prices import KEPT_MAX, NO_PRICES, Prices, Sum, prices_from

COFFEE, CAKE = (420, "GBP"), (385, "GBP")

sums = st.lists(st.tuples(st.integers(1, 2**32 - 1), st.sampled_from(("GBP", "EUR"))), max_size=50)


def test_counts_each_sum_of_each_currency() -> None:
    prices = NO_PRICES.plus([COFFEE, CAKE, COFFEE, (420, "EUR")]).plus([COFFEE])

    assert prices.slips == 5
    assert [prices.times_of(one) for one in (COFFEE, CAKE, (420, "EUR"), (1, "GBP"))] == [
        3,
        1,
        1,
        0,
    ]


@pytest.mark.parametrize("minor", [0, -420, 2**32])
def test_counts_no_sum_that_no_card_takes(minor: int) -> None:
    assert NO_PRICES.plus([(minor, "GBP"), COFFEE]) == NO_PRICES.plus([COFFEE])


def test_a_sum_seen_once_comes_again_as_often_as_good_and_turing_say() -> None:
    once = [(minor, "GBP") for minor in range(1, 31)]
    twice = [(minor, "GBP") for minor in range(100, 110)]

    assert NO_PRICES.again == 0.2
    assert NO_PRICES.plus([*once, *twice, *twice]).again == (2 * 10 + 20 * 0.2) / (30 + 20)


def test_keeps_the_most_usual_sums_and_how_usual_another_may_have_been() -> None:
    rare = [(minor, "GBP") for minor in range(1_000, 1_000 + KEPT_MAX)]
    usual = [(minor, "GBP") for minor in range(5_000, 5_010)]

    kept = NO_PRICES.plus([*rare, *rare[:-10], *usual * 3]).thinned()

    assert len(kept.times) == KEPT_MAX
    assert {kept.times_of(one) for one in usual} == {3}
    assert [kept.times_of(one) for one in (rare[0], rare[-1], COFFEE)] == [2, 1, 1]
    assert kept.slips == 2 * KEPT_MAX + 20


def test_a_sum_that_comes_back_may_have_been_counted_before() -> None:
    many = [(minor, "GBP") for minor in range(1_000, 1_001 + KEPT_MAX)]
    kept = NO_PRICES.plus(many).thinned()

    assert kept.unkept == 1
    assert kept.plus([COFFEE]).times_of(COFFEE) == 2


def test_what_a_store_sells_changes() -> None:
    sold = NO_PRICES.plus([COFFEE] * 3_000 + [CAKE] * 1_001)

    kept = sold.thinned()

    assert (kept.slips, dict(kept.times)) == (2_000, {COFFEE: 1_500, CAKE: 500})
    assert NO_PRICES.plus([COFFEE] * 4_000).thinned().times_of(COFFEE) == 4_000


@given(sums)
def test_is_the_same_after_keeping(paid: list[Sum]) -> None:
    prices = NO_PRICES.plus(paid)
    kept = prices.to_bytes()

    assert prices_from(b"head" + kept + b"tail", 4) == (prices, 4 + len(kept))


def test_a_sum_takes_six_bytes() -> None:
    prices = NO_PRICES.plus([(minor, "GBP") for minor in range(1, 101)])

    assert len(prices.to_bytes()) == 5 + 5 + 100 * 6


def test_clocks_are_kept_with_prices() -> None:
    clocks = NO_CLOCKS.with_vote("t1", 40.0, 1_790_000_000.0).with_sums([COFFEE, CAKE, COFFEE])

    kept = from_bytes(clocks.to_bytes())

    assert kept.prices == Prices(3, {COFFEE: 2, CAKE: 1})
    assert list(kept.tills) == ["t1"]


def test_reads_what_was_kept_before_prices_were() -> None:
    now = NO_CLOCKS.with_vote("t1", 40.0, 1_790_000_000.0).to_bytes()
    counts = 9 + 20 + 16
    before = b"\x02" + now[1:counts] + now[counts + len(NO_PRICES.to_bytes()) :]

    assert from_bytes(before) == from_bytes(now)
