"""A claim stays what it was reserved as, whatever its scheme says since, and however often the bank
asks for it again.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.model import ClaimState
from chalicelib.loyalty.claims import service as claims
from chalicelib.loyalty.claims.catalogue import NoSuchReward
from chalicelib.loyalty.claims.claiming import ConflictingClaim
from chalicelib.loyalty.memberships import service as memberships
from chalicelib.loyalty.memberships.joining import NotInScheme
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.service import taker_of
from tests.makers.network import BAKERY
from tests.makers.purchases import OPENED_AT, PAID_AT
from tests.makers.rewarding import (
    DAY,
    buy,
    card,
    holder,
    member,
    money,
    open_bakery,
    settle,
    write_scheme,
)

pytestmark = pytest.mark.stores
DUE = PAID_AT + 2 * DAY
LATER = DUE + timedelta(hours=1)
POINTS = f"{BAKERY}.points"
MUG = {"id": "mug", "title": "A mug", "cost": 3, "reward": {"kind": "free_text", "text": "A mug"}}
TWO_POUNDS = MUG | {
    "title": "Two pounds",
    "reward": {"kind": "fixed_cashback", "amount_minor": 200},
}
CASH = {
    "id": "cash",
    "title": "£1.50 back",
    "cost": 4,
    "reward": {"kind": "fixed_cashback", "amount_minor": 150},
}


def written(*catalogue: dict[str, Any], at: datetime, **more: str) -> Scheme:
    """The retailer writes a version with this catalogue; the scheme as it holds then."""
    of_points = {"unit": "points", "card": None, "catalogue": catalogue, "pending_days": 0}
    write_scheme("points", now=at, **(of_points | more))
    schemes.forget()
    return schemes.get_valid(POINTS, at=at, now=at)


def earned(units: int, *catalogue: dict[str, Any], **more: str) -> Scheme:
    """Ada has so many points, which she may spend."""
    open_bakery()
    scheme = written(*catalogue, at=OPENED_AT, **more)
    buy("t-1", units)
    settle()
    return scheme


def reserve(
    scheme: Scheme, name: str = "c-1", reward: str = "mug", at: datetime = DUE
) -> claims.Claimed:
    return claims.reserve(holder(POINTS), scheme, name=name, reward_id=reward, now=at)


def found(scheme: Scheme) -> claims.Claimed:
    return claims.find(holder(POINTS), scheme, "c-1", now=LATER)


def active() -> int:
    on_card = card(POINTS)
    assert on_card is not None
    return balance_at(on_card, LATER).active


@pytest.mark.requirement("LOY-10")
def test_a_paid_claim_asked_again_is_the_same_after_its_reward_left_the_catalogue(
    embedded_aws: None,
) -> None:
    first = earned(4, MUG, CASH)
    paid = reserve(first, reward="cash")

    newest = written(MUG, at=LATER)
    again = reserve(newest, reward="cash", at=LATER)

    assert (again.claim, again.code) == (paid.claim, None)
    assert again.reward == paid.reward
    assert found(newest) == again
    assert (active(), money(now=LATER)) == (0, (Balances("GBP", available=150),))
    with pytest.raises(ConflictingClaim):
        reserve(newest, at=LATER)
    with pytest.raises(NoSuchReward):
        reserve(newest, "c-2", "cash", at=LATER)


@pytest.mark.requirement("LOY-10")
def test_a_claim_asked_again_after_its_member_left_is_the_same(embedded_aws: None) -> None:
    scheme = earned(4, MUG, CASH)
    paid = reserve(scheme, reward="cash")
    memberships.leave(holder(POINTS), scheme, taker_of(member(), scheme, now=DUE), now=DUE)

    assert reserve(scheme, reward="cash") == paid
    with pytest.raises(NotInScheme):
        reserve(scheme, "c-2")


@pytest.mark.requirement("LOY-11")
def test_a_reserved_claim_stays_what_it_was_when_the_scheme_has_a_new_version(
    embedded_aws: None,
) -> None:
    first = earned(4, MUG, CASH)
    reserved = reserve(first)
    assert reserved.reward is not None
    assert reserved.reward.title == "A mug"

    newest = written(TWO_POUNDS, at=LATER)
    told = [found(newest), reserve(newest, at=LATER)]
    confirmed = claims.confirm(BAKERY, reserved.code or "", confirmation="till", now=LATER)

    assert [(one.claim, one.reward, one.code) for one in told] == [
        (reserved.claim, reserved.reward, reserved.code)
    ] * 2
    assert (confirmed.claim.state, confirmed.reward) == (ClaimState.REDEEMED, reserved.reward)
    assert money(now=LATER) == ()


def test_money_that_was_claimed_stays_money_when_its_reward_becomes_a_mug(
    embedded_aws: None,
) -> None:
    first = earned(4, TWO_POUNDS)
    paid = reserve(first)

    newest = written(MUG, at=LATER)
    again = reserve(newest, at=LATER)
    at_hand = card(POINTS)
    assert at_hand is not None

    assert (again.claim, again.reward, again.code) == (paid.claim, paid.reward, None)
    assert claims.list_claims(holder(POINTS), newest, at_hand, now=LATER) == (again,)
    assert money(now=LATER) == (Balances("GBP", available=200),)


def test_a_claim_asked_again_over_its_time_is_cancelled_and_has_no_code(
    embedded_aws: None,
) -> None:
    scheme = earned(4, MUG, CASH)
    until = reserve(scheme).claim.until
    assert until is not None
    before = card(POINTS)

    again = reserve(scheme, at=until)

    assert (again.claim.state, again.code) == (ClaimState.CANCELLED, None)
    assert card(POINTS) == before


@pytest.mark.requirement("LOY-07")
@pytest.mark.parametrize(("rejoin", "left"), [("keep", 4), ("reset", 0)])
def test_points_that_were_reserved_before_a_card_began_anew_do_not_come_back(
    embedded_aws: None, rejoin: str, left: int
) -> None:
    scheme = earned(4, MUG, rejoin=rejoin)
    taker = taker_of(member(), scheme, now=DUE)
    reserved = reserve(scheme)
    memberships.leave(holder(POINTS), scheme, taker, now=DUE + timedelta(minutes=1))
    memberships.join(holder(POINTS), scheme, taker, now=DUE + timedelta(minutes=2))

    given_up = claims.cancel(holder(POINTS), scheme, reserved.claim.claim_id, now=LATER)

    assert (given_up.claim.state, active()) == (ClaimState.CANCELLED, left)
