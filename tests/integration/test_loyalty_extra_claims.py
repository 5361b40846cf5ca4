"""Points spent on stamps of another scheme: drawn once, given at once, with no code."""

from datetime import timedelta

import pytest

from chalicelib.loyalty import expiring
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.model import ClaimState
from chalicelib.loyalty.claims import service as claims
from chalicelib.loyalty.claims.claiming import ClaimNotOpen, InsufficientPoints
from chalicelib.loyalty.extra_units import OtherSchemeLeft
from chalicelib.loyalty.memberships import service as memberships
from chalicelib.loyalty.rules import ExtraUnits, Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.service import taker_of
from tests.makers.dying import Died, dying
from tests.makers.extra import COFFEE, LATE, POINTS, TEA, told
from tests.makers.purchases import open_town
from tests.makers.rewarding import (
    ADA,
    DAY,
    bring_back,
    buy,
    card,
    holder,
    member,
    settle,
    write_scheme,
)
from tests.makers.scheme_budgets import has

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
SIX_STAMPS = {
    "id": "six",
    "title": "Six stamps",
    "cost": 4,
    "reward": {"kind": "extra_units", "scheme": "coffee", "units": 6},
}


def open_spending() -> Scheme:
    """A point a coffee; four points buy six stamps of a card of five, for tea of which nobody buys
    any.
    """
    open_town()
    schemes.forget()
    places = {"places": 5, "reward": {"kind": "fixed_cashback", "amount_minor": 300}}
    write_scheme("coffee", card=places, rules=[TEA])
    write_scheme("points", unit="points", card=None, catalogue=[SIX_STAMPS], pending_days=0)
    buy("t-1", 9)
    settle()
    told()
    return schemes.get_valid(POINTS, at=LATE, now=LATE)


def reserve(scheme: Scheme, name: str = "c-1") -> claims.Claimed:
    return claims.reserve(holder(POINTS), scheme, name=name, reward_id="six", now=LATE)


def active(scheme_id: str) -> int:
    found = card(scheme_id, now=LATE)
    return balance_at(found, LATE).active if found else 0


@pytest.mark.requirement("LOY-11")
def test_points_buy_stamps_at_once_and_a_claim_told_again_buys_no_more() -> None:
    scheme = open_spending()

    first, again = reserve(scheme), reserve(scheme)

    assert first == again
    assert (first.code, first.claim.state) == (None, ClaimState.REDEEMED)
    assert first.claim.gives == ExtraUnits(COFFEE, 6)
    assert (active(POINTS), active(COFFEE)) == (5, 1)
    assert has(ADA, now=LATE) == 300
    assert told() == 2 * [("stamp_earned", "coffee", 6, ""), ("card_complete", "coffee", 0, "")]
    with pytest.raises(ClaimNotOpen):
        claims.cancel(holder(POINTS), scheme, first.claim.claim_id, now=LATE)


def test_each_claim_gives_its_own() -> None:
    scheme = open_spending()

    reserve(scheme)
    reserve(scheme, "c-2")
    with pytest.raises(InsufficientPoints):
        reserve(scheme, "c-3")

    found = card(COFFEE, now=LATE)
    assert found is not None
    assert [entry.lot.units for entry in found.entries] == [6, 6]
    assert (active(POINTS), active(COFFEE), has(ADA, now=LATE)) == (1, 2, 600)


@pytest.mark.requirement("LOY-06")
def test_nothing_is_spent_on_a_scheme_that_the_member_has_left() -> None:
    scheme = open_spending()
    other = schemes.get_valid(COFFEE, at=LATE, now=LATE)
    memberships.leave(holder(COFFEE), other, taker_of(member(), other, now=LATE), now=LATE)
    before = card(POINTS, now=LATE)

    with pytest.raises(OtherSchemeLeft) as refused:
        reserve(scheme)

    assert refused.value.code == "reward_scheme_left"
    assert (card(POINTS, now=LATE), active(COFFEE)) == (before, 0)


def test_what_was_bought_stays_where_the_points_come_back_and_are_owed() -> None:
    scheme = open_spending()
    reserve(scheme)

    bring_back("t-1", 9, reference="B-1", at=LATE)
    settle(now=LATE)

    assert (active(POINTS), active(COFFEE)) == (-4, 1)


@pytest.mark.parametrize("is_heard", [False, True])
@pytest.mark.parametrize("write", [2, 3])
def test_what_a_run_died_over_is_given_the_next_day(write: int, is_heard: bool) -> None:
    """The first write is that somebody looks, the second the card, the third the other card."""
    scheme = open_spending()
    with pytest.raises(Died), dying(write, is_heard=is_heard):
        reserve(scheme)
    was_drawn = active(POINTS) == 5

    expiring.tell_of_expiring(now=LATE + DAY + timedelta(hours=1), has_time=lambda: True)

    assert was_drawn is (write == 3 or is_heard)
    assert (active(POINTS), active(COFFEE)) == ((5, 1) if was_drawn else (9, 0))
    assert has(ADA, now=LATE) == (300 if was_drawn else 0)
