"""Days of card sales at invented shops as two files: what banks and tills would write down.

A few price points, till clocks that are wrong by a constant each, seconds of delay between till and
bank, payments of some shoppers only, receipts of all. The truth comes with each payment.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
DAY_SECONDS = 86_400
OPENING_SECONDS = 8 * 3600
OPEN_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Street:
    """How many shops, for how long, and what is known of each sale."""

    stores: int = 3
    days: int = 14
    sales_a_day: int = 200
    tills: int = 4
    members: float = 0.12
    last_fours: float = 0.5
    auth_codes: float = 0.0
    missing_receipts: float = 0.01
    prices: int = 40
    clock_seconds: float = 75.0
    delay_seconds: float = 6.0


@dataclass(frozen=True, slots=True)
class Sale:
    """A receipt's line, and the payment's, where a member paid, with whether it has a receipt."""

    receipt: dict[str, Any] | None
    payment: dict[str, Any] | None


def sales(random: Random, street: Street) -> Iterator[Sale]:
    """Every sale of the street, day by day within each store, store by store."""
    for store in range(street.stores):
        yield from _sales_of_store(random, street, f"store-{store:04d}")


def _sales_of_store(random: Random, street: Street, store: str) -> Iterator[Sale]:
    points = [random.randrange(120, 2_000, 5) for _ in range(street.prices)]
    weights = list(accumulate(1 / rank for rank in range(1, street.prices + 1)))
    clocks = [random.gauss(0, street.clock_seconds) for _ in range(street.tills)]
    for day in range(street.days):
        opens = FIRST_DAY + day * DAY_SECONDS + OPENING_SECONDS
        for number in range(street.sales_a_day):
            at = opens + random.betavariate(3, 3) * OPEN_SECONDS
            till = random.randrange(street.tills)
            items = random.choices(points, cum_weights=weights, k=random.randint(1, 3))
            name = f"{store}/{day:03d}/{number:05d}"
            card = _card(random, street)
            said = at + clocks[till] + random.gauss(0, street.delay_seconds)
            receipt = {
                "id": f"R-{name}",
                "store": store,
                "till": f"till-{till}",
                "at": _text(said),
                "total_minor": sum(items),
                "currency": "GBP",
                **card,
            }
            payment = None
            if random.random() < street.members:
                payment = {
                    "id": f"P-{name}",
                    "member": f"M-{random.randrange(500):04d}",
                    "store": store,
                    "at": _text(at),
                    "amount_minor": sum(items),
                    "currency": "GBP",
                    **card,
                }
            is_missing = payment is not None and random.random() < street.missing_receipts
            yield Sale(None if is_missing else receipt, payment)


def _card(random: Random, street: Street) -> dict[str, str]:
    card: dict[str, str] = {}
    if random.random() < street.last_fours:
        card |= {"last_four": f"{random.randrange(10_000):04d}", "last_four_kind": "card"}
    if random.random() < street.auth_codes:
        card["auth_code"] = f"{random.randrange(1, 1_000_000):06d}"
    return card


def _text(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_street(folder: Path, street: Street, *, seed: int) -> tuple[Path, Path, dict[str, str]]:
    """Write both files; returns their paths and the receipt of each payment that has one.

    A payment `P-x` was for receipt `R-x`. Lines stand in no order of time, as exports by store are.
    """
    payments, receipts = folder / "payments.jsonl", folder / "receipts.jsonl"
    truth: dict[str, str] = {}
    with payments.open("w") as paid, receipts.open("w") as sold:
        for sale in sales(Random(seed), street):
            if sale.receipt:
                sold.write(json.dumps(sale.receipt) + "\n")
            if sale.payment:
                paid.write(json.dumps(sale.payment) + "\n")
            if sale.receipt and sale.payment:
                truth[sale.payment["id"]] = sale.receipt["id"]
    return payments, receipts, truth
