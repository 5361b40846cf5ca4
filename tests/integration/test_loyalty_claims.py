"""Points are spent once, given back to where they came from, and collected once at a till."""

from datetime import datetime, timedelta

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.archiving import CLAIMS_MAX
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.model import Basis, ClaimState
from chalicelib.loyalty.claims import service as claims
from chalicelib.loyalty.claims.claiming import (
    ClaimNotOpen,
    ConflictingClaim,
    InsufficientPoints,
    NoSuchClaim,
)
from chalicelib.loyalty.claims.store import ClaimCodeRow
from chalicelib.loyalty.memberships import service as memberships
from chalicelib.loyalty.memberships import store as usage
from chalicelib.loyalty.memberships.joining import NotInScheme
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.service import taker_of
from chalicelib.members import service as members
from chalicelib.runtime import rows, vault
from tests.makers.network import BAKERY, CINEMA
from tests.makers.purchases import PAID_AT
from tests.makers.rewarding import (
    ADA,
    DAY,
    SCHEME,
    buy,
    card,
    holder,
    member,
    money,
    open_bakery,
    settle,
    settle_again,
    write_scheme,
)

pytestmark = pytest.mark.stores
DUE = PAID_AT + 2 * DAY
POINTS = f"{BAKERY}.points"
MUG = {"id": "mug", "title": "A mug", "cost": 3, "reward": {"kind": "free_text", "text": "A mug"}}
CASH = {
    "id": "cash",
    "title": "£1.50 back",
    "cost": 4,
    "reward": {"kind": "fixed_cashback", "amount_minor": 150},
}


def points(**more: object) -> Scheme:
    """A point a coffee, active after a day; the scheme as it holds."""
    open_bakery()
    of_points = {"unit": "points", "card": None, "catalogue": [MUG, CASH], "pending_days": 0}
    write_scheme("points", **(of_points | more))
    return schemes.get_valid(POINTS, at=DUE, now=DUE)


def reserve(scheme: Scheme, name: str = "c-1", reward: str = "mug") -> claims.Claimed:
    return claims.reserve(holder(POINTS), scheme, name=name, reward_id=reward, now=DUE)


def active(at: object = DUE) -> int:
    found = card(POINTS)
    assert found is not None
    return balance_at(found, at).active  # type: ignore[arg-type]


@pytest.mark.requirement("LOY-09")
def test_nobody_spends_more_than_is_there(embedded_aws: None) -> None:
    scheme = points()
    buy("t-1", 2)
    settle()
    before = card(POINTS)

    with pytest.raises(InsufficientPoints) as refused:
        reserve(scheme)

    assert refused.value.code == "INSUFFICIENT_POINTS"
    assert card(POINTS) == before


@pytest.mark.requirement("LOY-10")
def test_a_claim_lowers_the_balance_once_and_has_one_code(embedded_aws: None) -> None:
    scheme = points()
    buy("t-1", 5)
    settle()

    first, again = reserve(scheme), reserve(scheme)

    assert active() == 2
    assert first == again
    assert first.code is not None
    assert (len(first.code), first.code.isalnum()) == (12, True)
    with pytest.raises(ConflictingClaim):
        reserve(scheme, reward="cash")


@pytest.mark.requirement("LOY-11")
def test_a_claim_is_confirmed_once(embedded_aws: None) -> None:
    scheme = points()
    buy("t-1", 5)
    settle()
    code = reserve(scheme).code or ""

    shown = f"{code[:4]}-{code[4:8].lower()} {code[8:]}"
    confirmed = claims.confirm(BAKERY, shown, confirmation="till-1", now=DUE)

    assert confirmed.claim.state is ClaimState.REDEEMED
    assert claims.confirm(BAKERY, code, confirmation="till-1", now=DUE) == confirmed
    for other in ("", "till-2"):
        with pytest.raises(ClaimNotOpen):
            claims.confirm(BAKERY, code, confirmation=other, now=DUE)
    with pytest.raises(ClaimNotOpen):
        claims.cancel(holder(POINTS), scheme, confirmed.claim.claim_id, now=DUE)
    assert active() == 2


def test_whoever_took_the_consent_back_collects_nothing_until_it_is_given_anew(
    embedded_aws: None,
) -> None:
    scheme = points()
    buy("t-1", 5)
    settle()
    code = reserve(scheme).code or ""

    members.suspend(ADA, now=DUE)
    with pytest.raises(NoSuchClaim):
        claims.confirm(BAKERY, code, confirmation="", now=DUE)
    members.resume(ADA, now=DUE)

    confirmed = claims.confirm(BAKERY, code, confirmation="", now=DUE)
    assert confirmed.claim.state is ClaimState.REDEEMED


def test_another_retailers_till_finds_no_such_claim(embedded_aws: None) -> None:
    scheme = points()
    buy("t-1", 5)
    settle()
    code = reserve(scheme).code or ""

    with pytest.raises(NoSuchClaim):
        claims.confirm(CINEMA, code, confirmation="", now=DUE)

    found = card(POINTS)
    assert found is not None
    assert found.claims[0].state is ClaimState.RESERVED


@pytest.mark.requirement("LOY-11")
def test_a_claim_over_its_time_or_cancelled_gives_its_points_back(embedded_aws: None) -> None:
    scheme = points()
    buy("t-1", 6)
    settle()
    late, given_up = reserve(scheme), reserve(scheme, "c-2")

    claims.cancel(holder(POINTS), scheme, given_up.claim.claim_id, now=DUE)

    assert active() == 3
    assert active(DUE + timedelta(hours=24)) == 6
    with pytest.raises(ClaimNotOpen):
        claims.confirm(BAKERY, late.code or "", confirmation="", now=DUE + timedelta(hours=24))


def test_a_reward_in_money_is_given_at_once_and_once(embedded_aws: None) -> None:
    scheme = points()
    buy("t-1", 4)
    settle()

    claimed = [reserve(scheme, "c-1", "cash") for _ in range(2)]

    assert [one.code for one in claimed] == [None, None]
    assert (active(), money(now=DUE)) == (0, (Balances("GBP", available=150),))


@pytest.mark.requirement("LOY-10")
def test_a_favourite_twice_is_once(embedded_aws: None) -> None:
    scheme = points()
    taker = taker_of(member(), scheme, now=DUE)

    for _ in range(2):
        found = memberships.set_favourite(
            holder(POINTS), scheme, taker, reward_id="mug", is_wanted=True, now=DUE
        )

    assert (found.favourites, found.version) == (("mug",), 1)


@pytest.mark.requirement("LOY-05")
@pytest.mark.requirement("LOY-06")
@pytest.mark.requirement("LOY-07")
@pytest.mark.parametrize(("rejoin", "kept"), [("keep", 3), ("reset", 0)])
def test_who_left_earns_nothing_until_they_come_back(
    embedded_aws: None, rejoin: str, kept: int
) -> None:
    scheme = points(rejoin=rejoin)
    taker = taker_of(member(), scheme, now=DUE)
    buy("t-1", 3)
    messages = settle()

    left = memberships.leave(holder(POINTS), scheme, taker, now=DUE)
    buy("t-2", 2, at=DUE + DAY)
    messages += settle(now=DUE + DAY)
    away = active(DUE + DAY)
    memberships.view(holder(POINTS), scheme, taker, now=DUE + 2 * DAY)
    back = memberships.join(holder(POINTS), scheme, taker, now=DUE + 3 * DAY)
    settle_again(messages, now=DUE + 4 * DAY)

    assert (left.membership.basis, left.membership.left_at) == (Basis.ACTIVATION, DUE)
    assert away == 3
    assert (back.membership.basis, active(DUE + 4 * DAY)) == (Basis.EXPLICIT, kept)
    other = card(SCHEME)
    assert other is not None
    assert balance_at(other, DUE).pending + 5 * other.fills_made == 5
    found = usage.list_usage(ADA, now=DUE + 4 * DAY)
    assert [(one.what, one.at) for one in found] == [
        ("left", DUE),
        ("viewed", DUE + 2 * DAY),
        ("joined", DUE + 3 * DAY),
    ]


def test_a_scheme_to_be_chosen_earns_from_joining_on(embedded_aws: None) -> None:
    scheme = points(membership="choice")
    taker = taker_of(member(), scheme, now=DUE)
    buy("t-1", 3)
    messages = settle()
    with pytest.raises(NotInScheme):
        reserve(scheme)

    memberships.join(holder(POINTS), scheme, taker, now=DUE)
    settle_again(messages, now=DUE + DAY)
    buy("t-2", 2, at=DUE + DAY)
    settle(now=DUE + DAY)

    assert active(DUE + DAY) == 2


def forget_code(code: str) -> None:
    """As if the run had died before it let the claim be found."""
    rows.delete(ClaimCodeRow(vault.lookup_key("claim_code", BAKERY, code), "claim"))


def found(scheme: Scheme, name: str = "c-1", at: datetime = DUE) -> claims.Claimed:
    return claims.find(holder(POINTS), scheme, name, now=at)


@pytest.mark.requirement("LOY-10")
def test_a_claim_is_found_by_the_banks_name_and_by_its_id(embedded_aws: None) -> None:
    scheme = points()
    buy("t-1", 9)
    settle()
    reserved, paid = reserve(scheme), reserve(scheme, "c-2", "cash")

    assert found(scheme) == reserved
    assert found(scheme, reserved.claim.claim_id) == reserved
    assert found(scheme, "c-2") == paid
    assert (paid.claim.state, paid.code) == (ClaimState.REDEEMED, None)
    for other in ("c-3", "", claims.claim_id_of(ADA, "c-3")):
        with pytest.raises(NoSuchClaim):
            found(scheme, other)


def test_a_claim_of_a_run_that_died_is_collected_once_its_bank_has_read_it(
    embedded_aws: None,
) -> None:
    scheme = points()
    buy("t-1", 5)
    settle()
    code = reserve(scheme).code or ""
    forget_code(code)

    with pytest.raises(NoSuchClaim):
        claims.confirm(BAKERY, code, confirmation="", now=DUE)
    assert found(scheme).code == code
    confirmed = claims.confirm(BAKERY, code, confirmation="", now=DUE)

    assert confirmed.claim.state is ClaimState.REDEEMED
    assert found(scheme) == confirmed


def test_a_claim_whose_time_is_over_reads_as_cancelled_and_writes_nothing(
    embedded_aws: None,
) -> None:
    scheme = points()
    buy("t-1", 5)
    settle()
    until = reserve(scheme).claim.until
    assert until is not None
    before = card(POINTS)

    read = found(scheme, at=until)

    assert (read.claim.state, read.claim.closed_at, read.code) == (
        ClaimState.CANCELLED,
        until,
        None,
    )
    assert card(POINTS) == before


@pytest.mark.requirement("LOY-11")
def test_a_claim_that_moves_to_the_history_as_it_ends_is_confirmed_once(embedded_aws: None) -> None:
    scheme = points()
    buy("t-1", 30)
    settle()
    codes = [reserve(scheme, f"c-{number}").code or "" for number in range(CLAIMS_MAX + 1)]
    for code in codes[:-1]:
        claims.confirm(BAKERY, code, confirmation="till", now=DUE)

    confirmed = claims.confirm(BAKERY, codes[-1], confirmation="till", now=DUE)

    left = card(POINTS)
    assert left is not None
    assert (confirmed.claim.state, left.claims) == (ClaimState.REDEEMED, ())
    assert claims.confirm(BAKERY, codes[-1], confirmation="till", now=DUE) == confirmed
    with pytest.raises(ClaimNotOpen):
        claims.confirm(BAKERY, codes[-1], confirmation="other", now=DUE)
    with pytest.raises(ClaimNotOpen):
        claims.cancel(holder(POINTS), scheme, confirmed.claim.claim_id, now=DUE)
    assert card(POINTS) == left


def test_a_claim_that_moves_to_the_history_as_it_is_given_up_is_given_up_once(
    embedded_aws: None,
) -> None:
    scheme = points()
    buy("t-1", 30)
    settle()
    made = [reserve(scheme, f"c-{number}") for number in range(CLAIMS_MAX + 1)]
    for one in made[:-1]:
        claims.confirm(BAKERY, one.code or "", confirmation="till", now=DUE)
    before = active()

    given_up = [
        claims.cancel(holder(POINTS), scheme, made[-1].claim.claim_id, now=DUE) for _ in range(2)
    ]

    assert [one.claim.state for one in given_up] == [ClaimState.CANCELLED] * 2
    assert active() == before + 3
    with pytest.raises(ClaimNotOpen):
        claims.confirm(BAKERY, made[-1].code or "", confirmation="till", now=DUE)


@pytest.mark.requirement("LOY-10")
def test_a_claim_in_the_history_is_found_and_is_not_made_a_second_time(embedded_aws: None) -> None:
    scheme = points()
    buy("t-1", 30)
    settle()
    for number in range(CLAIMS_MAX + 2):
        code = reserve(scheme, f"c-{number}").code or ""
        claims.confirm(BAKERY, code, confirmation="till", now=DUE)
    first = claims.claim_id_of(ADA, "c-0")
    left = card(POINTS)
    assert left is not None
    assert left.find_claim(first) is None

    again = reserve(scheme, "c-0")

    assert (again.claim.claim_id, again.claim.state) == (first, ClaimState.REDEEMED)
    assert again == found(scheme, "c-0")
    assert card(POINTS) == left
    with pytest.raises(ConflictingClaim):
        reserve(scheme, "c-0", reward="cash")
    assert card(POINTS) == left
