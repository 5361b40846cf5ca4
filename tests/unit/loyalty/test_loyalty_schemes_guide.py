"""The guide to schemes says what happens."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from chalicelib.api.scheme_shapes import BasketBody, read_document, to_lines
from chalicelib.kernel.times import parse_instant
from chalicelib.loyalty.earning import Standing
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes.checking import read_scheme
from chalicelib.loyalty.what_if import basket_of, what_if
from chalicelib.runtime import wire
from tests.makers.receipts import STORE
from tests.makers.schemes import AROUND, NOW, points, published_schema, read, shape_of, stamps

DOCS = Path(__file__).parents[3] / "docs"
BESIDE = "bean-and-leaf.bean-points"
EXAMPLE = re.compile(r"```json\n(.*?)```\n\n```json\n(.*?)```\n\n```text\n(.*?)```", re.S)
EXAMPLES = EXAMPLE.findall((DOCS / "schemes.md").read_text("utf-8"))


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


def test_the_published_schema_takes_what_the_platform_takes() -> None:
    validator = jsonschema.Draft202012Validator(published_schema())

    for document in (points(), stamps(), *(json.loads(one) for one, _, _ in EXAMPLES)):
        assert (list(validator.iter_errors(document)), read_beside(document).version) == ([], 1)
