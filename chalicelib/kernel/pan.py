"""Finding card numbers, so that none is ever stored.

A card number (PAN, ISO/IEC 7812) is 13 to 19 digits that pass the Luhn check, written together or
grouped by spaces, dashes or dots, and beside letters too. UUIDs and long hexadecimal ids are
stepped over: their digit groups can pass by chance. Product codes are a known look-alike: one
GTIN-13 in ten passes Luhn. A value that stands alone in a field for product codes and carries a
valid GS1 check digit is a product code (docs/decisions).
"""

import re
from collections.abc import Iterator

from chalicelib.kernel.refusals import Rejected

PRODUCT_CODE_FIELDS = frozenset({"gtin", "ean", "upc", "sku", "plu"})

_MACHINE_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?=[0-9]*[a-f])[0-9a-f]{24,})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_DIGIT_GROUPS = re.compile(r"[0-9]+(?:[ .\-\u00a0][0-9]+)*")
_SEPARATOR = re.compile(r"[ .\-\u00a0]")
_DIGITS_MIN, _DIGITS_MAX = 13, 19


class CardNumberFound(Rejected):
    """The input holds a full card number. The message never repeats it."""

    code = "card_number"


def passes_luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1 annex B over decimal `digits`."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def passes_gs1(digits: str) -> bool:
    """The check digit of the GS1 General Specifications §7.9 (GTIN-8, -12, -13, -14)."""
    if len(digits) not in (8, 12, 13, 14):
        return False
    weighted = (int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(digits)))
    return sum(weighted) % 10 == 0


def holds_card_number(text: str) -> bool:
    """Whether `text` holds 13–19 digits, together or grouped, that pass Luhn."""
    return any(True for _ in _card_numbers(text))


def mask_card_numbers(text: str) -> str:
    """`text` with every card number in it replaced, fit for a log or a quarantine."""
    for found in sorted(set(_card_numbers(text)), key=len, reverse=True):
        text = text.replace(found, "[card number removed]")
    return text


def refuse_card_numbers(value: object, *, path: str = "") -> None:
    """Walk decoded JSON (str, int, list, dict; keys too) and refuse a card number anywhere.

    :raises CardNumberFound: with the JSON path of the field, never with its value.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            if holds_card_number(key):
                raise CardNumberFound("a field name holds a card number", field=path or None)
            if key.lower() in PRODUCT_CODE_FIELDS and _is_product_code(inner):
                continue
            refuse_card_numbers(inner, path=f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            refuse_card_numbers(inner, path=f"{path}[{index}]")
    elif not isinstance(value, bool) and value is not None and holds_card_number(str(value)):
        raise CardNumberFound("the field holds a card number", field=path or None)


def _is_product_code(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) in (13, 14)
        and value.isascii()
        and value.isdigit()
        and passes_gs1(value)
    )


def _card_numbers(text: str) -> Iterator[str]:
    """Every stretch of whole digit groups in `text` that makes a card number, as it is written."""
    if len(text) < _DIGITS_MIN:
        return
    for run in _DIGIT_GROUPS.finditer(_MACHINE_ID.sub(" ", text)):
        if len(run.group()) < _DIGITS_MIN:
            continue
        groups = _SEPARATOR.split(run.group())
        starts = [0]
        for group in groups:
            starts.append(starts[-1] + len(group) + 1)
        for first in range(len(groups)):
            digits = ""
            for last in range(first, len(groups)):
                digits += groups[last]
                if len(digits) > _DIGITS_MAX:
                    break
                if len(digits) >= _DIGITS_MIN and passes_luhn(digits):
                    yield run.group()[starts[first] : starts[last + 1] - 1]
