"""A receipt that cannot be changed yet holds up no other store's, and reaches no dead letters."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.ids import payment_id_of, receipt_id_of
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Hold
from chalicelib.matching.standing import Claim
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import clock, queues
from chalicelib.tills import service as tills
from tests.makers.journeys import NOON, OPENED_AT, PAID, SHOP, open_town, till_receipt
from tests.makers.network import BAKERY, make_store, mid
from tests.makers.outside import put_on, run_worker
from tests.makers.signed_hooks import signed

pytestmark = pytest.mark.stores
OTHER = make_store("station", reference="0043")
PAYER = PAID[Provider.STANDARD]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    """A payment waits; a worker that died has claimed R-9 for it, which is not its own."""
    open_town("http://127.0.0.1:9", providers=(Provider.STANDARD,))  # Nothing is sent there.
    network.record_store(OTHER, [mid("elsewhere")], now=OPENED_AT)
    signed(Provider.STANDARD).send()
    run_worker(queues.PAYMENTS)
    payment_id = payment_id_of(PAYER.connection_id, PAYER.transaction)
    where = payments.find_whereabouts(payment_id, now=NOON)
    assert where is not None
    hold = Hold(payment_id, where.member_id, PAYER.connection_id)
    claim = Claim(receipt_id_of(BAKERY, "R-9"), 0, hold, where.anchored_at)
    assert matching_store.record_claim(claim, now=NOON)


def message(*receipts: dict[str, Any]) -> str:
    return json.dumps(
        {
            "v": 1,
            "retailer_id": BAKERY,
            "received_at": "2026-11-20T12:00:00Z",
            "receipts": receipts,
        }
    )


VOID = till_receipt(PAYER, "R-9", version=2, kind="void", total_minor=0, lines=[], tenders=[])
SOLD = till_receipt(PAYER, "R-10", store="0043")


def on_pages(reference: str) -> list[int]:
    """The versions of the receipt that stand on pages of either store."""
    receipt_id = receipt_id_of(BAKERY, reference)
    kept = [
        tills.receipts_near(
            store, since=NOON - HOUR, until=NOON + HOUR, now=clock.now(), consistent=True
        )
        for store in (SHOP, OTHER)
    ]
    return [near[receipt_id].version for near in kept if receipt_id in near]


def test_another_stores_receipts_are_kept_though_one_cannot_be_changed_yet() -> None:
    put_on(queues.RECEIPTS, message(VOID, SOLD))

    assert run_worker(queues.RECEIPTS).failed == ()
    gathered = run_worker(queues.GATHER)

    assert [json.loads(body)["receipts"][0]["reference"] for body in gathered.bodies] == [
        "R-9",
        "R-10",
    ]
    assert gathered.failed == (gathered.bodies[0],)
    assert on_pages("R-10") == [1]


def test_an_hour_later_it_goes_through() -> None:
    put_on(queues.RECEIPTS, message(VOID, SOLD))
    run_worker(queues.RECEIPTS)
    (first,) = run_worker(queues.GATHER).failed
    clock.use(lambda: NOON + HOUR)

    put_on(queues.GATHER, first)

    assert run_worker(queues.GATHER).failed == ()
    assert on_pages("R-9") == [2]
    assert matching_store.list_claims(receipt_id_of(BAKERY, "R-9"), now=clock.now()) == []
