"""A payment that claimed its receipt and died goes on with it, whoever waits for it meanwhile."""

import pytest

from chalicelib.matching import store as matching_store
from chalicelib.matching.decision import Hold
from chalicelib.matching.store import Claim
from chalicelib.purchases import service
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
