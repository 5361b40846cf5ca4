"""Monzo's documented rules for a receipt, enforced.

The real API documents these sums and does not enforce them (its own sample breaks them); a sandbox
that does catches what a real bank would show wrongly. Source: monzo/docs, “Receipts”.
"""

from typing import Any

PAYMENT_TYPES = ("card", "cash", "gift_card")


class RuleBroken(Exception):
    """The receipt breaks a documented rule. `field` is its place."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


def check_receipt(receipt: Any) -> None:
    """Check a `PUT /transaction-receipts` body. :raises RuleBroken: naming the place."""
    if not isinstance(receipt, dict):
        raise RuleBroken("body", "is not an object")
    _texts(receipt, "", ("transaction_id", "external_id", "currency"))
    total = _amount(receipt, "total", "total")
    if total <= 0:
        raise RuleBroken("total", "is positive")
    items = _list(receipt, "items")
    if not items:
        raise RuleBroken("items", "is required")
    of_items = sum(_item(item, f"items[{at}]", may_nest=True) for at, item in enumerate(items))
    taxes = sum(_tax(tax, f"taxes[{at}]") for at, tax in enumerate(_list(receipt, "taxes")))
    if of_items + taxes != total:
        raise RuleBroken("total", "is the sum of items and taxes")
    payments = _list(receipt, "payments")
    paid = sum(_payment(payment, f"payments[{at}]") for at, payment in enumerate(payments))
    if payments and paid != total:
        raise RuleBroken("payments", "sum to the total")


def _item(item: Any, place: str, *, may_nest: bool) -> int:
    if not isinstance(item, dict):
        raise RuleBroken(place, "is not an object")
    _texts(item, place, ("description", "currency"))
    amount = _amount(item, "amount", f"{place}.amount")
    if "tax" in item:
        _amount(item, "tax", f"{place}.tax")
    quantity = item.get("quantity", 1)
    if isinstance(quantity, bool) or not isinstance(quantity, int | float):
        raise RuleBroken(f"{place}.quantity", "is a number")
    inner = _list(item, "sub_items", place)
    if inner and not may_nest:
        raise RuleBroken(f"{place}.sub_items", "nest one level only")
    parts = [_item(sub, f"{place}.sub_items[{at}]", may_nest=False) for at, sub in enumerate(inner)]
    if parts and sum(parts) != amount:
        raise RuleBroken(f"{place}.sub_items", "sum to their item")
    return amount


def _tax(tax: Any, place: str) -> int:
    if not isinstance(tax, dict):
        raise RuleBroken(place, "is not an object")
    _texts(tax, place, ("description", "currency"))
    return _amount(tax, "amount", f"{place}.amount")


def _payment(payment: Any, place: str) -> int:
    if not isinstance(payment, dict):
        raise RuleBroken(place, "is not an object")
    if payment.get("type") not in PAYMENT_TYPES:
        raise RuleBroken(f"{place}.type", "is card, cash or gift_card")
    _texts(payment, place, ("currency",))
    return _amount(payment, "amount", f"{place}.amount")


def _texts(value: dict[str, Any], place: str, names: tuple[str, ...]) -> None:
    for name in names:
        text = value.get(name)
        if not isinstance(text, str) or not text.strip():
            raise RuleBroken(f"{place}.{name}".lstrip("."), "is required")


def _amount(value: dict[str, Any], name: str, place: str) -> int:
    amount = value.get(name)
    if type(amount) is not int:
        raise RuleBroken(place, "is a whole number of minor units")
    return amount


def _list(value: dict[str, Any], name: str, place: str = "") -> list[Any]:
    found = value.get(name) or []
    if not isinstance(found, list):
        raise RuleBroken(f"{place}.{name}".lstrip("."), "is a list")
    return found
