"""Tills whose receipts cannot be quite right are named, others are not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.matching.scene import scene_of
from chalicelib.matching.suspects import Doubt, Suspect, suspects_of
from chalicelib.receipts.canonical import Receipt
from tests.makers.matching import receipt
from tests.makers.purchases import PAID_AT

CODE = CardFacts(auth_code="4K7Q2X")
SOLD = replace(receipt("R-1", issued_at=PAID_AT, card=CODE), till="T7")
MINUTES = timedelta(minutes=1)


def sold(name: str, *, till: str = "T7", minutes: float = 0, code: str = "4K7Q2X") -> Receipt:
    other = receipt(name, issued_at=PAID_AT + minutes * MINUTES, card=CardFacts(auth_code=code))
    return replace(other, till=till)


def suspects(*others: Receipt) -> list[tuple[str | None, Doubt]]:
    found = suspects_of([SOLD], scene_of([SOLD, *others]))
    assert all(isinstance(one, Suspect) and one.store_id == SOLD.store_id for one in found)
    return [(one.till, one.doubt) for one in found]


def test_names_a_till_that_sends_one_sale_under_two_ids() -> None:
    assert suspects(sold("R-2", minutes=1 / 60)) == [("T7", Doubt.SAME_SALE_TWICE)]


def test_names_a_till_that_prints_one_code_on_two_sales() -> None:
    assert suspects(sold("R-2", minutes=4)) == [("T7", Doubt.AUTH_CODE_REPEATED)]


def test_names_a_till_once_however_often_it_repeats() -> None:
    assert suspects(*(sold(f"R-{n}", minutes=n) for n in range(2, 9))) == [
        ("T7", Doubt.AUTH_CODE_REPEATED)
    ]


@pytest.mark.parametrize(
    "other",
    [
        sold("R-1"),
        sold("R-2", till="T8"),
        sold("R-2", minutes=4, code="9P1K3M"),
        sold("R-2", minutes=31),
    ],
    ids=["itself", "another till", "another code", "long after"],
)
def test_names_nobody_for_what_may_well_be(other: Receipt) -> None:
    assert suspects(other) == []
