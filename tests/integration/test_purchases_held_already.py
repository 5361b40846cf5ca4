"""A payment that claimed its receipt and died goes on with it, whoever waits for it meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Hold
from chalicelib.matching.standing import Claim
from chalicelib.members.model import LinkKind, Reference
from chalicelib.privacy import leaving
from chalicelib.purchases import service
from chalicelib.purchases.access import find_own
from chalicelib.purchases.correcting import service as correcting
from chalicelib.purchases.reading import Missing
from tests.makers.members import numbered
from tests.makers.purchases import (
    A_MINUTE_LATER,
    BANK,
    PAID_AT,
    SALE,
    deliveries,
    event,
    found,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores


@pytest.mark.requirement("RCP-14")
def test_a_payment_that_died_after_its_claim_is_joined_though_a_rival_waits(
    embedded_aws: None,
) -> None:
    open_town()
    receive(SALE)
    bela = event("t-2", account_ref="acc-b")
    hold = Hold(bela.payment_id, numbered(2).member_id, BANK)
    matching_store.record_claim(Claim(SALE.receipt_id, 0, hold, PAID_AT), now=A_MINUTE_LATER)
    service.record_payment(event("t-1"), now=A_MINUTE_LATER)
    assert found("t-1") is Missing.PENDING

    service.record_payment(bela, now=A_MINUTE_LATER)

    assert found("t-2") == "R-1"
    assert found("t-1") is Missing.PENDING
    assert len(deliveries()) == 1


HOUR = timedelta(hours=1)


def ada_died_after_her_claim_and_was_contradicted() -> None:
    """Ada's card paid at the same moment, as her bank says only when it clears; until then a worker
    that died had claimed the receipt for her.
    """
    open_town()
    receive(SALE)
    told = event("t-1", card=CardFacts(auth_code="9Z1B4C"))
    hold = Hold(told.payment_id, numbered(1).member_id, BANK)
    matching_store.record_claim(Claim(SALE.receipt_id, 0, hold, PAID_AT), now=A_MINUTE_LATER)
    service.record_payment(told, now=A_MINUTE_LATER)
    assert found("t-1") is Missing.PENDING


@pytest.mark.requirement("RCP-14")
def test_a_claim_that_nothing_came_of_gives_way_after_an_hour(embedded_aws: None) -> None:
    ada_died_after_her_claim_and_was_contradicted()
    bela = event("t-2", account_ref="acc-b")
    service.record_payment(bela, now=A_MINUTE_LATER + HOUR - timedelta(seconds=1))
    assert found("t-2") is Missing.PENDING

    service.look_again(bela.payment_id, now=A_MINUTE_LATER + HOUR)

    assert found("t-2", A_MINUTE_LATER + HOUR) == "R-1"
    claims = matching_store.list_claims(SALE.receipt_id, now=A_MINUTE_LATER + HOUR)
    assert [claim.hold.payment_id for claim in claims] == [bela.payment_id]
    assert len(deliveries()) == 1


def test_the_claim_of_a_member_who_left_stands(embedded_aws: None) -> None:
    ada_died_after_her_claim_and_was_contradicted()
    leaving.switch_off(Reference(LinkKind.USER, BANK, "ada"), now=A_MINUTE_LATER)

    service.record_payment(event("t-2", account_ref="acc-b"), now=PAID_AT + 2 * HOUR)

    assert found("t-2", PAID_AT + 2 * HOUR) is Missing.PENDING
    assert len(matching_store.list_claims(SALE.receipt_id, now=PAID_AT + 2 * HOUR)) == 1


def test_the_claim_of_a_payment_that_ended_stands(embedded_aws: None) -> None:
    ada_died_after_her_claim_and_was_contradicted()
    told = event("t-1", card=CardFacts(auth_code="9Z1B4C"))
    reversal = replace(
        told, event_key="reversed", kind=PaymentEventKind.REVERSED, digest="reversed"
    )
    service.record_payment(reversal, now=A_MINUTE_LATER)

    service.record_payment(event("t-2", account_ref="acc-b"), now=PAID_AT + 2 * HOUR)

    assert found("t-2", PAID_AT + 2 * HOUR) is Missing.PENDING
    assert len(matching_store.list_claims(SALE.receipt_id, now=PAID_AT + 2 * HOUR)) == 1


def test_a_claim_taken_again_while_its_receipt_was_withdrawn_gives_way(embedded_aws: None) -> None:
    open_town()
    receive(SALE)
    ada = event("t-1")
    service.record_payment(ada, now=A_MINUTE_LATER)
    own = find_own(BANK, "t-1", of_user=None, now=A_MINUTE_LATER)
    assert own is not None
    correcting.say_not_mine(own, version=1, now=A_MINUTE_LATER)
    hold = Hold(ada.payment_id, numbered(1).member_id, BANK)
    matching_store.record_claim(Claim(SALE.receipt_id, 0, hold, PAID_AT), now=A_MINUTE_LATER)

    service.record_payment(event("t-2", account_ref="acc-b"), now=PAID_AT + 2 * HOUR)

    assert found("t-2", PAID_AT + 2 * HOUR) == "R-1"
