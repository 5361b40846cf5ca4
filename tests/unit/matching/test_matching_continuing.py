"""Whether an event under a new id is of a payment that is known under another."""

from dataclasses import replace

import pytest

from chalicelib.kernel.cards import NO_CARD_FACTS
from chalicelib.matching.continuing import find_continued
from chalicelib.matching.payment import first_of
from chalicelib.network.identifiers import Identifier, IdentifierKind
from tests.makers.network import mid
from tests.makers.purchases import cleared, event

PLACE = Identifier(IdentifierKind.PLACE, "53.7974,-1.5438")


@pytest.mark.parametrize(("booked_at", "is_continued"), [("shop", True), ("next door", False)])
def test_a_payment_at_the_same_place_may_be_of_the_shop_next_door(
    booked_at: str, is_continued: bool
) -> None:
    pending = event("t-1", card=NO_CARD_FACTS, merchant=(mid("shop"), PLACE))
    booked = replace(cleared(pending, 420), transaction_id="t-2", merchant=(mid(booked_at), PLACE))
    known = first_of(pending)

    assert find_continued(booked, [known]) == (known if is_continued else None)
