"""DynamoDB's expressions, as far as PynamoDB and this platform write them: attributes, and entries
of maps.

Grammar: Amazon DynamoDB Developer Guide, “Comparison operator and function reference” and “Update
expressions”. What is not known here is refused loudly, never guessed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from infra.simulation.values import Attributes, Value, comparable, contains, length_of

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),+\-]|[#:A-Za-z_][\w.\-#]*)")
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class NotSimulated(NotImplementedError):
    """The platform asks for something that the simulated AWS does not know. Teach it."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the placeholders of one request stand for."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    def attribute(self, token: str) -> str:
        """The attribute that `token` (`#0`, a plain name, or a path) means or begins at."""
        return self.path(token)[0]

    def path(self, token: str) -> tuple[str, ...]:
        """The attribute, and the names in maps below it, that `token` (`#0.#1`) means."""
        return tuple(
            self.names[part] if part.startswith("#") else part for part in token.split(".")
        )

    def operand(self, token: str, item: Attributes) -> Value | None:
        """The value that `token` means: a placeholder's, or what stands there in `item`."""
        if token.startswith(":"):
            return self.values[token]
        found: Value | None = {"M": item}
        for name in self.path(token):
            found = found["M"].get(name) if found is not None and "M" in found else None
        return found


Node = tuple[Any, ...]


@lru_cache(maxsize=4096)
def parse_condition(text: str) -> Node:
    """The condition `text` as a tree of tuples, whose first is the operator."""
    return _Conditions(_tokens(text)).whole()


def holds(node: Node, item: Attributes, named: Named) -> bool:
    """Whether the parsed condition holds for `item`; of an item that is not there, `{}`."""
    match node:
        case ("and", left, right):
            return holds(left, item, named) and holds(right, item, named)
        case ("or", left, right):
            return holds(left, item, named) or holds(right, item, named)
        case ("not", inner):
            return not holds(inner, item, named)
        case ("between", what, low, high):
            return _compares("<=", low, what, item, named) and _compares(
                "<=", what, high, item, named
            )
        case ("in", what, tokens):
            return any(_compares("=", what, one, item, named) for one in tokens)
        case ("call", name, arguments):
            return _called(name, arguments, item, named)
        case (operator, left, right):
            return _compares(operator, left, right, item, named)
    raise NotSimulated(f"the condition {node!r}")


def is_backwards(node: Node, named: Named) -> bool:
    """Whether a BETWEEN in the parsed condition has a lower bound above its upper one."""
    match node:
        case ("and" | "or", left, right):
            return is_backwards(left, named) or is_backwards(right, named)
        case ("not", inner):
            return is_backwards(inner, named)
        case ("between", _, low, high):
            return _compares(">", low, high, {}, named)
    return False


def _compares(operator: str, left: Any, right: Any, item: Attributes, named: Named) -> bool:
    one, other = _value(left, item, named), _value(right, item, named)
    if operator == "=":
        return one is not None and other is not None and comparable(one) == comparable(other)
    if operator == "<>":
        return one is None or other is None or comparable(one) != comparable(other)
    if one is None or other is None or one.keys() != other.keys():
        return False
    return _COMPARED[operator](comparable(one)[1], comparable(other)[1])


def _value(operand: Any, item: Attributes, named: Named) -> Value | None:
    if isinstance(operand, tuple):  # size(path), the only function with a value
        held = named.operand(operand[2][0], item)
        return None if held is None else {"N": str(length_of(held))}
    return named.operand(operand, item)


def _called(name: str, arguments: Sequence[str], item: Attributes, named: Named) -> bool:
    held = named.operand(arguments[0], item)
    match name:
        case "attribute_exists":
            return held is not None
        case "attribute_not_exists":
            return held is None
        case "begins_with":
            start = named.operand(arguments[1], item)
            return held is not None and start is not None and held["S"].startswith(start["S"])
        case "contains":
            wanted = named.operand(arguments[1], item)
            return held is not None and wanted is not None and contains(held, wanted)
    raise NotSimulated(f"the function {name}")


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotSimulated(f"the expression {text!r}")
        tokens.append(found.group(1))
        at = found.end()
    return tokens


class _Conditions:
    """Recursive descent over the tokens of one condition. NOT binds closest, OR least."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    def whole(self) -> Node:
        node = self._either()
        if self._at != len(self._tokens):
            raise NotSimulated(f"the expression {' '.join(self._tokens)!r}")
        return node

    def _either(self) -> Node:
        node = self._both()
        while self._takes("OR"):
            node = ("or", node, self._both())
        return node

    def _both(self) -> Node:
        node = self._one()
        while self._takes("AND"):
            node = ("and", node, self._one())
        return node

    def _one(self) -> Node:
        if self._takes("NOT"):
            return ("not", self._one())
        if self._takes("("):
            node = self._either()
            self._must(")")
            return node
        left = self._operand()
        if isinstance(left, tuple) and left[1] != "size":
            return left
        operator = self._next()
        if operator.upper() == "BETWEEN":
            low = self._operand()
            self._must("AND")
            return ("between", left, low, self._operand())
        if operator.upper() == "IN":
            self._must("(")
            return ("in", left, self._arguments())
        return (operator, left, self._operand())

    def _operand(self) -> Any:
        token = self._next()
        if not self._takes("("):
            return token
        return ("call", token.lower(), self._arguments())

    def _arguments(self) -> tuple[str, ...]:
        found = [self._next()]
        while self._takes(","):
            found.append(self._next())
        self._must(")")
        return tuple(found)

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise NotSimulated(f"the expression {' '.join(self._tokens)!r}")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, token: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at].upper() == token:
            self._at += 1
            return True
        return False

    def _must(self, token: str) -> None:
        if not self._takes(token):
            raise NotSimulated(f"the expression {' '.join(self._tokens)!r}")


@lru_cache(maxsize=4096)
def parse_update(text: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """The update `text` as (clause, attribute, tokens of its value), in order."""
    clauses = re.split(r"\b(SET|REMOVE|ADD|DELETE)\b", text)
    if clauses[0].strip():
        raise NotSimulated(f"the update {text!r}")
    actions = []
    for clause, body in zip(clauses[1::2], clauses[2::2], strict=True):
        for part in re.split(r",(?![^(]*\))", body):
            tokens = _tokens(part)
            value = tokens[2:] if clause == "SET" else tokens[1:]
            actions.append((clause, tokens[0], tuple(value)))
    return tuple(actions)
