"""Held awards wait for a person, who decides each once."""

from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.refusals import NotFound
from chalicelib.loyalty.holding import service, store
from chalicelib.loyalty.holding.model import HoldOutcome
from chalicelib.loyalty.holding.service import DecidedOtherwise
from chalicelib.loyalty.watching import PASS, Hold, HoldReason
from chalicelib.members import service as members
from chalicelib.members.activation import GivenCard
from chalicelib.network import service as network
from chalicelib.runtime import queues
from tests.makers.holds import HELD, ensure_queue, make_held, settled
from tests.makers.members import card_token, make_activation, numbered, user
from tests.makers.network import make_connection
from tests.makers.outside import Counted
from tests.makers.purchases import PAID_AT
from tests.makers.rewarding import DAY, buy, open_bakery, settle

pytestmark = pytest.mark.stores
SOON = PAID_AT + timedelta(hours=1)
IN_A_MONTH = PAID_AT + timedelta(days=30)


@pytest.fixture(autouse=True)
def rewards(embedded_aws: None) -> None:
    ensure_queue(queues.REWARDS)


def test_an_award_that_is_held_twice_waits_once_and_since_the_first_time(counted: Counted) -> None:
    assert service.hold(HELD, now=PAID_AT) is None
    assert service.hold(make_held(7), now=SOON) is None
    again = make_held(7, held_at=SOON)

    assert service.hold(again, now=SOON) is None

    assert set(store.list_open(now=SOON)) == {HELD, make_held(7)}
    assert settled() == []


@pytest.mark.parametrize("outcome", HoldOutcome)
def test_a_decision_ends_the_wait_and_settles_the_purchase_anew(
    outcome: HoldOutcome, counted: Counted
) -> None:
    service.hold(HELD, now=PAID_AT)

    assert service.decide_hold(HELD.hold_id, outcome, now=SOON) == HELD.member_id

    decision = service.find_decision(HELD.subject, HELD.purchase_id, now=SOON)
    assert decision is not None
    assert (decision.outcome, decision.decided_at) == (outcome, SOON)
    assert store.list_open(now=SOON) == []
    assert settled() == [(HELD.purchase_id, 1)]
    assert counted[f"holds_decided:{outcome.value}"] == 1


def test_deciding_again_sends_the_same_message_again_and_deciding_otherwise_is_refused(
    counted: Counted,
) -> None:
    service.hold(HELD, now=PAID_AT)
    service.decide_hold(HELD.hold_id, HoldOutcome.REFUSED, now=SOON)

    service.decide_hold(HELD.hold_id, HoldOutcome.REFUSED, now=SOON)
    with pytest.raises(DecidedOtherwise):
        service.decide_hold(HELD.hold_id, HoldOutcome.RELEASED, now=SOON)

    assert settled() == [(HELD.purchase_id, 1)] * 2
    assert counted["holds_decided"] == 1


def test_what_was_decided_is_not_held_again() -> None:
    service.hold(HELD, now=PAID_AT)
    service.decide_hold(HELD.hold_id, HoldOutcome.RELEASED, now=SOON)

    decision = service.hold(HELD, now=SOON)

    assert decision is not None
    assert decision.outcome is HoldOutcome.RELEASED
    assert store.list_open(now=SOON) == []


def test_what_was_never_held_cannot_be_decided() -> None:
    with pytest.raises(NotFound):
        service.decide_hold(HELD.hold_id, HoldOutcome.RELEASED, now=SOON)

    assert service.find_decision(HELD.subject, PaymentId("other"), now=SOON) is None
    assert settled() == []


def test_what_nobody_decides_in_thirty_days_is_released(counted: Counted) -> None:
    service.hold(make_held(1), now=PAID_AT)
    service.hold(make_held(2, held_at=SOON), now=SOON)

    assert service.end_old_holds(now=IN_A_MONTH - timedelta(seconds=1)) == 0
    assert service.end_old_holds(now=IN_A_MONTH) == 1
    assert service.end_old_holds(now=IN_A_MONTH) == 0

    assert [one.purchase_id for one in store.list_open(now=IN_A_MONTH)] == ["payment-2"]
    assert settled() == [("payment-1", 1)]
    assert counted["holds_decided:released"] == 1


def test_one_that_was_held_again_in_the_moment_it_was_decided_leaves_the_list_and_stays_so() -> (
    None
):
    service.hold(HELD, now=PAID_AT)
    service.decide_hold(HELD.hold_id, HoldOutcome.REFUSED, now=SOON)
    store.record_open(HELD)  # By whoever had asked for the decision a moment before.

    service.end_old_holds(now=IN_A_MONTH)

    decision = service.find_decision(HELD.subject, HELD.purchase_id, now=IN_A_MONTH)
    assert decision is not None
    assert decision.outcome is HoldOutcome.REFUSED
    assert store.list_open(now=IN_A_MONTH) == []
    assert settled() == [(HELD.purchase_id, 1)]


def test_what_is_left_of_nothing_leaves_the_list_undecided_whoever_says_so_twice() -> None:
    service.hold(HELD, now=PAID_AT)
    service.hold(make_held(7), now=PAID_AT)

    for _ in range(2):
        service.drop(HELD)

    assert store.list_open(now=SOON) == [make_held(7)]
    assert service.find_decision(HELD.subject, HELD.purchase_id, now=SOON) is None
    assert settled() == []


def test_the_first_who_registered_a_card_earns_and_the_second_is_held() -> None:
    network.record_connection(make_connection(), now=PAID_AT)
    shared = GivenCard(LastFour("4242", LastFourKind.CARD), "visa", card_token("token-1"))
    for number, name in ((1, "ada"), (2, "ben")):
        activation = make_activation(name, accounts=(f"acc-{name}",), cards=(shared,))
        at = PAID_AT + timedelta(minutes=number)
        members.activate(activation, fresh=numbered(number), now=at)
    plain = make_activation("cleo", accounts=("acc-ada",))
    members.activate(plain, fresh=numbered(3), now=SOON)
    ada, ben, cleo = (members.get_member(user(n), now=SOON) for n in ("ada", "ben", "cleo"))

    assert service.judge_new_member(ada, now=SOON) == PASS
    assert service.judge_new_member(ben, now=SOON) == Hold(HoldReason.CARD_OF_ANOTHER_MEMBER)
    assert service.judge_new_member(cleo, now=SOON) == PASS


@pytest.mark.parametrize("before", [0, 6, 8])
def test_every_purchase_from_the_seventh_of_an_hour_on_is_held_however_many_there_were(
    before: int,
) -> None:
    """Whatever of the card has moved to its history by then."""
    open_bakery()
    for number in range(before):
        told(f"o-{number}", at=PAID_AT + number * DAY)

    for number in range(32):
        told(f"t-{number}", at=IN_A_MONTH + number * timedelta(minutes=4))

    held = store.list_open(now=IN_A_MONTH + timedelta(hours=3))
    numbers = [(one.since - IN_A_MONTH) // timedelta(minutes=4) for one in held]
    assert sorted(numbers) == list(range(6, 32))


def test_what_is_told_late_is_judged_by_what_was_bought_before_it_though_it_has_moved() -> None:
    open_bakery()
    for number in range(6):
        told(f"t-{number}", at=PAID_AT + number * timedelta(minutes=4))
    for number in range(8):
        told(f"o-{number}", at=PAID_AT + (2 + number) * DAY)

    told("late", at=PAID_AT + timedelta(minutes=30), now=IN_A_MONTH)

    (held,) = store.list_open(now=IN_A_MONTH)
    assert (held.since, held.reason) == (
        PAID_AT + timedelta(minutes=30),
        HoldReason.MANY_IN_AN_HOUR,
    )


def told(name: str, *, at: datetime, now: datetime | None = None) -> None:
    buy(name, at=at)
    settle(now=now or at + timedelta(minutes=1))
