"""A payment waits as long as its shop and its bank may say more, and ends with the last word."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.matching import store as matching_store
from chalicelib.matching.timekeeping import store as timekeeping
from chalicelib.network import service as network
from chalicelib.network.identifiers import Identifier
from chalicelib.network.model import Provider
from chalicelib.purchases import reading, service, store, waiting
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.model import Ending, Purchase
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.reading import Missing, NoReceipt
from tests.makers.network import make_connection, make_store, mid
from tests.makers.purchases import (
    BANK,
    MID,
    PAID_AT,
    SALE,
    SHOP,
    cleared,
    event,
    found,
    open_town,
    receive,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

QUICK = replace(SHOP, late_receipts_days=1)
SILENT = event(card=CardFacts())
SEEN_AT = PAID_AT + timedelta(minutes=2)


def open_with(provider: Provider) -> None:
    open_town(make_connection(provider=provider), store=QUICK)


def nightly(now: datetime) -> None:
    waiting.look_again_between(now - waiting.LONGEST, now, now=now)


def ended() -> Purchase:
    where = payments.find_whereabouts(SILENT.payment_id, now=SEEN_AT)
    assert where is not None
    key = active_key_of(where.member_id, now=SEEN_AT)
    assert key is not None
    purchase = store.find_purchase(where, key=key, now=SEEN_AT)
    assert purchase is not None
    return purchase


def test_ends_when_the_shop_sends_no_more_and_the_bank_says_no_more() -> None:
    open_with(Provider.FLUX_V1)
    service.record_payment(SILENT, now=SEEN_AT)

    nightly(SEEN_AT + timedelta(hours=23))
    before = found("t-1", now=SEEN_AT)
    nightly(SEEN_AT + timedelta(days=1))

    assert before is Missing.PENDING
    later = SEEN_AT + timedelta(days=1)
    answer = reading.find_receipt(BANK, "t-1", now=later)
    assert answer == NoReceipt(Missing.NO_MATCH, Ending.NO_RECEIPT_CAME)
    clocks = timekeeping.find_clocks(SHOP.store_id, now=later, consistent=True).clocks
    assert (clocks.tally.found, clocks.tally.waited, clocks.tally.absent) == (0, 1, 1.0)


@pytest.mark.parametrize(("others", "waited"), [((), 1), ((mid(MID),), 0)])
def test_what_may_be_of_two_stores_says_of_neither_that_receipts_are_missing(
    others: tuple[Identifier, ...], waited: int
) -> None:
    open_with(Provider.FLUX_V1)
    network.record_store(make_store("mill-lane", reference="2"), others, now=PAID_AT)
    service.record_payment(SILENT, now=SEEN_AT)

    nightly(SEEN_AT + timedelta(hours=23))

    clocks = timekeeping.find_clocks(SHOP.store_id, now=SEEN_AT, consistent=True).clocks
    assert clocks.tally.waited == waited


@pytest.mark.parametrize(("is_cleared", "waits"), [(False, 1), (True, 0)])
def test_waits_for_a_clearing_that_may_still_say_more(is_cleared: bool, waits: int) -> None:
    open_with(Provider.STANDARD)
    service.record_payment(SILENT, now=SEEN_AT)
    if is_cleared:
        service.record_payment(cleared(SILENT, 420), now=SEEN_AT)

    nightly(SEEN_AT + timedelta(days=2))

    since, until = PAID_AT - timedelta(hours=1), PAID_AT + timedelta(hours=1)
    left = matching_store.list_waiting_between(SHOP.store_id, since, until, now=SEEN_AT)
    assert len(left) == waits


def test_ends_with_what_the_last_look_said() -> None:
    open_with(Provider.FLUX_V1)
    service.record_payment(SILENT, now=SEEN_AT)
    twins = [replace(SALE, reference=f"R-{n}", tenders=()) for n in (1, 2)]
    receive(*twins, now=SEEN_AT)

    nightly(SEEN_AT + timedelta(days=1))

    end = ended()
    assert end.ending is Ending.STAYED_AMBIGUOUS
    assert end.reason is not None
    assert (end.reason.why, end.receipt) == ("same_sale_twice", None)


def test_of_two_that_want_one_receipt_none_gets_it_because_the_other_ends_first() -> None:
    open_with(Provider.FLUX_V1)
    receipts = replace(SALE, tenders=())
    for name, seconds in (("t-1", 0), ("t-2", 1)):
        at = PAID_AT + timedelta(seconds=seconds)
        told = event(name, made_at=at, occurred_at=at, card=CardFacts())
        service.record_payment(told, now=SEEN_AT)
    receive(receipts, now=SEEN_AT)

    nightly(SEEN_AT + timedelta(days=1))

    later = SEEN_AT + timedelta(days=1)
    answers = [reading.find_receipt(BANK, name, now=later) for name in ("t-1", "t-2")]
    assert answers == [NoReceipt(Missing.NO_MATCH, Ending.STAYED_AMBIGUOUS)] * 2


def test_a_receipt_that_comes_after_the_end_is_found_by_a_clearing() -> None:
    open_with(Provider.STANDARD)
    service.record_payment(SILENT, now=SEEN_AT)
    nightly(SEEN_AT + timedelta(days=6))
    late = SEEN_AT + timedelta(days=6, hours=1)
    receive(SALE, now=late)

    service.record_payment(
        replace(cleared(SILENT, 420), card=CardFacts(auth_code="4K7Q2X")), now=late
    )

    assert found("t-1", now=late) == "R-1"
