"""Goods that come back late take back what they earned, wherever that has moved by then."""

from collections import Counter
from contextlib import suppress

import msgspec
import pytest

from chalicelib.ledger import service as ledger
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.lots import balance_at, owed
from chalicelib.members.messages import NoticeMessage
from chalicelib.notices.messages import decode_notices
from chalicelib.purchases.correcting.service import say_not_mine
from chalicelib.runtime import queues
from tests.makers.dying import Died, dying
from tests.makers.inquiries import own
from tests.makers.nights import begin, close_until
from tests.makers.purchases import PAID_AT, queued
from tests.makers.rewarding import (
    ADA,
    DAY,
    SCHEME,
    bring_back,
    buy,
    card,
    money,
    open_bakery,
    settle,
    settle_again,
)
from tests.makers.scheme_budgets import has, spent

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
LATE = PAID_AT + 25 * DAY


def told() -> list[tuple[str, int, int, str]]:
    notices = [decode_notices(body) for body in queued(queues.NOTICES)]
    return [
        (one.kind, one.units, one.minor, one.reason)
        for one in notices
        if isinstance(one, NoticeMessage)
    ]


@pytest.mark.requirement("RCP-09")
def test_a_late_return_empties_a_full_card_of_the_history_once_and_says_so() -> None:
    open_bakery()
    for number in range(20):
        buy(f"t-{number}", at=PAID_AT + number * DAY)
        settle(now=PAID_AT + number * DAY)
    before = card(now=LATE)
    assert before is not None
    assert {fill.number for fill in before.fills} == {2, 3, 4}
    assert (spent(now=LATE), money(now=LATE)) == (1_200, (Balances("GBP", pending=1_200),))
    told()

    bring_back("t-0", 1, reference="B-1", at=LATE)
    messages = settle(now=LATE)
    said = told()
    settle_again(messages, now=LATE + DAY)

    found = card(now=LATE)
    assert found is not None
    assert (spent(now=LATE), has(ADA, now=LATE)) == (900, 900)
    assert (balance_at(found, LATE).pending, owed(found)) == (4, 0)
    assert ("adjusted", -1, 0, "returned") in said
    assert ("adjusted", 0, -300, "returned") in said


def exchange() -> list[str]:
    """On the last day but one of its return period a full card's coffees but one come back, after
    as many others were bought; returns what tells of the return, which is not settled.
    """
    buy("t-1", 5)
    settle()
    buy("t-2", 4, at=LATE)
    settle(now=LATE)
    bring_back("t-1", 4, reference="B-1", at=LATE)
    return queued(queues.REWARDS)


@pytest.mark.requirement("LOY-14")
def test_a_reward_is_payable_when_the_youngest_stamp_that_took_a_place_is_active() -> None:
    open_bakery()
    begin(LATE.date())
    messages = exchange()
    settle_again(messages, now=LATE)
    settle_again(messages, now=LATE + DAY)
    first_due = close_until((PAID_AT + 31 * DAY).date())
    before = money(now=first_due)
    last_due = close_until((LATE + 31 * DAY).date())

    assert before == (Balances("GBP", pending=300),)
    assert money(now=last_due) == (Balances("GBP", available=300),)
    assert (spent(now=LATE), has(ADA, now=last_due)) == (300, 300)


@pytest.mark.parametrize("is_heard", [False, True])
@pytest.mark.parametrize("nth", range(1, 6))
def test_wherever_a_run_dies_a_deferred_reward_is_given_once(nth: int, is_heard: bool) -> None:
    open_bakery()
    messages = exchange()
    with pytest.raises(Died), dying(nth, is_heard=is_heard):
        settle_again(messages, now=LATE)
    settle_again(messages, now=LATE)

    assert_given_anew()


def test_a_return_that_puts_off_the_reward_of_another_purchase_gives_it_anew() -> None:
    open_bakery()
    buy("t-1", 3)
    settle()
    buy("t-2", 2)
    settle()
    buy("t-3", 3, at=LATE)
    settle(now=LATE)
    bring_back("t-1", 3, reference="B-1", at=LATE)

    settle(now=LATE)

    assert_given_anew()


def assert_given_anew() -> None:
    """The reward was taken back and is due with the goods bought last; nothing else was entered."""
    entries = ledger.list_postings(member_owner(ADA), since=PAID_AT, now=LATE)
    given = [(one.entry.key, one.entry.due_at) for one in entries if one.entry.due_at]
    gift = f"card:{SCHEME}:1"
    assert [key for key, _ in given] == [gift, f"{gift}:1"]
    assert [at.date() for _, at in given if at] == [
        (PAID_AT + 31 * DAY).date(),
        (LATE + 31 * DAY).date(),
    ]
    assert [one.entry.key for one in entries if not one.entry.due_at] == [f"{gift} back to:300"]
    assert (spent(now=LATE), money(now=LATE)) == (300, (Balances("GBP", pending=300),))


def announced() -> dict[str, set[NoticeMessage]]:
    """What was announced under each id, but for when."""
    by_id: dict[str, set[NoticeMessage]] = {}
    for body in queued(queues.NOTICES):
        said = decode_notices(body)
        assert isinstance(said, NoticeMessage)
        by_id.setdefault(said.notice_id, set()).add(msgspec.structs.replace(said, at=PAID_AT))
    return by_id


def test_however_often_a_purchase_changes_each_change_is_announced_as_it_was_the_first_time() -> (
    None
):
    open_bakery()
    buy("t-1", 7)
    messages = settle()
    for number in range(4):
        at = PAID_AT + (number + 1) * DAY
        bring_back("t-1", 1, reference=f"B-{number}", at=at)
        messages = settle(now=at)
        settle_again(messages, now=at)

    said = announced()

    assert {len(contents) for contents in said.values()} == {1}
    (told,) = zip(*said.values(), strict=True)
    units = Counter((one.kind, one.units) for one in told if one.units)
    assert units == {("stamp_earned", 7): 1, ("adjusted", -1): 4}


def test_what_a_return_took_back_stays_a_return_when_the_receipt_is_disowned() -> None:
    open_bakery()
    buy("t-1", 5)
    settle()
    bring_back("t-1", 1, reference="B-1", at=LATE)
    settle(now=LATE)
    before = announced()

    say_not_mine(own("t-1", now=LATE), version=2, now=LATE)
    settle(now=LATE)
    after = announced()

    assert {name: after[name] for name in before} == before
    reasons = Counter(one.reason for (one,) in after.values())
    assert reasons == {"": 2, "returned": 2, "withdrawn": 1}


def test_what_was_not_announced_is_announced_by_whoever_settles_a_later_version() -> None:
    """The run of the first version died after it wrote the card; a return is settled before its
    message comes again.
    """
    open_bakery()
    buy("t-1", 3)
    with suppress(Died), dying(1, is_heard=True):
        settle()
    bring_back("t-1", 1, reference="B-1", at=LATE)

    settle(now=LATE)

    assert told() == [("stamp_earned", 3, 0, ""), ("adjusted", -1, 0, "returned")]


def test_a_tier_is_announced_once_in_its_period_whatever_is_settled_again() -> None:
    base = {"id": "base", "name": "Base", "threshold": 0}
    steps = [base, *({"id": f"{n}", "name": f"From {n}", "threshold": n} for n in (3, 6))]
    open_bakery(tiers={"steps": steps})
    for number, coffees in enumerate((1, 3, 4)):
        buy(f"t-{number}", coffees, at=PAID_AT + number * DAY)
        settle(now=PAID_AT + number * DAY)
    bring_back("t-1", 1, reference="B-1", at=LATE)
    settle(now=LATE)

    said = announced()

    assert {len(contents) for contents in said.values()} == {1}
    told = [one.reason for (one,) in said.values() if one.kind == "tier_changed"]
    assert told == ["3", "6"]
