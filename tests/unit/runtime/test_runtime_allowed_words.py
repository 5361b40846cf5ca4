"""What a shape takes at a place: named where a refusal says that something else was sent."""

from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from chalicelib.api.rim import OPERATIONS
from chalicelib.kernel.refusals import Misshapen
from chalicelib.runtime import wire
from chalicelib.runtime.allowed_words import words_at

Colour = Literal["red", "green"]


class Size(Enum):
    """An enumeration for these tests."""

    SMALL = "small"
    LARGE = "large"


class Fruit(msgspec.Struct, frozen=True, tag_field="kind"):
    """What is sold."""


class Apple(Fruit, frozen=True, tag="apple"):
    """One kind."""

    colour: Colour = "red"
    size: Size | None = None


class Pear(Fruit, frozen=True, tag="pear"):
    """Another kind, whose `size` is something else."""

    size: Literal["conference"] = "conference"


class Basket(msgspec.Struct, rename={"all_of": "all"}):
    """Where a word may stand."""

    first: Apple | Pear = Apple()
    all_of: tuple[Apple | Pear, ...] = ()
    pair: tuple[Size, Colour] = (Size.SMALL, "red")
    by_name: dict[str, Size] = {}
    size: Annotated[Size, msgspec.Meta(description="How large.")] = Size.SMALL
    sizes: list[Size] | str = ""


@pytest.mark.parametrize(
    ("value", "field", "words"),
    [
        ({"size": "Ada"}, "size", "`small`, `large`"),
        ({"sizes": ["small", "Ada"]}, "sizes[1]", "`small`, `large`"),
        ({"pair": ["small", "Ada"]}, "pair[1]", "`green`, `red`"),
        ({"by_name": {"a": "Ada"}}, "by_name[...]", "`small`, `large`"),
        ({"first": {"kind": "Ada"}}, "first.kind", "`apple`, `pear`"),
        ({"first": {"kind": "apple", "size": "Ada"}}, "first.size", "`small`, `large`"),
        ({"first": {"kind": "pear", "size": "Ada"}}, "first.size", "`conference`"),
        (
            {"all": [{"kind": "pear"}, {"kind": "apple", "colour": "Ada"}]},
            "all[1].colour",
            "`green`, `red`",
        ),
    ],
)
def test_a_refusal_names_the_words_that_are_taken_and_not_the_one_that_was_sent(
    value: Any, field: str, words: str
) -> None:
    with pytest.raises(Misshapen) as refused:
        wire.convert(value, Basket)

    assert refused.value.field == field
    assert refused.value.detail.endswith(f"; it is one of {words}")
    assert refused.value.detail.startswith("Invalid")
    assert "Ada" not in refused.value.detail


def test_where_no_word_is_wanted_nothing_is_named() -> None:
    assert words_at(Basket, ".by_name", {}) == ()
    assert words_at(Basket, ".nothing.of.it", {}) == ()
    with pytest.raises(Misshapen) as refused:
        wire.convert({"size": 3}, Basket)

    assert refused.value.detail == "Expected `str`, got `int`"


def test_every_shape_that_the_api_takes_can_be_asked() -> None:
    for operation in OPERATIONS:
        assert words_at(operation.takes, ".not_a_field", {}) == ()
