"""What a later version of a purchase is worth: by the same award, or decided anew."""

from dataclasses import replace
from decimal import Decimal

from chalicelib.loyalty.cards.model import Card, Entry, Given
from chalicelib.loyalty.cards.valuing import later_worth, new_worth
from chalicelib.loyalty.rules import EarnRule
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.terms import RuleKind
from tests.makers.cards import EMPTY, after
from tests.makers.loyalty import sale_line, scheme, sold

STAMPS = scheme(EarnRule("coffee", RuleKind.ITEM))
THREE = sold(sale_line(gross=1_050, quantity=Decimal(3)))


def stamped(sale: Sale = THREE) -> tuple[Card, Entry]:
    card = after(new_worth(EMPTY, STAMPS, sale, return_days=30))
    return card, card.entries[0]


def given(units: int, back: int = 0) -> tuple[Given, ...]:
    return (Given("coffee", "1", units, back, RuleKind.ITEM),)


def test_a_returned_item_is_demanded_back_of_what_was_given() -> None:
    card, entry = stamped()
    returned = replace(
        THREE, version=2, lines=(THREE.lines[0]._replace(returned_quantity=Decimal(1)),)
    )

    worth = later_worth(card, entry, STAMPS, returned)

    assert (worth.version, worth.given, worth.units) == (2, given(3, back=1), 2)
    assert worth.sale_print == entry.sale_print


def test_what_a_corrected_receipt_says_was_bought_is_decided_anew() -> None:
    card, entry = stamped()
    corrected = replace(sold(sale_line(gross=350)), version=2)

    worth = later_worth(card, entry, STAMPS, corrected)

    assert (worth.given, worth.units) == (given(1), 1)
    assert worth.sale_print != entry.sale_print


def test_the_schemes_own_pending_days_go_before_the_retailers_return_period() -> None:
    own = replace(STAMPS, pending_days=2)

    days = [
        (new_worth(EMPTY, one, THREE, return_days=30).active_at.date() - THREE.sold_at.date()).days
        for one in (STAMPS, own, replace(STAMPS, pending_days=0))
    ]

    assert days == [31, 3, 0]
