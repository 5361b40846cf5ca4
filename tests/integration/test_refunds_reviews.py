"""Refunds of which nothing is certain: they wait, a person decides, and they end with a reason."""

from datetime import timedelta

import pytest

from chalicelib.kernel.ids import payment_id_of
from chalicelib.kernel.refusals import NotFound
from chalicelib.purchases.model import Ending
from chalicelib.purchases.reading import Missing, NoReceipt, find_receipt
from chalicelib.purchases.refunding import store, waiting
from chalicelib.purchases.refunding.waiting import NotOfThatPurchase
from chalicelib.purchases.refunds import Refunded, refunded
from chalicelib.runtime import clock
from chalicelib.workers import waiting as waiting_worker
from infra.local.lambda_events import scheduled_event
from tests.makers.outside import Counted, context
from tests.makers.purchases import BANK, PAID_AT, deliveries, open_town
from tests.makers.refunds import A_DAY, bought, own_row, purchase, refund, tell

pytestmark = pytest.mark.stores
REFUND = payment_id_of(BANK, "t-9")
FIRST, SECOND = payment_id_of(BANK, "t-1"), payment_id_of(BANK, "t-2")
SCHEDULED = scheduled_event("r", at=PAID_AT, event_id="1", region="eu-west-2")
A_WEEK_LATER = PAID_AT + timedelta(days=8, hours=3)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()
    bought("t-1")
    bought("t-2", at=PAID_AT + timedelta(hours=2))
    tell(refund("t-9", 770))


def waits() -> list[str]:
    return [
        one.payment_id
        for one in store.list_waiting(purchase("t-1").receipt.retailer_id, now=A_WEEK_LATER)
    ]  # type: ignore[union-attr]


def test_waits_a_week_and_is_then_put_up_for_review(counted: Counted) -> None:
    assert waiting.look_daily(PAID_AT + 2 * A_DAY) == 1
    assert store.list_reviews(now=A_WEEK_LATER) == []
    assert find_receipt(BANK, "t-9", now=PAID_AT + 2 * A_DAY) == NoReceipt(Missing.PENDING)

    waiting.look_daily(A_WEEK_LATER)
    waiting.look_daily(A_WEEK_LATER)

    (review,) = store.list_reviews(now=A_WEEK_LATER)
    assert (review.payment_id, review.why) == (REFUND, "several_purchases")
    assert {name for name, _ in review.candidates} == {FIRST, SECOND}
    assert find_receipt(BANK, "t-9", now=A_WEEK_LATER) == NoReceipt(
        Missing.NO_MATCH, Ending.REFUND_IN_REVIEW
    )
    assert waits() == []
    assert counted["payments_ended:refund_in_review"] == 1


def test_a_person_says_which_purchase_it_is_of(counted: Counted) -> None:
    waiting.look_daily(A_WEEK_LATER)
    deliveries()

    waiting.decide_review(REFUND, SECOND, now=A_WEEK_LATER)

    assert refunded(purchase("t-2", now=A_WEEK_LATER)) == Refunded(770, 770)
    assert refunded(purchase("t-1", now=A_WEEK_LATER)) == Refunded(770, 0)
    assert store.list_reviews(now=A_WEEK_LATER) == []
    assert counted["refunds_linked:by_staff"] == 1
    assert len(deliveries()) == 1
    tell(refund("t-9", 770), now=A_WEEK_LATER)
    assert refunded(purchase("t-2", now=A_WEEK_LATER)) == Refunded(770, 770)


def test_a_person_says_that_it_is_of_none(counted: Counted) -> None:
    waiting.look_daily(A_WEEK_LATER)

    waiting.decide_review(REFUND, None, now=A_WEEK_LATER)

    assert find_receipt(BANK, "t-9", now=A_WEEK_LATER) == NoReceipt(
        Missing.NO_MATCH, Ending.REFUND_UNLINKED
    )
    assert store.list_reviews(now=A_WEEK_LATER) == []
    assert counted["payments_ended:refund_unlinked"] == 1


def test_refuses_a_purchase_of_which_less_is_left_and_one_that_there_is_not() -> None:
    waiting.look_daily(A_WEEK_LATER)
    tell(refund("t-8", 350, refers_to="t-1"), now=A_WEEK_LATER)
    deliveries()

    with pytest.raises(NotOfThatPurchase) as caught:
        waiting.decide_review(REFUND, FIRST, now=A_WEEK_LATER)
    with pytest.raises(NotFound):
        waiting.decide_review(REFUND, payment_id_of(BANK, "t-77"), now=A_WEEK_LATER)

    assert caught.value.code == "not_of_that_purchase"
    assert refunded(purchase("t-1", now=A_WEEK_LATER)) == Refunded(770, 350)
    assert [one.payment_id for one in store.list_reviews(now=A_WEEK_LATER)] == [REFUND]
    assert deliveries() == []


def test_a_review_that_nobody_decides_ends_after_thirty_days() -> None:
    waiting.look_daily(A_WEEK_LATER)
    long_after = A_WEEK_LATER + 31 * A_DAY
    clock.use(lambda: long_after)

    waiting_worker.end_waiting(SCHEDULED, context("end_waiting"))

    assert store.list_reviews(now=long_after) == []
    row = own_row("t-9", now=long_after)
    assert row is not None
    assert row.ending is Ending.REFUND_UNLINKED


def test_a_refund_that_nothing_fits_ends_without_a_review(counted: Counted) -> None:
    tell(refund("t-7", 9_999))

    waiting.look_daily(A_WEEK_LATER)

    row = own_row("t-7", now=A_WEEK_LATER)
    assert row is not None
    assert row.ending is Ending.REFUND_UNLINKED
    assert [one.payment_id for one in store.list_reviews(now=A_WEEK_LATER)] == [REFUND]


def test_refuses_to_decide_what_waits_for_nobody() -> None:
    with pytest.raises(NotFound):
        waiting.decide_review(REFUND, FIRST, now=A_WEEK_LATER)

    assert purchase("t-1").refunds == ()


def test_a_refund_that_found_its_purchase_meanwhile_is_not_decided_again() -> None:
    waiting.look_daily(A_WEEK_LATER)
    tell(refund("t-9", 770, refers_to="t-1", event_key="linked", digest="linked"), now=A_WEEK_LATER)

    with pytest.raises(NotFound):
        waiting.decide_review(REFUND, SECOND, now=A_WEEK_LATER)

    assert refunded(purchase("t-2", now=A_WEEK_LATER)) == Refunded(770, 0)
    assert store.list_reviews(now=A_WEEK_LATER) == []
