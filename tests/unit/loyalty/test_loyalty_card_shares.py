"""Full cards that are worth a share of a purchase: together never more than was paid for it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.cards import archiving
from chalicelib.loyalty.cards.applying import bring_up
from chalicelib.loyalty.cards.filling import with_leases
from chalicelib.loyalty.cards.lots import owed
from chalicelib.loyalty.cards.model import Card, Fill
from chalicelib.loyalty.cards.past import Past, newest_fills
from chalicelib.loyalty.cards.valuing import filling_of, later_worth, new_worth
from chalicelib.loyalty.rules import (
    EVERY_LINE,
    EarnRule,
    FixedCashback,
    ItemPrice,
    PercentCashback,
    Reward,
    Scheme,
    StampCard,
)
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.terms import RefundPolicy, RuleKind, Unit
from tests.makers.cards import EMPTY, FIVE_PLACES, SOLD_AT, after, worth
from tests.makers.loyalty import sale_line, scheme, sold

DAY = timedelta(days=1)
AT = SOLD_AT + DAY


def of(reward: Reward) -> Scheme:
    """A stamp an item, two places."""
    item = EarnRule("item", RuleKind.ITEM)
    return scheme(item, unit=Unit.STAMPS, card=StampCard(2, reward))


def percent(share: int) -> Scheme:
    return of(PercentCashback(Fraction(share, 100), 10_000))


def bought(name: str, items: int, back: int = 0) -> Sale:
    """Items at a pound each, of which some came back."""
    line = sale_line(gross=100 * items, quantity=Decimal(items))
    line = line._replace(returned_quantity=Decimal(back))
    return sold(line, purchase_id=PaymentId(name), version=1 + back, sold_at=SOLD_AT)


def settled(scheme: Scheme, *sales: Sale) -> Card:
    card = EMPTY
    for sale in sales:
        entry = card.find_entry(sale.purchase_id)
        if entry is not None:
            known = later_worth(card, entry, scheme, sale)
        else:
            known = new_worth(card, scheme, sale, return_days=30)
        filling = filling_of(scheme, sale)
        card = bring_up(card, known, filling=filling, policy=RefundPolicy.NEGATIVE, at=AT)
    return card


def minors(card: Card) -> list[int]:
    return [fill.minor for fill in card.fills if not fill.undone_by]


@pytest.mark.requirement("LOY-04")
@pytest.mark.parametrize(
    ("reward", "given"),
    [
        (PercentCashback(Fraction(1), 10_000), [600, 0, 0]),
        (PercentCashback(Fraction(2, 5), 10_000), [240, 240, 120]),
        (PercentCashback(Fraction(1, 10), 10_000), [60, 60, 60]),
        (ItemPrice(EVERY_LINE, 10_000), [100, 100, 100]),
        (FixedCashback(400), [400, 400, 400]),
    ],
)
def test_full_cards_of_one_purchase_give_a_share_each_but_no_more_than_it_cost(
    reward: Reward, given: list[int]
) -> None:
    card = settled(of(reward), bought("p", 6))

    assert minors(card) == given
    assert [fill.waits for fill in card.fills] == [bool(minor) for minor in given]


def test_the_price_of_the_dearest_item_is_not_given_more_often_than_it_was_paid() -> None:
    dear, cheap = sale_line("1", gross=500), sale_line("2", gross=300, quantity=Decimal(3))
    shared = replace(sold(dear, cheap), paid_minor=400)

    cards = [settled(of(ItemPrice(EVERY_LINE, 10_000)), one) for one in (sold(dear, cheap), shared)]

    assert [minors(card) for card in cards] == [[500, 300], [400, 0]]


@given(
    st.sampled_from([100, 40, 10]),
    st.integers(0, 1),
    st.integers(0, 7),
    st.booleans(),
)
def test_what_they_come_to_is_the_same_whenever_goods_come_back(
    share: int, back: int, more: int, is_first: bool
) -> None:
    made = percent(share)
    whole, less = [bought("q", 1), bought("p", 7)], [bought("q", 1, back), bought("p", 7, more)]

    early = settled(made, *less)
    late = settled(made, *whole, *(less if is_first else less[::-1]))

    assert (minors(late), owed(late)) == (minors(early), 0)


def aged(card: Card) -> tuple[Card, tuple[Past, ...]]:
    """`card` after a dozen other purchases, which earned nothing: what it had is in the history."""
    others = (
        worth(f"z{number:02}", 0, visits=("w",), sold_at=SOLD_AT + (1 + number) * DAY)
        for number in range(12)
    )
    moved, past = archiving.move_old(after(*others, card=card), percent(100), at=AT)
    assert past is not None
    return moved, (past,)


def test_of_the_history_too_the_one_is_emptied_that_is_worth_least() -> None:
    made, returned = percent(40), bought("q", 1, 1)
    card = with_leases(settled(made, bought("q", 1), bought("p", 5)), lambda _: 1)

    moved, past = aged(card)
    back = archiving.bring_back(moved, past, "q", made, at=AT)
    entry = back.find_entry("q")
    assert entry is not None
    emptied = bring_up(
        back,
        later_worth(back, entry, made, returned),
        filling=filling_of(made, returned),
        policy=RefundPolicy.NEGATIVE,
        at=AT,
    )

    fills = newest_fills(emptied, past).values()
    assert [(fill.minor, fill.undone_by) for fill in fills] == [(200, ""), (200, ""), (100, "q")]
    assert (moved.fills, owed(emptied)) == ((), 0)


def test_one_that_is_worth_less_stays_at_hand_with_the_one_in_whose_place_it_is_emptied() -> None:
    fills = tuple(Fill(number, "p", 1, SOLD_AT, SOLD_AT, 200 * number) for number in (1, 2))
    draws = after(worth("p", 5), worth("y", 5, sold_at=SOLD_AT + 30 * DAY), filling=FIVE_PLACES)
    card = replace(draws, fills=tuple(replace(fill, cause="p") for fill in fills))

    moved, past = aged(card)

    assert (moved.fills, [one.fills for one in past]) == (fills, [()])
