"""A town of members with purchases, and the same purchases as lines of a file. All invented."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.members import store as member_store
from chalicelib.members.activation import decide_new
from chalicelib.members.model import Member
from chalicelib.network.programmes import Service, get_programme
from chalicelib.purchases import store
from chalicelib.purchases.model import Purchase
from infra.backtest.run import Backtest, backtest
from infra.backtest.walking import Pace, backtest_members
from tests.makers.loyalty import SOLD_AT
from tests.makers.matchfiles import quiet, write_lines
from tests.makers.members import TERMS, make_activation, numbered
from tests.makers.offers import (
    BANK,
    OPENED_AT,
    as_sale,
    bought,
    coffees,
    key_of,
    open_town,
    returned,
)
from tests.makers.receipts import RETAILER, STORE

NOW = SOLD_AT + timedelta(days=10)
DAYS = 30
TEN_PERCENT = {
    "name": "Ten per cent back",
    "currency": "GBP",
    "zone": "Europe/London",
    "starts_at": "2027-01-01T00:00:00Z",
    "ends_at": "2027-02-01T00:00:00Z",
    "reward": {"kind": "percent_cashback", "percent": "10", "max_minor": 100},
    "budget": {"amount_minor": 2_000, "currency": "GBP"},
    "limit": {"times": 1, "per": "day"},
    "condition": {"stores": ["0042"], "lines": {"categories": ["Coffee"]}},
}
REGULARS = {**TEN_PERCENT, "audience": [{"kind": "frequent", "visits": 1, "days": 20}]}
STAMPS = {
    "name": "Coffee card",
    "unit": "stamps",
    "currency": "GBP",
    "zone": "Europe/London",
    "rules": [{"kind": "item", "id": "coffee", "when": {"lines": {"categories": ["Coffee"]}}}],
    "card": {"places": 3, "reward": {"kind": "fixed_cashback", "amount_minor": 300}},
}


def fill_town(members: int) -> list[Purchase]:
    """So many members who switched offers on, with one to three purchases; every fifth gives one
    line back.
    """
    open_town()
    made = []
    for number in range(1, members + 1):
        member = join_at_once(f"member-{number}", number)
        for day in range(1 + number % 3):
            made.append(buy(member, day, 300 + number, 250, gives_back=number % 5 == 0))
    return made


def join_at_once(name: str, number: int) -> Member:
    """As `join`, in one write and not two."""
    terms = replace(TERMS, accepted_at=OPENED_AT)
    activation = make_activation(name, accounts=(f"acc-{name}",), connection=BANK, terms=terms)
    programme = get_programme(BANK.programme)
    made = decide_new(activation, programme, fresh=numbered(number), now=OPENED_AT)
    member = replace(made, services=made.services | {Service.OFFERS})
    member_store.record_new(member)
    return member


def buy(member: Member, day: int, *minor: int, gives_back: bool = False) -> Purchase:
    """`member` buys coffees, `day` days after the twentieth; perhaps the second comes back."""
    receipt = replace(coffees(*minor), reference=f"A-{member.member_id}-{day}")
    at = SOLD_AT + timedelta(days=day)
    returns = (returned(receipt, "2"),) if gives_back else ()
    made = bought(receipt, member, f"t-{member.member_id}-{day}", at=at, returns=returns)
    assert store.record_purchase(made, key=key_of(member))
    return made


def as_line(purchase: Purchase) -> dict[str, Any]:
    """The purchase as a line of a file."""
    sale = as_sale(purchase)
    return {
        "member": purchase.member_id,
        "sold_at": sale.sold_at.isoformat(),
        "store": STORE.reference,
        "currency": sale.currency,
        "paid_minor": sale.paid_minor,
        "receipt": sale.receipt_id,
        "is_largest_part": sale.is_largest_part,
        "area": "LS",
        "lines": [
            {
                "id": line.line_id,
                "gross_minor": line.gross_minor,
                "category": line.category,
                "quantity": str(line.quantity),
                "returned": str(line.returned_quantity),
            }
            for line in sale.lines
        ],
    }


FEW = 4  # Towns of thirty take long to fill; the real threshold has a test of its own.


def by_file(folder: Path, draft: dict[str, Any], made: Iterable[Purchase]) -> Backtest:
    """The same draft on the same purchases, out of a file."""
    (folder / "draft.json").write_text(json.dumps(draft))
    purchases = write_lines(folder / "purchases.jsonl", [as_line(one) for one in made])
    return backtest(
        folder / "draft.json",
        purchases,
        retailer_id=RETAILER.retailer_id,
        days=None,
        processes=1,
        report=quiet,
        threshold=FEW,
    )


def pace() -> Pace:
    """As fast as it goes; a wait would fail the test."""
    return Pace(1_000_000.0, wait=lambda seconds: pytest.fail(f"waited {seconds}"))


def walked(draft: dict[str, Any], **more: Any) -> Backtest:
    """The same draft on the platform's own purchases, of a period of `DAYS`."""
    options: dict[str, Any] = {"days": DAYS, "now": NOW, "pace": pace(), "threshold": FEW, **more}
    retailer_id = options.pop("retailer_id", RETAILER.retailer_id)
    return backtest_members(json.dumps(draft).encode(), retailer_id=retailer_id, **options)
