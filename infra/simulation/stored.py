"""What stands in the tables, opened: the row type of each item, its plain attributes, its content.

An item's type is found by its attributes alone, against the privacy register. What was made of an
item is remembered with it, so that each is opened once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.past import Past
from chalicelib.matching.payment import Payment
from chalicelib.offers.participation.model import Participation
from chalicelib.privacy import register
from chalicelib.purchases.model import Purchase
from chalicelib.runtime import settings, vault
from chalicelib.runtime.rows import Row
from infra.simulation.items import Item, Key
from infra.simulation.tables import SimTables

# Rows whose attributes do not tell their types apart, by table and beginnings of their keys.
_BY_PLACE = (
    ("wallets", "", "offer#", "OfferRow"),
    ("wallets", "", "offerpast#", "OfferPageRow"),
    ("wallets", "", "card#", "CardRow"),
    ("wallets", "", "past#", "PastRow"),
    ("wallets", "", "purchase#", "PurchaseRow"),
    ("wallets", "due#", "", "DueRow"),
    ("money", "day#", "", "FoldRow"),
    ("money", "due#", "", "FoldRow"),
    ("money", "retailer#", "total#", "RetailerDayRow"),
    ("money", "unpaid#", "", "UnpaidRow"),
    ("money", "daybook#", "member#", "DaybookRow"),
)
PURPOSES = ("pages", "waiting", "people", "network", "quarantine", "notices")
# What holds its default is not stored; of these, everything is looked at.
_WHOLE: Mapping[str, type[object]] = {
    "PaymentRow": Payment,
    "PurchaseRow": Purchase,
    "CardRow": Card,
    "OfferRow": Participation,
    "PastRow": Past,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """One item. `row_type` is None where no row type declares its attributes.

    - `plain`: its attributes but the sealed one, as text or number.
    - `content`: what is sealed, None where nothing is; `is_shut` where no key opens it.
    - `text`: all of that, the same for the same meaning, however it was encrypted; `plainly` what
      of it is not sealed.
    """

    table: str
    key: Key
    row_type: type[Row] | None
    plain: Mapping[str, Any]
    content: Any
    is_shut: bool
    text: str
    plainly: str

    @property
    def kind(self) -> str:
        """The name of its row type."""
        return self.row_type.__name__ if self.row_type else "unknown"


def rows_in(tables: SimTables) -> Iterator[Stored]:
    """Everything that stands in `tables`, by table and key."""
    for table in sorted(tables.names):
        items = tables.items(table)
        for key in sorted(items):
            item = items[key]
            if "stored" not in item.notes:
                item.notes["stored"] = _stored(tables, table, key, item)
            yield item.notes["stored"]


def _stored(tables: SimTables, table: str, key: Key, item: Item) -> Stored:
    row_type = _row_type(table, frozenset(item.attributes), _named_at(table, key))
    plain = {
        name: int(value["N"]) if "N" in value else next(iter(value.values()))
        for name, value in item.attributes.items()
        if name != "sealed"
    }
    content, is_shut = None, False
    if "sealed" in item.attributes:
        raw = item.attributes["sealed"]["B"]
        as_type = _WHOLE.get(row_type.__name__ if row_type else "", object)
        content = _opened(raw, as_type, f"{key[0]}|{key[1]}", tables)
        is_shut = content is None
    said = sorted((name, repr(value)) for name, value in plain.items())
    plainly = f"{table} {key} {said}"
    text = f"{plainly} {content!r}"
    return Stored(table, key, row_type, plain, content, is_shut, text, plainly)


def _named_at(table: str, key: Key) -> str | None:
    for whose, pk, sk, name in _BY_PLACE:
        if table.endswith(f"-{whose}") and key[0].startswith(pk) and key[1].startswith(sk):
            return name
    return None


@cache
def _row_type(table: str, attributes: frozenset[str], named: str | None) -> type[Row] | None:
    """The row type of `table` with these attributes: none undeclared, none missing.

    Where several have the same, `named` is the one that stands at such a place.
    """
    fitting = []
    for row_type in register.row_types():
        declared = row_type.get_attributes()
        needed = {name for name, attribute in declared.items() if not attribute.null}
        if row_type.retention.lasts is not None:
            needed.add("expires_at")
        if named is not None and row_type.__name__ != named:
            continue
        if row_type.Meta.table_name == table and needed <= attributes <= set(declared):
            fitting.append(row_type)
    return min(fitting, key=lambda one: len(one.get_attributes()), default=None)


def _opened(sealed: bytes, as_type: type[object], place: str, tables: SimTables) -> Any:
    for key in keys_in(tables):
        try:
            opened = vault.open_sealed(sealed, as_type, key=key, place=place)
        except vault.Unreadable:
            continue
        return msgspec.to_builtins(opened)
    return None


def keys_in(tables: SimTables) -> Iterator[vault.SealingKey]:
    """Every key there is: the members', then the platform's."""
    for item in tables.items(settings.table("wallets")).values():
        if "salt" in item.attributes:
            yield vault.member_key(item.attributes["salt"]["B"])
    for purpose in PURPOSES:
        yield vault.platform_key(purpose)
