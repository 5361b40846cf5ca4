"""The guide to schemes says what happens, and its JSON Schema is the rule format's own."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from chalicelib.api.scheme_shapes import BasketBody, read_document, to_lines
from chalicelib.kernel.refusals import Misshapen
from chalicelib.kernel.times import parse_instant
from chalicelib.loyalty.earning import Standing
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes.checking import read_scheme
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.loyalty.what_if import basket_of, what_if
from chalicelib.runtime import wire
from tests.makers.receipts import STORE
from tests.makers.schemes import AROUND, NOW, points, read, shape_of, stamps

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = DOCS / "scheme.schema.json"
BESIDE = "bean-and-leaf.bean-points"
EXAMPLE = re.compile(r"```json\n(.*?)```\n\n```json\n(.*?)```\n\n```text\n(.*?)```", re.S)
EXAMPLES = EXAMPLE.findall((DOCS / "schemes.md").read_text("utf-8"))


def schema() -> dict[str, Any]:
    """The schema of a scheme's document, as it is published."""
    made = msgspec.json.schema(SchemeShape)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scheme: stamp card or points",
        **made,
    }


def read_beside(document: dict[str, Any]) -> Scheme:
    """The scheme, where the retailer has the points of the guide already."""
    beside = replace(AROUND, others=(replace(read(points()), scheme_id=BESIDE),))
    return read_scheme(shape_of(document), beside, before=None)


def test_the_guide_has_an_example_of_each_kind() -> None:
    kinds = {rule["kind"] for one, _, _ in EXAMPLES for rule in json.loads(one)["rules"]}

    assert (len(EXAMPLES), kinds) == (5, {"item", "visit", "spend"})


@pytest.mark.parametrize(("written", "bought", "said"), EXAMPLES)
def test_each_example_of_the_guide_earns_what_it_says(written: str, bought: str, said: str) -> None:
    document = json.loads(written)
    assert read_document(document)
    scheme = read_beside(document)
    body = wire.convert(wire.read_json(bought.encode()), BasketBody)
    at = parse_instant(body.at) if body.at else NOW
    tier_id = scheme.tiers[0].tier_id if scheme.tiers else ""

    basket = basket_of(to_lines(body), STORE, currency=body.currency, at=at)
    found = what_if(basket, scheme, Standing(tier_id))

    missing = [found.missing.words] if found.missing else []
    assert [*found.words, *missing] == said.strip().splitlines()


def test_the_published_schema_is_the_formats_own() -> None:
    made = json.dumps(schema(), indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SCHEMA.write_text(made, "utf-8")

    assert SCHEMA.read_text("utf-8") == made


def test_the_published_schema_takes_what_the_platform_takes() -> None:
    validator = jsonschema.Draft202012Validator(schema())

    for document in (points(), stamps(), *(json.loads(one) for one, _, _ in EXAMPLES)):
        assert (list(validator.iter_errors(document)), read_beside(document).version) == ([], 1)


@pytest.mark.parametrize(
    "document",
    [
        points(rules=[]),
        points(unit="miles"),
        points({"kind": "spend", "id": "Bad Id", "per_minor": 1}),
        points({"kind": "gift", "id": "a"}),
        points({"kind": "spend", "id": "a", "per_minor": "1"}),
        points({"kind": "visit", "id": "a", "multiplier": "half"}),
    ],
)
def test_the_published_schema_refuses_what_the_platform_refuses(document: dict[str, Any]) -> None:
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(document))
    with pytest.raises(Misshapen) as refusal:
        read_document(document)

    assert refusal.value.code == "shape"
