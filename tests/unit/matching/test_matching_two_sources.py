"""A purchase that two sources tell of, and two purchases that look alike."""

from datetime import timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId
from chalicelib.matching.outcome import Hold, Matched, NothingNear
from chalicelib.matching.why import Why
from tests.makers.deciding import ON_TIME, decide, matched_to
from tests.makers.matching import BANK, CARD_NETWORK, SALE_AT, payment, receipt


@pytest.mark.requirement("LNK-22")
def test_joins_the_same_purchase_that_another_source_told_first() -> None:
    paid = payment("p2", member_id="m", connection_id=CARD_NETWORK)
    sale = receipt()
    held = {(sale.receipt_id, 0): Hold(payment().payment_id, "m", BANK)}

    decision = decide(paid, sale, held=held)

    assert matched_to(decision) == ("r1", Why.SAME_PURCHASE)
    assert isinstance(decision, Matched)
    assert decision.same_as == payment().payment_id


def test_a_second_purchase_of_one_sum_told_by_another_source_is_not_the_first() -> None:
    first, second = receipt("r1"), receipt("r2", seconds=600)
    at = SALE_AT + timedelta(seconds=600)
    paid = payment("p2", member_id="m", connection_id=CARD_NETWORK, made_at=at)
    held = {(first.receipt_id, 0): Hold(payment().payment_id, "m", BANK, made_at=SALE_AT)}
    later = at + timedelta(hours=1)

    known = decide(paid, first, second, held=held, now=later, clock=ON_TIME)
    unknown = decide(paid, first, second, held=held, now=later)
    alone = decide(paid, first, held=held, now=later)

    assert matched_to(known) == ("r2", Why.TIME_AND_AMOUNT_AGREE)
    assert matched_to(alone) == ("r1", Why.SAME_PURCHASE)
    assert not isinstance(unknown, Matched)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-31, None),
        (-30, ("r1", Why.SAME_PURCHASE)),
        (-20, ("r1", Why.SAME_PURCHASE)),
        (30, ("r1", Why.SAME_PURCHASE)),
        (31, None),
    ],
)
def test_two_sources_that_tell_of_one_moment_tell_of_one_purchase(
    seconds: int, expected: tuple[str, Why] | None
) -> None:
    first, stranger = receipt("r1", seconds=40), receipt("r2")
    paid = payment("p2", member_id="m", connection_id=CARD_NETWORK)
    at = SALE_AT + timedelta(seconds=seconds)
    held = {(first.receipt_id, 0): Hold(payment().payment_id, "m", BANK, made_at=at)}

    decision = decide(paid, first, stranger, held=held)

    assert matched_to(decision) == expected


@pytest.mark.parametrize(
    ("holder", "told_by"), [("somebody else", CARD_NETWORK), ("member-of-p1", BANK)]
)
def test_a_receipt_of_a_stranger_or_of_another_payment_of_the_bank_is_taken(
    holder: str, told_by: ConnectionId
) -> None:
    sale = receipt()
    held = {(sale.receipt_id, 0): Hold(payment("p2").payment_id, holder, told_by, made_at=SALE_AT)}

    assert decide(payment(), sale, held=held) == NothingNear(Why.RECEIPT_TAKEN)
