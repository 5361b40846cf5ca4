"""How amounts that differ relate, where an auth code agrees."""

import pytest

from chalicelib.matching.amounts import (
    ABOVE_CLEARING,
    CONVERTED,
    PART_OF_A_BILL,
    Relation,
    unequal,
)
from chalicelib.matching.batches import match_jointly
from chalicelib.matching.sides import ChargeKind
from tests.makers.slips import charge, slip

EUR_50, NOTHING = (5_000, "EUR"), (0, "EUR")


@pytest.mark.parametrize(
    ("amounts", "related"),
    [
        ((EUR_50,), (Relation.CONVERTED, CONVERTED / 5_000)),
        ((NOTHING, EUR_50), (Relation.CONVERTED, CONVERTED / 5_000)),
        ((EUR_50, NOTHING), (Relation.CONVERTED, CONVERTED / 5_000)),
        (((0, "GBP"), (300, "GBP")), (Relation.PART, PART_OF_A_BILL / 420)),
        (((0, "GBP"), (9_000, "GBP")), (Relation.ABOVE_CLEARING, ABOVE_CLEARING / 9_000)),
        ((NOTHING,), None),
        (((0, "GBP"),), None),
    ],
)
def test_an_amount_of_nought_relates_to_nothing(
    amounts: tuple[tuple[int, str], ...], related: tuple[Relation, float] | None
) -> None:
    assert unequal(charge(amounts=amounts), slip()) == related


@pytest.mark.parametrize("kind", [ChargeKind.AUTH, ChargeKind.CLEARING])
def test_a_foreign_hold_that_was_let_go_stands_beside_others(kind: ChargeKind) -> None:
    let_go = charge(amounts=(NOTHING, EUR_50), auth_code="123456", kind=kind)
    other = charge("p2", at=let_go.at + 60)
    slips = [slip(auth_code="123456", amount_minor=4_300), slip("r2", seconds=62)]

    outcomes = match_jointly([let_go, other], slips, threshold=0.9)

    assert [outcome.payment_id for outcome in outcomes] == ["p1", "p2"]
    assert outcomes[1].receipt_id == "r2"
