"""Answers are counted exactly, whatever a report makes of them."""

from random import Random

import pytest

from infra.matchbench.block import Block
from infra.matchbench.contestants import ORACLE, OURS
from infra.matchbench.judging import BINS, Answer, Tally, bin_begins, bin_of, wilson
from infra.matchbench.laws import Amounts, Arrivals
from infra.matchbench.street import Street
from infra.matchbench.verdict import Verdict, share_of_oracle, summed, told, verdicts


def block(**truth: str | None) -> Block:
    """A block with nothing in it but what is true of some payments."""
    street = Street()
    found = Block(street, Arrivals(street), Amounts(street, Random(1)), {})
    found.receipt_by_payment.update(truth)
    return found


def tally(*, right: int, wrong: int = 0, none: int = 0, sure: float = 0.9999) -> Tally:
    """So many answers, all as sure."""
    found, judged = Tally(), block(p="r")
    for receipt, count in (("r", right), ("stranger", wrong), (None, none)):
        for _ in range(count):
            is_accepted = receipt is not None
            answer = Answer(receipt, sure if is_accepted else 0.0, "why", is_accepted)
            found.count(judged, "p", answer)
    return found


def test_counts_right_wrong_and_unsure_answers_each_once() -> None:
    judged = block(first="a", second="b", third=None, fourth="d")
    judged.disturbed.add("second")
    found = Tally()

    found.count(judged, "first", Answer("a", 0.9995, "card_facts_agree"))
    found.count(judged, "second", Answer("a", 0.9991, "time_and_amount_agree"))
    found.count(judged, "third", Answer("c", 0.5, "several_receipts", is_accepted=False))
    found.count(judged, "fourth", Answer(None, 0.0, "no_receipt_yet", is_accepted=False))

    assert (found.payments, found.with_receipt, found.right, found.wrong) == (4, 3, 1, 1)
    assert (found.disturbed, found.disturbed_right, found.disturbed_wrong) == (1, 0, 1)
    assert found.recall == pytest.approx(1 / 3)
    assert found.wrong_per_thousand == 250.0
    assert dict(found.reasons) == {"several_receipts": 1, "no_receipt_yet": 1}
    assert dict(found.wrong_reasons) == {"time_and_amount_agree": 1}


def test_a_receipt_shown_to_who_has_none_is_wrong() -> None:
    found = Tally()

    found.count(block(p=None), "p", Answer("r", 0.9999, "only"))

    assert (found.right, found.wrong, found.with_receipt) == (0, 1, 0)


def test_parts_add_up_to_the_whole() -> None:
    first, second = tally(right=5, wrong=1), tally(right=2, none=3, sure=0.99)
    whole = summed([{OURS: first}, {OURS: second}])[OURS]

    assert (whole.payments, whole.right, whole.wrong) == (11, 7, 1)
    assert dict(whole.reasons) == {"why": 3}
    assert sum(whole.known_right) == 7
    assert sum(whole.stated) == pytest.approx(6 * 0.9999 + 2 * 0.99)
    assert first.payments == 6


@pytest.mark.parametrize(
    ("probability", "place"),
    [(0.0, 0), (0.9, 50), (0.99, 100), (0.999, 150), (0.9999, 200), (1.0, BINS - 1)],
)
def test_probabilities_are_kept_by_their_nines(probability: float, place: int) -> None:
    assert bin_of(probability) == place
    if place < BINS - 1:
        assert bin_begins(place) == pytest.approx(probability)


def test_a_probability_just_below_an_edge_stays_below_it() -> None:
    assert bin_of(0.9989) < bin_of(0.999)
    assert bin_of(0.8999) < bin_of(0.9)


def test_wilsons_interval_is_the_published_one() -> None:
    assert wilson(0, 1_000) == (pytest.approx(0.0), pytest.approx(0.003827, abs=1e-6))
    assert wilson(10, 100) == (pytest.approx(0.055229, abs=1e-5), pytest.approx(0.174366, abs=1e-5))
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_curve_says_what_every_threshold_would_do() -> None:
    found = tally(right=90, sure=0.9999)
    found.add(tally(right=5, wrong=5, sure=0.9))

    assert found.curve() == [
        (pytest.approx(0.9999), 0.9, 0.0),
        (pytest.approx(0.9), 0.95, 50.0),
    ]
    assert found.recall_at(0) == 0.9
    assert found.recall_at(5) == 0.95


def test_a_risk_is_spent_from_the_surest_down() -> None:
    found = tally(right=100, sure=0.999)
    found.add(tally(right=40, sure=0.95))

    assert found.expected_wrong(0.9) == pytest.approx(0.1 + 2.0)
    assert found.recall_at_risk(0.05) == 0.0
    assert found.recall_at_risk(0.11) == pytest.approx(100 / 140)
    assert found.recall_at_risk(2.2) == 1.0


def test_calibration_sets_stated_against_observed() -> None:
    found = tally(right=97, wrong=3, sure=0.95)

    told_bin = found.calibration(0.9, 0.99)

    assert told_bin is not None
    assert (told_bin["payments"], told_bin["observed"]) == (100, 0.97)
    assert told_bin["stated"] == pytest.approx(0.95)
    assert told_bin["observed_low"] < 0.97 < told_bin["observed_high"]
    assert found.calibration(0.99, 0.999) is None


def test_our_recall_is_set_against_the_oracles_at_the_risk_we_took() -> None:
    oracle = tally(right=80, sure=0.99995)
    oracle.add(tally(right=20, sure=0.9))
    ours = tally(right=60, none=40, sure=0.9999)

    assert share_of_oracle({OURS: ours, ORACLE: oracle}) == pytest.approx(60 / 80)
    ours_wrong = tally(right=60, wrong=3, none=37, sure=0.9999)
    assert share_of_oracle({OURS: ours_wrong, ORACLE: oracle}) == pytest.approx(0.6)


def test_targets_are_met_missed_or_within_chance() -> None:
    exact = {OURS: tally(right=999, wrong=1), ORACLE: tally(right=1_000)}
    words = [v.word for v in verdicts(exact, has_card_facts=False)]
    strict = [v.word for v in verdicts(exact, has_card_facts=True)]
    bad = {OURS: tally(right=900, wrong=100), ORACLE: tally(right=1_000)}

    assert words[:2] == ["met", "met"]
    assert strict[0] == "missed"
    assert [v.word for v in verdicts(bad, has_card_facts=False)] == [
        "missed",
        "missed",
        "met",
        "met",
        "missed",
    ]
    assert Verdict("x", 1.0, 0.5, is_met=False, by_chance=True).word == "within chance"


def test_a_report_says_what_was_abstained_from_and_why() -> None:
    said = told(tally(right=3, wrong=1, none=2))

    assert (said["right"], said["wrong"], said["abstained"]) == (3, 1, {"why": 2})
    assert said["wrong_by_reason"] == {"why": 1}
    assert said["curve"] == [(pytest.approx(0.9999), 0.5, pytest.approx(1_000 / 6))]
