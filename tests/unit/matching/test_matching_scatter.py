"""How differences scatter: the tail that is learned, and the runs in which receipts are missing."""

from random import Random

import pytest

from chalicelib.matching.nearby import NEIGHBOURS, Nearby, firmness
from chalicelib.matching.rates import Rates
from chalicelib.matching.scatter import Reading, Shape, Tail, TailCounts, learn_shape

STEADY = Reading(1.0, 20.0, 6.0)


def learned(away: list[float], rounds: int = 25) -> Tail:
    """The tail of receipts so many seconds off, all of them sure."""
    tail = Tail()
    for _ in range(rounds):
        counts, shape = TailCounts(), Shape(tail=tail)
        for seconds in away:
            counts = counts.plus(1.0, shape.of_tail(seconds, STEADY.spread), seconds)
        tail = counts.tail()
    return tail


def test_density_is_one_altogether_whatever_the_tail() -> None:
    for tail in (Tail(), Tail(share=0.5, late=0.9, seconds=40.0)):
        shape = learn_shape([0.1, -0.5, 3.0], tail)
        steps = [-6_000.0 + 0.5 * step for step in range(24_001)]

        assert 0.5 * sum(shape.density(at, STEADY) for at in steps) == pytest.approx(1, abs=0.01)


def test_learns_that_a_third_of_receipts_come_late_and_how_late() -> None:
    random = Random(1)
    away = [random.gauss(0.0, 6.0) for _ in range(2_000)]
    away += [random.expovariate(1 / 200.0) for _ in range(1_000)]

    tail = learned(away)

    assert tail.share == pytest.approx(0.33, abs=0.04)
    assert tail.late > 0.93
    assert tail.seconds == pytest.approx(200.0, rel=0.15)


def test_learns_that_there_is_hardly_a_tail() -> None:
    random = Random(2)

    tail = learned([random.gauss(0.0, 6.0) for _ in range(3_000)])

    assert tail.share < 0.01


def test_a_few_receipts_leave_the_tail_as_it_was_believed() -> None:
    tail = TailCounts().plus(1.0, 0.0, 2.0).tail()

    assert tail.share == pytest.approx(0.03, rel=0.05)
    assert tail.seconds == 300.0


def in_runs(random: Random, *, in_run: float, elsewhere: float) -> list[float]:
    """Which of 2,000 payments miss their receipt; one in ten is in a run of twenty."""
    return [
        float(random.random() < (in_run if number % 200 < 20 else elsewhere))
        for number in range(2_000)
    ]


def test_neighbours_count_where_receipts_are_missing_in_runs() -> None:
    runs = in_runs(Random(3), in_run=0.8, elsewhere=0.01)

    firm = firmness([runs])

    assert firm < 3.0
    near = Nearby([(float(at), share) for at, share in enumerate(runs)])
    assert near.share(1_010.0, average=0.09, firmness=firm) > 0.5
    assert near.share(1_100.0, average=0.09, firmness=firm) < 0.06


@pytest.mark.parametrize("missing", [0.0, 0.02, 0.3])
def test_only_the_average_counts_where_receipts_are_missing_by_chance(missing: float) -> None:
    runs = in_runs(Random(4), in_run=missing, elsewhere=missing)

    assert firmness([runs]) == 1e6
    assert firmness([]) == 1e6


def test_a_payment_does_not_speak_for_itself() -> None:
    near = Nearby([(float(at), 1.0 if at == 50 else 0.0) for at in range(100)])

    assert near.share(50.0, average=0.0, firmness=1.0) == 0.0
    assert near.share(51.0, average=0.0, firmness=1.0) == pytest.approx(1 / (2 * NEIGHBOURS + 1))


def test_a_store_that_nothing_is_known_of_has_the_general_share() -> None:
    rates = Rates(missing=0.05, missing_near={"bakery": Nearby([(0.0, 0.0), (9.0, 0.0)])})

    assert rates.missing_for("grocer", at=5.0) == 0.05
    assert rates.missing_for("bakery") == 0.05
    assert rates.missing_for("bakery", at=5.0) == pytest.approx(0.05, rel=1e-4)
