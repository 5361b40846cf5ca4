"""Flux's magic amounts: the last two digits of what the card pays pick the scenario.

The codes and their meaning follow Flux's public test bank; the goods are invented. Each scenario
makes a native receipt whose sums hold for any amount, and some a later document (a return or an
exchange) that changes it after some seconds. An amount without a scenario makes a plain receipt.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from infra.local.magic_changes import Change, Native, Sold, Update, changed
from infra.local.magic_parts import (
    GOODS,
    REDUCED_VAT_PER_CENT,
    VAT_PER_CENT,
    Parts,
    discounted,
    line,
    lines,
    modifiers,
    split,
    weighed,
    with_tax,
)

LONG_TEXT = " ".join(["Slow-roasted heritage tomato and basil soup with a seeded roll"] * 15)
GIFT_CARD_MINOR = 500


@dataclass(frozen=True, slots=True)
class Scenario:
    """`parts` of what the card pays; `change` says which lines come back, `after_seconds` when.

    `at_other_store` says that the sale is made at another shop of the same retailer.
    """

    code: int
    title: str
    parts: Callable[[int], Parts]
    change: Change | None = None
    at_other_store: bool = False


def scenario_of(card_minor: int) -> Scenario:
    """The scenario that the last two digits of `card_minor` pick; code 0 where none is."""
    return SCENARIOS.get(card_minor % 100, PLAIN)


def receipt_for(card_minor: int, sold: Sold) -> Native:
    """The native receipt of a sale for which the card pays `card_minor`."""
    parts = scenario_of(card_minor).parts(card_minor)
    others = parts.pop("other_tenders", [])
    total = card_minor + sum(tender["amount_minor"] for tender in others)
    return {
        "reference": sold.reference,
        "issued_at": sold.issued_at.isoformat(timespec="seconds"),
        "currency": sold.currency,
        "store": sold.store,
        "till": sold.till,
        "total_minor": total,
        "tenders": [{"kind": "card", "amount_minor": card_minor} | sold.tender, *others],
        "barcode": {"symbology": "code_128", "value": sold.reference},
        "return_reference": sold.reference,
    } | _numbered(parts)


def update_for(card_minor: int, sold: Sold) -> Update | None:
    """The document that changes the sale later, or None."""
    change = scenario_of(card_minor).change
    if change is None:
        return None
    after = timedelta(seconds=change.after_seconds)
    receipt = changed(receipt_for(card_minor, sold), sold, change, sold.issued_at + after)
    return Update(after, receipt)


def _numbered(parts: Parts) -> Parts:
    numbered = [one | {"line_id": str(at)} for at, one in enumerate(parts["lines"], 1)]
    return parts | {"lines": numbered}


def _pair(total: int) -> Parts:
    return {"lines": lines(total, (3, 2))}


def _three(total: int) -> Parts:
    return {"lines": lines(total, (5, 3, 2))}


def _sub_items(total: int) -> Parts:
    first, second = split(total, (3, 2))
    milk, syrup = split(first // 4, (1, 1))
    parts = modifiers(("Oat milk", milk), ("Syrup", syrup))
    return {"lines": [line(GOODS[0], first, modifiers=parts), line(GOODS[1], second)]}


def _one_sub_item(total: int) -> Parts:
    return {"lines": [line(GOODS[0], total, modifiers=modifiers(("Oat milk", total // 5)))]}


def _many_sub_items(total: int) -> Parts:
    meal, rest = split(total, (4, 1))
    shares = split(meal, (3, 2, 1, 1))
    named = modifiers(*zip(("Burger", "Fries", "Drink", "Sauce"), shares, strict=True))
    return {"lines": [line("Meal deal", meal, modifiers=named), line(GOODS[4], rest)]}


def _taxed_sub_items(total: int) -> Parts:
    return with_tax(_sub_items(total)["lines"])


def _zero_price_children(total: int) -> Parts:
    free = modifiers(("No onions", 0), ("Extra napkins", 0))
    return {"lines": [line(GOODS[7], total, modifiers=free), line("Loyalty cookie", 0)]}


def _null_children(total: int) -> Parts:
    unknown = [{"description": "As it comes", "amount_minor": None, "quantity": None}]
    return {"lines": [line(GOODS[7], total, modifiers=unknown)]}


def _long_text(total: int) -> Parts:
    return {"lines": [line(LONG_TEXT, total)], "notes": [LONG_TEXT]}


def _measured(total: int) -> Parts:
    apples, cheese = split(total, (1, 2))
    return {"lines": [weighed("Apples", apples, 240), weighed("Farmhouse cheese", cheese, 1690)]}


def _item_discount(total: int) -> Parts:
    first, second = split(total, (3, 2))
    return {"lines": [discounted(GOODS[0], first, 50, "50p off"), line(GOODS[1], second)]}


def _full_discount(total: int) -> Parts:
    return {"lines": [line(GOODS[1], total), discounted(GOODS[0], 0, 290, "Tenth coffee free")]}


def _receipt_discount(total: int) -> Parts:
    off = {"description": "Members' day", "amount_minor": 100}
    return {"lines": lines(total + 100, (3, 2)), "discounts": [off]}


def _variable_discounts(total: int) -> Parts:
    first, second, third = split(total, (5, 3, 2))
    return {
        "lines": [
            discounted(GOODS[0], first, 25, "Happy hour"),
            discounted(GOODS[1], second, 75, "Short date"),
            line(GOODS[2], third),
        ]
    }


def _both_discounts(total: int) -> Parts:
    parts = _item_discount(total + 100)
    return parts | {"discounts": [{"description": "£1 off", "amount_minor": 100}]}


def _display_address(total: int) -> Parts:
    return _pair(total) | {"notes": ["Unit 4, The Old Goods Yard, Lantern Street"]}


def _gift_card(total: int) -> Parts:
    paid = {"kind": "gift_card", "amount_minor": GIFT_CARD_MINOR, "description": "Gift card"}
    return {"lines": lines(total + GIFT_CARD_MINOR, (3, 2)), "other_tenders": [paid]}


def _charged(total: int, **charges: int) -> Parts:
    of_lines = total - sum(charges.values())
    added = [{"kind": kind, "amount_minor": amount} for kind, amount in charges.items()]
    return {"lines": lines(of_lines, (3, 2)), "charges": added}


def _quarters(total: int) -> Parts:
    """Lines of four, so that a quarter of each can come back."""
    shares = split(total // 4, (3, 2))
    sold = [
        line(GOODS[at], amount * 4, quantity="4", unit_price_minor=amount)
        for at, amount in enumerate(shares)
    ]
    left = total - sum(one["amount_minor"] for one in sold)
    return {"lines": sold + ([line("Carrier bag", left)] if left else [])}


def _taxed(parts: Callable[[int], Parts]) -> Callable[[int], Parts]:
    return lambda total: with_tax(parts(total)["lines"])


PLAIN = Scenario(0, "plain", _pair)
_LISTED = (
    Scenario(1, "one item", lambda total: {"lines": lines(total, (1,))}),
    Scenario(2, "two items", _pair),
    Scenario(3, "one sub-item", _one_sub_item),
    Scenario(4, "sub-items", _sub_items),
    Scenario(5, "many sub-items", _many_sub_items),
    Scenario(6, "tax", _taxed(lambda total: {"lines": lines(total, (1,))})),
    Scenario(
        7,
        "taxes of two rates",
        lambda total: with_tax(lines(total, (3, 2)), (VAT_PER_CENT, REDUCED_VAT_PER_CENT)),
    ),
    Scenario(8, "sub-items with tax", _taxed_sub_items),
    Scenario(9, "twenty items", lambda total: {"lines": lines(total, (1,) * 20)}),
    Scenario(10, "zero-price children", _zero_price_children),
    Scenario(11, "children without quantity and amount", _null_children),
    Scenario(12, "very long text", _long_text),
    Scenario(13, "measured quantities", _measured),
    Scenario(30, "discount on an item", _item_discount),
    Scenario(31, "full discount on an item", _full_discount),
    Scenario(32, "discount on the receipt", _receipt_discount),
    Scenario(33, "variable discounts", _variable_discounts),
    Scenario(34, "discounts on item and receipt", _both_discounts),
    Scenario(42, "another location", _pair, at_other_store=True),
    Scenario(43, "display address", _display_address),
    Scenario(50, "paid with a gift card too", _gift_card),
    Scenario(60, "delivery", lambda total: _charged(total, delivery=min(299, total // 2))),
    Scenario(61, "service charge", lambda total: _charged(total, service=total // 9)),
    Scenario(
        62,
        "delivery and service charge",
        lambda total: _charged(total, delivery=min(299, total // 3), service=total // 9),
    ),
    Scenario(70, "an item refunded after 30 s", _three, Change(30, (0, 4, 0))),
    Scenario(71, "everything refunded after 30 s", _three, Change(30, (4, 4, 4))),
    Scenario(72, "part quantity refunded after 30 s", _quarters, Change(30, (1, 2))),
    Scenario(73, "an item refunded after 60 s", _three, Change(60, (4, 0, 0))),
    Scenario(74, "an item with tax refunded after 60 s", _taxed(_three), Change(60, (0, 4, 0))),
    Scenario(75, "part quantity with tax, 60 s", _taxed(_quarters), Change(60, (1, 2))),
    Scenario(80, "refunded", _three, Change(0, (4, 4, 4))),
    Scenario(81, "refunded with tax", _taxed(_three), Change(0, (4, 4, 4))),
    Scenario(82, "part refund and exchange", _three, Change(0, (4, 0, 0), exchanged=True)),
)
SCENARIOS = {scenario.code: scenario for scenario in _LISTED}
