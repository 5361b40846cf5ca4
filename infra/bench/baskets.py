"""A basket of twenty lines and the schemes that it is asked of, for the bench of what-if."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.money import MINOR_MAX
from chalicelib.loyalty.sale import SaleLine
from chalicelib.loyalty.schemes.checking import read_scheme
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.loyalty.schemes.reading import Surroundings
from chalicelib.loyalty.what_if import basket_of, what_if
from chalicelib.network.model import Store
from chalicelib.runtime import wire

LINES = 20
ASKED = 400
CATEGORIES = ("Coffee", "Tea", "Cake", "Beans", "Mugs", "Sandwiches")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_RETAILER = RetailerId("bean-and-leaf")
_STORE = Store(StoreId("store-leeds"), _RETAILER, "0042", "Leeds", zone="Europe/London")
_POUND: dict[str, Any] = {"kind": "spend", "id": "pound", "per_minor": 100}


def measure() -> dict[str, float]:
    """Processor milliseconds of one what-if, the median of many: of a plain scheme (a point a pound
    and a stamp's worth of happy hour), and of one in which eight rules want the same lines.
    """
    happy = {
        "kind": "spend",
        "id": "happy",
        "units": 2,
        "per_minor": 100,
        "when": {
            "lines": {"categories": ["Coffee"]},
            "windows": [{"days": "FREQ=WEEKLY;BYDAY=FR", "from": "11:00", "minutes": 120}],
        },
    }
    doubled = [
        {**_POUND, "id": name.lower(), "units": 2, "when": {"lines": {"categories": [name]}}}
        for name in CATEGORIES
    ]
    pieces = {"kind": "item", "id": "pieces", "units": 3, "when": {"lines": {"skus": ["A", "B"]}}}
    return {
        "plain_ms": _milliseconds(_scheme(_POUND, happy)),
        "crowded_ms": _milliseconds(_scheme(_POUND, pieces, *doubled)),
    }


def _milliseconds(document: dict[str, Any]) -> float:
    around = Surroundings("bean-and-leaf.points", 1, _RETAILER, {}, NOON)
    scheme = read_scheme(wire.convert(document, SchemeShape), around, before=None)
    basket = basket_of(_lines(), _STORE, currency="GBP", at=NOON)
    taken = []
    for _ in range(ASKED):
        began = time.thread_time()
        found = what_if(basket, scheme)
        taken.append(time.thread_time() - began)
    if not 0 < found.award.units < MINOR_MAX:
        raise RuntimeError("the basket earned nothing")
    return median(taken) * 1000


def _scheme(*rules: dict[str, Any]) -> dict[str, Any]:
    zone = "Europe/London"
    made = {"name": "Points", "unit": "points", "currency": "GBP", "zone": zone}
    return {**made, "rules": list(rules)}


def _lines() -> tuple[SaleLine, ...]:
    return tuple(
        SaleLine(
            line_id=f"{at:04}",
            description="",
            quantity=Decimal(1 + at % 3),
            unit=None,
            gross_minor=199 + 37 * at,
            net_minor=166 + 31 * at,
            sku="ABC"[at % 3],
            category=("Food", CATEGORIES[at % len(CATEGORIES)]),
        )
        for at in range(LINES)
    )
