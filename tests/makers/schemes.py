"""Documents of schemes, as a retailer writes them, and a retailer that has stores to write of."""

import inspect
from datetime import UTC, datetime
from typing import Any

import msgspec

from chalicelib.kernel.ids import StoreId
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes.checking import read_scheme
from chalicelib.loyalty.schemes.problems import SchemeRefused
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.loyalty.schemes.reading import Surroundings
from chalicelib.network import service as network
from chalicelib.runtime import wire
from tests.makers.receipts import RETAILER, STORE

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AROUND = Surroundings(
    scheme_id=f"{RETAILER.retailer_id}.points",
    version=1,
    retailer_id=RETAILER.retailer_id,
    store_ids={"0042": StoreId("store-leeds")},
    now=NOW,
    zones=(STORE.zone,),
    return_days=RETAILER.return_days,
)


def open_shop() -> None:
    """Bean & Leaf and its store in Leeds take part."""
    network.forget()
    network.record_retailer(RETAILER)
    network.record_store(STORE, [], now=NOW)


def points(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A point a pound, unless `rules` say otherwise; `more` are further parts of the document."""
    return {
        "name": "Bean points",
        "unit": "points",
        "currency": "GBP",
        "zone": "Europe/London",
        "rules": list(rules) or [{"kind": "spend", "id": "pound", "per_minor": 100}],
        **more,
    }


def stamps(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A stamp a coffee; ten give £3.00."""
    coffee = {
        "kind": "item",
        "id": "coffee",
        "when": {"lines": {"categories": ["Coffee"]}},
    }
    return points(*(rules or (coffee,))) | {
        "name": "Coffee card",
        "unit": "stamps",
        "card": {"places": 10, "reward": {"kind": "fixed_cashback", "amount_minor": 300}},
        "budget_minor": 500_000,
        **more,
    }


def shape_of(document: dict[str, Any]) -> SchemeShape:
    """The document as the rim reads it."""
    return wire.convert(document, SchemeShape)


def read(document: dict[str, Any], before: Scheme | None = None) -> Scheme:
    """The scheme that `document` describes. :raises SchemeRefused: it has problems."""
    return read_scheme(shape_of(document), AROUND, before=before)


def problems(document: dict[str, Any], before: Scheme | None = None) -> list[tuple[str, str]]:
    """Code and JSON path of every problem of `document`."""
    try:
        read(document, before)
    except SchemeRefused as refusal:
        return [(one.code, one.field or "") for one in refusal.problems]
    return []


def published_schema() -> dict[str, Any]:
    """The JSON Schema of a scheme's document, as `docs/scheme.schema.json` has it: no object in it
    may have a field that nobody knows.
    """
    made = _as_published(msgspec.json.schema(SchemeShape))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scheme: stamp card or points",
        **made,
    }


def _as_published(schema: Any) -> Any:
    """`schema`, closed, and its descriptions (which are docstrings) as Python 3.13 has them."""
    if isinstance(schema, str):
        return inspect.cleandoc(schema)
    if isinstance(schema, list):
        return [_as_published(one) for one in schema]
    if isinstance(schema, dict):
        closed = {"additionalProperties": False} if schema.get("type") == "object" else {}
        return {name: _as_published(one) for name, one in schema.items()} | closed
    return schema
