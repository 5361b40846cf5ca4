"""The rule in the peers' shape, sums over assignments, and the oracle."""

from dataclasses import replace
from itertools import product
from random import Random

import pytest

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.matching.sides import Charge, ChargeKind, Slip
from infra.matchbench import assignments
from infra.matchbench.assignments import Weights, pair_probabilities
from infra.matchbench.generating import blocks
from infra.matchbench.judging import Answer, Tally
from infra.matchbench.oracle import Oracle
from infra.matchbench.peer_rule import PeerRule
from infra.matchbench.street import CodeFault, Digits, Jitter, Street, Tips

NOON = 1_791_201_600.0
MINE = LastFour("1234", LastFourKind.CARD)
THEIRS = LastFour("9876", LastFourKind.CARD)


def charge(name: str = "p", **more: object) -> Charge:
    """£4.20 at the bakery at noon."""
    told = {"at": NOON, "amounts": ((420, "GBP"),), "stores": ("bakery",), "last_four": MINE}
    return Charge(payment_id=name, member_id="m", **(told | more))  # type: ignore[arg-type]


def slip(name: str = "r", **more: object) -> Slip:
    """A slip for it, ten seconds later."""
    told = {"at": NOON + 10, "amount_minor": 420, "currency": "GBP", "store": "bakery"}
    return Slip(receipt_id=name, part=0, till="1", **(told | more))  # type: ignore[arg-type]


def decided(slips: list[Slip], *charges: Charge, window_seconds: float = 60.0) -> list[str | None]:
    """The receipt that the rule gives each charge."""
    rule = PeerRule(slips, window_seconds=window_seconds)
    return [answer.receipt_id for answer in rule.answers(charges or (charge(),))]


def test_the_rule_takes_the_only_receipt_whatever_its_digits() -> None:
    assert decided([slip(last_four=THEIRS)]) == ["r"]
    assert decided([slip(amount_minor=421)]) == [None]
    assert decided([slip(store="grocer")]) == [None]
    assert decided([slip(at=NOON - 61)]) == [None]
    assert decided([slip(at=NOON - 61)], window_seconds=180.0) == ["r"]


def test_the_rule_breaks_ties_by_digits_and_else_abstains() -> None:
    both = [slip("a", last_four=THEIRS), slip("b", last_four=MINE)]

    assert decided(both) == ["b"]
    assert decided([slip("a"), slip("b")]) == [None]


def test_the_rule_finds_the_auth_code_on_the_same_day_however_late() -> None:
    late = slip("late", at=NOON + 9_000, auth_code="0A1B2C")
    near = slip("near", auth_code="999999")

    assert decided([near, late], charge(auth_code="0A1B2C")) == ["late"]
    assert decided([replace(late, at=NOON + 50_000)], charge(auth_code="0A1B2C")) == [None]
    assert decided([near], charge(auth_code="0A1B2C")) == ["near"]


def test_the_rule_gives_a_receipt_once_and_refunds_none() -> None:
    first, second = charge("first"), charge("second")

    assert decided([slip()], first, second) == ["r", None]
    assert decided([slip(is_return=True)], charge(kind=ChargeKind.REFUND)) == [None]


def by_hand(weights: list[Weights]) -> list[Weights]:
    """Every way to give each charge one of its slips or none, written out."""
    found: list[Weights] = [dict.fromkeys(given, 0.0) for given in weights]
    total = 0.0
    for way in product(*([None, *given] for given in weights)):
        used = [slip for slip in way if slip is not None]
        if len(set(used)) < len(used):
            continue
        weight = 1.0
        for given, chosen in zip(weights, way, strict=True):
            weight *= 1.0 if chosen is None else given[chosen]
        total += weight
        for sums, chosen in zip(found, way, strict=True):
            if chosen is not None:
                sums[chosen] += weight
    return [{slip: sum_ / total for slip, sum_ in sums.items()} for sums in found]


WAYS: list[list[Weights]] = [
    [{1: 3.0}],
    [{1: 100.0, 2: 1.0}, {1: 90.0}],
    [{1: 5.0, 2: 2.0}, {2: 7.0, 3: 0.5}, {3: 4.0, 1: 1.0}],
    [{1: 2.0}, {7: 8.0}, {}],
]


@pytest.mark.parametrize("weights", WAYS)
def test_sums_over_all_ways_are_those_written_out(weights: list[Weights]) -> None:
    found = pair_probabilities(weights)

    for ours, expected in zip(found, by_hand(weights), strict=True):
        assert ours == pytest.approx(expected)


def test_propagation_comes_close_to_the_sums_in_a_large_group() -> None:
    random = Random(8)
    weights = [
        {charge + step: random.choice((0.1, 3.0, 50.0)) for step in range(3)} for charge in range(7)
    ]

    found = pair_probabilities(weights)

    assert len(weights) > assignments.EXACT_CHARGES_MAX
    for ours, expected in zip(found, by_hand(weights), strict=True):
        assert ours == pytest.approx(expected, abs=0.05)


SMALL = Street(sales_per_day=250)
STREETS = {
    "bare": SMALL,
    "late slips": replace(SMALL, tail_share=0.3, tail_seconds=100.0),
    "minutes": replace(SMALL, jitter=Jitter.MINUTES),
    "phones": replace(SMALL, till_digits_share=0.5, wallet_share=0.5, digits=Digits.KINDS_UNKNOWN),
    "tips": replace(SMALL, tip_share=0.5, tips=Tips.UNTOLD),
    "split": replace(SMALL, split_share=0.4),
    "stale": replace(SMALL, till_code_share=1.0, code_fault=CodeFault.STALE, code_fault_share=0.3),
    "together": replace(SMALL, stores_together=4),
}


@pytest.mark.parametrize("name", STREETS)
def test_the_oracle_is_right_as_often_as_it_says(name: str) -> None:
    found = Tally()
    for block in blocks(STREETS[name], seed=f"oracle-{name}", payments=1_200):
        for one, answer in zip(block.charges, Oracle(block).answers(), strict=True):
            found.count(block, one.payment_id, answer)

    told = found.calibration(0.5, 1.0)
    assert told is not None
    assert told["observed_low"] - 0.006 < told["stated"] < told["observed_high"] + 0.006
    assert found.wrong <= 2
    assert found.recall > 0.8


def test_the_oracle_sees_clocks_that_nobody_could_learn() -> None:
    street = replace(SMALL, skew_seconds=20_000.0, days=1)
    block = next(blocks(street, seed="clocks", payments=1))
    answers: list[Answer] = Oracle(block).answers()
    right = sum(
        answer.receipt_id == block.receipt_by_payment[one.payment_id]
        for one, answer in zip(block.charges, answers, strict=True)
    )

    assert right / len(answers) > 0.9
