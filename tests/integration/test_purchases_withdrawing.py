"""A receipt that is not the payment's is taken away: from the member, the bank, and for good."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.kernel.ids import PaymentId, receipt_id_of
from chalicelib.matching import store as matching_store
from chalicelib.matching.payment import REFUSED_MAX, refuse
from chalicelib.members import service as members
from chalicelib.network.model import Connection, KeyUse
from chalicelib.notices import service as notices
from chalicelib.purchases import reading, receiving, service, withdrawing
from chalicelib.purchases.messages import decode_delivery
from chalicelib.purchases.model import Purchase, WithdrawnWhy
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.reading import Missing, NoReceipt
from chalicelib.runtime import queues
from infra.local import queue_time
from tests.makers.bank_server import BankServer, bank_server
from tests.makers.banks import key, whsec
from tests.makers.corrections import LATER, brought_back, look, own
from tests.makers.members import user
from tests.makers.network import BAKERY, CARD_NETWORK, make_connection
from tests.makers.outside import Counted
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SALE,
    SHOP,
    cleared,
    deliveries,
    event,
    found,
    open_town,
    open_two_sources,
    queued,
    receive,
)

pytestmark = pytest.mark.stores

NOT_MINE = WithdrawnWhy.NOT_MINE


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> Iterator[None]:
    restore = queue_time.rule()
    open_town()
    yield
    restore()


def matched(name: str = "t-1", **more: object) -> Purchase:
    """Ada's payment has the receipt R-1; nothing waits to be delivered or looked at."""
    receive(SALE)
    service.record_payment(event(name, **more), now=A_MINUTE_LATER)
    deliveries()
    queued(queues.PAYMENTS)
    return purchase(name)


def telling(bank: BankServer) -> Connection:
    """Harbour Bank, which listens."""
    signing = key(KeyUse.SIGN, whsec(2))
    return make_connection(told_at_url=f"{bank.url}/receipts", keys=(signing,))


def purchase(name: str = "t-1") -> Purchase:
    answer = reading.find_receipt(BANK, name, now=LATER)
    assert isinstance(answer, Purchase)
    return answer


def holders() -> list[PaymentId]:
    return [c.hold.payment_id for c in matching_store.list_claims(SALE.receipt_id, now=LATER)]


def test_takes_the_receipt_away_and_keeps_nothing_of_it() -> None:
    had = matched()

    withdrawing.withdraw(had, NOT_MINE, now=LATER)

    assert found("t-1", LATER) is Missing.PENDING
    assert holders() == []
    (told,) = deliveries()
    assert decode_delivery(told).version == 2
    assert "R-1" not in told


def test_the_version_without_it_says_why_and_when_and_what_ended() -> None:
    had = matched()
    withdrawing.withdraw(had, WithdrawnWhy.CONTRADICTED, detail="auth_code", now=LATER)
    look()
    receive(replace(SALE, reference="R-2"), now=LATER)

    after = purchase()

    assert after.receipt is not None
    assert (after.receipt.reference, after.version) == ("R-2", 3)
    (withdrawal,) = after.withdrawals
    assert (withdrawal.version, withdrawal.at, withdrawal.why, withdrawal.detail) == (
        2,
        LATER,
        "contradicted",
        "auth_code",
    )
    assert (withdrawal.matched_at, withdrawal.matched_why) == (A_MINUTE_LATER, "card_facts_agree")
    assert after.payment.refused == (SALE.receipt_id,)


def test_the_two_are_never_joined_again_by_themselves() -> None:
    withdrawing.withdraw(matched(), NOT_MINE, now=LATER)
    look()

    service.record_payment(cleared(event(), 420), now=LATER)
    receive(SALE, now=LATER)

    assert found("t-1", LATER) is Missing.PENDING
    assert holders() == []


def test_whoever_waited_for_the_receipt_gets_it() -> None:
    had = matched()
    bela = event("t-2", account_ref="acc-b", digest="of Bela")
    service.record_payment(bela, now=A_MINUTE_LATER)
    assert found("t-2") is Missing.PENDING

    withdrawing.withdraw(had, NOT_MINE, now=LATER)
    look()

    assert (found("t-1", LATER), found("t-2", LATER)) == (Missing.PENDING, "R-1")
    assert holders() == [bela.payment_id]


def test_what_came_back_of_it_goes_to_its_owner() -> None:
    had = matched()
    receive(brought_back("B-1"))
    assert len(purchase().returns) == 1
    withdrawing.withdraw(purchase(), NOT_MINE, now=LATER)
    assert had.version == 1

    service.record_payment(event("t-2", account_ref="acc-b", digest="of Bela"), now=LATER)

    answer = reading.find_receipt(BANK, "t-2", now=LATER)
    assert isinstance(answer, Purchase)
    assert [one.reference for one in answer.returns] == ["B-1"]


def test_its_newest_version_goes_to_its_owner() -> None:
    matched()
    corrected = replace(SALE, version=2, notes=("Corrected",))
    receiving.receive(SHOP, [corrected], is_gathered=False, now=A_MINUTE_LATER)

    withdrawing.withdraw(purchase(), NOT_MINE, now=LATER)
    service.record_payment(event("t-2", account_ref="acc-b", digest="of Bela"), now=LATER)

    answer = reading.find_receipt(BANK, "t-2", now=LATER)
    assert isinstance(answer, Purchase)
    assert answer.receipt == corrected


def test_done_again_changes_nothing(counted: Counted) -> None:
    withdrawing.withdraw(matched(), NOT_MINE, now=LATER)
    (order,) = look()
    deliveries()

    withdrawing.carry_out(order, now=LATER)
    withdrawing.carry_out(order, now=LATER)

    assert found("t-1", LATER) is Missing.PENDING
    assert deliveries() == []
    assert counted["receipts_withdrawn:not_mine"] == 1


def test_an_order_that_comes_late_leaves_what_was_joined_after_it() -> None:
    withdrawing.withdraw(matched(), NOT_MINE, now=LATER)
    (order,) = look()
    receive(replace(SALE, reference="R-2"), now=LATER)
    assert found("t-1", LATER) == "R-2"

    withdrawing.carry_out(order, now=LATER)

    assert found("t-1", LATER) == "R-2"


def test_a_change_that_came_between_is_withdrawn_with_it() -> None:
    had = matched()
    service.record_payment(cleared(event(), 480), now=A_MINUTE_LATER)

    withdrawing.withdraw(had, NOT_MINE, now=LATER)

    assert found("t-1", LATER) is Missing.PENDING
    assert [decode_delivery(body).version for body in deliveries()] == [2, 3]


def test_of_a_member_who_left_nothing_is_touched() -> None:
    had = matched()
    members.leave(user("ada"), now=LATER)

    withdrawing.withdraw(had, NOT_MINE, now=LATER)

    assert deliveries() == []
    assert holders() == [had.payment.payment_id]


def test_a_payment_that_waited_long_enough_ends_without_one() -> None:
    had = matched()
    much_later = PAID_AT + timedelta(days=30)

    withdrawing.withdraw(had, WithdrawnWhy.BY_STAFF, now=much_later)

    assert reading.find_receipt(BANK, "t-1", now=much_later) == NoReceipt(Missing.NO_MATCH)


def test_after_ten_wrong_receipts_no_machine_looks_for_another() -> None:
    had = matched()
    mine = own()
    for number in range(REFUSED_MAX - 1):
        wrong = receipt_id_of(BAKERY, f"wrong-{number}")
        payments.change_payment(
            had.payment.payment_id, partial(refuse, receipt_id=wrong), key=mine.key, now=LATER
        )

    withdrawing.withdraw(had, NOT_MINE, now=LATER)
    look()

    service.record_payment(cleared(event(), 420), now=LATER)
    receive(replace(SALE, reference="R-2"), now=LATER)

    assert found("t-1", LATER) is Missing.NO_MATCH
    since, until = PAID_AT - timedelta(hours=1), PAID_AT + timedelta(hours=1)
    assert not matching_store.list_waiting_between(SHOP.store_id, since, until, now=LATER)


def test_the_bank_is_told_to_show_it_no_more() -> None:
    with bank_server() as bank:
        open_town(telling(bank))
        withdrawing.withdraw(matched(), NOT_MINE, now=LATER)
        (told,) = deliveries()

        notices.deliver(decode_delivery(told), now=LATER)

    (heard,) = bank.heard
    body = json.loads(heard.body)
    assert (body["type"], body["data"]["version"]) == ("receipt.withdrawn", 2)
    assert not {"receipt", "link"} & set(body["data"])


def test_a_delivery_of_the_receipt_that_comes_late_tells_that_it_is_withdrawn() -> None:
    with bank_server() as bank:
        open_town(telling(bank))
        receive(SALE)
        service.record_payment(event(), now=A_MINUTE_LATER)
        (late,) = deliveries()
        withdrawing.withdraw(purchase(), NOT_MINE, now=LATER)

        notices.deliver(decode_delivery(late), now=LATER)

    assert [json.loads(one.body)["type"] for one in bank.heard] == ["receipt.withdrawn"]


def test_a_delivery_of_the_withdrawal_that_comes_late_tells_the_receipt_found_since() -> None:
    with bank_server() as bank:
        open_town(telling(bank))
        withdrawing.withdraw(matched(), NOT_MINE, now=LATER)
        look()
        (late,) = deliveries()
        receive(replace(SALE, reference="R-2"), now=LATER)

        notices.deliver(decode_delivery(late), now=LATER)

    (heard,) = bank.heard
    told = json.loads(heard.body)
    assert (told["type"], told["data"]["version"]) == ("receipt.updated", 3)
    assert told["data"]["receipt"]["reference"] == "R-2"


def by_network() -> str | Missing:
    answer = reading.find_receipt(CARD_NETWORK, "n-1", now=LATER)
    if isinstance(answer, NoReceipt):
        return answer.missing
    return answer.receipt.reference if answer.receipt else "none"


def test_what_a_person_says_holds_for_each_source_that_told_of_it() -> None:
    told = open_two_sources()
    had = matched()
    service.record_payment(told, now=A_MINUTE_LATER)
    assert by_network() == "R-1"

    withdrawing.withdraw(had, NOT_MINE, now=LATER)
    look()

    assert (found("t-1", LATER), by_network()) == (Missing.PENDING, Missing.PENDING)
    assert holders() == []


def test_the_source_that_nothing_contradicts_finds_it_again_on_its_own() -> None:
    told = open_two_sources()
    had = matched()
    service.record_payment(told, now=A_MINUTE_LATER)

    withdrawing.withdraw(had, WithdrawnWhy.CONTRADICTED, detail="amount", now=LATER)
    look()

    assert (found("t-1", LATER), by_network()) == (Missing.PENDING, "R-1")
    assert holders() == [told.payment_id]
