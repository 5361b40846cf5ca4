"""The names by which banks and tills know a store.

Identifiers are evidence, not identity: a MID may differ between auth and clearing, one MID may
serve many stores under a payment facilitator, and a narrative may name a whole brand. So an
identifier maps to one or more stores, and matching narrows down.
"""

import re
from dataclasses import dataclass
from enum import Enum

VALUE_LENGTH_MAX = 200
STORES_PER_IDENTIFIER_MAX = 50


class IdentifierKind(Enum):
    """Who uses the identifier, and so how much it says."""

    MID = "mid"  # acquirer's merchant id
    TID = "tid"  # terminal id; only together with a MID is it unique
    MONZO_MERCHANT = "monzo_merchant"
    MONZO_GROUP = "monzo_group"
    FIDEL_LOCATION = "fidel_location"
    STARLING_COUNTERPARTY = "starling_counterparty"
    NARRATIVE = "narrative"  # the line on the statement
    STORE_REFERENCE = "store_reference"  # the retailer's own store number
    PLACE = "place"  # latitude and longitude, as a bank has them; no store is found by it


@dataclass(frozen=True, slots=True)
class Identifier:
    """One name of a store, tidied so that both sides compare equal."""

    kind: IdentifierKind
    value: str


def tidy_narrative(text: str) -> str:
    """A statement line as compared: upper case, single spaces, without trailing reference digits.

    `Bean  & Leaf 0042 ` and `BEAN & LEAF` are the same narrative.
    """
    words = re.sub(r"[^0-9A-Z&' ]+", " ", text.upper()).split()
    while len(words) > 1 and any(character.isdigit() for character in words[-1]):
        words.pop()
    return " ".join(words)[:VALUE_LENGTH_MAX]


def identifier(kind: IdentifierKind, value: str | None) -> Identifier | None:
    """`value` as an identifier of `kind`, or None where there is nothing to go by."""
    tidied = (
        tidy_narrative(value or "") if kind is IdentifierKind.NARRATIVE else (value or "").strip()
    )
    return Identifier(kind, tidied[:VALUE_LENGTH_MAX]) if tidied else None
