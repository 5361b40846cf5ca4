"""A payment whose shop is known late, or better with each event."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.matching import store as matching_store
from chalicelib.network import service as network
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.purchases import reading, service
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.reading import Missing
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
    event,
    found,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores

TWO_DAYS_LATER = PAID_AT + timedelta(days=2)
BRAND = Identifier(IdentifierKind.NARRATIVE, "ELM BAKERY")
OTHER_SHOP = make_store("harbour-steps")
NAMELESS = event(merchant=(mid("66666"),))
NAMED = replace(cleared(NAMELESS, 420), merchant=(mid(MID),))


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


def open_two_shops() -> None:
    """Two shops under one statement line, each with its own MID."""
    network.record_store(SHOP, [mid(MID), BRAND], now=OPENED_AT)
    network.record_store(OTHER_SHOP, [mid("10002"), BRAND], now=OPENED_AT)


def waiting_at(store_id: str) -> int:
    since, until = PAID_AT - timedelta(hours=1), PAID_AT + timedelta(hours=1)
    return len(
        matching_store.list_waiting_between(store_id, since, until, now=PAID_AT)  # type: ignore[arg-type]
    )


@pytest.mark.requirement("RCP-15")
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_is_recorded_when_a_clearing_names_the_shop(order: Sequence[int], counted: Counted) -> None:
    """Nothing is kept of the event that names no shop, whenever it comes."""
    steps: list[Callable[[], object]] = [
        lambda: service.record_payment(NAMELESS, now=TWO_DAYS_LATER),
        lambda: service.record_payment(NAMED, now=TWO_DAYS_LATER),
        lambda: receive(SALE, now=TWO_DAYS_LATER),
    ]

    for step in (*order, *order):  # Everything comes twice.
        steps[step]()

    answer = reading.find_receipt(BANK, "t-1", now=TWO_DAYS_LATER)
    assert isinstance(answer, Purchase)
    assert answer.receipt == SALE
    assert [e.event_key for e in answer.payment.events] == ["cleared"]
    assert counted["payments_dropped:not_in_network"] == 2


@pytest.mark.requirement("RCP-11")
def test_waits_only_where_its_newest_event_says_it_was() -> None:
    open_two_shops()
    anywhere = event(merchant=(BRAND,))
    service.record_payment(anywhere, now=TWO_DAYS_LATER)
    before = (waiting_at(SHOP.store_id), waiting_at(OTHER_SHOP.store_id))

    service.record_payment(
        replace(cleared(anywhere, 420), merchant=(mid(MID),)), now=TWO_DAYS_LATER
    )

    assert before == (1, 1)
    assert (waiting_at(SHOP.store_id), waiting_at(OTHER_SHOP.store_id)) == (1, 0)


@pytest.mark.requirement("RCP-11")
def test_stands_in_nobodys_way_at_a_shop_where_it_was_not() -> None:
    """Bela paid the same at the other shop; Ada's clearing says that hers was here."""
    open_two_shops()
    bare = CardFacts()
    ada = event(merchant=(BRAND,), card=bare)
    service.record_payment(ada, now=TWO_DAYS_LATER)
    service.record_payment(replace(cleared(ada, 420), merchant=(mid(MID),)), now=TWO_DAYS_LATER)
    bela = event("t-2", account_ref="acc-b", merchant=(mid("10002"),), card=bare)

    service.record_payment(bela, now=TWO_DAYS_LATER)
    other = replace(SALE, reference="R-2", store_id=OTHER_SHOP.store_id, tenders=())
    receive(other, place=OTHER_SHOP, now=TWO_DAYS_LATER)

    assert found("t-2", now=TWO_DAYS_LATER) == "R-2"
    assert found("t-1", now=TWO_DAYS_LATER) is Missing.PENDING


@pytest.mark.requirement("RCP-11")
def test_leaves_no_trace_on_any_list_once_it_has_its_receipt() -> None:
    open_two_shops()
    anywhere = event(merchant=(BRAND,))
    service.record_payment(anywhere, now=TWO_DAYS_LATER)
    receive(SALE, now=TWO_DAYS_LATER)

    service.record_payment(
        replace(cleared(anywhere, 480), merchant=(mid(MID),)), now=TWO_DAYS_LATER
    )

    answer = reading.find_receipt(BANK, "t-1", now=TWO_DAYS_LATER)
    assert isinstance(answer, Purchase)
    assert answer.payment.amount == Money(480, "GBP")
    assert (waiting_at(SHOP.store_id), waiting_at(OTHER_SHOP.store_id)) == (0, 0)
