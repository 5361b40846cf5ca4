"""What changes a magic sale later: returns and exchanges of its lines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from infra.local.magic_parts import GOODS, line

Native = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sold:
    """What the receipt is about: its retailer's own number, when, where, and the card's facts.

    `tender` holds what the terminal knows of the card (`scheme`, `last_four`, …), maybe nothing.
    """

    reference: str
    issued_at: datetime
    store: str
    till: str
    tender: Native
    currency: str = "GBP"


@dataclass(frozen=True, slots=True)
class Change:
    """A later document. `shares` are the quarters of each line that come back, by line."""

    after_seconds: int
    quarters: tuple[int, ...]
    exchanged: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """A later document, and when the till sends it."""

    after: timedelta
    receipt: Native


def changed(sale: Native, sold: Sold, change: Change, at: datetime) -> Native:
    """A return of what `change` says, or an exchange of it for something dearer."""
    back = [
        _returned(one, quarters, sold.reference)
        for one, quarters in zip(sale["lines"], change.quarters, strict=False)
        if quarters
    ]
    given_back = sum(one["amount_minor"] for one in back)
    taken = [line("Exchanged: " + GOODS[5], given_back + 100)] if change.exchanged else []
    paid = 100 if change.exchanged else given_back
    return {
        "reference": f"{sold.reference}-R",
        "kind": "exchange" if change.exchanged else "return",
        "issued_at": at.isoformat(timespec="seconds"),
        "currency": sold.currency,
        "store": sold.store,
        "till": sold.till,
        "refers_to": sold.reference,
        "total_minor": paid,
        "tenders": [{"kind": "card", "amount_minor": paid} | sold.tender],
        "lines": taken + back,
    }


def _returned(sold_line: Native, quarters: int, reference: str) -> Native:
    """A line that takes back `quarters` fourths of what was sold."""
    amount = sold_line["amount_minor"] * quarters // 4
    quantity = sold_line.get("quantity", "1")
    back = {
        "description": sold_line["description"],
        "amount_minor": amount,
        "quantity": quantity if quarters == 4 else _quarter(quantity, quarters),
        "kind": "return",
        "refers_to": {"receipt": reference, "line_id": sold_line["line_id"]},
    }
    if quarters == 4 and "taxes" in sold_line:
        back["taxes"] = sold_line["taxes"]
    return back


def _quarter(quantity: str, quarters: int) -> str:
    whole = int(quantity) * quarters * 25
    return f"{whole // 100}.{whole % 100:02d}"
