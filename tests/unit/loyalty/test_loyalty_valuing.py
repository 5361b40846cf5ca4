"""What a later version of a purchase is worth: by the same award, or decided anew."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.cards.model import Card, Entry, Given
from chalicelib.loyalty.cards.standing import tier_at
from chalicelib.loyalty.cards.valuing import later_worth, new_worth
from chalicelib.loyalty.rules import EarnRule, Scheme, Tier, Tiering
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.terms import Measure, Per, RuleKind, Stacking
from tests.makers.cards import EMPTY, after
from tests.makers.loyalty import POINT_A_POUND, SOLD_AT, sale_line, scheme, sold

STAMPS = scheme(EarnRule("coffee", RuleKind.ITEM))
THREE = sold(sale_line(gross=1_050, quantity=Decimal(3)))


LADDER = Tiering((Tier("base", "Base", 0), Tier("gold", "Gold", 50_000)), measure=Measure.SPEND)
WEEKS = scheme(
    EarnRule("weeks", RuleKind.STREAK, units=20, per=5, step=Per.WEEK),
    POINT_A_POUND,
    stacking=Stacking.ALL,
)


def settled(of: Scheme, *sales: Sale) -> Card:
    """A card after `sales`, one after the other."""
    card = EMPTY
    for sale in sales:
        entry = card.find_entry(sale.purchase_id)
        if entry is not None:
            card = after(later_worth(card, entry, of, sale), card=card)
        else:
            card = after(new_worth(card, of, sale, return_days=30), card=card)
    return card


def back(sale: Sale, line_id: str = "1") -> Sale:
    lines = tuple(
        one._replace(returned_quantity=one.quantity) if one.line_id == line_id else one
        for one in sale.lines
    )
    return replace(sale, version=sale.version + 1, lines=lines)


def visit(name: str, *, days: int) -> Sale:
    sold_at = SOLD_AT + timedelta(days=days)
    return sold(sale_line(gross=500), purchase_id=PaymentId(name), sold_at=sold_at)


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


@pytest.mark.parametrize("is_known_at_once", [False, True])
def test_a_tier_of_money_counts_what_was_kept_and_again_what_is_not_back_after_all(
    is_known_at_once: bool,
) -> None:
    of = scheme(tiering=LADDER)
    whole = sold(sale_line("1", gross=100), sale_line("2", gross=99_900))
    less = back(whole, "2")
    told = [less] if is_known_at_once else [whole, less]

    card = settled(of, *told)
    again = settled(of, *told, replace(whole, version=3))

    tiers = [tier_at(one, of, SOLD_AT + timedelta(days=1)) for one in (card, again)]
    assert [one.tier_id for one in tiers if one] == ["base", "gold"]
    assert [one.entries[0].spend_minor for one in (card, again)] == [100, 100_000]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_step_of_a_streak_stays_one_as_long_as_any_of_its_visits_in_whatever_order_they_came(
    order: Sequence[int],
) -> None:
    week = [visit(f"p{number}", days=number) for number in range(2)]  # Friday and Saturday.
    first = [week[0], back(week[0]), week[1]]
    told = [first[place] for place in order]
    card = settled(WEEKS, *told, *(visit(f"q{week}", days=7 * week) for week in range(1, 5)))

    assert [e.visits for e in card.entries] == len(card.entries) * [("weeks",)]
    given = [one.units for e in card.entries for one in e.given if one.rule_id == "weeks"]
    assert given == [20]
