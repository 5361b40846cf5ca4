"""Reads that may lag: at half the price, and that there is nothing is never believed of them."""

from datetime import timedelta

import pytest

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.purchases import service
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import vault
from tests.makers.calls import hearing_row_reads
from tests.makers.purchases import PAID_AT, SALE, event, found, open_town, receive

pytestmark = pytest.mark.stores

LATER = PAID_AT + timedelta(minutes=2)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


def test_reads_a_member_who_is_not_there_again_and_consistently() -> None:
    with hearing_row_reads() as are_consistent:
        key = active_key_of(MemberId("m-nobody"), now=PAID_AT, consistent=False)

    assert (key, are_consistent) == (None, [False, True])


def test_reads_a_payment_that_is_not_there_again_and_consistently() -> None:
    key, nothing = vault.member_key(b"0" * 16), PaymentId("harbour-bank:t-none")

    with hearing_row_reads() as are_consistent:
        known = payments.find_payment(nothing, key=key, now=PAID_AT, consistent=False)

    assert (known, are_consistent) == (None, [False, True])


def test_reads_who_waits_as_of_a_moment_ago_and_once_more_after_joining() -> None:
    service.record_payment(event(), now=PAID_AT)

    with hearing_row_reads() as are_consistent:
        receive(SALE, now=LATER)

    assert found("t-1", now=LATER) == SALE.reference
    member, payment, *others = are_consistent
    assert (member, payment, others[-1]) == (False, False, True)
