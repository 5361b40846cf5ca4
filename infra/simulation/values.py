"""DynamoDB's attribute values as botocore has them: `{"S": …}`, `{"N": …}`, `{"B": bytes}`.

Sizes follow the Developer Guide, “DynamoDB item sizes and formats”.
"""

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Value = Mapping[str, Any]
Attributes = Mapping[str, Value]

ITEM_BYTES_MAX = 400 * 1024
_SETS = ("SS", "NS", "BS")
_BLOBS = {"CiphertextBlob", "Plaintext"}  # of KMS


def comparable(value: Value) -> tuple[str, Any]:
    """`value` so that equal values are equal and values of one type sort as DynamoDB sorts them."""
    (kind, held) = next(iter(value.items()))
    match kind:
        case "N":
            return kind, Decimal(held)
        case "S":
            return kind, held.encode()
        case "NS":
            return kind, frozenset(Decimal(one) for one in held)
        case "SS" | "BS":
            return kind, frozenset(held)
    return kind, held


def contains(held: Value, wanted: Value) -> bool:
    """`contains()`: an element of a set, or a part of a text."""
    (kind, inner), (wanted_kind, one) = next(iter(held.items())), next(iter(wanted.items()))
    if kind in _SETS:
        return kind[0] == wanted_kind and one in inner
    return bool(kind == wanted_kind and kind == "S" and one in inner)


def length_of(value: Value) -> int:
    """`size()`: characters of a text, bytes of a binary, elements of a set, list or map."""
    return len(next(iter(value.values())))


def size_of(item: Attributes) -> int:
    """The bytes of `item`, names included."""
    return sum(len(name.encode()) + _bytes_of(value) for name, value in item.items())


def _bytes_of(value: Value) -> int:
    (kind, held) = next(iter(value.items()))
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            return _digits(held)
        case "B":
            return len(held)
        case "SS":
            return sum(len(one.encode()) for one in held)
        case "NS":
            return sum(_digits(one) for one in held)
        case "BS":
            return sum(len(one) for one in held)
        case "M":
            return 3 + size_of(held) + len(held)
        case "L":
            return 3 + sum(_bytes_of(one) + 1 for one in held)
    return 1


def _digits(text: str) -> int:
    return (len(text.lstrip("-").replace(".", "").strip("0")) + 1) // 2 + 1


def normal(value: Value) -> Value:
    """`value` as DynamoDB keeps it: numbers without needless digits, sets without order."""
    (kind, held) = next(iter(value.items()))
    if kind == "N":
        return {"N": _number(held)}
    if kind == "NS":
        return {"NS": sorted({_number(one) for one in held}, key=Decimal)}
    if kind in _SETS:
        return {kind: sorted(set(held))}
    if kind == "M":
        return {"M": {name: normal(inner) for name, inner in held.items()}}
    return value


def _number(text: str) -> str:
    if text.lstrip("-").isdigit() and not text.lstrip("-").startswith("0"):
        return text
    plain = format(Decimal(text).normalize(), "f")
    return "0" if plain == "-0" else plain


def with_bytes(said: Any) -> Any:
    """Decoded JSON as botocore's parser gives it: base64 of binary values undone."""
    return _with(said, str, base64.b64decode)


def with_base64(said: Any) -> Any:
    """What `with_bytes` undoes: `said` so that JSON can hold it."""
    return _with(said, bytes, lambda raw: base64.b64encode(raw).decode())


def _with(said: Any, held_as: type, turned: Callable[[Any], Any]) -> Any:
    if isinstance(said, dict):
        if _BLOBS & said.keys():
            return {name: turned(v) if name in _BLOBS else v for name, v in said.items()}
        if len(said) == 1:
            (kind, held) = next(iter(said.items()))
            if kind == "B" and isinstance(held, held_as):
                return {"B": turned(held)}
            if kind == "BS" and isinstance(held, list):
                return {"BS": [turned(one) for one in held]}
        return {name: _with(inner, held_as, turned) for name, inner in said.items()}
    if isinstance(said, list):
        return [_with(inner, held_as, turned) for inner in said]
    return said
