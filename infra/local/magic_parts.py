"""The parts of which magic receipts are made: native JSON whose sums hold for any amount."""

from collections.abc import Sequence
from typing import Any

VAT_PER_CENT = 20
REDUCED_VAT_PER_CENT = 5
GOODS = (
    "Flat white", "Seeded roll", "Tomato soup", "Sparkling water", "Fruit pot", "Oat bar",
    "Green tea", "Cheese toastie", "Bean salad", "Carrot cake",
)  # fmt: skip
Parts = dict[str, Any]


def split(total: int, shares: Sequence[int]) -> list[int]:
    """`total` minor units in proportion to `shares`, whole, and summing exactly; the last share
    takes what rounding down left.
    """
    parts = [total * share // sum(shares) for share in shares]
    parts[-1] += total - sum(parts)
    return parts


def line(description: str, amount_minor: int, **more: Any) -> Parts:
    """One line sold."""
    return {"description": description, "amount_minor": amount_minor} | more


def lines(total: int, shares: Sequence[int]) -> list[Parts]:
    """Lines with invented goods that come to `total`."""
    return [line(GOODS[at % len(GOODS)], amount) for at, amount in enumerate(split(total, shares))]


def modifiers(*named: tuple[str, int]) -> list[Parts]:
    """Parts of a line, contained in its amount."""
    return [{"description": name, "amount_minor": amount} for name, amount in named]


def vat_in(amount: int, per_cent: int = VAT_PER_CENT) -> int:
    """The tax contained in `amount`, rounded half up to the minor unit."""
    return (2 * amount * per_cent + 100 + per_cent) // (2 * (100 + per_cent))


def tax(amount: int, per_cent: int = VAT_PER_CENT) -> Parts:
    """The tax block of an amount that contains it."""
    return {
        "amount_minor": vat_in(amount, per_cent),
        "rate": f"0.{per_cent:02d}",
        "code": "S" if per_cent == VAT_PER_CENT else "R",
        "tax_number": "GB 999 9999 73",
    }


def with_tax(sold: Sequence[Parts], per_cents: Sequence[int] = (VAT_PER_CENT,)) -> Parts:
    """Lines that each say their tax, and the receipt's tax by rate."""
    taxed = [
        one | {"taxes": [tax(one["amount_minor"], per_cents[at % len(per_cents)])]}
        for at, one in enumerate(sold)
    ]
    blocks = [one["taxes"][0] for one in taxed]
    by_rate = [
        block | {"amount_minor": sum(b["amount_minor"] for b in blocks if b["rate"] == rate)}
        for rate in sorted({block["rate"] for block in blocks})
        for block in [next(b for b in blocks if b["rate"] == rate)]
    ]
    return {"lines": taxed, "taxes": by_rate}


def weighed(description: str, amount_minor: int, unit_price_minor: int) -> Parts:
    """Goods by weight: grams are chosen so that price times weight comes to the amount."""
    grams = (2 * amount_minor * 1000 + unit_price_minor) // (2 * unit_price_minor)
    return line(
        description,
        amount_minor,
        quantity=f"{grams // 1000}.{grams % 1000:03d}",
        unit="kg",
        unit_price_minor=unit_price_minor,
    )


def discounted(description: str, amount_minor: int, off_minor: int, why: str) -> Parts:
    """A line whose own discount is already taken off its amount."""
    return line(
        description,
        amount_minor,
        unit_price_minor=amount_minor + off_minor,
        discounts=[{"description": why, "amount_minor": off_minor}],
    )
