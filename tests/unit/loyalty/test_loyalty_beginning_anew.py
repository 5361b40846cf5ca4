"""Somebody comes back to a scheme that begins anew: what was drawn before does not come back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.loyalty.cards.lots import Balance, balance_at
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.claims.claiming import Price, cancel, relet, reserve
from chalicelib.loyalty.memberships.joining import join, leave
from chalicelib.loyalty.terms import Rejoin
from tests.makers.cards import FIVE_PLACES, SOLD_AT, after, worth

HOUR = timedelta(hours=1)
RESET_AT = SOLD_AT + 3 * HOUR
LATER = SOLD_AT + 5 * HOUR
MUG = Price("mug", scheme=1, units=3, good_for=timedelta(hours=12))
NOTHING = Balance(0, 0, 0, 0)


def reserved() -> Card:
    """Four units, of which a claim holds three."""
    card = after(worth("p1", 4, active_at=SOLD_AT))
    return reserve(card, "c-1", MUG, at=SOLD_AT + HOUR)


def begun_anew(card: Card, rejoin: Rejoin = Rejoin.RESET) -> Card:
    return join(leave(card, None, at=SOLD_AT + 2 * HOUR), None, rejoin, at=RESET_AT)


def test_a_claim_of_before_goes_on_holding_what_it_drew() -> None:
    card = begun_anew(reserved())

    assert balance_at(card, LATER) == Balance(pending=0, active=0, reserved=3, expired=0)


def test_what_a_claim_of_before_held_is_forfeited_when_it_is_cancelled() -> None:
    card = cancel(begun_anew(reserved()), "c-1", at=LATER)

    (entry,) = card.entries
    assert balance_at(card, LATER) == NOTHING
    assert (entry.lot.units, entry.lot.draws, entry.forfeited) == (0, (), 4)


def test_and_when_its_time_is_over() -> None:
    card, over = begun_anew(reserved()), SOLD_AT + 13 * HOUR

    written = after(worth("p2", 1, sold_at=LATER, active_at=LATER), card=card, at=over)

    assert balance_at(card, over) == NOTHING
    assert balance_at(written, over).active == 1


def test_and_when_the_budget_could_not_pay_it() -> None:
    paid = reserve(
        after(worth("p1", 4, active_at=SOLD_AT)),
        "c-1",
        replace(MUG, is_paid_at_once=True, lease=1),
        at=SOLD_AT + HOUR,
    )
    card = begun_anew(paid)

    dropped = relet(card, card.claims[0], None, at=LATER)

    assert (dropped.claims, balance_at(dropped, LATER)) == ((), NOTHING)


@pytest.mark.parametrize("units", [1, 4])
def test_a_return_takes_from_what_was_forfeited_and_owes_nothing(units: int) -> None:
    card = cancel(begun_anew(reserved()), "c-1", at=LATER)

    left = after(worth("p1", 4, version=2, back=units, active_at=SOLD_AT), card=card, at=LATER)

    assert balance_at(left, LATER) == NOTHING


def test_a_full_card_of_before_that_is_emptied_leaves_no_loose_stamps() -> None:
    full = after(worth("p1", 3), worth("p2", 2), filling=FIVE_PLACES)

    left = after(
        worth("p2", 2, version=2, back=2), card=begun_anew(full), filling=FIVE_PLACES, at=LATER
    )

    assert [fill.undone_by for fill in left.fills] == ["p2"]
    assert balance_at(left, LATER) == NOTHING


def test_a_claim_of_after_gives_back_what_it_drew() -> None:
    card = after(worth("p2", 3, sold_at=LATER, active_at=LATER), card=begun_anew(reserved()))
    card = reserve(card, "c-2", MUG, at=LATER)

    assert balance_at(cancel(card, "c-2", at=LATER), LATER).active == 3


def test_who_finds_the_card_kept_gets_back_what_was_reserved() -> None:
    card = begun_anew(reserved(), Rejoin.KEEP)

    assert balance_at(cancel(card, "c-1", at=LATER), LATER).active == 4
