"""A till that sends too much at once: batches, bodies and pages over their limits."""

import json
from datetime import timedelta
from typing import Any

from infra.baddays.street import Ledger, Street
from infra.local.calling import call

LINES_PER_RECEIPT = 45
MEMBERS_BUY = 12
BODY_BYTES = 6_000_000
BODY_BYTES_MAX = 1_048_576
LINES_PER_PAGE_MAX = 2_000


def play(street: Street, ledger: Ledger, *, size: int) -> None:
    """`size` long receipts in posts of a hundred, the same in one post, and six megabytes."""
    from chalicelib.tills import store as tills_store
    from infra.local.setup import store_id_of

    receipts = [_long(receipt) for receipt in street.strangers(size, every=timedelta(seconds=9))]
    errands = street.errands(MEMBERS_BUY, every=timedelta(seconds=20))
    at_once = street.post([errand.receipt for errand in errands][:1] * 5_000)
    ledger.check("answer to five thousand in one post", at_once.status, 413)
    login = street.setting.till_logins[street.brand.retailer_id]
    headers = {**login.headers(), "Content-Type": "application/json"}
    padded = json.dumps(receipts[:1]).encode() + b" " * BODY_BYTES
    heavy = call("POST", f"{street.stack.base_url}/v1/receipts", body=padded, headers=headers)
    ledger.check("answer to six megabytes", heavy.status, 413)
    ledger.check("receipts taken", street.ring_up(receipts), size)
    ledger.check(
        "receipts of members taken", street.ring_up([e.receipt for e in errands]), len(errands)
    )
    ledger.check("events that did not count as received", street.tell(errands), 0)
    street.work()
    now = street.clock.now()
    pages = tills_store.list_pages(
        store_id_of(street.brand, street.shop),
        since=now - timedelta(hours=24),
        until=now,
        now=now,
    )
    references = [receipt.reference for page in pages for receipt in page.receipts]
    wanted = {receipt["reference"] for receipt in receipts}
    ledger.check("receipts on pages, each once", len([r for r in references if r in wanted]), size)
    lines = max(sum(len(r.lines) for r in page.receipts) for page in pages)
    ledger.note("pages", len(pages))
    ledger.check_within("lines on the fullest page", lines, 1, LINES_PER_PAGE_MAX)
    street.settle_accounts(ledger, errands)


def _long(receipt: dict[str, Any]) -> dict[str, Any]:
    """The receipt with many lines that come to the same."""
    total = receipt["total_minor"]
    lines = [
        {"description": f"Something long, number {n}, as tills print it", "amount_minor": 10}
        for n in range(LINES_PER_RECEIPT)
    ]
    rest = {"description": "The rest", "amount_minor": total - 10 * LINES_PER_RECEIPT}
    return receipt | {"lines": [*lines, rest]}
