"""The reward of a card that stays full goes down with what is kept, and up again: exactly."""

from contextlib import suppress
from dataclasses import replace

import pytest

from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.model import Balances
from chalicelib.loyalty.expiring import tell_of_expiring
from chalicelib.members.messages import NoticeMessage
from chalicelib.notices.messages import decode_notices
from chalicelib.runtime import queues
from infra.operating.verifying import verify_one
from tests.makers.dying import Died, dying
from tests.makers.nights import begin, close_until
from tests.makers.purchases import PAID_AT, SHOP, queued, receive
from tests.makers.rewarding import (
    ADA,
    DAY,
    bring_back,
    buy,
    card,
    gives_back,
    money,
    open_bakery,
    settle,
    settle_again,
    write_scheme,
)
from tests.makers.scheme_budgets import LATER, has, spent

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
TENTH = {"kind": "percent_cashback", "percent": "10", "max_minor": 55}
CARD = {"places": 1, "reward": TENTH}
VISIT = {"kind": "visit", "id": "visit"}


def open_tenth(**more: object) -> None:
    """A tenth of the purchase back, for every visit."""
    open_bakery(rules=[VISIT], card=CARD, **more)


def corrected(coffees: int, *, version: int) -> None:
    """The till says again how many coffees of `t-1` came back."""
    again = replace(
        gives_back("t-1", coffees, reference="B-1", at=LATER), version=version, issued_at=LATER
    )
    receive(again, place=SHOP, now=LATER)


def told() -> list[tuple[str, int, str]]:
    notices = [decode_notices(body) for body in queued(queues.NOTICES)]
    return [
        (one.kind, one.minor, one.reason)
        for one in notices
        if isinstance(one, NoticeMessage) and one.units == 0
    ]


def holds(minor: int) -> None:
    """Card, journal and budget say the same."""
    found = card(now=LATER)
    assert found is not None
    worth = [fill.worth_minor for fill in found.fills if not fill.undone_by and not fill.waits]
    assert (sum(worth), spent(), has(ADA)) == (minor, minor, minor)
    assert list(verify_one(member_owner(ADA), now=LATER)) == []


def test_a_full_card_is_worth_a_tenth_of_what_is_kept_and_its_member_is_told() -> None:
    open_tenth(budget_minor=1_000)
    buy("t-1", 5)
    settle()
    holds(50)
    told()
    bring_back("t-1", 4, reference="B-1", at=LATER)
    messages = settle(now=LATER)
    said = told()
    settle_again(messages, now=LATER + DAY)

    holds(10)
    assert said == [("card_complete", 50, ""), ("adjusted", -40, "returned")]
    assert told() == said


@pytest.mark.parametrize("is_heard", [False, True])
@pytest.mark.parametrize("nth", range(1, 8))
def test_wherever_a_run_dies_it_goes_down_and_up_once(nth: int, is_heard: bool) -> None:
    open_tenth(budget_minor=1_000)
    buy("t-1", 5)
    settle()
    for coffees, version, minor in ((4, 1, 10), (1, 2, 40), (2, 3, 30)):
        corrected(coffees, version=version)
        messages = queued(queues.REWARDS)
        with suppress(Died), dying(nth, is_heard=is_heard):
            settle_again(messages, now=LATER)
        settle_again(messages, now=LATER)
        holds(minor)


def test_what_did_not_come_back_waits_for_a_budget_that_is_used_up_by_now() -> None:
    open_tenth(budget_minor=55)
    buy("t-1", 5)
    settle()
    corrected(4, version=1)
    settle(now=LATER)
    buy("t-2", 4)
    settle(now=LATER)
    holds(50)
    corrected(3, version=2)
    settle(now=LATER)

    found = card(now=LATER)
    assert found is not None
    standing = [(one.number, one.minor, one.undone_by != "", one.waits) for one in found.fills]
    assert standing == [(1, 50, True, False), (2, 40, False, False), (3, 20, False, True)]
    assert spent() == has(ADA) == 40
    write_scheme(rules=[VISIT], card=CARD, budget_minor=100, now=LATER)
    tell_of_expiring(now=LATER + DAY, has_time=lambda: True)
    assert (spent(), has(ADA, now=LATER + DAY)) == (60, 60)


@pytest.mark.parametrize("day", [0, 40])
def test_what_is_payable_goes_down_and_up_as_well(day: int) -> None:
    """Where the reward is payable already, what it is given anew is payable at once."""
    open_tenth(budget_minor=1_000)
    begin(PAID_AT.date())
    buy("t-1", 5)
    settle()
    now = close_until((PAID_AT + day * DAY).date()) if day else LATER
    corrected(4, version=1)
    settle(now=now)
    less = money(now=now)
    corrected(1, version=2)
    settle(now=now)

    wanted = [{"available" if day else "pending": minor} for minor in (10, 40)]
    assert [less, money(now=now)] == [(Balances("GBP", **one),) for one in wanted]
