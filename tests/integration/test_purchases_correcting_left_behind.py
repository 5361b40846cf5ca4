"""By hand, too, a claim that a crash left behind gives way; who holds a receipt is not told."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.kernel.money import Money
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Hold
from chalicelib.matching.standing import Claim
from chalicelib.purchases import service
from chalicelib.purchases.correcting import service as correcting
from chalicelib.purchases.correcting.forcing import HeldByAnother, force_match
from chalicelib.purchases.correcting.paper import Paper
from chalicelib.purchases.correcting.service import NotConfirmed
from infra.local import queue_time
from tests.makers.corrections import HOURS_OFF, LATER, holders, pay
from tests.makers.dying import dying_at_call
from tests.makers.members import numbered
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SHOP,
    event,
    found,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores

PAPER = Paper(reference="R-1")
AN_HOUR_LATER = A_MINUTE_LATER + timedelta(hours=1)
BEFORE_THAT = AN_HOUR_LATER - timedelta(seconds=1)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> Iterator[None]:
    restore = queue_time.rule()
    open_town()
    yield
    restore()


def claimed_by_bela_who_died() -> None:
    """A worker took the receipt for a payment of Bela's that it does not fit, and died."""
    receive(HOURS_OFF)
    bela = event("t-9", account_ref="acc-b", amount=Money(999, "GBP"))
    service.record_payment(bela, now=A_MINUTE_LATER)
    hold = Hold(bela.payment_id, numbered(2).member_id, BANK)
    claim = Claim(HOURS_OFF.receipt_id, 0, hold, PAID_AT)
    assert matching_store.record_claim(claim, now=A_MINUTE_LATER)


def test_support_joins_what_a_crash_left_claimed_after_an_hour() -> None:
    claimed_by_bela_who_died()
    mine = pay()
    what = {"store_id": SHOP.store_id, "reference": "R-1", "note": "saw the paper"}

    with pytest.raises(HeldByAnother):
        force_match(mine, **what, now=BEFORE_THAT)
    force_match(mine, **what, now=AN_HOUR_LATER)

    assert found("t-1") == "R-1"
    assert holders() == [mine.where.payment_id]


def test_a_person_is_given_what_a_crash_left_claimed_after_an_hour() -> None:
    claimed_by_bela_who_died()
    mine = pay()

    with pytest.raises(NotConfirmed):
        correcting.say_mine(mine, PAPER, now=BEFORE_THAT)
    correcting.say_mine(mine, PAPER, now=AN_HOUR_LATER)

    assert found("t-1") == "R-1"
    assert holders() == [mine.where.payment_id]


def test_what_another_holds_is_refused_after_the_same_calls_as_what_is_unknown() -> None:
    receive(HOURS_OFF)
    correcting.say_mine(pay("t-2", account_ref="acc-b"), PAPER, now=LATER)
    mine = pay()
    made = []

    for reference in ("first of all, the shop is looked up", "R-1", "unknown"):
        with dying_at_call(0, is_heard=False) as calls, pytest.raises(NotConfirmed):
            correcting.say_mine(mine, Paper(reference=reference), now=LATER)
        made.append(calls.made)

    assert made[1] == made[2]
    assert made[1].count("BatchGetItem") == 1
