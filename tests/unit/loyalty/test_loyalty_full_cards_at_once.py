"""How many cards one purchase fills at most, whatever the rules allow it to earn."""

from dataclasses import replace
from decimal import Decimal

import pytest

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.cards.extra import bring_to, of_claim
from chalicelib.loyalty.cards.model import Claim
from chalicelib.loyalty.cards.valuing import filling_of, new_worth
from chalicelib.loyalty.earning import decide_award, earned_units
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import EarnRule, ExtraUnits, FixedCashback, Scheme, StampCard
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.schemes import limits
from chalicelib.loyalty.terms import RuleKind, Unit
from chalicelib.receipts.limits import LINES_MAX, QUANTITY_MAX
from tests.makers.cards import EMPTY, after
from tests.makers.loyalty import SOLD_AT, STAMP_A_VISIT, sale_line, scheme, sold

EVERY_COFFEE = EarnRule("coffee", RuleKind.ITEM)
LARGEST = sold(
    *(sale_line(str(number), quantity=Decimal(QUANTITY_MAX)) for number in range(LINES_MAX))
)


def stamps(places: int, rule: EarnRule) -> Scheme:
    made = scheme(rule, unit=Unit.STAMPS, card=StampCard(places, FixedCashback(400)))
    assert list(limits.out_of_range(made)) == []
    return made


@pytest.mark.parametrize(
    ("of", "sale", "units"),
    [
        (stamps(1, EVERY_COFFEE), LARGEST, 100),
        (stamps(2, replace(EVERY_COFFEE, units=1_000_000)), LARGEST, 200),
        (stamps(1_000, replace(STAMP_A_VISIT, units=1_000_000)), sold(), 100_000),
        (stamps(5, EVERY_COFFEE), sold(sale_line(quantity=Decimal(500))), 500),
    ],
)
def test_a_purchase_fills_a_hundred_cards_at_most(of: Scheme, sale: Sale, units: int) -> None:
    worth = new_worth(EMPTY, of, sale, return_days=30)

    card = after(worth, filling=filling_of(of, sale))

    assert (worth.units, earned_units(sale, of)) == (units, units)
    assert [fill.number for fill in card.fills] == list(range(1, 101))
    assert sum(fill.minor for fill in card.fills) == 100 * 400
    assert sum(lot.free for lot in card.lots) == 0


def test_what_goes_beyond_is_lost_to_a_cap_where_nothing_else_is_earned() -> None:
    least = EarnRule("visit", RuleKind.VISIT, units=1)
    of = replace(stamps(1, EVERY_COFFEE), rules=(EVERY_COFFEE, least))

    award = decide_award(LARGEST, of)

    assert (award.units, award.why) == (100, EarnWhy.EARNED)


def test_units_that_another_scheme_gives_fill_a_hundred_cards_at_most() -> None:
    of = stamps(1, EVERY_COFFEE)
    gives = ExtraUnits(of.scheme_id, limits.UNITS.most)
    claim = Claim("c-1", "stamps", 1, 50, SOLD_AT)

    card = bring_to(EMPTY, of_claim(claim, gives, "other"), of, at=SOLD_AT)

    assert (len(card.fills), sum(lot.units for lot in card.lots)) == (100, 100)


def test_the_next_purchase_fills_further_cards() -> None:
    of = stamps(1, EVERY_COFFEE)
    second = replace(LARGEST, purchase_id=PaymentId("p-2"))

    card = EMPTY
    for sale in (LARGEST, second):
        worth = new_worth(card, of, sale, return_days=30)
        card = after(worth, card=card, filling=filling_of(of, sale))

    assert len(card.fills) == 200
