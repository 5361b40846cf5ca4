"""Finding card numbers, so that none is ever stored.

A card number (PAN, ISO/IEC 7812) is 13 to 19 digits that pass the Luhn check, written together or
grouped by spaces, dashes or dots, beside letters too, and in the digits of any script. UUIDs and
long hexadecimal ids are stepped over: their digit groups can pass by chance. Product codes are a
known look-alike: one GTIN-13 in ten passes Luhn. A value that stands alone in a field for product
codes, or in a list of such codes, and carries a valid GS1 check digit is a product code. Names that
senders give (merchant ids, receipt references, user ids) are another: there, only numbers that a
card issuer could have given count (docs/decisions/0003).
"""

import re
import sys
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

from chalicelib.kernel.refusals import Rejected

PRODUCT_CODE_FIELDS = frozenset({"gtin", "ean", "upc", "sku", "plu"})
PRODUCT_LIST_FIELDS = frozenset({"gtins", "skus"})  # What schemes and campaigns name goods by.

# Fields that hold a name its sender gave, in the spelling of every format, lower case.
NAME_FIELDS = frozenset(
    """mid tid merchantid merchantidentifier terminalid storeid store reference id receipt_reference
    return_reference refers_to collection_number account account_id accountid user user_id userid
    transaction transactionid banktransactionid token refunded member""".split()
)

# Leading digits of the card schemes (ISO/IEC 7812: Visa, Mastercard, Amex, Diners, JCB, Discover,
# UnionPay, Maestro), and how many digits their cards have.
_ISSUED = re.compile(
    r"4[0-9]{12}|4[0-9]{15}|4[0-9]{18}|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)[0-9]+"
    r"|3[47][0-9]{13}|3(?:0[0-5]|09|6|8|9)[0-9]{11,16}|35(?:2[89]|[3-8])[0-9]{12,15}"
    r"|6[0-9]{12,18}|5[06-9][0-9]{11,17}"
)

_MACHINE_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?=[0-9]*[a-f])[0-9a-f]{24,})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
# Between two groups stand up to three spaces, dashes or dots: `4111 1111`, `4111 - 1111`.
_SPACES_AND_DASHES = " .\\-\u00a0\u2000-\u200b\u202f\u2010-\u2015\u2212\u3000"
_DIGIT_RUN = re.compile(rf"[0-9]+(?:[{_SPACES_AND_DASHES}]{{1,3}}[0-9]+)*")
_DIGIT_GROUP = re.compile(r"[0-9]+")
_NOT_DIGIT = re.compile(r"[^0-9]")
_DIGITS_MIN, _DIGITS_MAX = 13, 19
_MASK = "[card number removed]"


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


def holds_issued_number(text: str) -> bool:
    """Whether `text`, a name that its sender gave, holds a number that a card scheme could give.

    One in ten numeric names of that length passes Luhn; hardly any begins like a card as well.
    """
    plain = text if text.isascii() else text.translate(_ascii_digits())
    stretches = (_NOT_DIGIT.sub("", plain[start:end]) for start, end in _card_numbers(plain))
    return any(_ISSUED.fullmatch(digits) for digits in stretches)


def mask_card_numbers(text: str) -> str:
    """`text` with every card number in it replaced, fit for a log or a quarantine."""
    pieces: list[str] = []
    done = 0
    for start, end in sorted(_card_numbers(text)):
        if end > done:
            pieces += [text[done:start], _MASK] if start >= done else []
            done = end
    return "".join(pieces) + text[done:]


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
            at = f"{path}.{key}" if path else key
            if key.lower() in PRODUCT_LIST_FIELDS and isinstance(inner, list):
                for index, one in enumerate(inner):
                    if not _is_product_code(one):
                        refuse_card_numbers(one, path=f"{at}[{index}]")
                continue
            if key.lower() in NAME_FIELDS and isinstance(inner, str | int):
                if holds_issued_number(str(inner)):
                    raise CardNumberFound("the field holds a card number", field=at)
                continue
            refuse_card_numbers(inner, path=at)
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


def _card_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Start and end in `text` of every stretch of whole digit groups that makes a card number."""
    if len(text) < _DIGITS_MIN:
        return
    plain = text if text.isascii() else text.translate(_ascii_digits())
    plain = _MACHINE_ID.sub(lambda found: "x" * len(found.group()), plain)
    for run in _DIGIT_RUN.finditer(plain):
        if run.end() - run.start() >= _DIGITS_MIN:
            groups = [group.span() for group in _DIGIT_GROUP.finditer(plain, *run.span())]
            yield from _card_numbers_among(plain, groups)


def _card_numbers_among(plain: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Try the neighbouring `groups` that have 13 to 19 digits together.

    The Luhn sum of any stretch is the difference of two running sums, so that a long list of short
    groups costs no more than a few steps each.
    """
    digits = "".join(plain[start:end] for start, end in groups)
    ends = list(accumulate(end - start for start, end in groups))
    single, double = map(int, digits), map(_LUHN_DOUBLE.__getitem__, map(int, digits))
    terms = list(zip(single, double, strict=True))
    # sums[p][i]: the first i digits, those whose place is odd counted from p doubled.
    sums = [
        [0, *accumulate(term[(place + parity) % 2] for place, term in enumerate(terms))]
        for parity in (0, 1)
    ]
    for first, (start, _) in enumerate(groups):
        before = ends[first - 1] if first else 0
        shortest = bisect_left(ends, before + _DIGITS_MIN, lo=first)
        longest = bisect_right(ends, before + _DIGITS_MAX, lo=first)
        for last in range(shortest, longest):
            running = sums[(ends[last] - 1) % 2]
            if (running[ends[last]] - running[before]) % 10 == 0:
                yield start, groups[last][1]


_LUHN_DOUBLE = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # Twice the digit, its own digits added up.


@lru_cache(maxsize=1)
def _ascii_digits() -> dict[int, str]:
    """Every decimal digit of every script, and the ASCII digit of the same value."""
    every = map(chr, range(128, sys.maxunicode + 1))
    return {ord(c): str(unicodedata.decimal(c)) for c in every if c.isdecimal()}
