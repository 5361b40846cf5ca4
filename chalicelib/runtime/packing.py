"""Packing: a value as few bytes, before it is encrypted and billed by the kilobyte.

MessagePack, compressed by raw DEFLATE (RFC 1951) that looks back into a dictionary of field names.
Two things are done before, because DEFLATE cannot see them:

- a field that holds its default is left out. So a default of a stored type never changes; a new
  meaning is a new field;
- a long list of alike records (the receipts of a page, the lines of a weekly shop) is laid out by
  column, as columnar files are: what is alike stands together, what is the same stands once.

What was packed without either opens the same way, and a reader ignores fields that it does not
know.
"""

import dataclasses
import zlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

import msgspec

UNPACKED_BYTES_MAX = 4_000_000  # Against a compressed bomb that somebody managed to have sealed.
RECORDS_MIN = 10  # Shorter lists are not worth a layout of their own.
_COLUMNS = 1  # MessagePack extension type of a list that is laid out by column.
_PLAIN, _SAME, _LISTS, _RECORDS = range(4)  # How a column stands there.

# zlib looks back into this text, so short values need not spell out their field names.
_PURCHASES = (
    b"fiscal barcode notes return_by return_reference collection_number refers_to change_minor "
    b"rounding_minor tax_included reference version retailer_id store_id till issued_at "
    b"currency GBP total_minor lines discounts charges tenders taxes scheme visa mastercard "
    b"amex last_four digits kind card auth_code tid mid rate 0.20 0.00 code label description "
    b"quantity unit unit_price_minor amount_minor gtin sku lot serial category modifiers "
    b"returnable_until warranty_until service delivery tip gift_card cash account unknown sale "
    b"return exchange Europe/London connection_id transaction_id event_key occurred_at made_at "
    b"amount local_amount merchant identifiers value account_ref user_ref card_ref refers_to "
    b"authorised cleared refunded reversed payment receipt evidence minor"
)
# The names of what a member holds, in the order of their fields: cards and their history, offers
# and their redemptions, pages of a book.
_NAMES = """
membership basis activation joined_at entries payment_id sold_at version scheme sale_print given
rule_id line_id units kind visit item spend streak lot active_at expires_at draws by changed place
back held spend_minor reason earlier base fills number cause at due_at minor lease claim_id claims
reward_id until state redeemed closed_at confirmation fills_made archived last_past expired
watermark counts name period told_days before drawn
campaign_id retailer_id currency GBP ends_at redemptions purchase_id receipt_id receipt_version
available_at shares gifts given_minor taken history pages rewards gifted kept_minor newest_sold_at
first_seq hash opening balances closed_until keys kinds ats recorded currencies legs campaigns
retailers causes dues reasons
"""
_WHOLE_COLUMN = b"\x92\xc0\x92\x00"  # After its name, where every record has it: it is plain.


def _in_order(names: str, *, followed_by: bytes = b"") -> bytes:
    """`names` as MessagePack writes short texts, each with its length before it."""
    return b"".join(bytes((0xA0 | len(one),)) + one.encode() + followed_by for one in names.split())


# What was packed counts from the end of this text back, and so opens only as long as nothing in it
# changes: more may be put before it all, and nowhere else (docs/decisions/0093).
_DICTIONARY = _in_order(_NAMES) + _in_order(_NAMES, followed_by=_WHOLE_COLUMN) + _PURCHASES
_AS_THEY_ARE = frozenset((str, int, bool, float, bytes, datetime, type(None)))

_known_fields: dict[Any, tuple[tuple[str, Any], ...]] = {}

T = TypeVar("T")


class TooLargeUnpacked(ValueError):
    """The packed bytes grow beyond anything that is stored."""


def pack(value: object) -> bytes:
    """`value` (a dataclass, a struct, a dict, or a list of them) in few bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=_DICTIONARY)
    return packer.compress(msgspec.msgpack.encode(_lean(value))) + packer.flush()


def unpack(packed: bytes, as_type: type[T]) -> T:
    """What `pack` packed, as `as_type`. Unknown fields are ignored.

    :raises TooLargeUnpacked: it is larger than anything that is stored.
    :raises msgspec.ValidationError: it is no `as_type`.
    """
    unpacker = zlib.decompressobj(-15, zdict=_DICTIONARY)
    plain = unpacker.decompress(packed, UNPACKED_BYTES_MAX)
    if not unpacker.eof:
        raise TooLargeUnpacked("the packed value is larger than anything that is stored")
    decoded = msgspec.msgpack.decode(plain, ext_hook=_records_of)
    return msgspec.convert(decoded, as_type, builtin_types=(bytes, datetime))


def field_names(value: object) -> frozenset[str]:
    """The names of the fields of `value`, left out or not; of a list, of all its elements."""
    if isinstance(value, list | tuple):
        return frozenset().union(*(field_names(element) for element in value))
    if isinstance(value, dict):
        return frozenset(value)
    if dataclasses.is_dataclass(value):
        return frozenset(name for name, _ in _fields(type(value)))
    return frozenset(getattr(value, "__struct_fields__", ()))


def _lean(value: Any) -> Any:
    """`value` in what MessagePack knows, without defaults, long lists of records by column."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is tuple or kind is list:
        elements = [_lean(element) for element in value]
        are_records = len(elements) >= RECORDS_MIN and all(type(e) is dict for e in elements)
        return _by_column(elements) if are_records else elements
    if dataclasses.is_dataclass(kind):
        return _lean_record(value)
    if isinstance(value, Enum):
        return value.value
    return msgspec.to_builtins(value, builtin_types=(bytes, datetime))


def _lean_record(record: Any) -> dict[str, Any]:
    held = ((name, getattr(record, name), default) for name, default in _fields(type(record)))
    return {name: _lean(value) for name, value, default in held if not _is(value, default)}


def _is(value: Any, default: Any) -> bool:
    """Whether `value` is its default to the letter: not 1 for True, nor 1.0 for Decimal 1."""
    if value is default:
        return True
    is_equal = type(value) is type(default) and value == default
    return is_equal and (type(value) is not Decimal or str(value) == str(default))


def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The fields of a dataclass with their defaults."""
    known = _known_fields.get(kind)
    if known is None:
        known = _known_fields[kind] = tuple((f.name, f.default) for f in dataclasses.fields(kind))
    return known


def _by_column(records: list[dict[str, Any]]) -> msgspec.msgpack.Ext:
    content = [len(records), _columns_of(records)]
    return msgspec.msgpack.Ext(_COLUMNS, msgspec.msgpack.encode(content))


def _columns_of(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """By field: which records have it (None for all), and its values in order."""
    columns = {}
    for name in dict.fromkeys(name for record in records for name in record):
        values = [record[name] for record in records if name in record]
        is_whole = len(values) == len(records)
        having = None if is_whole else bytes(name in record for record in records)
        columns[name] = [having, _column(values)]
    return columns


def _column(values: list[Any]) -> list[Any]:
    if all(type(value) is dict for value in values):
        return [_RECORDS, _columns_of(values)]
    if all(type(value) is list for value in values):
        together = [element for value in values for element in value]
        return [_LISTS, [len(value) for value in values], _column(together) if together else []]
    if len(values) > 1 and all(_is(value, values[0]) for value in values):
        return [_SAME, values[0]]
    return [_PLAIN, values]


def _records_of(code: int, content: memoryview) -> Any:
    if code != _COLUMNS:
        raise msgspec.ValidationError("packed by an unknown layout")
    count, columns = msgspec.msgpack.decode(content, ext_hook=_records_of)
    return _records(columns, count)


def _records(columns: dict[str, Any], count: int) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, (having, column) in columns.items():
        owners = (
            records
            if having is None
            else [record for record, has in zip(records, having, strict=True) if has]
        )
        for record, value in zip(owners, _values(column, len(owners)), strict=True):
            record[name] = value
    return records


def _values(column: list[Any], count: int) -> list[Any]:
    match column:
        case [layout, dict() as columns] if layout == _RECORDS:
            return _records(columns, count)
        case [layout, lengths, together] if layout == _LISTS:
            elements = iter(_values(together, sum(lengths)) if together else ())
            return [[next(elements) for _ in range(length)] for length in lengths]
        case [layout, value] if layout == _SAME:
            return [value] * count
        case [_, values]:
            return list(values)
        case _:
            raise msgspec.ValidationError("packed by an unknown layout")
