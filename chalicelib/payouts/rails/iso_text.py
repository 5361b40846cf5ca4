"""Text as banks take it in ISO 20022 payment files: the Latin set that SEPA and CGI-MP prescribe.

Letters without accents, digits, and `/ - ? : ( ) . , ' +` and space (EPC217-08, "SEPA requirements
for an extended character set"; CGI-MP says the same for files between countries). Identifiers may
not begin or end with a slash, nor hold two in a row.
"""

import re
import unicodedata

IDENTIFIER_CHARACTERS_MAX = 35  # Max35Text: message, payment and end-to-end ids.
NAME_CHARACTERS_MAX = 70
REMITTANCE_CHARACTERS_MAX = 140

_NOT_LATIN = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_IDENTIFIER = re.compile(r"(?!.*//)(?!/)[A-Za-z0-9/\-?:().,'+ ]{1,35}(?<!/)")
# Letters that do not fall apart into a base letter and an accent.
_SPELT = str.maketrans(
    {
        "ß": "ss",
        "Æ": "AE",
        "æ": "ae",
        "Œ": "OE",
        "œ": "oe",
        "Ø": "O",
        "ø": "o",
        "Đ": "D",
        "đ": "d",
        "Ł": "L",
        "ł": "l",
        "Þ": "TH",
        "þ": "th",
        "Ð": "D",
        "ð": "d",
        "ı": "i",
        "&": "+",
        "’": "'",
        "‘": "'",
        "–": "-",
        "—": "-",
    }
)


def to_latin(text: str, *, characters_max: int) -> str:
    """`text` in the set that banks take: accents dropped, what is left over as a full stop."""
    apart = unicodedata.normalize("NFKD", text.translate(_SPELT))
    plain = "".join(one for one in apart if not unicodedata.combining(one))
    spaced = " ".join(plain.split())
    return _NOT_LATIN.sub(".", spaced)[:characters_max].strip() or "."


def is_identifier(text: str) -> bool:
    """Whether `text` can be an id in a payment file."""
    return _IDENTIFIER.fullmatch(text) is not None
