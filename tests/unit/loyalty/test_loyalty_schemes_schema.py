"""The published JSON Schema of schemes says what the platform refuses, and refuses nothing else."""

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import Phase, given, settings

from chalicelib.api.scheme_shapes import read_document
from chalicelib.kernel.refusals import Misshapen, Rejected
from chalicelib.loyalty.schemes.checking import read_scheme
from chalicelib.loyalty.schemes.problems import SchemeRefused
from tests.makers.schemes import AROUND, points, problems, published_schema, stamps
from tests.unit.loyalty.test_loyalty_schemes_any import spoilt

SCHEMA = Path(__file__).parents[3] / "docs" / "scheme.schema.json"
PUBLISHED = published_schema()
VALIDATOR = jsonschema.Draft202012Validator(PUBLISHED)
IN_DAYS, IN_MONTHS = {"after": 3_650, "unit": "days"}, {"after": 120, "unit": "months"}
TEXT = {"kind": "free_text", "text": "A cake"}
REWARDS = (
    {"kind": "fixed_cashback", "amount_minor": 300},
    {"kind": "percent_cashback", "percent": "5", "max_minor": 300},
    {"kind": "item_price", "lines": {}, "max_minor": 300},
    {"kind": "extra_units", "scheme": "others", "units": 5},
)
# A document in which every number of the format stands somewhere.
FULL: dict[str, Any] = stamps(
    {"kind": "visit", "id": "v", "units": 1, "priority": 0, "caps": [{"units": 5, "per": "day"}]},
    {"kind": "item", "id": "i", "per_items": 2},
    {"kind": "spend", "id": "s", "per_minor": 100},
    {"kind": "streak", "id": "w", "steps": 5, "step": "week"},
    {
        "kind": "visit",
        "id": "when",
        "when": {
            "min_spend_minor": 500,
            "min_items": 2,
            "windows": [{"days": "FREQ=DAILY", "minutes": 60}],
        },
    },
    card={"places": 10, "reward": TEXT},
    catalogue=[
        {"id": f"r{at}", "title": "A reward", "cost": 5, "claim_hours": 24, "reward": reward}
        for at, reward in enumerate(REWARDS)
    ],
    tiers={"steps": [{"id": "a", "name": "A", "threshold": 0}]},
    expiry={"after": 50, "unit": "days"},
    pending_days=30,
    min_spend_minor=100,
)


def numbers(node: Any, value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Any]:
    """Each number in `value`, with its path and what the schema `node` says of it."""
    node = resolved(node, value)
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers(node["properties"][name], inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from numbers(node["items"], inner, (*path, at))
    elif isinstance(value, int):
        yield path, node


def resolved(node: Any, value: Any) -> Any:
    """The part of the schema that `value` is held against, where there are several."""
    if "anyOf" in node:
        if "discriminator" in node:
            node = {"$ref": node["discriminator"]["mapping"][value["kind"]]}
        else:
            node = node["anyOf"][0]
    while "$ref" in node:
        node = PUBLISHED["$defs"][node["$ref"].removeprefix("#/$defs/")]
        if "anyOf" in node:
            return resolved(node, value)
    return node


def with_number(path: tuple[str | int, ...], number: int) -> dict[str, Any]:
    """The full document with `number` at `path`."""
    document = copy.deepcopy(FULL)
    holder: Any = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = number
    return document


def place_of(path: tuple[str | int, ...]) -> str:
    """The path as refusals say it."""
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path).lstrip(".")


def is_refused(document: Any) -> bool:
    try:
        read_scheme(read_document(document), AROUND, before=None)
    except Rejected:
        return True
    return False


NUMBERS = [(place_of(path), path, node) for path, node in numbers(PUBLISHED, FULL)]


def test_the_published_schema_is_the_formats_own() -> None:
    made = json.dumps(published_schema(), indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SCHEMA.write_text(made, "utf-8")

    assert SCHEMA.read_text("utf-8") == made


def test_every_number_of_the_format_is_tried() -> None:
    known = {
        (shape["title"], name)
        for shape in PUBLISHED["$defs"].values()
        for name, node in shape.get("properties", {}).items()
        if "integer" in json.dumps(node)
    }
    tried = {path[-1] for _, path, _ in NUMBERS}

    assert {name for _, name in known} == tried
    assert all({"minimum", "maximum"} <= set(node) for _, _, node in NUMBERS)


@pytest.mark.parametrize(("place", "path", "node"), NUMBERS, ids=[place for place, _, _ in NUMBERS])
def test_a_bound_of_the_schema_is_the_platforms(
    place: str, path: tuple[str | int, ...], node: dict[str, Any]
) -> None:
    for number, is_within in (
        (node["minimum"] - 1, False),
        (node["minimum"], True),
        (node["maximum"], True),
        (node["maximum"] + 1, False),
    ):
        document = with_number(path, number)
        found = [code for code, at in problems(document) if at == place]
        wrong = {"out_of_range", "window"}.intersection(found)

        assert (VALIDATOR.is_valid(document), not wrong) == (is_within, is_within)


@pytest.mark.parametrize("expiry", [IN_DAYS, IN_MONTHS])
def test_an_expiry_may_be_longer_in_days_than_in_months(expiry: dict[str, Any]) -> None:
    longer = points(expiry=expiry | {"after": expiry["after"] + 1})

    assert (VALIDATOR.is_valid(points(expiry=expiry)), VALIDATOR.is_valid(longer)) == (True, False)
    assert problems(points(expiry=expiry)) == []
    assert problems(longer) == [("out_of_range", "expiry.after")]


@settings(max_examples=300, phases=[Phase.generate])
@given(spoilt())
def test_whatever_the_schema_refuses_the_platform_refuses(document: Any) -> None:
    if not VALIDATOR.is_valid(document):
        assert is_refused(document)


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
def test_refuses_what_is_no_scheme_at_all(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(Misshapen) as refusal:
        read_document(document)

    assert refusal.value.code == "shape"


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        (points(colour="red"), "unknown_field", "colour"),
        (stamps(card={"places": 3, "reward": TEXT, "colour": "red"}), "unknown_field",
         "card.colour"),
        (points(currency="XXX"), "unknown_currency", "currency"),
        (points(name="  "), "blank", "name"),
        (stamps(card={"places": 3, "reward": TEXT | {"text": "  "}}), "blank", "card.reward.text"),
        (points({"kind": "visit", "id": "a", "when": {"lines": {"gtins": ["latte"]}}}), "gtin",
         "rules[0].when.lines.gtins[0]"),
        (points(starts_at="tomorrow"), "time", "starts_at"),
        (points({"kind": "visit", "id": "a", "multiplier": "0.0"}), "fraction",
         "rules[0].multiplier"),
        (points({"kind": "visit", "id": "a", "multiplier": "0/3"}), "fraction",
         "rules[0].multiplier"),
        (points({"kind": "visit", "id": "a", "multiplier": "3/00"}), "fraction",
         "rules[0].multiplier"),
        (points({"kind": "streak", "id": "a", "steps": 2, "step": "ever"}), "out_of_range",
         "rules[0].step"),
        (points({"kind": "visit", "id": "a", "when": {"windows": [
            {"days": "FREQ=DAILY", "from": "24:00"}]}}), "window",
         "rules[0].when.windows[0].from"),
        (points({"kind": "visit", "id": "a", "when": {"windows": [
            {"days": "FREQ=DAILY", "since": "today"}]}}), "day",
         "rules[0].when.windows[0].since"),
    ],
)  # fmt: skip
def test_the_schema_and_the_platform_refuse_a_field_that_cannot_be(
    document: dict[str, Any], code: str, field: str
) -> None:
    assert not VALIDATOR.is_valid(document)
    with pytest.raises((Misshapen, SchemeRefused)) as refusal:
        read_scheme(read_document(document), AROUND, before=None)

    assert (refusal.value.code, refusal.value.field) == (code, field)
