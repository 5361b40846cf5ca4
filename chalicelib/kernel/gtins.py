"""GTINs (GS1 General Specifications): the numbers of goods, of 8, 12, 13 or 14 digits.

Tills write shorter forms with zeros in front, and shops print numbers of 9 to 11 digits, so any 8
to 14 digits are taken for one. A check digit is not asked for: goods weighed in the shop have
numbers that end in a price.
"""

import re

_GTIN = re.compile(r"\d{8,14}", re.ASCII)


def is_gtin(text: str) -> bool:
    """Whether `text` is written like a GTIN."""
    return _GTIN.fullmatch(text) is not None


def bare_gtin(gtin: str) -> str:
    """`gtin` as it is compared: without the zeros that longer forms put before shorter ones."""
    return gtin.lstrip("0")
