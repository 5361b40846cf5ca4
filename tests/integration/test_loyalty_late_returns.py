"""Goods that come back late take back what they earned, wherever that has moved by then."""

from contextlib import suppress

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.lots import balance_at, owed
from chalicelib.members.messages import NoticeMessage
from chalicelib.notices.messages import decode_notices
from chalicelib.runtime import queues
from tests.makers.dying import Died, dying
from tests.makers.purchases import PAID_AT, queued
from tests.makers.rewarding import (
    ADA,
    DAY,
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


def known() -> list[tuple[str, int, bool]]:
    """What was announced: kind, units, and whether it may be known."""
    notices = [decode_notices(body) for body in queued(queues.NOTICES)]
    said = [one for one in notices if isinstance(one, NoticeMessage)]
    return [(one.kind, one.units, one.may_be_known) for one in said]


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


def test_a_repeat_says_that_it_may_be_known_so_that_no_adjustment_is_swallowed() -> None:
    open_bakery()
    buy("t-1", 3)
    messages = settle()
    first = known()
    settle_again(messages)
    again = known()

    bring_back("t-1", 1, reference="B-1", at=LATE)
    settle(now=LATE)

    assert (first, again) == ([("stamp_earned", 3, False)], [("stamp_earned", 3, True)])
    assert known() == [("stamp_earned", 3, True), ("adjusted", -1, False)]


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

    assert known() == [("stamp_earned", 3, True), ("adjusted", -1, False)]
