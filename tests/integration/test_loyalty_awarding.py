"""Cards follow purchases: each stamp once, each return exact, each full card paid once."""

from datetime import datetime, timedelta
from random import Random

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.members import service as members
from chalicelib.members.messages import NoticeMessage
from chalicelib.network import service as network
from chalicelib.network.programmes import Service
from chalicelib.notices.messages import decode_notices
from chalicelib.purchases.messages import decode_reward
from chalicelib.rewards import service
from chalicelib.runtime import queues
from tests.makers.members import user
from tests.makers.purchases import BANK, PAID_AT, queued
from tests.makers.rewarding import (
    DAY,
    SETTLED_AT,
    bring_back,
    buy,
    card,
    money,
    open_bakery,
    settle,
    settle_again,
    write_scheme,
)

pytestmark = pytest.mark.stores
LATER = PAID_AT + 3 * DAY
DUE = PAID_AT + 40 * DAY
HOUR = timedelta(hours=1)


def stamps(*, at: object = SETTLED_AT) -> tuple[int, int]:
    """How many of Ada's stamps are pending and active."""
    found = card()
    assert found is not None
    balance = balance_at(found, at)  # type: ignore[arg-type]
    return balance.pending, balance.active


def full() -> list[int]:
    found = card()
    return [one.number for one in found.fills if not one.undone_by] if found else []


def told() -> list[tuple[str, int, int, str]]:
    """What was announced: kind, units, money, reason."""
    notices = [decode_notices(body) for body in queued(queues.NOTICES)]
    return [
        (one.kind, one.units, one.minor, one.reason)
        for one in notices
        if isinstance(one, NoticeMessage)
    ]


@pytest.mark.requirement("LOY-01")
def test_a_matched_purchase_brings_its_stamps_with_no_action_by_anybody(
    embedded_aws: None,
) -> None:
    open_bakery()
    payment_id = buy("t-1", 3)

    settle()

    found = card()
    assert found is not None
    (entry,) = found.entries
    assert (entry.payment_id, entry.scheme, entry.lot.units) == (payment_id, 1, 3)
    assert stamps() == (3, 0)
    assert stamps(at=DUE) == (0, 3)
    assert told() == [("stamp_earned", 3, 0, "")]
    assert money() == ()


def test_the_same_message_months_later_changes_nothing(embedded_aws: None) -> None:
    open_bakery()
    messages = []
    for day in range(30):
        buy(f"t-{day}", at=PAID_AT + day * DAY)
        messages += settle(now=PAID_AT + day * DAY + timedelta(minutes=5))
    before, paid = card(), money()

    settle_again(messages, now=PAID_AT + 200 * DAY)

    assert before is not None
    assert (before.archived, len(before.entries)) == (3, 3)
    assert card() == before
    assert money() == paid
    assert before.fills_made == 6


@pytest.mark.requirement("LOY-02")
def test_a_full_card_is_paid_once_when_its_youngest_stamp_is_past_its_return_period(
    embedded_aws: None,
) -> None:
    open_bakery()
    buy("t-1", 3)
    first = settle()
    buy("t-2", 3, at=LATER)

    second = settle(now=LATER)
    settle_again(first + second, now=LATER)

    assert full() == [1]
    assert money(now=LATER) == (Balances("GBP", pending=300),)
    found = card()
    assert found is not None
    assert found.fills[0].due_at.date() == (LATER + 31 * DAY).date()
    assert ("card_complete", 0, 300, "") in told()


@pytest.mark.requirement("RCP-09")
def test_a_returned_line_takes_back_its_stamp_and_the_reward_that_it_filled(
    embedded_aws: None,
) -> None:
    open_bakery()
    buy("t-1", 5)
    settle()
    told()

    bring_back("t-1", 1, reference="B-1", at=LATER)
    settle(now=LATER)

    assert full() == []
    assert stamps() == (4, 0)
    assert money(now=LATER) == ()
    assert told() == [
        ("stamp_earned", 5, 0, ""),  # Again, should the run that gave them have died before.
        ("adjusted", -1, 0, "returned"),
        ("card_complete", 0, 300, ""),
        ("adjusted", 0, -300, "returned"),
    ]


def test_returns_part_by_part_take_back_all_and_never_more(embedded_aws: None) -> None:
    open_bakery()
    buy("t-1", 4)
    settle()

    bring_back("t-1", 1, reference="B-1", at=LATER)
    bring_back("t-1", 3, reference="B-2", at=LATER)
    bring_back("t-1", 1, reference="B-3", at=LATER)
    messages = settle(now=LATER)
    Random(4).shuffle(messages)
    settle_again(messages, now=LATER)

    assert stamps(at=DUE) == (0, 0)
    found = card()
    assert found is not None
    assert [(one.units, one.back) for one in found.entries[0].given] == [(4, 4)]


def test_a_card_filled_anew_is_paid_anew_and_in_all_once(embedded_aws: None) -> None:
    open_bakery()
    buy("t-1", 5)
    settle()
    bring_back("t-1", 1, reference="B-1", at=LATER)
    settle(now=LATER)

    buy("t-2", 1, at=LATER + DAY)
    settle(now=LATER + DAY)

    assert full() == [2]
    assert money(now=LATER + DAY) == (Balances("GBP", pending=300),)


def test_a_purchase_is_decided_by_the_version_of_its_day(embedded_aws: None) -> None:
    open_bakery()
    buy("t-1", 2)
    places = {"places": 2, "reward": {"kind": "fixed_cashback", "amount_minor": 100}}
    write_scheme(card=places, now=PAID_AT + DAY)
    settle(now=LATER)

    assert full() == []
    buy("t-2", 1, at=LATER)
    settle(now=LATER)

    found = card()
    assert found is not None
    assert [entry.scheme for entry in found.entries] == [1, 2]
    assert [(one.number, one.minor) for one in found.fills] == [(1, 100)]


def test_no_stamps_while_the_service_is_off(embedded_aws: None) -> None:
    open_bakery()
    connection = network.get_connection(BANK, now=PAID_AT)
    members.change_services(user("ada"), {Service.STAMPS: False}, connection, now=PAID_AT)
    buy("t-1", 3)

    settle()

    assert card() is None
    assert told() == []


def switch_stamps(*, is_on: bool, at: datetime) -> None:
    connection = network.get_connection(BANK, now=at)
    members.change_services(user("ada"), {Service.STAMPS: is_on}, connection, now=at)


def test_what_was_bought_while_stamps_were_off_earns_nothing_once_they_are_on(
    embedded_aws: None,
) -> None:
    open_bakery()
    buy("t-0", 1)
    switch_stamps(is_on=False, at=PAID_AT + HOUR)
    buy("t-1", 2, at=PAID_AT + 2 * HOUR)
    missed = settle(now=PAID_AT + 3 * HOUR)
    switch_stamps(is_on=True, at=PAID_AT + 4 * HOUR)

    settle_again(missed, now=PAID_AT + 5 * HOUR)
    bring_back("t-1", 1, reference="B-1", at=PAID_AT + 6 * HOUR)
    settle(now=PAID_AT + 7 * HOUR)

    found = card()
    assert found is not None
    assert [(one.sold_at, one.lot.units) for one in found.entries] == [(PAID_AT, 1)]


def test_a_version_that_is_not_there_yet_is_waited_for(embedded_aws: None) -> None:
    open_bakery()
    buy("t-1", 1)
    (body,) = queued(queues.REWARDS)
    early = decode_reward(body)

    with pytest.raises(TryAgain):
        service.settle(
            type(early)(early.payment_id, early.member_id, early.anchored_at, 9), now=LATER
        )

    assert card() is None
