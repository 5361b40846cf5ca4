"""One item and one request: keys, updates, projections and what a write gives back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from infra.simulation.expressions import Named, NotSimulated, parse_update
from infra.simulation.values import ITEM_BYTES_MAX, Attributes, Value, normal, size_of, with_base64

Key = tuple[str, str]
Request = Mapping[str, Any]
Answer = dict[str, Any]
CONDITION_FAILED = "ConditionalCheckFailedException"


class Refused(Exception):
    """A service's own refusal of a request. `more` are further fields of its answer."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.more = more


@dataclass(frozen=True, eq=False, slots=True)
class Item:
    """A stored item. `notes` is for readers to remember what they made of it."""

    attributes: Attributes
    notes: dict[str, Any] = field(default_factory=dict)


def key_of(attributes: Attributes) -> Key:
    """The key in `attributes`. :raises Refused: it is not two texts that are not empty."""
    try:
        key = attributes["pk"]["S"], attributes["sk"]["S"]
    except KeyError as error:
        raise Refused("ValidationException", "The provided key does not match") from error
    if not all(key):
        raise Refused("ValidationException", "a key attribute cannot hold an empty string")
    return key


def as_key(key: Key) -> Attributes:
    """`key` as an item that holds nothing else."""
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def named_in(request: Request) -> Named:
    """The placeholders of `request`."""
    return Named(
        request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    )


def checked(attributes: Attributes) -> Item:
    """`attributes` as an item. :raises Refused: too large, or with an empty set."""
    if any(kind in value and not value[kind] for value in attributes.values() for kind in _SETS):
        raise Refused("ValidationException", "An attribute value may not be an empty set")
    kept = {name: normal(value) for name, value in attributes.items()}
    if size_of(kept) > ITEM_BYTES_MAX:
        raise Refused("ValidationException", "Item size has exceeded the maximum allowed size")
    return Item(kept)


_SETS = ("SS", "NS", "BS")


def updated(standing: Attributes, request: Request) -> Attributes:
    """`standing` after the update expression of `request`, whose values are read before it."""
    named, after = named_in(request), dict(standing)
    for clause, token, value in parse_update(request.get("UpdateExpression", "")):
        if named.attribute(token) in ("pk", "sk"):
            raise Refused("ValidationException", "This attribute is part of the key")
        held = named.operand(token, standing)
        changed: Value | None = None
        match clause:
            case "SET":
                changed = _set_to(value, standing, named)
            case "ADD":
                changed = _added(held, named.values[value[0]])
            case "DELETE":
                changed = _without(held, named.values[value[0]])
        _put_at(after, named.path(token), changed)
    return after


def _put_at(attributes: dict[str, Value], path: tuple[str, ...], value: Value | None) -> None:
    """Let `value` stand at `path`, None: nothing. Maps on the way are copied, never changed."""
    name, *below = path
    if below:
        held = attributes.get(name)
        if held is None or "M" not in held:
            raise Refused("ValidationException", "The document path is invalid for update")
        inner = dict(held["M"])
        _put_at(inner, tuple(below), value)
        value = {"M": inner}
    if value is None:
        attributes.pop(name, None)
    else:
        attributes[name] = value


def _set_to(tokens: tuple[str, ...], standing: Attributes, named: Named) -> Value:
    match tokens:
        case (token,):
            found = named.operand(token, standing)
        case (token, "+" | "-" as sign, other):
            one, two = (named.operand(each, standing) for each in (token, other))
            if one is None or two is None:
                raise Refused("ValidationException", "an operand of the update is not there")
            by = Decimal(two["N"]) if sign == "+" else -Decimal(two["N"])
            found = {"N": str(Decimal(one["N"]) + by)}
        case ("if_not_exists", "(", token, ",", other, ")"):
            held = named.operand(token, standing)
            found = named.operand(other, standing) if held is None else held
        case _:
            raise NotSimulated(f"the value {' '.join(tokens)!r}")
    if found is None:
        raise Refused("ValidationException", "an operand of the update is not there")
    return found


def _added(held: Value | None, by: Value) -> Value:
    (kind, amount) = next(iter(by.items()))
    if held is not None and kind not in held:
        raise Refused("ValidationException", "An operand in the update has an incorrect type")
    if kind == "N":
        return {"N": str(Decimal(held["N"] if held else 0) + Decimal(amount))}
    if kind not in _SETS:
        raise Refused("ValidationException", "ADD takes a number or a set")
    return {kind: sorted({*(held[kind] if held else ()), *amount})}


def _without(held: Value | None, taken: Value) -> Value | None:
    """The set `held` without the elements of `taken`; None where none is left."""
    (kind, elements) = next(iter(taken.items()))
    if held is None:
        return None
    if kind not in held:
        raise Refused("ValidationException", "An operand in the update has an incorrect type")
    left = sorted(set(held[kind]) - set(elements))
    return {kind: left} if left else None


def projected(attributes: Attributes, request: Request) -> Attributes:
    """What of `attributes` the request wants to see."""
    if "ProjectionExpression" not in request:
        return attributes
    named = named_in(request)
    wanted = {named.attribute(one.strip()) for one in request["ProjectionExpression"].split(",")}
    return {name: value for name, value in attributes.items() if name in wanted}


def returned(before: Item | None, after: Item | None, request: Request) -> Answer:
    """What a write answers by its `ReturnValues`."""
    old = before.attributes if before else {}
    new = after.attributes if after else {}
    match request.get("ReturnValues", "NONE"):
        case "ALL_OLD":
            given = old
        case "ALL_NEW":
            given = new
        case "UPDATED_NEW" | "UPDATED_OLD" as which:
            named = named_in(request)
            actions = parse_update(request.get("UpdateExpression", ""))
            if any(len(named.path(token)) > 1 for _, token, _ in actions):
                raise NotSimulated("giving back a part of a map")
            names = {named.attribute(token) for _, token, _ in actions}
            shown = new if which == "UPDATED_NEW" else old
            given = {name: value for name, value in shown.items() if name in names}
        case _:
            given = {}
    return {"Attributes": given} if given else {}


def condition_failed(request: Request, before: Item | None) -> Refused:
    """The refusal of a write whose condition did not hold, with the item where it was asked for."""
    wants = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    more = {"Item": before.attributes} if wants and before else {}
    return Refused(CONDITION_FAILED, "The conditional request failed", **more)


def digest(request: Request) -> str:
    """What a transaction means, whatever its token."""
    meant = {name: value for name, value in request.items() if name != "ClientRequestToken"}
    said = json.dumps(with_base64(meant), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
