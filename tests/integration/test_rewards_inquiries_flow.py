"""What members say is missing is looked into until it ends, told once, whoever dies in between."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.kernel.ids import payment_id_of
from chalicelib.kernel.refusals import NotAllowed, NotFound
from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.archiving import move_old
from chalicelib.loyalty.cards.store import Holder
from chalicelib.members import service as members
from chalicelib.network.programmes import Service
from chalicelib.privacy import leaving
from chalicelib.purchases import service as purchases
from chalicelib.purchases.correcting.store import count_attempt
from chalicelib.rewards.inquiries import service, store
from chalicelib.rewards.inquiries.model import InquiryState, Outcome, Step, Why, new_inquiry
from chalicelib.rewards.inquiries.service import (
    NothingBought,
    RewardsOff,
    TooLongAgo,
    TooManyInquiries,
)
from chalicelib.runtime import queues
from tests.makers.cards import SCHEME, after, worth
from tests.makers.dying import Died, dying
from tests.makers.holds import ensure_queue, settled
from tests.makers.inquiries import SOON, own, redeem, stamp, start_rewards
from tests.makers.members import numbered, user
from tests.makers.network import BAKERY, make_connection
from tests.makers.outside import Counted
from tests.makers.purchases import BANK, PAID_AT, event, open_town, queued
from tests.makers.refunds import bought

pytestmark = pytest.mark.stores
PAYMENT = payment_id_of(BANK, "t-1")
A_WEEK_LATER = PAID_AT + timedelta(days=8)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    ensure_queue(queues.REWARDS)
    open_town()


def buy(*names: str) -> None:
    """Ada buys something, an hour apart; only then the bakery begins to reward."""
    for number, name in enumerate(names):
        bought(name, at=PAID_AT + timedelta(hours=number))
    start_rewards()


def wait_for_receipt() -> None:
    """Ada pays, and the till says nothing."""
    purchases.record_payment(event(), now=SOON)
    start_rewards()


def look(now: object = SOON) -> int:
    return service.look_at_open(now=now, has_time=lambda: True)  # type: ignore[arg-type]


def announced() -> list[tuple[str, str]]:
    bodies = [json.loads(body) for body in queued(queues.NOTICES)]
    return [(body["kind"], body["reason"]) for body in bodies]


def inquiry(now: object = SOON) -> tuple[str, str | None]:
    found = service.find_inquiry(own(), now=now)  # type: ignore[arg-type]
    return found.state.value, found.why.value if found.why else None


def test_what_earned_nothing_is_settled_anew_and_waits_for_a_person(counted: Counted) -> None:
    buy("t-1")

    opened, is_new = service.open_inquiry(own(), now=SOON)
    again, is_again = service.open_inquiry(own(), now=SOON)

    assert (is_new, is_again) == (True, False)
    assert opened == again
    assert (opened.state, opened.step) == (InquiryState.CHECKING, Step.PERSON)
    assert opened.due_at == SOON + timedelta(days=5)
    assert settled() == [(PAYMENT, 1)]
    assert counted["claims_opened"] == 1
    assert announced() == []


def test_what_is_mended_is_granted_by_the_next_look_and_told_once(counted: Counted) -> None:
    buy("t-1")
    service.open_inquiry(own(), now=SOON)
    assert look() == 0
    redeem()

    assert (look(), look()) == (1, 0)

    assert inquiry() == ("resolved", "granted")
    assert announced() == [("claim_decided", "granted")]
    assert store.list_open(now=SOON) == []
    assert counted["claims_resolved:granted:granted"] == 1


@pytest.mark.parametrize("is_heard", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("nth", [1, 2])
def test_whoever_dies_while_it_ends_leaves_it_to_the_next_look_or_has_told_it(
    nth: int, *, is_heard: bool
) -> None:
    buy("t-1")
    service.open_inquiry(own(), now=SOON)
    redeem()
    with pytest.raises(Died), dying(nth, is_heard=is_heard):  # The decision, and the list.
        look()

    look()

    assert inquiry() == ("resolved", "granted")
    assert set(announced()) == {("claim_decided", "granted")}
    assert store.list_open(now=SOON) == []


def test_stamps_that_are_held_wait_for_their_decision_and_stamps_that_count_end_it() -> None:
    buy("t-1")
    stamp(held="many_in_an_hour")

    opened, _ = service.open_inquiry(own(), now=SOON)
    stamp()
    look()

    assert opened.step is Step.HOLD
    assert inquiry() == ("resolved", "granted")


def test_stamps_that_a_person_refused_were_not_earned() -> None:
    buy("t-1")
    stamp(held="refused")

    opened, _ = service.open_inquiry(own(), now=SOON)

    assert opened.step is Step.PERSON


def test_stamps_that_moved_to_the_history_of_a_card_are_found_there() -> None:
    buy("t-1")
    of = own()
    payment_id = stamp()
    holder = Holder(of.member.member_id, f"{BAKERY}.coffee", of.key)
    card = cards.find_card(holder, now=SOON)
    assert card is not None
    others = [worth(f"p-{n}", sold_at=SOON + timedelta(days=n)) for n in range(1, 13)]
    moved, past = move_old(after(*others, card=card), SCHEME, at=SOON)
    assert past is not None
    cards.record_past(past, holder)
    assert cards.record_card(moved, holder)
    assert moved.find_entry(payment_id) is None

    opened, _ = service.open_inquiry(of, now=SOON)

    assert opened.why is Why.EARNED_ALREADY


def test_what_was_there_already_ends_at_once() -> None:
    buy("t-1")
    redeem()

    opened, _ = service.open_inquiry(own(), now=SOON)
    again, _ = service.open_inquiry(own(), now=SOON)

    assert (opened.outcome, opened.why) == (Outcome.GRANTED, Why.EARNED_ALREADY)
    assert again == opened
    assert announced() == [("claim_decided", "earned_already")]


def test_a_late_receipt_ends_it_by_itself() -> None:
    wait_for_receipt()
    opened, _ = service.open_inquiry(own(), now=SOON)
    assert opened.step is Step.RECEIPT
    redeem()

    look()

    assert inquiry() == ("resolved", "found_by_itself")


def test_without_a_receipt_the_paper_is_waited_for_two_weeks() -> None:
    wait_for_receipt()
    service.open_inquiry(own(), now=SOON)

    look(A_WEEK_LATER)
    asked = service.find_inquiry(own(now=A_WEEK_LATER), now=A_WEEK_LATER).step
    look(SOON + timedelta(days=14))

    assert asked is Step.PAPER
    assert inquiry() == ("resolved", "no_receipt")
    assert announced() == [("claim_decided", "no_receipt")]


def test_where_nothing_can_be_earned_it_is_refused_at_once() -> None:
    bought("t-1")

    opened, _ = service.open_inquiry(own(), now=SOON)

    assert (opened.outcome, opened.why) == (Outcome.REFUSED, Why.NOT_ELIGIBLE)


def test_who_has_switched_rewards_off_can_miss_none() -> None:
    buy("t-1")
    members.change_services(user("ada"), {Service.STAMPS: False}, make_connection(), now=SOON)

    with pytest.raises(RewardsOff):
        service.open_inquiry(own(), now=SOON)

    assert store.list_open(now=SOON) == []


def test_neither_an_old_purchase_nor_a_refund_is_looked_into() -> None:
    buy("t-1")
    late = PAID_AT + timedelta(days=60, seconds=1)
    with pytest.raises(TooLongAgo):
        service.open_inquiry(own(now=late), now=late)
    reversed_at_once = event("t-2", kind=PaymentEventKind.REVERSED)
    purchases.record_payment(reversed_at_once, now=SOON)
    with pytest.raises(NothingBought):
        service.open_inquiry(own("t-2"), now=SOON)

    assert store.list_open(now=late) == []


def test_the_sixth_of_a_day_is_too_many_and_asking_again_is_not_counted() -> None:
    buy(*(f"t-{number}" for number in range(6)))
    now = PAID_AT + timedelta(hours=7)
    for number in range(5):
        service.open_inquiry(own(f"t-{number}", now=now), now=now)
        service.open_inquiry(own(f"t-{number}", now=now), now=now)

    with pytest.raises(TooManyInquiries) as refused:
        service.open_inquiry(own("t-5", now=now), now=now)

    assert refused.value.after_seconds == 5 * 3600 + 1
    assert len(store.list_open(now=now)) == 5
    tomorrow = now + timedelta(days=1)
    assert service.open_inquiry(own("t-5", now=tomorrow), now=tomorrow)[1]


def test_a_run_that_died_before_it_told_is_made_up_for() -> None:
    buy("t-1")
    opened, _ = service.open_inquiry(own(), now=SOON)
    ended = replace(
        opened,
        state=InquiryState.RESOLVED,
        step=None,
        outcome=Outcome.REFUSED,
        why=Why.NOT_ELIGIBLE,
        resolved_at=SOON,
        version=opened.version + 1,
    )
    assert store.record_change(ended)

    assert look() == 1

    assert announced() == [("claim_decided", "not_eligible")]
    assert store.list_open(now=SOON) == []


def test_a_run_that_died_before_it_wrote_leaves_nothing_after_an_hour() -> None:
    buy("t-1")
    of = own()
    where = of.where
    orphan = new_inquiry(where.payment_id, where.member_id, anchored_at=where.anchored_at, now=SOON)
    store.record_open(orphan)

    look()
    assert len(store.list_open(now=SOON)) == 1
    look(SOON + timedelta(hours=1))

    assert store.list_open(now=SOON) == []
    assert announced() == []


def test_a_run_that_died_before_it_wrote_leaves_no_second_row_of_what_was_opened_later() -> None:
    buy("t-1")
    died = new_inquiry(PAYMENT, own().where.member_id, anchored_at=PAID_AT, now=SOON)
    store.record_open(died)
    later = SOON + timedelta(minutes=8)
    opened, _ = service.open_inquiry(own(), now=later)

    look(later)

    assert [one.opened_at for one in store.list_open(now=later)] == [opened.opened_at] == [later]
    assert inquiry(later) == ("checking", None)


def test_two_at_once_open_one_and_the_slower_reads_it() -> None:
    buy("t-1")
    of = own()
    first, _ = service.open_inquiry(of, now=SOON)
    other = new_inquiry(of.where.payment_id, of.where.member_id, anchored_at=PAID_AT, now=SOON)

    assert not store.record_new(other, now=SOON)
    assert service.find_inquiry(of, now=SOON) == first


def test_a_person_refuses_with_a_reason_to_refuse_and_once() -> None:
    buy("t-1")
    service.open_inquiry(own(), now=SOON)
    with pytest.raises(NotAllowed):
        service.refuse(PAYMENT, Why.GRANTED, now=SOON)

    service.refuse(PAYMENT, Why.NOT_ELIGIBLE, now=SOON)
    with pytest.raises(NotFound):
        service.refuse(PAYMENT, Why.NO_RECEIPT, now=SOON)

    assert inquiry() == ("resolved", "not_eligible")
    assert announced() == [("claim_decided", "not_eligible")]


def test_of_who_left_nothing_is_looked_into_and_everything_ends() -> None:
    buy("t-1")
    opened, _ = service.open_inquiry(own(), now=SOON)
    left_at = SOON + timedelta(hours=2)
    leaving.switch_off(user("ada"), now=left_at)

    look(left_at)
    changed = store.end_retention(opened.member_id, left_at=left_at, now=left_at)

    assert store.list_open(now=left_at) == []
    assert announced() == []
    assert changed == 1
    later = left_at + timedelta(days=30)
    assert store.find_inquiry(opened.member_id, PAYMENT, now=later) is None
    assert store.end_retention(opened.member_id, left_at=left_at, now=left_at) == 0


def test_a_look_without_time_is_left_to_the_next_run() -> None:
    buy("t-1")
    service.open_inquiry(own(), now=SOON)
    redeem()

    assert service.look_at_open(now=SOON, has_time=lambda: False) == 0
    assert inquiry()[0] == "checking"


def test_an_inquiry_that_is_asked_for_again_because_no_answer_came_counts_once() -> None:
    """Within a day of three; the first is as an older release counted it."""
    about = [payment_id_of(BANK, f"t-{number}") for number in range(3)]
    count = partial(count_attempt, numbered(1).member_id, "rewards", most=3, now=SOON)

    found = [count(), *(count(about=about[number]) for number in (0, 0, 1, 1, 2, 1))]

    assert found == [True] * 5 + [False, True]
    assert count() is False
