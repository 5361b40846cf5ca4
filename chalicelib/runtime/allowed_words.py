"""Which words a shape takes at a place, so that a refusal can name them.

msgspec says only that a word is none of an enumeration. Everything here is asked after it refused,
never on the way of what is read well.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def words_at(as_type: Any, at: str, value: Any) -> tuple[str, ...]:
    """The words that `as_type` takes at the path `at` (as msgspec says it: `.lines[2].kind`) of
    `value`, an enumeration's in the order in which they are declared; none where it is none.
    """
    types = [_described(as_type)]
    for step in _STEP.finditer(at):
        types = [inner for one in _open(types, value) for inner in _step(one, step)]
        value = _inside(value, step)
    return tuple(dict.fromkeys(word for one in _open(types, None) for word in _words(one)))


def listed(words: Iterable[str]) -> str:
    """`words` as a refusal names them."""
    return ", ".join(f"`{word}`" for word in words)


@lru_cache(maxsize=256)
def _described(as_type: Any) -> Any:
    import msgspec.inspect  # Heavy, and wanted for a refusal only.

    return msgspec.inspect.type_info(as_type)


def _open(types: list[Any], value: Any) -> Iterator[Any]:
    """`types` without wrappers, unions opened; of tagged structs the one that `value` names."""
    for one in types:
        if isinstance(one, msgspec.inspect.Metadata):
            yield from _open([one.type], value)
        elif isinstance(one, msgspec.inspect.UnionType):
            inner = list(_open(list(one.types), value))
            yield from [each for each in inner if _is_named(each, value)] or inner
        else:
            yield one


def _is_named(one: Any, value: Any) -> bool:
    if not isinstance(one, msgspec.inspect.StructType) or not isinstance(value, dict):
        return False
    return one.tag_field is not None and value.get(one.tag_field) == one.tag


def _step(one: Any, step: re.Match[str]) -> Iterator[Any]:
    name, place = step.groups()
    if isinstance(one, msgspec.inspect.StructType):
        if name == one.tag_field:
            yield msgspec.inspect.LiteralType((one.tag,))
        yield from (field.type for field in one.fields if field.encode_name == name)
    elif isinstance(one, msgspec.inspect.TupleType):
        yield from one.item_types[int(place) : int(place) + 1]
    elif isinstance(one, msgspec.inspect.CollectionType):
        yield one.item_type
    elif isinstance(one, msgspec.inspect.DictType):
        yield one.value_type


def _inside(value: Any, step: re.Match[str]) -> Any:
    """What stands at `step` of `value`; None where its place is not said."""
    name, place = step.groups()
    if isinstance(value, dict):
        return value.get(name)
    return value[int(place)] if isinstance(value, list) and place.isdigit() else None


def _words(one: Any) -> Iterator[str]:
    if isinstance(one, msgspec.inspect.EnumType):
        yield from (str(member.value) for member in one.cls)
    elif isinstance(one, msgspec.inspect.LiteralType):
        yield from map(str, one.values)
