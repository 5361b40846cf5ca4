"""What the person who paid says of a receipt they were shown: that it is not theirs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.banks.payments import PaymentEvent
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching.outcome import Evidence, Matched
from chalicelib.matching.signals import parts_of
from chalicelib.matching.store import list_claims
from chalicelib.matching.why import Why
from chalicelib.purchases import service, settling, store, withdrawing
from chalicelib.purchases.access import Own
from chalicelib.purchases.correcting import service as correcting
from chalicelib.purchases.correcting.forcing import force_match
from chalicelib.purchases.correcting.paper import Paper
from chalicelib.purchases.correcting.service import (
    NothingToWithdraw,
)
from chalicelib.purchases.messages import WithdrawMessage
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.reading import Missing
from infra.local import queue_time
from tests.makers.corrections import LATER, holders, look, own, pay, purchase, refused, unfinished
from tests.makers.purchases import (
    A_MINUTE_LATER,
    SALE,
    SHOP,
    deliveries,
    event,
    found,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores

PAPER = Paper(reference="R-1")


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> Iterator[None]:
    restore = queue_time.rule()
    open_town()
    yield
    restore()


def matched(told: PaymentEvent | None = None) -> Own:
    receive(SALE)
    service.record_payment(told or event(), now=A_MINUTE_LATER)
    deliveries()
    return own()


def test_not_mine_takes_away_the_version_that_was_shown() -> None:
    mine = matched()

    correcting.say_not_mine(mine, version=1, now=LATER)

    assert found("t-1", LATER) is Missing.PENDING
    assert holders(SALE) == []


def test_not_mine_said_again_leaves_the_receipt_found_since() -> None:
    mine = matched()
    correcting.say_not_mine(mine, version=1, now=LATER)
    look()
    receive(replace(SALE, reference="R-2"), now=LATER)

    correcting.say_not_mine(mine, version=1, now=LATER)

    assert found("t-1", LATER) == "R-2"


@pytest.mark.parametrize("version", [2, 99])
def test_not_mine_of_a_version_that_is_not_there_is_refused(version: int) -> None:
    mine = matched()

    act = partial(correcting.say_not_mine, mine, version=version, now=LATER)

    assert refused(act, NothingToWithdraw) == "nothing_to_withdraw"
    assert found("t-1", LATER) == "R-1"


def test_not_mine_of_a_payment_that_waits_is_refused() -> None:
    mine = pay()

    act = partial(correcting.say_not_mine, mine, version=1, now=LATER)

    assert refused(act, NothingToWithdraw) == "nothing_to_withdraw"


def test_what_was_said_not_to_be_mine_may_be_said_to_be_mine_after_all() -> None:
    mine = matched()
    correcting.say_not_mine(mine, version=1, now=LATER)
    look()

    correcting.say_mine(own(), PAPER, now=LATER)
    service.look_again(mine.where.payment_id, now=LATER)

    joined = purchase()
    assert (joined.receipt, joined.version, joined.payment.refused) == (SALE, 3, ())
    assert [one.why for one in joined.withdrawals] == ["not_mine"]
    assert holders(SALE) == [mine.where.payment_id]


def test_a_late_order_to_withdraw_leaves_what_was_said_to_be_mine_after_all() -> None:
    mine = matched()
    correcting.say_not_mine(mine, version=1, now=LATER)
    (order,) = unfinished(WithdrawMessage)
    later = LATER + timedelta(minutes=1)
    correcting.say_mine(own(), PAPER, now=later)

    withdrawing.carry_out(order, now=later)

    assert found("t-1", later) == "R-1"
    assert holders(SALE) == [mine.where.payment_id]


def test_a_run_that_was_slow_leaves_what_support_gave_back_meanwhile() -> None:
    """It read the payment before the receipt was said not to be theirs, and joins after."""
    mine = matched()
    known = payments.find_payment(mine.where.payment_id, key=mine.key, now=LATER)
    assert known is not None
    (part,) = parts_of(SALE)
    late = Matched(part, Evidence(frozenset(), frozenset(), 0), Why.TIME_AND_AMOUNT_AGREE)
    correcting.say_not_mine(mine, version=1, now=LATER)
    withdrawn = store.find_purchase(mine.where, key=mine.key, now=LATER)
    forced_at = LATER + timedelta(minutes=1)
    force_match(mine, store_id=SHOP.store_id, reference="R-1", note="it is hers", now=forced_at)

    question = settling.asked(known, [SHOP], mine.member.digits, now=LATER)
    with pytest.raises(TryAgain):
        settling.join(question, known, withdrawn, late, key=mine.key, now=LATER)

    assert found("t-1", forced_at) == "R-1"
    assert [one.hold.payment_id for one in list_claims(SALE.receipt_id, now=forced_at)] == [
        mine.where.payment_id
    ]
