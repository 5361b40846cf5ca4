"""A shift at some shops: who bought what and when, and who of them is a member.

Baskets are mixed as they are on a high street: two in five are a coffee and a cake (one to three
lines), as many a lunch or a few things (four to ten), one in five a weekly shop (eleven to thirty).
Names of goods follow Zipf's law, as groceries do. Everything follows from the seed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

STARTS = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LASTS = timedelta(hours=8)
MEMBERS_BUY = 0.12
SENT_AGAIN = 0.05  # Of payments and of receipts.
BASKETS = (((1, 3), 0.4), ((4, 10), 0.4), ((11, 30), 0.2))
GOODS = 600
CARD_FACTS = ("scheme", "last_four", "last_four_kind", "auth_code")
_NOUNS = (
    "apples bread milk butter cheddar yoghurt eggs rice pasta beans tomatoes onions carrots "
    "potatoes coffee tea biscuits crisps chocolate juice water soap shampoo towels candles"
).split()
_KINDS = "fresh large small organic own-brand sliced whole light double red green salted".split()


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale: `receipt` in the native format; `member` is None where a stranger bought."""

    number: int
    store: int
    sold_at: datetime
    paid_at: datetime
    total_minor: int
    member: int | None
    last_four: str
    auth_code: str
    receipt: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shelves:
    """Goods by name and price, and how often each is bought, as cumulated weights."""

    goods: tuple[tuple[str, int], ...]
    weights: tuple[float, ...]


def sales_of(
    random: Random, *, count: int, stores: int, members: int, has_card_facts: bool = True
) -> list[Sale]:
    """`count` sales in `stores` stores within eight hours, in order of time."""
    shelves = shelves_of(random)
    prints = CARD_FACTS if has_card_facts else ()
    moments = sorted(random.random() * LASTS for _ in range(count))
    return [
        sale_at(
            random,
            number,
            STARTS + moment,
            shelves,
            member=_buyer(random, members),
            stores=stores,
            prints=prints,
        )
        for number, moment in enumerate(moments)
    ]


def shelves_of(random: Random) -> Shelves:
    """What the shops sell."""
    goods = tuple(
        (f"{random.choice(_KINDS)} {random.choice(_NOUNS)} {number}", random.randint(45, 1995))
        for number in range(GOODS)
    )
    return Shelves(goods, tuple(accumulate(1 / (rank + 1) for rank in range(GOODS))))


def sale_at(
    random: Random,
    number: int,
    at: datetime,
    shelves: Shelves,
    *,
    member: int | None,
    stores: int,
    prints: tuple[str, ...] = CARD_FACTS,
) -> Sale:
    """One sale at `at` to `member`, or to a stranger, in any of the stores; the card tells what
    `prints` names.
    """
    at = at.replace(microsecond=0)
    lines = _lines(random, shelves)
    total = sum(line["amount_minor"] for line in lines)
    last_four = f"{member:04d}" if member is not None else f"{random.randrange(10_000):04d}"
    auth_code = f"{random.randrange(100_000, 1_000_000)}"
    card = {
        "scheme": random.choice(("visa", "mastercard")),
        "last_four": last_four,
        "last_four_kind": "card",
        "auth_code": auth_code,
    }
    printed: dict[str, Any] = {"kind": "card", "amount_minor": total}
    store = random.randrange(stores)
    receipt = {
        "reference": f"S{store:02d}-{number:07d}",
        "store": f"{store:04d}",
        "till": f"T{random.randrange(4)}",
        "issued_at": at.isoformat(),
        "currency": "GBP",
        "total_minor": total,
        "lines": lines,
        "tenders": [printed | {name: card[name] for name in prints}],
    }
    paid_at = at - timedelta(seconds=random.randint(2, 10))
    return Sale(number, store, at, paid_at, total, member, last_four, auth_code, receipt)


def _buyer(random: Random, members: int) -> int | None:
    return random.randrange(members) if random.random() < MEMBERS_BUY else None


def _lines(random: Random, shelves: Shelves) -> list[dict[str, Any]]:
    bounds = random.choices([b for b, _ in BASKETS], [share for _, share in BASKETS])[0]
    lines = []
    pieces = random.randint(*bounds)
    for description, price in random.choices(shelves.goods, cum_weights=shelves.weights, k=pieces):
        quantity = random.choices((1, 2, 3), (8, 2, 1))[0]
        line: dict[str, Any] = {"description": description, "amount_minor": price * quantity}
        if quantity > 1:
            line |= {"quantity": str(quantity), "unit_price_minor": price}
        lines.append(line)
    return lines
