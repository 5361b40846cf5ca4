"""Shops that take part, as rows of the table `network`.

    retailers              <retailer id>      the retailer
    retailer#<retailer id> store#<store id>   the store, to list a retailer's stores
    store#<store id>       store              the store again, to find one by its id
    identifier#<kind>#<value> stores          the ids of up to 50 stores that the identifier names

Retailers stand in one partition: there are some hundred, and they are read whole once a minute per
process.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from pynamodb.attributes import (
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.expressions.condition import size

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.refusals import Conflicting, NotAllowed
from chalicelib.network.identifiers import (
    STORES_PER_IDENTIFIER_MAX,
    Identifier,
    IdentifierKind,
)
from chalicelib.network.model import Retailer, Store
from chalicelib.runtime import rows
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose

RETAILERS_MAX = 1_000
STORES_PER_RETAILER_MAX = 5_000
_RETAILERS = "retailers"
_CONFIGURATION = Kept(Category.CONFIGURATION, Purpose.SERVICE_OPERATION, Erasure.KEEP)


class TooManyStores(NotAllowed):
    """The identifier names as many stores as it may: it is too general to be evidence."""

    code = "too_many_stores"


class StoreOfAnotherRetailer(Conflicting):
    """A store id was given that is another retailer's store. A store never changes hands."""

    code = "store_of_another_retailer"


class ParticipantRow(rows.Row):
    """A retailer or a store, as JSON. `identifiers` are those that a store is found by."""

    Meta = rows.table_meta("network")
    privacy = {"document": _CONFIGURATION, "identifiers": _CONFIGURATION}
    retention = CONFIGURED

    document = UnicodeAttribute()
    identifiers = UnicodeAttribute(null=True)


class IdentifierRow(rows.Row):
    """The stores that one identifier names."""

    Meta = rows.table_meta("network")
    privacy = {"stores": _CONFIGURATION}
    retention = CONFIGURED

    stores = UnicodeSetAttribute(null=True)


def list_retailers(*, now: datetime) -> tuple[Retailer, ...]:
    """Every retailer, ended ones too, in order of id."""
    found = rows.list_prefixed(ParticipantRow, _RETAILERS, "", now=now, limit=RETAILERS_MAX)
    return tuple(msgspec.json.decode(row.document, type=Retailer) for row in found)


def record_retailer(retailer: Retailer) -> None:
    """Write `retailer` over whatever stood there."""
    document = msgspec.json.encode(retailer).decode()
    rows.put(ParticipantRow(_RETAILERS, retailer.retailer_id, document=document))


def list_stores(retailer_id: RetailerId, *, now: datetime) -> tuple[Store, ...]:
    """The retailer's stores, in order of id."""
    found = rows.list_prefixed(
        ParticipantRow,
        f"retailer#{retailer_id}",
        "store#",
        now=now,
        limit=STORES_PER_RETAILER_MAX,
        consistent=False,
    )
    return tuple(_to_store(row) for row in found)


def find_stores(store_ids: Iterable[StoreId], *, now: datetime) -> dict[StoreId, Store]:
    """The stores among `store_ids` that there are, in one read call per hundred."""
    keys = [_store_key(store_id) for store_id in store_ids]
    found = {}
    for first in range(0, len(keys), rows.BATCH_ROWS_MAX):
        batch = keys[first : first + rows.BATCH_ROWS_MAX]
        for row in rows.find_many(ParticipantRow, batch, now=now, consistent=False):
            store = _to_store(row)
            found[store.store_id] = store
    return found


def record_store(store: Store, identifiers: Sequence[Identifier], *, now: datetime) -> None:
    """Write `store`, findable by `identifiers` and by no others that it had before.

    The store knows old and new identifiers until the old ones are gone, so that a repeat after a
    crash finishes the work.

    :raises TooManyStores: an identifier names 50 other stores already.
    :raises StoreOfAnotherRetailer: the store id is taken.
    """
    before = rows.find(ParticipantRow, *_store_key(store.store_id), now=now)
    if before is not None and _to_store(before).retailer_id != store.retailer_id:
        raise StoreOfAnotherRetailer("the store id belongs to another retailer")
    had = _identifiers_of(before)
    _write_store(store, [*identifiers, *(one for one in had if one not in identifiers)])
    for one in identifiers:
        _point(one, store.store_id)
    dropped = [one for one in had if one not in identifiers]
    for one in dropped:
        row = IdentifierRow(*_identifier_key(one))
        rows.update(row, [IdentifierRow.stores.delete({store.store_id})])
    if dropped:
        _write_store(store, identifiers)


def list_identifiers(store_id: StoreId, *, now: datetime) -> tuple[Identifier, ...]:
    """The identifiers by which a store is found; none where there is no such store."""
    return tuple(_identifiers_of(rows.find(ParticipantRow, *_store_key(store_id), now=now)))


def find_store_ids(
    identifiers: Sequence[Identifier], *, now: datetime
) -> dict[Identifier, frozenset[StoreId]]:
    """The stores that each of `identifiers` (at most 100) names, none included, in one call."""
    by_key = {_identifier_key(one): one for one in identifiers}
    named = dict.fromkeys(identifiers, frozenset[StoreId]())
    if not by_key:
        return named
    for row in rows.find_many(IdentifierRow, by_key, now=now, consistent=False):
        stores = sorted(row.stores or ())[:STORES_PER_IDENTIFIER_MAX]
        named[by_key[row.pk, row.sk]] = frozenset(StoreId(one) for one in stores)
    return named


def _point(one: Identifier, store_id: StoreId) -> None:
    stores = IdentifierRow.stores
    taken = size(stores)  # type: ignore[no-untyped-call]
    has_room = stores.does_not_exist() | (taken < STORES_PER_IDENTIFIER_MAX)
    try:
        rows.update(
            IdentifierRow(*_identifier_key(one)),
            [stores.add({store_id})],
            condition=has_room | stores.contains(store_id),
        )
    except rows.ConditionFailed as error:
        raise TooManyStores("an identifier names too many stores", field=one.kind.value) from error


def _write_store(store: Store, identifiers: Sequence[Identifier]) -> None:
    document = msgspec.json.encode(store).decode()
    known = json.dumps([[one.kind.value, one.value] for one in identifiers])
    rows.put_together(
        (ParticipantRow(pk, sk, document=document, identifiers=known), None)
        for pk, sk in (
            _store_key(store.store_id),
            (f"retailer#{store.retailer_id}", f"store#{store.store_id}"),
        )
    )


def _identifiers_of(row: ParticipantRow | None) -> list[Identifier]:
    pairs = json.loads(row.identifiers or "[]") if row is not None else []
    return [Identifier(IdentifierKind(kind), value) for kind, value in pairs]


def _to_store(row: ParticipantRow) -> Store:
    return msgspec.json.decode(row.document, type=Store)


def _store_key(store_id: StoreId) -> tuple[str, str]:
    return f"store#{store_id}", "store"


def _identifier_key(one: Identifier) -> tuple[str, str]:
    return f"identifier#{one.kind.value}#{one.value}", "stores"
