"""One sale under two ids: who has it by one, has it by the other, too."""

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.matching.outcome import Hold, NothingNear
from chalicelib.matching.why import Why
from chalicelib.receipts.canonical import Line, Receipt
from tests.makers.deciding import decide, matched_to
from tests.makers.matching import BANK, payment, receipt

NOTHING = NothingNear(Why.SAME_SALE_TWICE)
FOUND = ("r2", Why.TIME_AND_AMOUNT_AGREE)


def decide_beside(held: Receipt, other: Receipt) -> object:
    """What is decided of a payment that `other` may be for, while somebody has `held`."""
    holds = {(held.receipt_id, 0): Hold(payment("p2").payment_id, "somebody else", BANK)}
    decision = decide(payment(), held, other, held=holds)
    return matched_to(decision) or decision


@pytest.mark.parametrize(("seconds", "found"), [(0, NOTHING), (2, NOTHING), (3, FOUND)])
def test_nobody_gets_what_a_till_sent_again_under_another_id(seconds: int, found: object) -> None:
    first, again = receipt("r1", till="1"), receipt("r2", till="1", seconds=seconds)

    assert decide_beside(first, again) == found


def test_another_card_or_another_till_is_another_sale() -> None:
    first = receipt("r1", till="1", card=CardFacts(auth_code="AAAAAA"))

    assert decide_beside(first, receipt("r2", till="1", card=CardFacts(auth_code="B1"))) == FOUND
    assert decide_beside(first, receipt("r2", till="2")) == FOUND


def test_a_till_that_is_named_sells_one_thing_at_a_time() -> None:
    cake = (Line("1", "Cake", 420),)
    unnamed, named = receipt("r1"), receipt("r1", till="1")

    assert decide_beside(unnamed, receipt("r2")) == NOTHING
    assert decide_beside(unnamed, receipt("r2", lines=cake)) == FOUND
    assert decide_beside(named, receipt("r2", till="1", lines=cake)) == NOTHING
