"""A claim that a crash left behind leads no change of a stranger's receipt to a member."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Hold
from chalicelib.matching.standing import Claim
from chalicelib.purchases import reading, receiving, service
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import (
    Line,
    LineKind,
    LineReference,
    Receipt,
    ReceiptKind,
    Tender,
    TenderKind,
)
from tests.makers.members import numbered
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SALE,
    SHOP,
    deliveries,
    event,
    found,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores
HOUR = timedelta(hours=1)
HOURS_LATER = PAID_AT + 3 * HOUR
STRANGERS = replace(
    SALE,
    reference="R-9",
    issued_at=PAID_AT + timedelta(seconds=5),
    tenders=(Tender(TenderKind.CARD, 420),),
)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


def void(receipt: Receipt) -> Receipt:
    return replace(receipt, version=2, kind=ReceiptKind.VOID, total_minor=0, lines=(), tenders=())


def returned(reference: str) -> Receipt:
    """The loaf of the sale `reference` comes back."""
    line = Line("1", "Rye loaf", 420, kind=LineKind.RETURN, refers_to=LineReference(reference, "1"))
    return replace(
        SALE,
        reference="B-9",
        kind=ReceiptKind.RETURN,
        lines=(line,),
        issued_at=PAID_AT + HOUR,
    )


def died_after_claiming(receipt: Receipt, *, at: datetime = A_MINUTE_LATER) -> None:
    """A worker took `receipt` for Ada's payment, and died."""
    hold = Hold(event().payment_id, numbered(1).member_id, BANK)
    assert matching_store.record_claim(Claim(receipt.receipt_id, 0, hold, PAID_AT), now=at)


def holds_another() -> None:
    """Ada's payment holds R-1, and a claim on a stranger's R-9 that nothing came of."""
    receive(SALE, STRANGERS)
    service.record_payment(event(), now=A_MINUTE_LATER)
    assert found("t-1") == "R-1"
    died_after_claiming(STRANGERS)
    deliveries()


def unchanged(now: datetime) -> None:
    answer = reading.find_receipt(BANK, "t-1", now=now)
    assert isinstance(answer, Purchase)
    assert (answer.version, answer.receipt, answer.returns) == (1, SALE, ())
    assert deliveries() == []


@pytest.mark.requirement("RCP-10")
@pytest.mark.parametrize("change", [void(STRANGERS), returned("R-9")])
def test_what_changes_a_strangers_receipt_stays_away_from_who_holds_another(
    change: Receipt,
) -> None:
    holds_another()

    received = receive(change, now=HOURS_LATER)

    assert received.contradicting == ()
    unchanged(HOURS_LATER)
    assert matching_store.list_claims(STRANGERS.receipt_id, now=HOURS_LATER) == []
    kept = matching_store.list_changes(STRANGERS.receipt_id, now=HOURS_LATER)
    assert kept == [change]


def test_a_claim_of_just_now_is_let_stand() -> None:
    holds_another()

    receive(void(STRANGERS))

    unchanged(A_MINUTE_LATER)
    assert len(matching_store.list_claims(STRANGERS.receipt_id, now=A_MINUTE_LATER)) == 1


def nothing_came_of_it() -> None:
    """A claim on R-9 of Ada's payment of another sum, which waits."""
    receive(STRANGERS)
    service.record_payment(event(amount=Money(999, "GBP"), card=CardFacts()), now=A_MINUTE_LATER)
    died_after_claiming(STRANGERS)


@pytest.mark.parametrize("change", [void(STRANGERS), returned("R-9")])
def test_a_change_of_what_was_claimed_and_never_joined_is_put_off_for_an_hour(
    change: Receipt,
) -> None:
    nothing_came_of_it()
    just_before = A_MINUTE_LATER + HOUR - timedelta(seconds=1)

    lone = receiving.receive(SHOP, [change], is_gathered=False, now=just_before)
    with pytest.raises(TryAgain):
        receive(change, now=just_before)
    gathered = receive(change, now=A_MINUTE_LATER + HOUR)

    assert lone.to_gather == (change,)
    assert (gathered.to_gather, gathered.contradicting) == ((), ())
    assert matching_store.list_claims(STRANGERS.receipt_id, now=A_MINUTE_LATER + HOUR) == []


def test_a_return_of_what_a_payment_claimed_that_ended_is_kept_for_whoever_holds_it() -> None:
    nothing_came_of_it()
    told = event(amount=Money(999, "GBP"), card=CardFacts())
    reversal = replace(told, event_key="reversed", kind=PaymentEventKind.REVERSED, digest="back")
    service.record_payment(reversal, now=A_MINUTE_LATER)

    receive(returned("R-9"), now=HOURS_LATER)

    kept = matching_store.list_changes(STRANGERS.receipt_id, now=HOURS_LATER)
    assert kept == [returned("R-9")]
    assert len(matching_store.list_claims(STRANGERS.receipt_id, now=HOURS_LATER)) == 1
