"""A member's phone is learned from sure matches: twice said, once counted, forgotten with cause."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.banks.payments import PaymentEvent
from chalicelib.kernel.cards import CardFacts, KnownDigits, LastFour, LastFourKind
from chalicelib.kernel.ids import PaymentId
from chalicelib.matching import store as matching_store
from chalicelib.members import learning
from chalicelib.members import service as members
from chalicelib.members.devices import Device
from chalicelib.members.model import Holder, Member
from chalicelib.purchases import service
from chalicelib.purchases.access import find_own
from chalicelib.purchases.correcting import service as correcting
from chalicelib.purchases.correcting.paper import Paper
from chalicelib.receipts.canonical import Receipt
from infra.local import queue_time
from tests.makers.calls import counting_dynamodb_calls
from tests.makers.dying import Died, dying, no_way_to_transactions
from tests.makers.matching import receipt
from tests.makers.members import make_activation, numbered, user
from tests.makers.network import BAKERY
from tests.makers.outside import Counted
from tests.makers.purchases import BANK, PAID_AT, SHOP, event, found, open_town, receive

pytestmark = pytest.mark.stores

PHONE = LastFour("9087", LastFourKind.DEVICE)
SECOND_DAY, THIRD_DAY = PAID_AT + timedelta(days=1), PAID_AT + timedelta(days=2)
MATCHED_AFTER = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> Iterator[None]:
    restore = queue_time.rule()
    open_town()
    yield
    restore()


def paid(name: str, at: datetime, code: str | None = "4K7Q2X") -> PaymentEvent:
    return event(name, made_at=at, occurred_at=at, card=CardFacts(auth_code=code))


def sold(
    name: str, at: datetime, code: str | None = "4K7Q2X", four: LastFour | None = PHONE
) -> Receipt:
    card = CardFacts(auth_code=code, last_four=four)
    return receipt(name, store_id=SHOP.store_id, retailer_id=BAKERY, issued_at=at, card=card)


def buy(name: str, at: datetime) -> PaymentEvent:
    """Ada pays by phone; the code that both sides say makes the match sure."""
    payment = paid(name, at)
    receive(sold(f"R-{name}", at), now=at + MATCHED_AFTER)
    service.record_payment(payment, now=at + MATCHED_AFTER)
    assert found(name, at + MATCHED_AFTER) == f"R-{name}"
    return payment


def ada() -> Member:
    return members.get_member(user("ada"), now=PAID_AT)


def digits_of_link() -> KnownDigits:
    holder = members.find_holder(BANK, account_ref="acc-a", now=THIRD_DAY)
    assert isinstance(holder, Holder)
    return holder.digits


def busy_minute(at: datetime) -> None:
    """Two receipts of one sum; neither says more of the card than four digits."""
    stranger = LastFour("5566", LastFourKind.DEVICE)
    others = sold("S-1", at - timedelta(seconds=15), None, stranger)
    receive(sold("R-3", at + timedelta(seconds=15), None), others, now=at + MATCHED_AFTER)


def test_is_believed_and_matches_by_itself_after_two_sure_matches() -> None:
    first = buy("t-1", PAID_AT)
    assert (ada().devices, digits_of_link()) == (
        (Device("9087", (first.payment_id,), PAID_AT + MATCHED_AFTER),),
        KnownDigits(),
    )

    second = buy("t-2", SECOND_DAY)
    busy_minute(THIRD_DAY)
    service.record_payment(paid("t-3", THIRD_DAY, None), now=THIRD_DAY + MATCHED_AFTER)

    (device,) = ada().devices
    assert device.said_by == (first.payment_id, second.payment_id)
    assert digits_of_link() == KnownDigits(devices=("9087",))
    assert found("t-3", THIRD_DAY + MATCHED_AFTER) == "R-3"


def test_one_match_is_not_enough() -> None:
    buy("t-1", PAID_AT)
    busy_minute(THIRD_DAY)

    service.record_payment(paid("t-3", THIRD_DAY, None), now=THIRD_DAY + MATCHED_AFTER)

    assert found("t-3", THIRD_DAY + MATCHED_AFTER) != "R-3"


def test_a_payment_that_waits_keeps_the_digits_for_its_later_looks() -> None:
    buy("t-1", PAID_AT)
    buy("t-2", SECOND_DAY)

    service.record_payment(paid("t-3", THIRD_DAY, None), now=THIRD_DAY)
    (waiting,) = matching_store.list_waiting_between(
        SHOP.store_id, THIRD_DAY, THIRD_DAY, now=THIRD_DAY
    )
    busy_minute(THIRD_DAY)

    assert waiting.signals.device_digits == ("9087",)
    assert found("t-3", THIRD_DAY + MATCHED_AFTER) == "R-3"


def test_a_payment_that_comes_again_says_nothing_more() -> None:
    payment = buy("t-1", PAID_AT)
    before = ada()

    service.record_payment(payment, now=PAID_AT + MATCHED_AFTER)
    learning.learn_device(before.member_id, "9087", said_by=payment.payment_id, now=SECOND_DAY)

    assert ada() == before


def test_two_words_at_once_are_both_counted() -> None:
    member_id = ada().member_id
    words = [PaymentId("p-1"), PaymentId("p-2")]

    with ThreadPoolExecutor(2) as threads:
        list(
            threads.map(
                lambda word: learning.learn_device(member_id, "9087", said_by=word, now=PAID_AT),
                words,
            )
        )

    (device,) = ada().devices
    assert sorted(device.said_by) == words
    assert digits_of_link() == KnownDigits(devices=("9087",))


def test_what_is_known_costs_neither_a_read_nor_a_write() -> None:
    def calls_of(name: str, at: datetime, four: LastFour | None) -> list[str]:
        receive(sold(f"R-{name}", at, four=four), now=at + MATCHED_AFTER)
        with counting_dynamodb_calls() as made:
            service.record_payment(paid(name, at), now=at + MATCHED_AFTER)
        assert found(name, at + MATCHED_AFTER) == f"R-{name}"
        return made

    buy("t-1", PAID_AT)
    buy("t-2", SECOND_DAY)

    without = calls_of("t-3", THIRD_DAY, None)
    known = calls_of("t-4", THIRD_DAY + timedelta(days=1), PHONE)
    new = calls_of("t-5", THIRD_DAY + timedelta(days=2), replace(PHONE, digits="1122"))

    assert known == without
    assert len(new) == len(without) + 2  # The member is read and written.


def test_a_receipt_that_was_not_theirs_takes_back_what_it_taught() -> None:
    first = buy("t-1", PAID_AT)
    buy("t-2", SECOND_DAY)
    own = find_own(BANK, "t-2", of_user=None, now=SECOND_DAY)
    assert own is not None

    correcting.say_not_mine(own, version=1, now=SECOND_DAY + MATCHED_AFTER)

    (device,) = ada().devices
    assert (device.said_by, digits_of_link()) == ((first.payment_id,), KnownDigits())


def test_what_a_person_joined_teaches_nothing() -> None:
    hours_off = sold("R-1", PAID_AT - timedelta(hours=3), None)
    receive(hours_off, now=PAID_AT + MATCHED_AFTER)
    service.record_payment(paid("t-1", PAID_AT, None), now=PAID_AT + MATCHED_AFTER)
    own = find_own(BANK, "t-1", of_user=None, now=PAID_AT)
    assert own is not None

    correcting.say_mine(own, Paper(reference="R-1"), now=PAID_AT + MATCHED_AFTER)

    assert found("t-1", PAID_AT + MATCHED_AFTER) == "R-1"
    assert ada().devices == ()


def test_leaving_forgets_them_and_a_new_start_begins_without() -> None:
    buy("t-1", PAID_AT)
    buy("t-2", SECOND_DAY)
    left_as = ada().member_id

    members.leave(user("ada"), now=THIRD_DAY)
    left = members.find_member(left_as, now=THIRD_DAY)
    learning.learn_device(left_as, "9087", said_by=PaymentId("p-9"), now=THIRD_DAY)
    members.activate(make_activation(accounts=("acc-a",)), fresh=numbered(9), now=THIRD_DAY)

    assert left is not None
    assert members.find_member(left_as, now=THIRD_DAY) == left
    assert (left.devices, ada().devices, digits_of_link()) == ((), (), KnownDigits())


def test_an_account_that_is_removed_takes_all_of_them_along() -> None:
    buy("t-1", PAID_AT)
    buy("t-2", SECOND_DAY)

    more = make_activation(accounts=("acc-a", "acc-2"))
    kept = members.activate(more, fresh=numbered(9), now=THIRD_DAY).member
    other = members.activate(
        make_activation(accounts=("acc-2",)), fresh=numbered(9), now=THIRD_DAY
    ).member

    assert (kept.digits.devices, other.devices) == (("9087",), ())


def test_an_obstacle_on_the_way_fails_nothing(counted: Counted) -> None:
    receive(sold("R-t-1", PAID_AT), now=PAID_AT + MATCHED_AFTER)

    with no_way_to_transactions() as tried:
        service.record_payment(paid("t-1", PAID_AT), now=PAID_AT + MATCHED_AFTER)

    assert found("t-1", PAID_AT + MATCHED_AFTER) == "R-t-1"
    assert (ada().devices, counted["devices_not_learned"], len(tried)) == ((), 1, 5)


@pytest.mark.parametrize("is_heard", [False, True], ids=["before", "after"])
def test_a_join_stands_though_its_process_dies_learning(is_heard: bool) -> None:
    payment = paid("t-1", PAID_AT)
    receive(sold("R-t-1", PAID_AT), now=PAID_AT + MATCHED_AFTER)
    # The payment, the claim, the purchase; the fourth write is the member's.
    with pytest.raises(Died), dying(4, is_heard=is_heard):
        service.record_payment(payment, now=PAID_AT + MATCHED_AFTER)

    service.record_payment(payment, now=PAID_AT + MATCHED_AFTER)

    assert found("t-1", PAID_AT + MATCHED_AFTER) == "R-t-1"
    assert [one.said_by for one in ada().devices] == [(payment.payment_id,)] * is_heard
