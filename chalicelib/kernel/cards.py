"""What may be known of a card: scheme, last four digits with their kind, auth code. Never a number.

The kind of the last four says which number they end: the plastic card's, a wallet's device number,
or the bank account's. Digits of different kinds are different numbers and never contradict.
"""

import re
from dataclasses import dataclass
from enum import Enum

from chalicelib.kernel.refusals import NotAllowed

_FOUR_DIGITS = re.compile(r"\d{4}", re.ASCII)
_AUTH_CODE = re.compile(r"[0-9A-Z]{1,12}", re.ASCII)
_BLANK_AUTH_CODES = {"", "0", "000000"}  # Tills and acquirers fill the field when they have none.


class LastFourKind(Enum):
    """Which number the digits end."""

    CARD = "card"
    DEVICE = "device"
    ACCOUNT = "account"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LastFour:
    """Four decimal digits and which number they end.

    :raises NotAllowed: not exactly four ASCII digits.
    """

    digits: str
    kind: LastFourKind

    def __post_init__(self) -> None:
        if not _FOUR_DIGITS.fullmatch(self.digits):
            raise NotAllowed("last four is not exactly four digits", code="last_four")


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What one side knows of the card that paid. Everything may be missing."""

    scheme: str | None = None
    last_four: LastFour | None = None
    auth_code: str | None = None


NO_CARD_FACTS = CardFacts()


@dataclass(frozen=True, slots=True)
class KnownDigits:
    """Last four digits that payments of a member may show on a receipt.

    `registered` are those of cards and accounts, as the bank gave them; `devices` were learned from
    receipts that surely were the member's.
    """

    registered: tuple[LastFour, ...] = ()
    devices: tuple[str, ...] = ()


NO_DIGITS = KnownDigits()


def tidy_auth_code(text: str | None) -> str | None:
    """An auth code as both sides compare it: upper case, trimmed; fillers (`000000`) are none.

    ISO 8583 field 38 is six alphanumerics; gateways send one to twelve.
    """
    tidied = (text or "").strip().upper()
    if tidied in _BLANK_AUTH_CODES or not _AUTH_CODE.fullmatch(tidied):
        return None
    return tidied


def tidy_scheme(text: str | None) -> str | None:
    """A card scheme as both sides compare it (`MasterCard`, `MASTER_CARD` → `mastercard`)."""
    tidied = re.sub(r"[^a-z]", "", (text or "").lower())[:20]
    return {"mc": "mastercard", "americanexpress": "amex"}.get(tidied, tidied) or None
