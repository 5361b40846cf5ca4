"""A scheme's budget holds: rewards in money are paid from it, wait for it, and give back to it."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from chalicelib.budgets import service as budgets
from chalicelib.budgets import store as leases
from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.paying import Payer
from chalicelib.loyalty.cards.store import Holder, find_card
from chalicelib.loyalty.claims import service as claims
from chalicelib.loyalty.claims.claiming import BudgetUsedUp
from chalicelib.loyalty.expiring import tell_of_expiring
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.schemes.problems import SchemeRefused
from chalicelib.members.messages import NoticeMessage
from chalicelib.notices.messages import decode_notices
from chalicelib.runtime import queues
from tests.makers.dying import Died, dying
from tests.makers.network import BAKERY
from tests.makers.purchases import queued
from tests.makers.rewarding import (
    ADA,
    DAY,
    SCHEME,
    SETTLED_AT,
    bring_back,
    buy,
    card,
    holder,
    money,
    open_bakery,
    settle,
    settle_again,
    write_scheme,
)
from tests.makers.scheme_budgets import LATER, has, rich, spent

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
POINTS = f"{BAKERY}.points"
CASH = {
    "id": "cash",
    "title": "£1.50 back",
    "cost": 4,
    "reward": {"kind": "fixed_cashback", "amount_minor": 150},
}
THREADS = 16 if os.environ.get("COUNTERFOIL_REAL_DYNAMODB") else 4


def waiting() -> list[int]:
    found = card(now=LATER)
    return [one.number for one in found.fills if one.waits] if found else []


def told() -> list[tuple[str, int, str]]:
    notices = [decode_notices(body) for body in queued(queues.NOTICES)]
    return [
        (one.kind, one.minor, one.reason)
        for one in notices
        if isinstance(one, NoticeMessage) and one.kind == "card_complete"
    ]


def look(at: datetime) -> int:
    return tell_of_expiring(now=at, has_time=lambda: True)


def points(budget_minor: int) -> Scheme:
    open_bakery()
    of_points = {"unit": "points", "card": None, "catalogue": [CASH], "pending_days": 0}
    write_scheme("points", budget_minor=budget_minor, **of_points)
    return schemes.get_valid(POINTS, at=LATER, now=LATER)


def claim(holder: Holder, scheme: Scheme, name: str = "c-1") -> claims.Claimed:
    return claims.reserve(holder, scheme, name=name, reward_id="cash", now=LATER)


def test_a_full_card_is_paid_from_the_budget_and_gives_back_what_returns_take() -> None:
    open_bakery(budget_minor=1_000)
    buy("t-1", 5)
    settle()
    before = spent()

    bring_back("t-1", 1, reference="B-1", at=LATER)
    messages = settle(now=LATER)
    settle_again(messages, now=LATER)

    assert (before, spent(), has(ADA)) == (300, 0, 0)


def test_a_full_card_waits_for_a_budget_that_is_used_up_and_its_member_is_told() -> None:
    open_bakery(budget_minor=300)
    buy("t-1", 5)
    buy("t-2", 5)
    messages = settle()
    settle_again(messages)

    found = card()
    assert found is not None
    assert (found.fills_made, waiting()) == (2, [2])
    assert (spent(), money()) == (300, (Balances("GBP", pending=300),))
    assert set(told()) == {("card_complete", 300, ""), ("card_complete", 0, "no_budget")}


def test_what_waited_is_paid_once_within_a_day_of_the_budgets_being_raised() -> None:
    open_bakery(budget_minor=300)
    buy("t-1", 5)
    buy("t-2", 5)
    settle()
    told()
    in_vain = look(SETTLED_AT + DAY)
    write_scheme(
        card={"places": 5, "reward": {"kind": "fixed_cashback", "amount_minor": 300}},
        budget_minor=650,
        now=SETTLED_AT + DAY,
    )

    looked = [look(SETTLED_AT + 2 * DAY + timedelta(hours=n)) for n in range(3)]

    assert (in_vain, looked) == (1, [1, 0, 0])
    assert (waiting(), spent(), has(ADA)) == ([], 600, 600)
    assert told()[-2:] == [("card_complete", 0, "no_budget"), ("card_complete", 300, "")]


def test_what_waits_is_not_given_by_a_later_purchase_but_by_whoever_looks() -> None:
    """Else it would name a lease that nobody spends of, and nobody would look any more."""
    open_bakery(budget_minor=300)
    buy("t-1", 5)
    buy("t-2", 5)
    settle()
    reward = {"kind": "fixed_cashback", "amount_minor": 300}
    write_scheme(card={"places": 5, "reward": reward}, budget_minor=650, now=SETTLED_AT)
    buy("t-3", 1)

    settle(now=SETTLED_AT)

    assert (waiting(), spent(), has(ADA)) == ([2], 300, 300)
    look(SETTLED_AT + 2 * DAY)
    assert (waiting(), spent(), has(ADA)) == ([], 600, 600)


def test_a_slower_run_pays_from_the_lease_that_a_faster_one_has_named() -> None:
    open_bakery(budget_minor=9_600)
    buy("t-1", 5)
    messages = queued(queues.REWARDS)
    with pytest.raises(Died), dying(3, is_heard=True):  # The budget, its lease, the card.
        settle_again(messages)
    slower = card()
    close_lease(1)
    settle_again(messages, now=LATER)
    close_lease(2)
    scheme = schemes.get_valid(SCHEME, at=LATER, now=LATER)
    assert slower is not None

    paid = Payer(holder(), scheme, "returned", LATER).pay(slower.fills[0])

    assert (slower.fills[0].lease, paid.lease) == (1, 2)
    assert (spent(), has(ADA)) == (300, 300)


def close_lease(number: int) -> None:
    """Somebody else closes it, and this process forgets that it was open."""
    leases.close_lease(SCHEME, number, now=LATER)
    budgets.forget()


def test_a_card_that_waits_is_emptied_by_a_return_and_never_paid() -> None:
    open_bakery(budget_minor=300)
    buy("t-1", 5)
    settle()
    buy("t-2", 5)
    settle()

    bring_back("t-2", 5, reference="B-1", at=LATER)
    settle(now=LATER)
    look(LATER + DAY)

    assert (waiting(), spent(), has(ADA)) == ([], 300, 300)


def test_a_claim_that_the_budget_cannot_pay_draws_nothing() -> None:
    scheme = points(200)
    one, other = rich(1, POINTS, 4), rich(2, POINTS, 4)
    claim(one, scheme)
    before = find_card(other, now=LATER)

    with pytest.raises(BudgetUsedUp) as refused:
        claim(other, scheme)

    assert refused.value.code == "reward_budget_used_up"
    assert find_card(other, now=LATER) == before
    assert claim(one, scheme).claim.lease == 1
    assert (has(one.member_id), has(other.member_id), spent(POINTS)) == (150, 0, 150)


def test_a_lease_that_closes_under_a_claim_is_replaced_or_the_points_are_back() -> None:
    scheme = points(9_600)
    one = rich(1, POINTS, 8)
    with pytest.raises(Died), dying(3, is_heard=True):  # The due row, the lease, the card.
        claim(one, scheme)
    purse = claims.cash.funding.purse_of(POINTS)
    leases.close_lease(POINTS, 1, now=LATER)

    again = claim(one, scheme)
    budgets.close_budget(purse, now=LATER)
    with pytest.raises(BudgetUsedUp):
        claim(one, scheme, "c-2")

    assert (has(one.member_id), again.claim.lease) == (150, 2)
    found = find_card(one, now=LATER)
    assert found is not None
    assert balance_at(found, LATER).active == 4


@pytest.mark.parametrize("is_heard", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("nth", range(1, 7))
def test_whoever_dies_at_a_write_of_a_reward_leaves_nothing_half_applied(
    nth: int, is_heard: bool
) -> None:
    """The message comes again, as after any death."""
    open_bakery(budget_minor=350)
    buy("t-1", 5)
    messages = queued(queues.REWARDS)
    with suppress(Died), dying(nth, is_heard=is_heard):
        settle_again(messages)
    budgets.forget()

    settle_again(messages, now=LATER)

    assert (spent(), has(ADA), waiting()) == (300, 300, [])


@pytest.mark.parametrize("is_heard", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("nth", range(1, 7))
def test_a_claim_whose_run_died_is_given_in_full_or_not_at_all(nth: int, is_heard: bool) -> None:
    """Nobody asks for it again: whoever looks a day later makes it good."""
    scheme = points(9_600)
    buy("t-1", 4)
    settle()
    with suppress(Died), dying(nth, is_heard=is_heard):
        claim(holder(POINTS), scheme)
    budgets.forget()

    look(LATER + DAY)
    look(LATER + 2 * DAY)

    found = card(POINTS, now=LATER)
    assert found is not None
    given = 150 * len(found.claims)
    assert (has(ADA), spent(POINTS)) == (given, given)
    assert balance_at(found, LATER).active == 4 - 4 * len(found.claims)


def test_a_budget_cannot_fall_below_what_is_spent_of_it() -> None:
    open_bakery(budget_minor=1_000)
    buy("t-1", 10)
    settle()

    with pytest.raises(SchemeRefused) as refused:
        write_scheme(budget_minor=400, now=LATER)

    (problem,) = refused.value.problems
    assert (problem.code, problem.field) == ("budget_cap_too_low", "budget_minor")
    assert schemes.list_versions(SCHEME, now=LATER)[-1].version == 1


@pytest.mark.requirement("LOY-02")
def test_at_once_members_get_what_the_budget_has_and_the_others_keep_their_points() -> None:
    budget_minor = 150 * THREADS + 149
    scheme = points(budget_minor)
    holders = [rich(number + 1, POINTS, 8) for number in range(THREADS)]
    together = Barrier(THREADS)

    def work(number: int) -> int:
        together.wait()
        given = 0
        for name in ("c-1", "c-2", "c-1"):
            for _ in range(100):
                try:
                    claim(holders[number], scheme, name)
                except TryAgain:
                    continue
                except BudgetUsedUp:
                    break
                given += name != "c-1" or not given
                break
        return given

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))

    given = [has(one.member_id) for one in holders]
    left = [find_card(one, now=LATER) for one in holders]
    kept = [balance_at(one, LATER).active for one in left if one is not None]
    assert (sum(given), spent(POINTS)) == (150 * THREADS, 150 * THREADS)
    assert [8 - minor // 150 * 4 for minor in given] == kept
