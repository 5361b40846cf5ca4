"""One line of either file: its shape, its rules, and the packed row that it becomes.

Nine million lines have to be read in a minute or two, so there are two ways to the same values. A
plain line (ASCII, no escapes, known fields only, each once, no long row of digits) goes through
msgspec alone; any other through `runtime.wire`, which refuses duplicate keys and card numbers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.kernel.cards import LastFourKind, tidy_auth_code, tidy_scheme
from chalicelib.kernel.money import (
    EXPONENT_BY_CURRENCY,
    MINOR_MAX,
    NotMinorUnits,
    UnknownCurrency,
)
from chalicelib.kernel.pan import refuse_card_numbers
from chalicelib.kernel.refusals import NotAllowed, TooLarge
from chalicelib.kernel.times import parse_instant
from chalicelib.matching.sides import ChargeKind
from chalicelib.runtime import wire
from infra.matchfiles.rows import PaymentRow, ReceiptRow

LINE_BYTES_MAX = 65_536  # A line has some 250 bytes; fields that nobody asked for make it longer.
NAME_LENGTH_MAX = 200

# What may be a card number: 13 digits, with up to three spaces, dashes or dots between two. The
# first pattern is three times as quick and meets hardly a line.
_MANY_DIGITS = re.compile(rb"[0-9][0-9 .\-]{11,}[0-9]").search
_THIRTEEN_DIGITS = re.compile(rb"(?:[0-9][ .\-]{0,3}){12}[0-9]").search

Name = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
Known = Annotated[str, Meta(max_length=NAME_LENGTH_MAX)] | None | UnsetType


class PaymentLine(msgspec.Struct, frozen=True):
    """A line of the payments file. Null and empty text say that a fact is not known."""

    id: Name
    member: Name
    store: Name
    at: str
    amount_minor: int
    currency: str
    last_four: Known = UNSET
    last_four_kind: Known = UNSET
    auth_code: Known = UNSET
    scheme: Known = UNSET
    kind: Known = UNSET


class ReceiptLine(msgspec.Struct, frozen=True):
    """A line of the receipts file. Null and empty text say that a fact is not known."""

    id: Name
    store: Name
    at: str
    total_minor: int
    currency: str
    till: Known = UNSET
    last_four: Known = UNSET
    last_four_kind: Known = UNSET
    auth_code: Known = UNSET
    scheme: Known = UNSET
    tip_minor: int | UnsetType | None = UNSET
    kind: Known = UNSET
    refers_to: Known = UNSET


class NegativeAmount(NotAllowed):
    """The amount is below nought. Which way money went is what `kind` says."""

    code = "negative_amount"


class UnknownKind(NotAllowed):
    """The word is none of those that the field may hold."""

    code = "unknown_kind"


def read_payment(raw: bytes, *, offset: int, number: int) -> PaymentRow:
    """The payment that `raw`, a line of the payments file, tells of.

    :raises Rejected: it is no such line, breaks a rule of docs/match-files.md, or holds a card
        number; with the field, and a sentence that repeats nothing of the line.
    """
    line = _read(raw, _PAYMENT)
    if line.amount_minor < 0:
        raise NegativeAmount("a refund says so by its kind", field="amount_minor")
    last_four, last_four_kind = _last_four(line)
    return PaymentRow(
        offset=offset,
        line=number,
        id=line.id,
        member=line.member,
        store=line.store,
        at=parse_instant(line.at, field="at").timestamp(),
        amount_minor=_checked(line.amount_minor, line.currency, field="amount_minor"),
        currency=line.currency,
        last_four=last_four,
        last_four_kind=last_four_kind,
        auth_code=tidy_auth_code(line.auth_code or None),
        scheme=tidy_scheme(line.scheme or None),
        kind=_one_of(CHARGE_KINDS, line.kind or "auth", field="kind"),
    )


def read_receipt(raw: bytes, *, offset: int, number: int) -> ReceiptRow:
    """The receipt that `raw`, a line of the receipts file, tells of.

    A return's total may be written below nought or above: both are in use.

    :raises Rejected: as `read_payment`.
    """
    line = _read(raw, _RECEIPT)
    is_return = _one_of(RECEIPT_KINDS, line.kind or "sale", field="kind") == "return"
    if line.total_minor < 0 and not is_return:
        raise NegativeAmount("a return says so by its kind", field="total_minor")
    tip_minor = line.tip_minor or 0
    if tip_minor < 0:
        raise NegativeAmount("a tip is not below nought", field="tip_minor")
    last_four, last_four_kind = _last_four(line)
    return ReceiptRow(
        offset=offset,
        line=number,
        id=line.id,
        store=line.store,
        at=parse_instant(line.at, field="at").timestamp(),
        total_minor=abs(_checked(line.total_minor, line.currency, field="total_minor")),
        currency=line.currency,
        till=line.till or None,
        last_four=last_four,
        last_four_kind=last_four_kind,
        auth_code=tidy_auth_code(line.auth_code or None),
        scheme=tidy_scheme(line.scheme or None),
        tip_minor=_checked(tip_minor, line.currency, field="tip_minor") if tip_minor else 0,
        is_return=is_return,
        refers_to=line.refers_to or None,
    )


CHARGE_KINDS = frozenset(kind.value for kind in ChargeKind)
RECEIPT_KINDS = frozenset({"sale", "return"})
LAST_FOUR_KINDS = frozenset(kind.value for kind in LastFourKind)

Line = TypeVar("Line", PaymentLine, ReceiptLine)


@dataclass(frozen=True, slots=True)
class _Shape(Generic[Line]):
    """How the lines of one file are read. `required_quotes` are those of its required fields."""

    as_type: type[Line]
    decode: Callable[[bytes], Line]
    optional: tuple[str, ...]
    required_quotes: int


def _shape_of(as_type: type[Line]) -> _Shape[Line]:
    fields = msgspec.structs.fields(as_type)
    texts = [field.required and field.type is not int for field in fields]
    optional = tuple(field.name for field in fields if not field.required)
    quotes = 2 * (len(fields) - len(optional) + sum(texts))
    return _Shape(as_type, msgspec.json.Decoder(as_type).decode, optional, quotes)


_PAYMENT, _RECEIPT = _shape_of(PaymentLine), _shape_of(ReceiptLine)


def _read(raw: bytes, shape: _Shape[Line]) -> Line:
    if len(raw) > LINE_BYTES_MAX:
        raise TooLarge("the line is over 64 KiB")
    if raw.isascii() and b"\\" not in raw and not _may_hold_card_number(raw):
        try:
            line = shape.decode(raw)
        except msgspec.DecodeError:
            return _read_carefully(raw, shape)  # Which tells what is wrong with it.
        if _has_each_field_once(raw, line, shape):
            return line
    return _read_carefully(raw, shape)


def _read_carefully(raw: bytes, shape: _Shape[Line]) -> Line:
    value = wire.parse_json(raw)
    refuse_card_numbers(value)
    return wire.convert(value, shape.as_type)


def _may_hold_card_number(raw: bytes) -> bool:
    return _MANY_DIGITS(raw) is not None and _THIRTEEN_DIGITS(raw) is not None


def _has_each_field_once(raw: bytes, line: Line, shape: _Shape[Line]) -> bool:
    """Whether nothing but the fields of `line` stands in `raw`, which has no escapes.

    Each field has two quotes and each text two more; what was written twice, or is not of the
    shape, has quotes beyond those.
    """
    quotes = shape.required_quotes
    for name in shape.optional:
        value = getattr(line, name)
        if value is not UNSET:
            quotes += 4 if isinstance(value, str) else 2
    return raw.count(b'"') == quotes


def _last_four(line: PaymentLine | ReceiptLine) -> tuple[str | None, str]:
    kind = _one_of(LAST_FOUR_KINDS, line.last_four_kind or "unknown", field="last_four_kind")
    digits = line.last_four or None
    if digits is not None and not (len(digits) == 4 and digits.isascii() and digits.isdigit()):
        raise NotAllowed(
            "last four is not exactly four digits", field="last_four", code="last_four"
        )
    return digits, kind


def _checked(minor: int, currency: str, *, field: str) -> int:
    if currency not in EXPONENT_BY_CURRENCY:
        raise UnknownCurrency(
            "the currency is not an ISO 4217 code in upper case", field="currency"
        )
    if abs(minor) > MINOR_MAX:
        raise NotMinorUnits("the amount is out of range", field=field)
    return minor


def _one_of(words: frozenset[str], word: str, *, field: str) -> str:
    if word not in words:
        raise UnknownKind(f"it is none of: {', '.join(sorted(words))}", field=field)
    return word
