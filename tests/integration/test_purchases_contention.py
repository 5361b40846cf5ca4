"""Sixteen workers fight over the same receipts and payments: one claim each, and none lost."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest

from chalicelib.matching import store as matching_store
from chalicelib.purchases import reading
from chalicelib.purchases.messages import decode_delivery
from chalicelib.purchases.model import Purchase
from chalicelib.runtime import queues
from tests.makers.contention import (
    CLOSED_AT,
    STORES,
    Bought,
    Hall,
    fight,
    fill,
    leave_claims,
    open_hall,
    set_rivals,
    steps_of,
)
from tests.makers.purchases import PAID_AT, queued

pytestmark = pytest.mark.stores

ON_REAL_DYNAMODB = bool(os.environ.get("COUNTERFOIL_REAL_DYNAMODB"))
# moto's tables are no match for threads: there the same hall is worked off by one, in its order.
SALES, STRANGERS, RIVALS, WORKERS = (120, 200, 40, 16) if ON_REAL_DYNAMODB else (10, 10, 4, 1)


def purchase_of(bought: Bought) -> Purchase | None:
    event = bought.event
    found = reading.find_receipt(event.connection_id, event.transaction_id, now=CLOSED_AT)
    return found if isinstance(found, Purchase) else None


def claims_on(receipt_ids: Iterable[str]) -> Counter[tuple[str, int]]:
    """How often each part of the receipts is claimed."""
    return Counter(
        (claim.receipt_id, claim.part)
        for receipt_id in receipt_ids
        for claim in matching_store.list_claims(receipt_id, now=CLOSED_AT)  # type: ignore[arg-type]
    )


def tell(capsys: pytest.CaptureFixture[str], sentence: str) -> None:
    """Print `sentence` whatever pytest captures: the counts are worth as much as the dot."""
    with capsys.disabled():
        sys.stdout.write(f"\n{sentence}\n")


def still_waiting() -> int:
    """How many payments are written down as waiting anywhere."""
    return sum(
        len(matching_store.list_waiting_around(store.store_id, PAID_AT, CLOSED_AT, now=CLOSED_AT))
        for store in STORES
    )


@pytest.mark.requirement("RCP-01")
@pytest.mark.parametrize(("seed", "clustered"), [(1, True), (2, False)])
def test_of_everything_at_once_each_payment_gets_its_receipt_and_no_other(
    embedded_aws: None, seed: int, clustered: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    random, hall = Random(seed), Hall()
    open_hall()
    fill(hall, random, sales=SALES, strangers=STRANGERS)
    died, robbed = leave_claims(hall)
    set_rivals(hall, random, pairs=RIVALS)
    steps = steps_of(hall, random, clustered=clustered)

    began = time.monotonic()
    counts = fight(steps, seed=seed, workers=WORKERS)
    seconds = time.monotonic() - began

    found = {bought: purchase_of(bought) for bought in hall.bought}
    unmatched = [b.event.transaction_id for b, purchase in found.items() if purchase is None]
    wrong = [
        b.event.transaction_id
        for b, purchase in found.items()
        if purchase and (purchase.receipt, purchase.part) != (b.receipt, b.part)
    ]
    parts = {(b.receipt.receipt_id, b.part) for b in hall.bought}
    held = [(b.receipt.receipt_id, b.part) for b in hall.rivals if purchase_of(b)]
    tell(
        capsys,
        f"{'clustered' if clustered else 'scattered'}: {counts['steps']} messages of "
        f"{len(found) + len(hall.rivals)} payments and {len(hall.receipts)} receipts in "
        f"{seconds:.1f} s by {WORKERS} workers, {counts['tried again']} tried again; {died} + "
        f"{robbed} claims left by crashes; {len(unmatched)} unmatched, {len(wrong)} wrong, "
        f"{len(parts)} parts claimed once; of {RIVALS} pairs of rivals {len(held)} won",
    )
    assert counts["steps"] == len(steps)
    assert (unmatched, wrong) == ([], [])
    assert claims_on({b.receipt.receipt_id for b in hall.bought}) == Counter(parts)
    assert claims_on({b.receipt.receipt_id for b in hall.rivals}) == Counter(held)
    assert still_waiting() == len(hall.rivals) - len(held)


def test_each_purchase_that_was_fought_over_is_told(embedded_aws: None) -> None:
    random, hall = Random(3), Hall()
    open_hall(told_at_url="https://bank.test/receipts")
    fill(hall, random, sales=6, strangers=0)

    fight(steps_of(hall, random, clustered=True), seed=3, workers=WORKERS)

    told = {decode_delivery(body).payment_id for body in queued(queues.DELIVERIES)}
    assert told == {bought.event.payment_id for bought in hall.bought}
