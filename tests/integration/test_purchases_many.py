"""Somebody with more purchases than one reader takes: what is read is the newest."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.matching.payment import first_of
from chalicelib.matching.refunds import RefundFound, RefundOpen, RefundWhy
from chalicelib.members import service as members
from chalicelib.network import service as network
from chalicelib.network.programmes import Service
from chalicelib.offers.audiences import service as audiences
from chalicelib.purchases import reading, store
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.model import Ending, KnownPayment, Purchase
from chalicelib.purchases.refunding import candidates
from chalicelib.purchases.refunding.candidates import Near
from chalicelib.receipts.canonical import Line
from chalicelib.runtime import vault
from tests.makers import offers
from tests.makers.members import user
from tests.makers.network import mid
from tests.makers.purchases import BANK, PAID_AT, event, open_town
from tests.makers.refunds import A_DAY, bought, given_back, purchase, refund, tell

pytestmark = pytest.mark.stores
CAKE = Line("1", "Plum cake", 350, sku="PLUM")
MANY = 520  # More than any one answer lists.
MIDNIGHT = PAID_AT + timedelta(hours=12)
NOW = PAID_AT + 3 * A_DAY


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


def ada() -> tuple[MemberId, vault.SealingKey]:
    member_id = members.find_member_of_user(BANK, "ada", now=NOW)
    assert member_id is not None
    key = active_key_of(member_id, now=NOW)
    assert key is not None
    return member_id, key


def fill() -> None:
    """Ada paid many times in the afternoon and evening, at a shop that we no longer know."""
    member_id, key = ada()
    for number in range(MANY):
        at = PAID_AT + timedelta(minutes=60 + number)
        name, amount = f"other-{number:03}", Money(10_000 + number, "GBP")
        paid = event(name, made_at=at, occurred_at=at, amount=amount, merchant=(mid("99999"),))
        ending = Ending.NO_RECEIPT_CAME
        ended = Purchase(member_id, first_of(paid), version=1, ending=ending)
        assert store.record_purchase(ended, key=key)


def names(read: list[Purchase]) -> list[str]:
    return [one.payment.transaction_id for one in read]


def near_refund(minor: int, *, limit: int) -> Near:
    """What stands around a refund of `minor` that is told a day after noon."""
    member_id, key = ada()
    payment = first_of(refund("t-9", minor))
    known = KnownPayment(payment, member_id, PAID_AT + A_DAY)
    signals = candidates.signals_of(known, (), now=NOW)
    assert signals is not None
    return candidates.look(known, signals, key=key, now=NOW, limit=limit)


def buy_five() -> None:
    """Five purchases an hour apart; the first and the last cost the same."""
    for number, minor in enumerate((350, 515, 530, 545, 350), start=1):
        at = PAID_AT + timedelta(hours=number)
        bought(f"t-{number}", at=at, lines=(replace(CAKE, amount_minor=minor),))


def test_the_newest_are_read_and_the_oldest_of_them_comes_first() -> None:
    buy_five()
    member_id, key = ada()

    newest = store.list_purchases(member_id, key=key, now=NOW, limit=3)
    before = store.list_purchases(
        member_id, key=key, now=NOW, until=PAID_AT + timedelta(hours=4), limit=2
    )

    assert names(newest) == ["t-3", "t-4", "t-5"]
    assert names(before) == ["t-3", "t-4"]


def test_a_bank_is_listed_the_newest_first() -> None:
    buy_five()

    listed = reading.list_of_user(BANK, "ada", now=NOW, limit=3)

    assert listed is not None
    assert names(listed[1]) == ["t-5", "t-4", "t-3"]


@pytest.mark.requirement("RCP-09")
def test_a_refund_weighs_the_newest_and_is_sure_of_none_where_older_ones_were_not_read() -> None:
    buy_five()

    some, all_of_them = near_refund(350, limit=3), near_refund(350, limit=6)
    cut, whole = (near_refund(545, limit=limit) for limit in (3, 6))

    assert [one.payment.transaction_id for one in some.purchases] == ["t-3", "t-4", "t-5"]
    long_ago = PAID_AT - 400 * A_DAY
    assert [one.decide(known_since=long_ago).why for one in (some, all_of_them)] == [
        RefundWhy.PROBABILITY_TOO_LOW,
        RefundWhy.SEVERAL_PURCHASES,
    ]
    assert isinstance(cut.decide(known_since=long_ago), RefundOpen)
    assert isinstance(whole.decide(known_since=long_ago), RefundFound)


def test_an_unnamed_return_is_of_no_purchase_where_older_ones_were_not_read() -> None:
    bought("t-1", lines=(CAKE,))
    back = given_back("B-1", CAKE, refers_to=None)
    around = near_refund(350, limit=2)
    (sold,) = around.purchases

    assert replace(around, unnamed=(back,)).return_of(sold) == back
    assert replace(around, unnamed=(back,), is_whole=False).return_of(sold) is None


def test_a_refund_of_what_was_just_bought_finds_it_behind_many_others() -> None:
    fill()
    bought("t-1", at=MIDNIGHT)

    tell(refund("t-9", 770))

    assert [one.transaction_id for one in purchase("t-1").refunds] == ["t-9"]
    listed = reading.list_of_user(BANK, "ada", now=NOW)
    assert listed is not None
    assert names(listed[1]) == ["t-1"]


def test_an_audience_knows_the_visits_of_today_and_those_behind_many_others() -> None:
    wants = members.change_services(
        user("ada"), {Service.OFFERS: True}, network.get_connection(BANK, now=NOW), now=NOW
    )
    bought("first")
    fill()
    bought("last", at=MIDNIGHT)

    visits = audiences.list_visits(wants, key=offers.key_of(wants), days=90, before=NOW, now=NOW)

    assert [one.at for one in visits] == [MIDNIGHT, PAID_AT]
