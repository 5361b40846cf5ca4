"""Reading JSON at the rim: strict where leniency would hide a mistake, and never past a card
number.

Python's own parser reads the text (msgspec alone would keep the last of two duplicate keys), card
numbers are refused anywhere in it, and msgspec turns the result into typed structs. Decimals keep
their text exactly.
"""

import json
import re
import types
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from chalicelib.kernel.pan import refuse_card_numbers
from chalicelib.kernel.refusals import Malformed, Misshapen, TooLarge
from chalicelib.runtime.allowed_words import listed, words_at

BODY_BYTES_MAX = 1_048_576  # 1 MiB: a batch of 100 long receipts is a third of it.
DEPTH_MAX = 12  # The deepest documented format nests seven levels.
NUMBER_CHARACTERS_MAX = 24

_MISSING = re.compile(r"Object missing required field `(.+)`")
_QUOTED_VALUE = re.compile(r" '.*'|\".*\"", re.DOTALL)

T = TypeVar("T")


def read_json(raw: bytes) -> Any:
    """Decode `raw` as strict JSON and refuse card numbers in it.

    :raises TooLarge: over 1 MiB. :raises Malformed: not UTF-8, not JSON, duplicate keys, NaN or
        infinities, nested too deeply, half of a surrogate pair. :raises CardNumberFound: a card
        number stands anywhere in it.
    """
    value = parse_json(raw)
    refuse_card_numbers(value)
    return value


def parse_json(raw: bytes) -> Any:
    """As `read_json`, but card numbers are left to the caller: it must refuse them, entry by entry.

    :raises TooLarge, Malformed: as `read_json`.
    """
    if len(raw) > BODY_BYTES_MAX:
        raise TooLarge("the body is over 1 MiB")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("the body is not UTF-8", code="not_utf8") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise Malformed("the body is not JSON", code="not_json") from error
    _check_depth(value, DEPTH_MAX)
    if "\\u" in text:
        _check_encodable(value)
    return value


def convert(value: Any, as_type: type[T], *, path: str = "") -> T:
    """`value` (decoded JSON) as `as_type`, strictly: no text for numbers, no float for integers.

    :raises Misshapen: naming the field (`items[3].amount`, below `path`) and what was expected, the
        words of an enumeration included.
    """
    try:
        return msgspec.convert(value, as_type)
    except msgspec.ValidationError as error:
        detail, separator, at = str(error).rpartition(" - at `$")
        detail, at = (detail, at) if separator else (at, "")
        detail = _QUOTED_VALUE.sub("", detail)  # It repeats what was sent, which may be personal.
        if words := _words_wanted(detail, as_type, at, value):
            detail = f"{detail}; it is one of {words}"
        missing = _MISSING.fullmatch(detail)
        below = f".{missing[1]}" if missing else ""
        field = (path + at.rstrip("`") + below).lstrip(".") or None
        raise Misshapen(detail, field=field, code="shape") from error


def convert_document(value: Any, as_type: type[T]) -> T:
    """`value` as `convert` reads it, where a field that `as_type` does not know is a mistake.

    Documents that somebody writes are read by it: with a misspelt condition they would say
    something else than was meant. Messages are read by `convert`, because later releases add to
    them.

    :raises Misshapen: naming the first field that is not as documented.
    """
    read = convert(value, as_type)
    if unknown := unknown_paths(value, as_type):
        raise Misshapen("the field is not known", field=unknown[0], code="unknown_field")
    return read


def unknown_fields(value: Any, as_type: Any) -> int:
    """How many JSON fields of `value`, at any depth, `as_type` does not know."""
    return len(unknown_paths(value, as_type))


def unknown_paths(value: Any, as_type: Any, *, path: str = "") -> list[str]:
    """The JSON paths, below `path`, of the fields of `value` that `as_type` does not know."""
    if get_origin(as_type) is Annotated:
        return unknown_paths(value, get_args(as_type)[0], path=path)
    if get_origin(as_type) in (Union, types.UnionType):
        fitting = [inner for inner in get_args(as_type) if _may_hold(inner, value)]
        found = [unknown_paths(value, inner, path=path) for inner in fitting]
        return min(found, key=len, default=[])
    if isinstance(value, list):
        inner = get_args(as_type)[:1]
        items = [(item, f"{path}[{at}]") for at, item in enumerate(value)] if inner else []
        return [one for item, at in items for one in unknown_paths(item, inner[0], path=at)]
    if not isinstance(value, dict) or not _is_struct(as_type):
        return []
    known = _fields(as_type)
    places = [(name, inner, f"{path}.{name}".lstrip(".")) for name, inner in value.items()]
    strange = [at for name, _, at in places if name not in known]
    known_places = [(inner, known[name], at) for name, inner, at in places if name in known]
    return strange + [
        one for inner, of, at in known_places for one in unknown_paths(inner, of, path=at)
    ]


def _may_hold(as_type: Any, value: Any) -> bool:
    """Whether an object or array `value` can have been read as `as_type`, one of a union."""
    if isinstance(value, dict):
        if _is_struct(as_type) and as_type.__struct_config__.tag_field is not None:
            tag = as_type.__struct_config__
            return bool(value.get(tag.tag_field) == tag.tag)
        return _is_struct(as_type) or (get_origin(as_type) or as_type) is dict
    return isinstance(value, list) and (get_origin(as_type) or as_type) in _SEQUENCES


def to_json(value: object) -> bytes:
    """`value` (struct, dataclass or builtins) as compact JSON. Decimals become text."""
    return msgspec.json.encode(value)


_SEQUENCES = (list, tuple, set, frozenset)
_NOT_A_WORD = ("Invalid enum value", "Invalid value")  # as msgspec says it, of words and of tags


def _words_wanted(detail: str, as_type: Any, at: str, value: Any) -> str:
    if detail not in _NOT_A_WORD:
        return ""
    return listed(words_at(as_type, at.rstrip("`"), value))


def _is_struct(as_type: Any) -> bool:
    return isinstance(as_type, type) and issubclass(as_type, msgspec.Struct)


@lru_cache(maxsize=256)
def _fields(as_type: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(as_type)
    fields = {
        encoded: hints[name]
        for name, encoded in zip(
            as_type.__struct_fields__, as_type.__struct_encode_fields__, strict=True
        )
    }
    tag_field = as_type.__struct_config__.tag_field
    return fields if tag_field is None else {**fields, tag_field: str}


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    decoded = dict(pairs)
    if len(decoded) != len(pairs):
        raise Malformed("an object has the same key twice", code="duplicate_key")
    return decoded


def _decimal(text: str) -> Decimal:
    if len(text) > NUMBER_CHARACTERS_MAX or "e" in text.lower():
        raise Malformed("a number is out of range or in exponent form", code="number")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise Malformed("a number is out of range", code="number")
    return int(text)


def _no_constant(_text: str) -> None:
    raise Malformed("NaN and Infinity are not JSON", code="not_json")


def _check_encodable(value: Any) -> None:
    """Half of a surrogate pair can be escaped in JSON and is no text: nothing could store it."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise Malformed("a text holds half of a surrogate pair", code="not_utf8") from error


def _check_depth(value: Any, levels_left: int) -> None:
    if isinstance(value, dict | list):
        if levels_left == 0:
            raise Malformed("the body is nested too deeply", code="too_deep")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_depth(inner, levels_left - 1)
