"""What every bank format has in common once it is JSON: names, amounts, times, one bad entry.

An adapter reads one entry at a time. In an array, an entry that breaks a rule is set apart and the
others are taken; a message that holds a single entry is refused as a whole.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec

from chalicelib.banks.payments import BankReading, Ignored, PaymentEvent, Refused
from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.kernel.ids import PROVIDER_ID_LENGTH_MAX
from chalicelib.kernel.money import Money, parse_decimal
from chalicelib.kernel.pan import holds_card_number, mask_card_numbers, refuse_card_numbers
from chalicelib.kernel.refusals import Misshapen, NotAllowed, Rejected, TooLarge
from chalicelib.network.identifiers import Identifier
from chalicelib.runtime import wire

ENTRIES_MAX = 100  # Flux's own limit on an array.
AHEAD_MAX = timedelta(minutes=10)  # A bank's clock may run fast, and no purchase is made tomorrow.
BEHIND_MAX = timedelta(days=90)  # The history a bank shares at most; no receipt waits that long.

T = TypeVar("T")

Reference = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=PROVIDER_ID_LENGTH_MAX,
        pattern=r"^[!-~]+$(?!\n)",
        description="A name its sender gave: visible ASCII, at most 200 characters.",
    ),
]
Text = Annotated[str, msgspec.Meta(max_length=500)]

ReadEntry = Callable[[Any, str], PaymentEvent | Ignored]


class TimeOutOfRange(NotAllowed):
    """The payment was made over ten minutes from now or over ninety days ago."""

    code = "time_out_of_range"


class NegativeAmount(NotAllowed):
    """The amount is negative in a format whose amounts are positive."""

    code = "negative_amount"


def read_entries(
    body: Any, read_entry: ReadEntry, *, name_field: str, entry_type: type[Any]
) -> BankReading:
    """Read an array of entries; one that breaks a rule is set apart with its index and name.

    :raises Malformed: not an array. :raises TooLarge: over 100 entries.
    """
    if not isinstance(body, list):
        raise Misshapen("the body is not an array", code="shape")
    if len(body) > ENTRIES_MAX:
        raise TooLarge(f"the array has over {ENTRIES_MAX} entries")
    events: list[PaymentEvent] = []
    ignored: list[Ignored] = []
    refused: list[Refused] = []
    for index, entry in enumerate(body):
        match _outcome(read_entry, entry, index):
            case PaymentEvent() as event:
                events.append(event)
            case Ignored(reason=reason):
                ignored.append(Ignored(reason, index))
            case Rejected() as refusal:
                text = mask_card_numbers(json.dumps(entry, ensure_ascii=False, default=str))
                refused.append(Refused(refusal, index, _name(entry, name_field), text))
    return BankReading(
        tuple(events),
        tuple(ignored),
        tuple(refused),
        sum(wire.unknown_fields(entry, entry_type) for entry in body),
    )


def reading_of(outcome: PaymentEvent | Ignored, *, unknown_fields: int = 0) -> BankReading:
    """The reading of a message that holds one entry."""
    if isinstance(outcome, Ignored):
        return BankReading(ignored=(outcome,), unknown_fields=unknown_fields)
    return BankReading(events=(outcome,), unknown_fields=unknown_fields)


def digest_of(entry: Any) -> str:
    """SHA-256, in hex, of `entry` as JSON with sorted keys."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def money_at(field: str, minor: int, currency: str, *, currency_field: str) -> Money:
    """`minor` units of `currency`; a refusal names `field` or `currency_field`.

    :raises NotMinorUnits: out of range. :raises UnknownCurrency: no such currency.
    """
    located(lambda: Money(0, currency), currency_field)
    return located(lambda: Money(minor, currency), field)


def major_at(field: str, text: str, currency: str, *, currency_field: str) -> Money:
    """Decimal major units as money; a refusal names `field` or `currency_field`.

    :raises NotMinorUnits: finer than the minor unit, or not plain decimal text.
    :raises UnknownCurrency: no such currency.
    """
    located(lambda: Money(0, currency), currency_field)
    return located(lambda: parse_decimal(text, currency), field)


def refuse_negative(field: str, amount: Money) -> None:
    """:raises NegativeAmount: `amount` is below zero."""
    if amount.minor < 0:
        raise NegativeAmount("the amount is negative", field=field)


def check_time(field: str, instant: datetime, *, now: datetime) -> datetime:
    """`instant`, where it lies in what a bank can mean at `now`.

    :raises TimeOutOfRange: over ten minutes ahead or over ninety days ago.
    """
    if not now - BEHIND_MAX <= instant <= now + AHEAD_MAX:
        raise TimeOutOfRange("the time is too far ahead or too long ago", field=field)
    return instant


def local_amount(amount: Money, local: Money | None) -> Money | None:
    """What the till charged, kept only where it says more than `amount`."""
    if local is None or local.minor == 0 or local.currency == amount.currency:
        return None
    return Money(abs(local.minor), local.currency)


def last_four_at(field: str, digits: str | None, kind: LastFourKind) -> LastFour | None:
    """Typed last four digits; blank is none.

    :raises NotAllowed: neither blank nor four digits.
    """
    if not digits or not digits.strip():
        return None
    return located(lambda: LastFour(digits.strip(), kind), field)


def identifiers(*found: Identifier | None) -> tuple[Identifier, ...]:
    """The identifiers among `found`, in order, each once."""
    return tuple(dict.fromkeys(one for one in found if one is not None))


def located(make: Callable[[], T], field: str) -> T:
    """What `make` returns; a rule that it breaks names `field`."""
    try:
        return make()
    except NotAllowed as refusal:
        _relocate(refusal, field)


def _relocate(refusal: NotAllowed, field: str) -> NoReturn:
    raise type(refusal)(refusal.detail, field=field, code=refusal.code) from refusal


def _outcome(read_entry: ReadEntry, entry: Any, index: int) -> PaymentEvent | Ignored | Rejected:
    path = f"[{index}]"
    try:
        refuse_card_numbers(entry, path=path)
    except Rejected as refusal:
        return refusal
    try:
        return read_entry(entry, path)
    except Rejected as refusal:
        return refusal


def _name(entry: Any, field: str) -> str | None:
    name = entry.get(field) if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name.isprintable() or not name.isascii():
        return None
    if holds_card_number(name):
        return None
    return name[:PROVIDER_ID_LENGTH_MAX] or None
