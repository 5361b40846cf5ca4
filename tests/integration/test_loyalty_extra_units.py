"""A full card whose reward is units of another scheme: given once, taken back from their lot."""

from datetime import timedelta
from random import Random

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.model import Basis
from chalicelib.loyalty.claims import service as claims
from chalicelib.loyalty.claims.claiming import InsufficientPoints
from chalicelib.loyalty.memberships import service as memberships
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.service import taker_of
from chalicelib.runtime import queues
from tests.makers.dying import Died, dying
from tests.makers.extra import CASH, LATE, POINTS, entries, fills, open_giving, points, told
from tests.makers.purchases import PAID_AT, queued
from tests.makers.rewarding import (
    ADA,
    COFFEE,
    DAY,
    bring_back,
    buy,
    card,
    holder,
    member,
    money,
    settle,
    settle_again,
)
from tests.makers.scheme_budgets import has

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
BACK_AT = PAID_AT + DAY
STAMPS = {"unit": "stamps", "card": {"places": 15, "reward": CASH["reward"]}, "catalogue": []}


def bring_back_late(coffees: int = 1) -> None:
    """A coffee of the first purchase comes back when everything is active."""
    bring_back("t-1", coffees, reference="B-1", at=LATE)
    settle(now=LATE)


def leave(scheme_id: str = POINTS) -> None:
    scheme = schemes.get_valid(scheme_id, at=PAID_AT, now=PAID_AT)
    taker = taker_of(member(), scheme, now=PAID_AT)
    memberships.leave(holder(scheme_id), scheme, taker, now=PAID_AT)


@pytest.mark.requirement("LOY-16")
def test_a_full_card_gives_its_units_once_however_often_it_is_settled() -> None:
    open_giving()
    payment = buy("t-1", 11)

    messages = settle()
    settle_again(messages)
    settle_again(messages, now=LATE)

    first, second = fills()
    assert [entry.payment_id for entry in entries()] == [
        f"{payment}~coffee~{fill.name}" for fill in (first, second)
    ]
    assert points(now=PAID_AT + 3 * DAY) == (40, 0, 0)  # As long as the stamps are pending.
    assert points() == (0, 40, 0)
    assert told() == 3 * [
        ("points_earned", "points", 20, ""),
        ("points_earned", "points", 20, ""),
        ("stamp_earned", "coffee", 11, ""),
        ("card_complete", "coffee", 0, ""),
        ("card_complete", "coffee", 0, ""),
    ]


@pytest.mark.requirement("RCP-09")
def test_a_stamp_that_comes_back_takes_back_the_units_of_its_card_from_their_own_lot() -> None:
    open_giving()
    buy("t-1", 5)
    buy("t-2", 5, at=PAID_AT + timedelta(hours=2))
    settle()
    told()

    bring_back("t-1", 1, reference="B-1", at=BACK_AT)
    messages = settle(now=BACK_AT)
    settle_again(messages, now=BACK_AT)

    assert [bool(fill.undone_by) for fill in fills()] == [True, False]
    assert [(one.lot.units, one.version) for one in entries()] == [(0, 2), (20, 1)]
    assert points() == (0, 20, 0)
    said = told()
    assert said[: len(said) // 2] == [
        ("points_earned", "points", 20, ""),
        ("adjusted", "points", -20, "returned"),
        ("stamp_earned", "coffee", 5, ""),
        ("adjusted", "coffee", -1, "returned"),
        ("card_complete", "coffee", 0, ""),
        ("adjusted", "coffee", 0, "returned"),
    ]


def test_nothing_is_taken_back_where_a_loose_stamp_takes_the_place() -> None:
    open_giving()
    buy("t-1", 6)
    settle()

    bring_back("t-1", 1, reference="B-1", at=BACK_AT)
    settle(now=BACK_AT)

    assert [(fill.number, fill.undone_by) for fill in fills()] == [(1, "")]
    assert points() == (0, 20, 0)


@pytest.mark.parametrize(
    ("policy", "left"), [("negative", (0, -15, 15)), ("within_balance", (0, 0, 0))]
)
def test_what_was_spent_of_them_is_owed_or_kept_as_their_own_scheme_says(
    policy: str, left: tuple[int, int, int]
) -> None:
    open_giving(other={"refunds": policy})
    buy("t-1", 5)
    settle()
    scheme = schemes.get_valid(POINTS, at=LATE, now=LATE)
    claims.reserve(holder(POINTS), scheme, name="c-1", reward_id="cash", now=LATE)

    bring_back_late()

    assert points() == left
    with pytest.raises(InsufficientPoints):
        claims.reserve(holder(POINTS), scheme, name="c-2", reward_id="mug", now=LATE)
    assert money(now=LATE) == (Balances("GBP", available=150),)


@pytest.mark.requirement("LOY-06")
def test_who_left_the_other_scheme_gets_nothing_and_is_told_why() -> None:
    open_giving()
    leave()
    buy("t-1", 5)
    messages = settle()
    joining = schemes.get_valid(POINTS, at=LATE, now=LATE)
    memberships.join(holder(POINTS), joining, taker_of(member(), joining, now=LATE), now=LATE)
    settle_again(messages, now=LATE)

    assert [(one.held, one.lot.units) for one in entries()] == [("left_scheme", 0)]
    assert points() == (0, 0, 0)
    assert told() == 2 * [
        ("stamp_earned", "coffee", 5, ""),
        ("card_complete", "coffee", 0, "left_scheme"),
    ]


@pytest.mark.requirement("LOY-07")
def test_who_never_chose_the_other_scheme_takes_part_from_then_on() -> None:
    open_giving(other={"membership": "choice"})
    buy("t-1", 5)

    settle()

    found = card(POINTS)
    assert found is not None
    assert (found.membership.basis, found.membership.is_on) == (Basis.ACTIVATION, True)
    assert points() == (0, 20, 0)


@pytest.mark.requirement("LOY-02")
def test_units_that_fill_a_card_in_their_turn_pay_what_it_is_worth_and_take_it_back() -> None:
    open_giving(other=STAMPS)
    buy("t-1", 10)
    settle()
    paid, held = money(now=LATE), points()

    bring_back("t-1", 6, reference="B-1", at=BACK_AT)
    settle(now=BACK_AT)

    assert (paid, held) == ((Balances("GBP", pending=300),), (0, 10, 0))
    assert (money(now=LATE), points()) == ((), (0, 0, 0))


def test_neither_caps_nor_tiers_nor_limits_of_the_other_scheme_count_them() -> None:
    base = {"id": "base", "name": "Base", "threshold": 0}
    top = {"id": "top", "name": "Top", "threshold": 10, "multiplier": "2"}
    tiers = {"steps": [base, top]}
    of_both = {"rules": [COFFEE], "caps": [{"units": 35, "per": "ever"}], "tiers": tiers}
    open_giving(other=of_both)
    for number in range(6):
        buy(f"t-{number}", 5, at=PAID_AT + number * timedelta(hours=13))
        settle(now=PAID_AT + number * timedelta(hours=13, minutes=5))

    own = [one for one in entries() if "~" not in one.payment_id]
    assert [one.lot.units for one in own] == [5, 5, 10, 10, 5, 0][: len(own)]
    assert sum(one.lot.units for one in own) == 35
    assert {one.held for one in entries()} == {""}
    assert points() == (0, 35 + 6 * 20, 0)


def test_they_are_found_in_the_history_when_their_card_is_emptied() -> None:
    open_giving(other={"rules": [COFFEE]})
    for number in range(20):
        buy(f"t-{number}", at=PAID_AT + number * DAY)
        settle(now=PAID_AT + number * DAY)
    found = card(POINTS, now=LATE)
    assert found is not None
    assert found.archived > 0
    before = points()

    bring_back("t-0", 1, reference="B-1", at=LATE)
    messages = settle(now=LATE)
    settle_again(messages, now=LATE + DAY)

    assert (before, points()) == ((0, 20 + 4 * 20, 0), (0, 19 + 3 * 20, 0))


@pytest.mark.parametrize("is_heard", [False, True])
def test_whenever_a_run_dies_the_next_one_gives_what_is_missing_and_no_more(
    is_heard: bool,
) -> None:
    open_giving(other=STAMPS)
    died = 0
    for call in range(1, 8):
        at = PAID_AT + call * timedelta(days=1)
        buy(f"t-{call}", 5, at=at)
        messages = queued(queues.REWARDS)
        try:
            with dying(call, is_heard=is_heard):
                settle_again(messages, now=at)
        except Died:
            died += 1
        settle_again(messages, now=at)

        full = 20 * call // 15
        assert sum(one.lot.units for one in entries()) == 20 * call
        assert points() == (0, 20 * call - 15 * full, 0)
        assert has(ADA, now=LATE) == 150 * full
    assert died >= 4


@pytest.mark.parametrize("seed", range(2))
def test_in_whatever_order_it_is_settled_the_same_is_left_and_nothing_when_all_is_back(
    seed: int,
) -> None:
    open_giving(other=STAMPS)
    random = Random(seed)
    coffees = {f"t-{number}": random.randint(1, 7) for number in range(3)}
    for number, (name, count) in enumerate(coffees.items()):
        buy(name, count, at=PAID_AT + number * timedelta(hours=7))
    some = {name: random.randint(0, count) for name, count in coffees.items()}
    first = queued(queues.REWARDS)
    random.shuffle(first)
    settle_again(first, now=BACK_AT + DAY)
    for back in (some, {name: count - some[name] for name, count in coffees.items()}):
        for name, count in back.items():
            if count:
                bring_back(name, count, reference=f"B-{name}-{back is some}", at=BACK_AT + DAY)
        told_again = [*queued(queues.REWARDS), *first]
        random.shuffle(told_again)
        settle_again(told_again, now=BACK_AT + 2 * DAY)

        kept = sum(coffees.values()) - sum(some.values()) if back is some else 0
        stamps = 20 * (kept // 5)
        assert points() == (0, stamps % 15, 0)
        assert has(ADA, now=LATE) == 150 * (stamps // 15)
