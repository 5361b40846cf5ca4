"""Messages that were true and are spoilt: each begins as a valid sample and ends as an attack.

JSON can say things that Python's own values cannot (a key twice, a number without end, half of a
surrogate pair), so a sample becomes a tree of its own, is changed in one to three places, and is
written out again by hand. Only then may bytes break.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

CHANGES = (1, 1, 1, 1, 2, 2, 3)  # Most spoilt messages must still be readable, or nothing behind
BROKEN_BYTES = 0.05  # the parser is ever met.
DEPTHS = (2, 11, 12, 13, 200, 5_000)

# Public numbers of card schemes' test environments: valid check digits, nobody's card.
CARD_NUMBERS = ("4242424242424242", "5105105105105100", "378282246310005", "4111111111111111110")


@dataclass(frozen=True, slots=True)
class Raw:
    """A JSON value, written as it is."""

    text: str


@dataclass(slots=True)
class Array:
    """A JSON array."""

    inner: list["Node"]


@dataclass(slots=True)
class Object:
    """A JSON object; a key may stand more than once."""

    inner: list[tuple[str, "Node"]]


Node = Raw | Array | Object
Hole = tuple[Array | Object, int]

_NUMBERS = """0 -0 -1 1 7 1.5 0.1 -0.005 1e400 -1e400 1E+99 1e-400 1E2 NaN Infinity -Infinity
9007199254740993 9223372036854775808 99999999999999999999999 1000000000000000000000000000000
0.1000000000000000055511151231257827 00 1. .5 +1""".split()
_INSTANTS = """2026-11-20T11:41:06Z 2026-11-20T11:41:06 2026-11-20 0001-01-01T00:00:00+14:00
9999-12-31T23:59:59-14:00 2026-11-20T24:00:00Z 2026-11-20T23:59:60Z 2026-02-30T00:00:00Z
2026-10-25T01:30:00 2026-11-20T11:41:06.123456789Z 20261120T114106Z 2026-W47-5
2026-11-20T11:41:06+99:99 -2026-11-20T11:41:06Z""".split()
_WORDS = (
    "", " ", "null", "true", "GBP", "XXX", "gbp", "£", "../../etc", "a" * 5_000, "é" * 300,
    "\u202e4242 drac", "\u2066x\u2069", "\u0000", "\ufffe", "\uffff", "\U0001f9fe", "ﬁ", "İ",
    "1,234.56", "12.345", "-12.30", "1e3", "٣٤٥", "𝟜𝟚", "%00", "%ZZ", "<script>", "'; --",
    "{{7*7}}", "${x}", "=1+1", "\r\nX-Injected: 1", "#", "page#", "~", "0" * 400,
)  # fmt: skip
_HALF_PAIRS = (r'"\ud800"', r'"x\udfffy"', r'"\ud83e\u0041"')


def mutated(sample: bytes, random: Random) -> bytes:
    """`sample`, which must be JSON, with one to three places changed; sometimes bytes break too."""
    root = Array([_tree(json.loads(sample, parse_float=Raw, parse_int=Raw))])
    for _ in range(random.choice(CHANGES)):
        holes = list(_holes(root))
        if not holes:
            break
        random.choice(_CHANGES)(*random.choice(holes), random)
    text = "" if not root.inner else _written(root.inner[0])
    raw = text.encode("utf-8", "surrogatepass")
    return broken(raw, random) if random.random() < BROKEN_BYTES else raw


def broken(raw: bytes, random: Random) -> bytes:
    """`raw` cut, doubled, or with a byte that does not belong there."""
    at = random.randint(0, len(raw))
    odd = random.choice(
        [b"\x00", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"', b"\\"]
    )
    return random.choice([raw[:at], raw[at:], raw + raw[:at], raw[:at] + odd + raw[at:], odd + raw])


def _tree(value: object) -> Node:
    if isinstance(value, dict):
        return Object([(name, _tree(inner)) for name, inner in value.items()])
    if isinstance(value, list):
        return Array([_tree(inner) for inner in value])
    return value if isinstance(value, Raw) else Raw(json.dumps(value))


def _written(node: Node) -> str:
    match node:
        case Raw(text):
            return text
        case Array(inner):
            return f"[{','.join(map(_written, inner))}]"
        case Object(pairs):
            return f"{{{','.join(f'{json.dumps(n)}:{_written(v)}' for n, v in pairs)}}}"


def _holes(node: Array | Object) -> list[Hole]:
    """Every place below `node` at which a value stands."""
    found: list[Hole] = []
    for index, inner in enumerate(_values(node)):
        found.append((node, index))
        if not isinstance(inner, Raw):
            found += _holes(inner)
    return found


def _values(node: Array | Object) -> list[Node]:
    return node.inner if isinstance(node, Array) else [value for _, value in node.inner]


def _put(parent: Array | Object, index: int, value: Node) -> None:
    if isinstance(parent, Array):
        parent.inner[index] = value
    else:
        parent.inner[index] = (parent.inner[index][0], value)


def _drop(parent: Array | Object, index: int, _random: Random) -> None:
    del parent.inner[index]


def _retype(parent: Array | Object, index: int, random: Random) -> None:
    scalars = ["null", "true", "false", "[]", "{}", "[null]", '{"":""}', *_HALF_PAIRS]
    words = [json.dumps(word) for word in (*_WORDS, *_INSTANTS, *_NUMBERS)]
    _put(parent, index, Raw(random.choice([*scalars, *_NUMBERS, *words])))


def _slip_in_card_number(parent: Array | Object, index: int, random: Random) -> None:
    number = random.choice(CARD_NUMBERS)
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    written = [number, spaced, spaced.replace(" ", "-"), f"paid with {spaced}."]
    if isinstance(parent, Object) and random.random() < 0.3:
        parent.inner.append((random.choice(written), Raw("1")))
        return
    _put(parent, index, Raw(random.choice([number, *map(json.dumps, written)])))


def _nest(parent: Array | Object, index: int, random: Random) -> None:
    depth = random.choice(DEPTHS)
    opening, closing = random.choice([("[", "]"), ('{"a":', "}")])
    inner = _written(_values(parent)[index])
    _put(parent, index, Raw(opening * depth + inner + closing * depth))


def _repeat(parent: Array | Object, index: int, random: Random) -> None:
    """An element once more or far too often; a key twice, with this value or another one."""
    if isinstance(parent, Array):
        parent.inner[index:index] = [parent.inner[index]] * random.choice([1, 2, 101])
        return
    name, value = parent.inner[index]
    parent.inner.append((name, random.choice([value, Raw("null"), Raw('"again"')])))


def _rename(parent: Array | Object, index: int, random: Random) -> None:
    if isinstance(parent, Object):
        name, value = parent.inner[index]
        other = random.choice([name.upper(), name + " ", "", "__proto__", "\u202e" + name, "x"])
        parent.inner[index] = (other, value)


def _swap(parent: Array | Object, index: int, random: Random) -> None:
    other = random.randrange(len(parent.inner))
    mine, theirs = _values(parent)[index], _values(parent)[other]
    _put(parent, index, theirs)
    _put(parent, other, mine)


def _lengthen(parent: Array | Object, index: int, random: Random) -> None:
    """More of what stands there: a text grown, a number with more digits."""
    value = _values(parent)[index]
    if isinstance(value, Raw):
        more = random.choice(["0", "00000000000", " ", "é", "\u200b", "9" * 50])
        quoted = value.text.startswith('"')
        _put(parent, index, Raw(value.text[:-1] + more + '"' if quoted else value.text + more))


_Change = Callable[[Array | Object, int, Random], None]
_CHANGES: tuple[_Change, ...] = (
    _drop, _retype, _retype, _retype, _slip_in_card_number, _nest, _repeat, _rename, _swap,
    _lengthen,
)  # fmt: skip
