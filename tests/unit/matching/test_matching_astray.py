"""Finding spells at tills set wrong for hours, from payments and receipts that are left over."""

from dataclasses import replace
from random import Random

import pytest

from chalicelib.matching.astray import astray_votes
from chalicelib.matching.batches import match_jointly
from chalicelib.matching.shelf import Shelf
from chalicelib.matching.sides import Charge, Slip
from tests.makers.slips import NOON, charge, day_at_shop, slip

HOUR = 3_600.0
SPREAD = 5.0


def left_over(count: int, *, off: float, every: float = 1_500.0) -> tuple[list[Charge], list[Slip]]:
    """So many payments and their receipts, which a till printed `off` seconds away."""
    charges = [
        charge(f"p{n}", at=NOON + every * n, amounts=((500 + 7 * n, "GBP"),)) for n in range(count)
    ]
    slips = [
        slip(f"r{n}", at=NOON + every * n + off + n % 3, amount_minor=500 + 7 * n)
        for n in range(count)
    ]
    return charges, slips


def busy_shelf(slips: list[Slip], *, seed: int) -> Shelf:
    """`slips` among a thousand strangers' of the same prices."""
    random = Random(seed)
    strangers = [
        slip(
            f"s{n}",
            at=NOON + random.uniform(-12, 12) * HOUR,
            amount_minor=random.randrange(500, 2_000),
        )
        for n in range(1_000)
    ]
    return Shelf([*slips, *strangers])


def test_finds_the_hours_for_which_a_clock_stood_elsewhere() -> None:
    charges, slips = left_over(5, off=900.0)

    found = astray_votes(charges, busy_shelf(slips, seed=1), (), spread=SPREAD)

    (votes,) = found.values()
    assert sorted(vote.payment_id for vote in votes) == ["p0", "p1", "p2", "p3", "p4"]
    assert {vote.offset for vote in votes} == {900.0, 901.0, 902.0}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_two_that_agree_may_be_an_accident(count: int) -> None:
    charges, slips = left_over(count, off=900.0)

    assert astray_votes(charges, busy_shelf(slips, seed=2), (), spread=SPREAD) == {}


def test_pairs_that_agree_on_different_days_are_no_spell() -> None:
    charges, slips = left_over(5, off=900.0, every=20 * HOUR)

    assert astray_votes(charges, busy_shelf(slips, seed=3), (), spread=SPREAD) == {}


def test_slips_that_are_surely_somebodys_are_no_evidence() -> None:
    charges, slips = left_over(5, off=900.0)
    shelf = busy_shelf(slips, seed=4)
    taken = {place for place, one in enumerate(shelf.slips) if one.receipt_id.startswith("r")}

    assert astray_votes(charges, shelf, taken, spread=SPREAD) == {}


@pytest.mark.parametrize("seed", range(5))
def test_strangers_are_no_spell(seed: int) -> None:
    charges, _ = left_over(20, off=900.0)

    assert astray_votes(charges, busy_shelf([], seed=seed), (), spread=SPREAD) == {}


@pytest.mark.requirement("RCP-11")
def test_payments_of_an_afternoon_at_a_till_set_wrong_find_their_receipts() -> None:
    charges, slips, truth = day_at_shop(11, days=12, members=0.15)
    begins = NOON + 5 * 86_400
    moved = [
        replace(one, at=one.at + 2_400)
        if one.till == "t0" and begins <= one.at < begins + 4 * HOUR
        else one
        for one in slips
    ]
    changed = {one.receipt_id for one, was in zip(moved, slips, strict=True) if one != was}
    hit = {payment: receipt for payment, receipt in truth.items() if receipt in changed}

    outcomes = {o.payment_id: o.receipt_id for o in match_jointly(charges, moved)}

    wrong = [p for p, receipt in outcomes.items() if receipt not in (None, truth[p])]
    found = [payment for payment, receipt in hit.items() if outcomes[payment] == receipt]
    assert (len(hit), len(found), wrong) == (8, 8, [])
