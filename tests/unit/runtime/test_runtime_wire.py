"""Strict JSON: what leniency would hide is refused, and refusals repeat nothing that was sent."""

import json
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.refusals import Malformed, Rejected, TooLarge
from chalicelib.runtime import wire


class Item(msgspec.Struct):
    """An item for these tests."""

    amount: int
    kind: Literal["sale", "return"] = "sale"
    quantity: Decimal = Decimal(1)


class Order(msgspec.Struct):
    """An order for these tests."""

    items: list[Item]
    gift: Item | None = None
    spare: Item | list[Item] | str | None = None
    by_name: dict[str, int] = {}


class Tagged(msgspec.Struct, tag_field="type", tag="tagged"):
    """A struct that says what it is."""

    inner: Item | None = None


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**11), 10**11)
    | st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(JSON_VALUES)
def test_reads_what_json_writes(value: Any) -> None:
    assert wire.read_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "replace")))
def test_reads_any_bytes_or_refuses_them(raw: bytes) -> None:
    try:
        value = wire.read_json(raw)
        wire.convert(value, Order)
    except Rejected as refusal:
        assert refusal.code in {"not_utf8", "not_json", "shape", "card_number", "number"}


@given(JSON_VALUES)
def test_converts_any_value_or_refuses_it(value: Any) -> None:
    wire.unknown_fields(value, Order)
    try:
        wire.convert({"items": value}, Order)
    except Malformed as refusal:
        assert refusal.code == "shape"
        assert (refusal.field or "").startswith("items")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"{} {}", "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"\xff", "not_utf8"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": -Infinity}', "not_json"),
        (b'{"a": 1, "a": 1}', "duplicate_key"),
        (b'[{"b": {"a": 1, "a": 2}}]', "duplicate_key"),
        (b'{"a": 1e3}', "number"),
        (b'{"a": 1234567890123456789012345}', "number"),
        (b'{"a": 0.12345678901234567890123}', "number"),
        (b"[" * 13 + b"]" * 13, "too_deep"),
        (b"[" * 100_000, "not_json"),
        (b'{"a": "\\ud83d"}', "not_utf8"),
        (b'{"\\udc00": 1}', "not_utf8"),
        (b'{"a": 4111111111111111}', "card_number"),
        (b'{"a": "\\u0034111111111111111"}', "card_number"),
    ],
)
def test_refuses_what_is_no_strict_json(raw: bytes, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        wire.read_json(raw)

    assert refused.value.code == code


def test_takes_a_body_of_one_mebibyte_and_no_more() -> None:
    assert wire.read_json(b" " * (wire.BODY_BYTES_MAX - 2) + b"{}") == {}
    with pytest.raises(TooLarge) as refused:
        wire.read_json(b" " * (wire.BODY_BYTES_MAX - 1) + b"{}")

    assert refused.value.code == "too_large"


def test_takes_what_is_nested_twelve_levels() -> None:
    assert wire.read_json(b"[" * 12 + b"]" * 12) == [[[[[[[[[[[[]]]]]]]]]]]]


def test_keeps_decimals_as_they_were_written_and_whole_surrogate_pairs() -> None:
    value = wire.read_json(b'{"quantity": 0.250, "note": "\\ud83c\\udf50"}')

    assert str(value["quantity"]) == "0.250"
    assert value["note"] == "\N{PEAR}"


@pytest.mark.parametrize(
    ("value", "field", "detail"),
    [
        ({"items": [{"amount": "1"}]}, "items[0].amount", "Expected `int`, got `str`"),
        ({"items": [{"amount": Decimal("1.0")}]}, "items[0].amount", "Expected `int`, got `decim"),
        ({"items": [{"amount": True}]}, "items[0].amount", "Expected `int`, got `bool`"),
        ({"items": [{}]}, "items[0].amount", "Object missing required field `amount`"),
        ({"items": [{"amount": 1, "kind": "Ada"}]}, "items[0].kind", "Invalid enum value"),
        ([], None, "Expected `object`, got `array`"),
    ],
)
def test_names_the_field_that_has_not_the_shape(value: Any, field: str, detail: str) -> None:
    with pytest.raises(Malformed) as refused:
        wire.convert(value, Order)

    assert (refused.value.code, refused.value.field) == ("shape", field)
    assert refused.value.detail.startswith(detail)
    assert "Ada" not in refused.value.detail


def test_puts_the_place_in_a_batch_before_the_field() -> None:
    with pytest.raises(Malformed) as refused:
        wire.convert({"amount": None}, Item, path="[7]")

    assert refused.value.field == "[7].amount"


@pytest.mark.parametrize(
    ("value", "as_type", "unknown"),
    [
        ({"items": []}, Order, 0),
        ({"items": [], "x": 1, "y": {"z": 1}}, Order, 2),
        ({"items": [{"amount": 1, "x": 1}, {"amount": 1, "x": 1}]}, Order, 2),
        ({"items": [], "gift": {"amount": 1, "x": 1}}, Order, 1),
        ({"items": [], "gift": None}, Order, 0),
        ({"items": [], "spare": [{"amount": 1, "x": 1, "y": 1}]}, Order, 2),
        ({"items": [], "spare": "text"}, Order, 0),
        ({"items": [], "by_name": {"anything": 1}}, Order, 0),
        ([{"amount": 1, "x": 1}], list[Item], 1),
        ([{"amount": 1, "x": 1}], tuple[Item, ...], 1),
        ({"type": "tagged", "inner": {"amount": 1, "x": 1}}, Tagged, 1),
        ({"type": "tagged"}, Tagged, 0),
    ],
)
def test_counts_the_fields_that_the_format_does_not_know(
    value: Any, as_type: Any, unknown: int
) -> None:
    assert wire.unknown_fields(value, as_type) == unknown
