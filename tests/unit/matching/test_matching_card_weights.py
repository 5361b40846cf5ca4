"""What codes and terminal ids are worth where tills have them wrong, or stores share a name."""

from collections.abc import Sequence

import pytest

from chalicelib.matching.amounts import Relation
from chalicelib.matching.evidence import Fact, Said, facts_of
from chalicelib.matching.learning import RateTally
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.sides import Charge, Slip
from chalicelib.matching.weighing import Pair

NOON = 1_791_201_600.0


def charge(**more: object) -> Charge:
    """£4.20 at noon."""
    told = {"payment_id": "p", "member_id": "m", "at": NOON, "amounts": ((420, "GBP"),)}
    return Charge(**({"stores": ("bakery",)} | told | more))  # type: ignore[arg-type]


def slip(number: int = 0, **more: object) -> Slip:
    """A slip of the bakery, one a minute, each over another amount."""
    told = {
        "receipt_id": f"r{number}",
        "part": 0,
        "store": "bakery",
        "till": "1",
        "at": NOON + 60 * number,
        "amount_minor": 420 + number,
        "currency": "GBP",
    }
    return Slip(**(told | more))  # type: ignore[arg-type]


def ratio(one: Charge, other: Slip, slips: Sequence[Slip]) -> float:
    """What the only fact of both is worth beside `slips`."""
    (fact,) = facts_of(one, other, Said(slips), BELIEVED)
    return fact.ratio


def test_a_mid_tells_stores_of_one_narrative_apart() -> None:
    stores = ("bakery", "mill", "oven", "stall")
    slips = [slip(n, store=stores[n % 4], mid=stores[n % 4]) for n in range(400)]
    anywhere = charge(stores=stores, mids=frozenset({"bakery"}))

    assert ratio(anywhere, slips[0], slips) == pytest.approx(4.0, rel=0.02)
    assert ratio(anywhere, slips[1], slips) < 0.01


def test_a_mid_says_nothing_where_there_is_one_store() -> None:
    slips = [slip(n, mid="bakery") for n in range(400)]

    assert ratio(charge(mids=frozenset({"bakery"})), slips[0], slips) == pytest.approx(1, abs=0.01)


def pair(place: int, *, agrees: bool) -> Pair:
    """A sure pair whose codes agree or do not."""
    fact = Fact("auth_code", agrees, 1.0)
    return Pair(place, 999.0, 0.0, 0.0, 6.0, Relation.EQUAL, (fact,))


def test_learns_by_till_whose_codes_agree() -> None:
    slips = [slip(0, till="sound"), slip(1, till="counts")]
    tally = RateTally(looks_for_tips=False)
    for number in range(120):
        place = number % 2
        tally.add(charge(), [pair(place, agrees=place == 0)], 1_000.0, slips)

    rates = tally.rates()

    assert rates.agrees_for("auth_code", "bakery", "sound") > 0.97
    assert rates.agrees_for("auth_code", "bakery", "counts") < 0.05
    assert 0.6 < rates.agrees_for("auth_code", "bakery", "new") < 0.8
    assert rates.agrees_for("scheme", "bakery", "sound") == rates.agrees["scheme"]
