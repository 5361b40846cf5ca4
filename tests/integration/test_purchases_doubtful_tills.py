"""Tills that send what cannot be: no stranger's receipt, a reason, and a sign with the till."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.purchases import service
from chalicelib.purchases.reading import Missing
from chalicelib.receipts.canonical import Receipt
from tests.makers.outside import Counted
from tests.makers.purchases import CODE, PAID_AT, SALE, event, found, open_town, receive

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

LATER = PAID_AT + timedelta(hours=2)
MINUTE = timedelta(minutes=1)


def sold(name: str, *, minutes: float = 0, minor: int = 420, card: CardFacts = CODE) -> Receipt:
    """A sale at the till T7."""
    return replace(
        SALE,
        reference=name,
        till="T7",
        issued_at=PAID_AT + minutes * MINUTE,
        total_minor=minor,
        lines=(replace(SALE.lines[0], amount_minor=minor),),
        tenders=(replace(SALE.tenders[0], amount_minor=minor, card=card),),
    )


def pay(name: str, *, minutes: float = 0, account: str = "acc-a", card: CardFacts = CODE) -> None:
    at = PAID_AT + minutes * MINUTE
    told = event(name, made_at=at, occurred_at=at, account_ref=account, card=card)
    service.record_payment(told, now=LATER)


@pytest.mark.requirement("RCP-11")
def test_says_why_a_payment_waits_whose_sale_was_sent_twice(counted: Counted) -> None:
    open_town()
    pay("t-1")

    receive(sold("R-1"), sold("R-2"), now=LATER)

    assert found("t-1", now=LATER) is Missing.PENDING
    assert counted["tills_suspect:same_sale_twice"] == 1
    assert counted["payments_waiting:same_sale_twice"] == 1
    assert counted["matched"] == 0


@pytest.mark.requirement("RCP-11")
def test_gives_none_of_two_receipts_of_one_sale_that_came_before(counted: Counted) -> None:
    open_town()
    receive(sold("R-1"), now=LATER)
    receive(sold("R-2"), now=LATER)

    pay("t-1")

    assert found("t-1", now=LATER) is Missing.PENDING
    assert counted["tills_suspect:same_sale_twice"] == 1
    assert counted["matched"] == 0


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize("card", [CODE, CardFacts()])
def test_what_a_member_has_goes_to_nobody_else_under_another_id(card: CardFacts) -> None:
    open_town()
    receive(sold("R-1", card=card), now=LATER)
    pay("t-1", card=card)
    receive(sold("R-2", card=card), now=LATER)

    pay("t-2", minutes=1 / 20, account="acc-b", card=CardFacts())

    assert found("t-1", now=LATER) == "R-1"
    assert found("t-2", now=LATER) is Missing.PENDING


@pytest.mark.requirement("RCP-11")
def test_names_a_till_once_for_receipts_that_come_again(counted: Counted) -> None:
    open_town()

    for _ in range(3):
        receive(sold("R-1"), sold("R-2"), now=LATER)

    assert counted["tills_suspect"] == 1


@pytest.mark.requirement("RCP-11")
def test_gives_no_strangers_receipt_for_a_code_that_a_till_prints_on_all(counted: Counted) -> None:
    open_town()
    receive(*(sold(f"S-{n}", minutes=n, minor=420) for n in range(2, 9)), now=LATER)

    pay("t-1", account="acc-a")
    pay("t-2", minutes=0.2, account="acc-b")

    assert [found(name, now=LATER) for name in ("t-1", "t-2")] == [Missing.PENDING] * 2
    assert counted["tills_suspect:auth_code_repeated"] == 1
    assert counted["matched"] == 0
