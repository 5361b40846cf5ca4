"""A match that a clearing contradicts ends, is told, and leaves the receipt to whom it belongs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.matching import store as matching_store
from chalicelib.matching.why import Why
from chalicelib.network import service as network
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.purchases import reading, service, store
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.messages import decode_delivery
from chalicelib.purchases.model import Purchase, WithdrawnWhy
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.reading import Missing
from chalicelib.receipts.canonical import Tender, TenderKind
from infra.local import queue_time
from tests.makers.corrections import look
from tests.makers.network import make_store, mid
from tests.makers.outside import Counted
from tests.makers.purchases import (
    BANK,
    MID,
    OPENED_AT,
    PAID_AT,
    SALE,
    SHOP,
    cleared,
    deliveries,
    event,
    found,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores

TWO_DAYS_LATER = PAID_AT + timedelta(days=2)
SILENT = event(card=CardFacts())  # The bank says nothing of the card until it clears.
OTHER_CODE = replace(cleared(SILENT, 420), card=CardFacts(auth_code="9Z9Z9Z"))
BRAND = Identifier(IdentifierKind.NARRATIVE, "ELM BAKERY")
OTHER_SHOP = make_store("harbour-steps")


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> Iterator[None]:
    restore = queue_time.rule()
    open_town()
    yield
    restore()


def tell(*events: object) -> None:
    for one in events:
        service.record_payment(one, now=TWO_DAYS_LATER)  # type: ignore[arg-type]


def matched_by_time() -> None:
    """Ada's payment has the receipt because nothing else was near."""
    receive(SALE, now=TWO_DAYS_LATER)
    tell(SILENT)
    assert found("t-1", now=TWO_DAYS_LATER) == "R-1"
    deliveries()


def purchase_of(name: str) -> Purchase:
    where = payments.find_whereabouts(event(name).payment_id, now=TWO_DAYS_LATER)
    assert where is not None
    key = active_key_of(where.member_id, now=TWO_DAYS_LATER)
    assert key is not None
    purchase = store.find_purchase(where, key=key, now=TWO_DAYS_LATER)
    assert purchase is not None
    return purchase


@pytest.mark.requirement("RCP-11")
def test_takes_the_receipt_away_and_tells_the_bank(counted: Counted) -> None:
    matched_by_time()

    tell(OTHER_CODE)

    assert found("t-1", now=TWO_DAYS_LATER) is Missing.PENDING
    assert [decode_delivery(body).note for body in deliveries()] == [NoteKind.WITHDRAWN]
    assert counted["receipts_withdrawn:contradicted"] == 1
    (withdrawal,) = purchase_of("t-1").withdrawals
    assert (withdrawal.why, withdrawal.detail) == (
        WithdrawnWhy.CONTRADICTED.value,
        "auth_code",
    )


@pytest.mark.requirement("RCP-14")
def test_keeps_what_the_bank_said_though_the_receipt_goes() -> None:
    matched_by_time()

    tell(OTHER_CODE)
    look(now=TWO_DAYS_LATER)

    key = active_key_of(purchase_of("t-1").member_id, now=TWO_DAYS_LATER)
    assert key is not None
    known = payments.find_payment(SILENT.payment_id, key=key, now=TWO_DAYS_LATER)
    assert known is not None
    assert [e.event_key for e in known.payment.events] == ["authorised", "cleared"]


@pytest.mark.requirement("RCP-11")
def test_leaves_the_receipt_to_whose_code_it_has() -> None:
    matched_by_time()
    bela = event("t-2", account_ref="acc-b")
    tell(bela)
    assert found("t-2", now=TWO_DAYS_LATER) is Missing.PENDING

    tell(OTHER_CODE)
    look(now=TWO_DAYS_LATER)

    assert found("t-2", now=TWO_DAYS_LATER) == "R-1"
    assert found("t-1", now=TWO_DAYS_LATER) is Missing.PENDING


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_ends_alike_in_whatever_order_they_come_and_however_often(order: Sequence[int]) -> None:
    steps: list[Callable[[], object]] = [
        lambda: tell(SILENT),
        lambda: tell(OTHER_CODE),
        lambda: receive(SALE, now=TWO_DAYS_LATER),
    ]

    for step in (*order, *order):
        steps[step]()
        look(now=TWO_DAYS_LATER)

    assert found("t-1", now=TWO_DAYS_LATER) is Missing.PENDING
    assert matching_store.list_claims(SALE.receipt_id, now=TWO_DAYS_LATER) == []


def test_a_clearing_at_another_shop_sends_the_payment_to_wait_there() -> None:
    network.record_store(SHOP, [mid(MID), BRAND], now=OPENED_AT)
    network.record_store(OTHER_SHOP, [mid("10002"), BRAND], now=OPENED_AT)
    anywhere = replace(SILENT, merchant=(BRAND,))
    receive(SALE, now=TWO_DAYS_LATER)
    tell(anywhere)
    assert found("t-1", now=TWO_DAYS_LATER) == "R-1"

    tell(replace(cleared(anywhere, 420), merchant=(mid("10002"),)))
    look(now=TWO_DAYS_LATER)
    there = replace(SALE, reference="R-2", store_id=OTHER_SHOP.store_id, tenders=())
    receive(there, place=OTHER_SHOP, now=TWO_DAYS_LATER)

    assert found("t-1", now=TWO_DAYS_LATER) == "R-2"


def test_nothing_a_bank_says_later_undoes_what_a_person_joined() -> None:
    matched_by_time()
    purchase = purchase_of("t-1")
    assert purchase.reason is not None
    by_hand = replace(purchase, version=2, reason=replace(purchase.reason, why=Why.SAID_MINE.value))
    key = active_key_of(purchase.member_id, now=TWO_DAYS_LATER)
    assert key is not None
    assert store.record_version(by_hand, key=key)

    tell(OTHER_CODE)

    answer = reading.find_receipt(BANK, "t-1", now=TWO_DAYS_LATER)
    assert isinstance(answer, Purchase)
    assert answer.receipt == SALE


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize(("taken", "is_found"), [(630, True), (631, False)])
def test_a_hold_finds_nothing_that_what_was_cleared_speaks_against(
    order: Sequence[int], taken: int, *, is_found: bool
) -> None:
    """A pump holds £4.20 and takes much more; a stranger pays £4.20 inside."""
    stranger = replace(SALE, tenders=(Tender(TenderKind.CARD, 420),))
    steps: list[Callable[[], object]] = [
        lambda: tell(SILENT),
        lambda: tell(replace(cleared(SILENT, taken), card=CardFacts())),
        lambda: receive(stranger, now=TWO_DAYS_LATER),
    ]

    for step in order:
        steps[step]()
    look(now=TWO_DAYS_LATER)

    assert (found("t-1", now=TWO_DAYS_LATER) == "R-1") is is_found
