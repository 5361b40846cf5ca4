"""What a card draws its units from, how many cards they fill, and what does not count yet."""

from datetime import timedelta

import pytest

from chalicelib.loyalty.cards.history import Expired, list_lines
from chalicelib.loyalty.cards.lots import Balance, balance_at
from chalicelib.loyalty.cards.model import Card, Draw
from chalicelib.loyalty.claims.claiming import InsufficientPoints, Price, reserve
from tests.makers.cards import ACTIVE_AT, FIVE_PLACES, SOLD_AT, after, worth

DAY = timedelta(days=1)
MUG = Price("mug", scheme=1, units=2, good_for=DAY)


def drawn(card: Card) -> dict[str, tuple[Draw, ...]]:
    return {entry.payment_id: entry.lot.draws for entry in card.entries}


def test_a_reward_is_drawn_from_active_units_though_pending_ones_expire_first() -> None:
    active = worth("active", 2, active_at=SOLD_AT)
    pending = worth("pending", 2, expires_at=ACTIVE_AT + DAY)

    card = reserve(after(active, pending), "c-1", MUG, at=SOLD_AT + DAY)

    assert drawn(card) == {"active": (Draw("c-1", 2),), "pending": ()}


def test_a_purchase_of_twelve_stamps_fills_two_cards_of_five_and_begins_the_third() -> None:
    card = after(worth("p1", 12), filling=FIVE_PLACES)

    assert [fill.number for fill in card.fills] == [1, 2]
    assert drawn(card) == {"p1": tuple(Draw(fill.name, 5) for fill in card.fills)}
    assert balance_at(card, ACTIVE_AT).active == 2


def test_what_is_held_counts_nothing_and_fills_no_card_until_it_is_released() -> None:
    held = after(worth("p1", 5, held="many_in_an_hour"), filling=FIVE_PLACES)

    released = after(worth("p1", 5, is_released=True), card=held, filling=FIVE_PLACES)

    assert (balance_at(held, ACTIVE_AT), held.fills) == (Balance(0, 0, 0, 0), ())
    assert drawn(held) == {"p1": ()}
    assert [fill.number for fill in released.fills] == [1]
    assert drawn(released) == {"p1": (Draw(released.fills[0].name, 5),)}


def test_nobody_spends_what_is_pending() -> None:
    card = after(worth("active", 1, active_at=SOLD_AT), worth("pending", 5))

    with pytest.raises(InsufficientPoints) as refused:
        reserve(card, "c-1", MUG, at=SOLD_AT + DAY)

    assert refused.value.code == "INSUFFICIENT_POINTS"
    assert drawn(card) == {"active": (), "pending": ()}


def test_of_two_that_reserve_under_one_name_at_once_the_second_draws_nothing() -> None:
    card = reserve(after(worth("p1", 6, active_at=SOLD_AT)), "c-1", MUG, at=SOLD_AT)

    assert reserve(card, "c-1", MUG, at=SOLD_AT) is card
    assert drawn(card) == {"p1": (Draw("c-1", 2),)}


def test_what_a_claim_held_that_ran_out_unused_is_among_the_lines_of_what_expired() -> None:
    end = ACTIVE_AT + 9 * DAY
    earned = worth("p1", 30, active_at=SOLD_AT, expires_at=end)
    card = reserve(after(earned), "c-1", MUG, at=SOLD_AT + DAY)

    lines = [one.what for one in list_lines(card, (), now=end) if isinstance(one.what, Expired)]

    assert lines == [Expired(end, 30, "p1")]
    assert balance_at(card, end).expired == 30
