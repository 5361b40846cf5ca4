"""The share of all explanations in which a pair occurs, against counting them one by one."""

from itertools import product
from math import isclose, prod
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.matching.posterior import Shares, Weights, explain, explain_one


def counted(weights: list[Weights]) -> list[Shares]:
    """By going through every explanation."""
    total = 0.0
    found: list[Shares] = [dict.fromkeys(wanted, 0.0) for wanted in weights]
    for chosen in product(*[[None, *wanted] for wanted in weights]):
        used = [slip for slip in chosen if slip is not None]
        if len(set(used)) < len(used):
            continue
        weight = prod(
            wanted[slip] for wanted, slip in zip(weights, chosen, strict=True) if slip is not None
        )
        total += weight
        for share, slip in zip(found, chosen, strict=True):
            if slip is not None:
                share[slip] += weight
    return [{slip: value / total for slip, value in share.items()} for share in found]


weights_of_some = st.lists(
    st.dictionaries(st.integers(0, 5), st.floats(1e-3, 1e4), max_size=4), min_size=1, max_size=5
)


@given(weights_of_some)
def test_counts_every_explanation_exactly(weights: list[Weights]) -> None:
    for found, expected in zip(explain(weights), counted(weights), strict=True):
        for slip, share in expected.items():
            assert isclose(found.get(slip, 0.0), share, rel_tol=1e-9, abs_tol=1e-5)


@given(weights_of_some)
def test_tells_of_one_charge_what_it_tells_of_all(weights: list[Weights]) -> None:
    assert [explain_one(weights, charge) for charge in range(len(weights))] == explain(weights)


def test_two_payments_never_both_have_a_slip() -> None:
    first, second = explain([{0: 5_000.0}, {0: 5_000.0}])

    assert first == second
    assert isclose(first[0], 5_000 / 10_001)


def test_a_rival_with_a_slip_of_its_own_is_no_rival() -> None:
    alone, _ = explain([{0: 1e6}, {0: 1e-3, 1: 1e6}])

    assert alone[0] > 0.999998


def test_a_crossing_pair_is_weighed_against_the_straight_one() -> None:
    straight, _ = explain([{0: 1e6, 1: 1e5}, {0: 1e5, 1: 1e6}])

    assert isclose(straight[0], 100 / 101, rel_tol=1e-4)


def test_many_of_one_price_are_explained_in_bounded_work() -> None:
    crowd = [
        {slip: 10.0 ** (3 - abs(slip - n)) for slip in range(n - 9, n + 10)} for n in range(99)
    ]

    shares = explain(crowd)

    assert all(0.99 < sum(share.values()) <= 1.000001 for share in shares)


def test_is_exact_where_card_facts_speak_later() -> None:
    random = Random(3)
    for _ in range(300):
        strength = random.choice([2, 6, 14])
        weights = [
            {slip: 10 ** random.uniform(-4, strength) for slip in range(5) if random.random() < 0.7}
            for _ in range(random.randint(2, 5))
        ]
        for found, expected in zip(explain(weights), counted(weights), strict=True):
            for slip, share in expected.items():
                assert isclose(found.get(slip, 0.0), share, abs_tol=1e-5)


def test_what_a_later_payment_proves_is_not_given_away_before() -> None:
    early, late = explain([{0: 2e7}, {0: 2e13}])

    assert isclose(early[0], 1e-6, rel_tol=1e-3)
    assert late[0] > 0.99999
