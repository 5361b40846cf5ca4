"""Payments and receipts meet: from either side, again, late, at once, and never the wrong ones."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.money import Money
from chalicelib.matching import store as matching_store
from chalicelib.matching.payment import ConflictingPayment
from chalicelib.matching.standing import Waiting
from chalicelib.members import service as members
from chalicelib.purchases import reading, receiving, service, waiting
from chalicelib.purchases.model import Ending, Purchase
from chalicelib.purchases.reading import Missing, NoReceipt
from chalicelib.runtime import observability
from chalicelib.tills import store as tills_store
from chalicelib.tills.pages import complete_after
from tests.makers.members import user
from tests.makers.network import mid
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SALE,
    SHOP,
    cleared,
    delayed,
    deliveries,
    event,
    found,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores

COMPLETE_AT = PAID_AT + complete_after(SHOP)  # Then all its receipts have come.


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


@pytest.fixture
def counted() -> Iterator[dict[str, int]]:
    counts: dict[str, int] = {}

    def listener(name: str, dimensions: dict[str, str], by: int) -> None:
        key = ":".join([name, *(v for k, v in dimensions.items() if k in ("reason", "why"))])
        counts[key] = counts.get(key, 0) + by

    stop = observability.listen(listener)
    yield counts
    stop()


def waiting_at_the_shop() -> list[Waiting]:
    since, until = PAID_AT - timedelta(hours=1), PAID_AT + timedelta(hours=1)
    return matching_store.list_waiting_between(SHOP.store_id, since, until, now=PAID_AT)


@pytest.mark.requirement("RCP-01")
def test_joins_a_payment_with_a_receipt_that_came_before_it() -> None:
    receive(SALE)

    service.record_payment(event(), now=A_MINUTE_LATER)

    assert found("t-1") == "R-1"
    assert len(deliveries()) == 1


@pytest.mark.requirement("RCP-01")
def test_joins_a_payment_with_a_receipt_that_comes_after_it() -> None:
    service.record_payment(event(), now=A_MINUTE_LATER)
    assert found("t-1") is Missing.PENDING

    receive(SALE)

    assert found("t-1") == "R-1"
    assert len(deliveries()) == 1
    assert waiting_at_the_shop() == []


def test_settles_in_the_fast_lane_a_receipt_that_somebody_waits_for() -> None:
    service.record_payment(event(), now=A_MINUTE_LATER)

    received = receiving.receive(SHOP, [SALE], is_gathered=False, now=A_MINUTE_LATER)

    assert received == receiving.Received()
    assert found("t-1") == "R-1"


def test_passes_on_a_lone_receipt_that_nobody_waits_for_without_storing_it() -> None:
    received = receiving.receive(SHOP, [SALE], is_gathered=False, now=A_MINUTE_LATER)

    assert received.to_gather == (SALE,)
    pages = tills_store.list_pages(SHOP.store_id, since=PAID_AT, until=PAID_AT, now=A_MINUTE_LATER)
    assert pages == []


@pytest.mark.requirement("RCP-02")
@pytest.mark.requirement("RCP-15")
def test_stores_nothing_of_a_payment_at_a_shop_that_takes_no_part(
    counted: dict[str, int],
) -> None:
    service.record_payment(event(merchant=(mid("66666"),)), now=A_MINUTE_LATER)

    assert counted["payments_dropped:not_in_network"] == 1
    assert found("t-1") is Missing.NOT_SUPPORTED


@pytest.mark.requirement("RCP-12")
def test_stores_nothing_of_a_payment_of_somebody_who_never_switched_it_on(
    counted: dict[str, int],
) -> None:
    service.record_payment(event(account_ref="acc-nobody"), now=A_MINUTE_LATER)

    assert counted["payments_dropped:not_a_member"] == 1
    assert found("t-1") is Missing.NOT_SUPPORTED


@pytest.mark.requirement("RCP-12")
def test_stores_nothing_of_a_payment_from_before_the_activation(counted: dict[str, int]) -> None:
    before = PAID_AT - timedelta(minutes=2)

    service.record_payment(event(made_at=before), now=A_MINUTE_LATER)

    assert counted["payments_dropped:before_activation"] == 1
    assert found("t-1") is Missing.NOT_SUPPORTED


@pytest.mark.requirement("RCP-03")
def test_answers_another_bank_as_if_there_were_nothing() -> None:
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)

    answer = reading.find_receipt(ConnectionId("meadow-bank"), "t-1", now=A_MINUTE_LATER)

    assert answer == NoReceipt(Missing.NOT_SUPPORTED)


def test_answers_a_token_of_one_user_nothing_of_another() -> None:
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)

    other = reading.find_receipt(BANK, "t-1", of_user="bela", now=A_MINUTE_LATER)

    assert other == NoReceipt(Missing.NOT_SUPPORTED)
    own = reading.find_receipt(BANK, "t-1", of_user="ada", now=A_MINUTE_LATER)
    assert isinstance(own, Purchase)


@pytest.mark.requirement("RCP-14")
@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_ends_alike_in_whatever_order_auth_clearing_receipt_and_its_repeat_come(
    order: Sequence[int],
) -> None:
    auth = event()
    steps = [
        lambda: service.record_payment(auth, now=A_MINUTE_LATER),
        lambda: service.record_payment(cleared(auth, 420), now=A_MINUTE_LATER),
        lambda: receive(SALE),
        lambda: receive(SALE),
    ]

    for step in order:
        steps[step]()

    answer = reading.find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert isinstance(answer, Purchase)
    assert answer.receipt == SALE
    assert [e.event_key for e in answer.payment.events] == ["authorised", "cleared"]


def test_a_repeated_payment_changes_nothing_and_is_told_once() -> None:
    receive(SALE)
    for _ in range(3):
        service.record_payment(event(), now=A_MINUTE_LATER)

    assert len(deliveries()) == 1
    claims = matching_store.list_claims(SALE.receipt_id, now=A_MINUTE_LATER)
    assert len(claims) == 1


def test_refuses_the_same_event_with_other_content() -> None:
    service.record_payment(event(), now=A_MINUTE_LATER)

    with pytest.raises(ConflictingPayment):
        service.record_payment(event(amount=Money(999, "GBP"), digest="x"), now=A_MINUTE_LATER)


def test_a_reversed_payment_ends_without_waiting(counted: dict[str, int]) -> None:
    service.record_payment(event(), now=A_MINUTE_LATER)

    reversal = replace(
        event(), event_key="reversed", kind=PaymentEventKind.REVERSED, digest="reversed"
    )
    service.record_payment(reversal, now=A_MINUTE_LATER)

    assert counted["payments_ended:payment_reversed"] == 1
    answer = reading.find_receipt(BANK, "t-1", now=A_MINUTE_LATER)
    assert answer == NoReceipt(Missing.NO_MATCH, Ending.PAYMENT_REVERSED)
    assert receive(SALE) == receiving.Received(on_pages=(SALE,))
    assert found("t-1") is Missing.NO_MATCH


def test_two_members_never_get_one_receipt_and_neither_is_guessed() -> None:
    without_code = CardFacts()
    service.record_payment(event(card=without_code), now=A_MINUTE_LATER)
    service.record_payment(event("t-2", account_ref="acc-b", card=without_code), now=A_MINUTE_LATER)

    receive(replace(SALE, tenders=()))

    assert found("t-1") is Missing.PENDING
    assert found("t-2") is Missing.PENDING
    assert matching_store.list_claims(SALE.receipt_id, now=A_MINUTE_LATER) == []


def test_a_payment_without_card_facts_waits_until_receipts_are_complete() -> None:
    receive(replace(SALE, tenders=()))
    seconds_later = PAID_AT + timedelta(seconds=10)
    service.record_payment(event(card=CardFacts()), now=seconds_later)
    assert found("t-1") is Missing.PENDING

    assert delayed("payments") == 1  # it asked to be looked at again
    (standing,) = waiting_at_the_shop()
    service.look_again(standing.signals.payment_id, now=COMPLETE_AT)

    assert found("t-1", now=COMPLETE_AT) == "R-1"


def test_the_schedule_settles_what_no_message_woke() -> None:
    receive(replace(SALE, tenders=()))
    service.record_payment(event(card=CardFacts()), now=PAID_AT)

    looked = waiting.look_again_when_due(COMPLETE_AT)

    assert looked == 1
    assert found("t-1", now=COMPLETE_AT) == "R-1"


def test_the_schedule_looks_when_it_is_due_and_not_in_between() -> None:
    service.record_payment(event(), now=PAID_AT)
    minutes = range(0, 4 * 60, 15)

    looks = [waiting.look_again_when_due(PAID_AT + timedelta(minutes=at)) for at in minutes]

    due = [at for at, looked in zip(minutes, looks, strict=True) if looked]
    assert due == [15, 60, 75, 180, 195]  # after the till's patience, one hour, and three


def test_a_repeat_takes_off_the_list_what_a_crash_left_there() -> None:
    service.record_payment(event(), now=A_MINUTE_LATER)
    (standing,) = waiting_at_the_shop()
    receive(SALE)
    matching_store.keep_waiting(standing)  # As if the worker had died before it took it off.

    service.look_again(standing.signals.payment_id, now=A_MINUTE_LATER)

    assert waiting_at_the_shop() == []
    assert found("t-1") == "R-1"
    assert len(deliveries()) == 1


def test_what_waited_a_week_ends_with_its_reason() -> None:
    service.record_payment(event(), now=A_MINUTE_LATER)
    a_week_later = A_MINUTE_LATER + timedelta(days=7)

    waiting.look_again_between(a_week_later - waiting.LONGEST, a_week_later, now=a_week_later)

    answer = reading.find_receipt(BANK, "t-1", now=a_week_later)
    assert answer == NoReceipt(Missing.NO_MATCH, Ending.NO_RECEIPT_CAME)


def test_a_claim_left_by_a_crash_is_taken_over() -> None:
    """The payment holds another receipt, so the claim it left on this one is worth nothing."""
    other = replace(SALE, reference="R-2", issued_at=PAID_AT + timedelta(minutes=20))
    receive(SALE)
    service.record_payment(event(), now=A_MINUTE_LATER)
    receive(other)
    (standing,) = matching_store.list_claims(SALE.receipt_id, now=A_MINUTE_LATER)
    left = replace(standing, receipt_id=other.receipt_id)
    matching_store.record_claim(left, now=A_MINUTE_LATER)

    later = other.issued_at + complete_after(SHOP)
    service.record_payment(event("t-2", account_ref="acc-b", made_at=other.issued_at), now=later)

    assert (found("t-1"), found("t-2", now=later)) == ("R-1", "R-2")


def test_a_member_who_left_gets_nothing_more() -> None:
    service.record_payment(event(), now=A_MINUTE_LATER)
    members.leave(user("ada"), now=A_MINUTE_LATER)

    receive(SALE)

    assert matching_store.list_claims(SALE.receipt_id, now=A_MINUTE_LATER) == []
    assert found("t-1") is Missing.NOT_SUPPORTED
