"""Who takes part, as everyone else asks for it: remembered for under a minute, absence included.

Nothing is stored of a payment before `find_stores` was asked, so it has to cost almost nothing: one
read call for the identifiers and one for the stores, both usually answered from memory.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.ids import ConnectionId, RetailerId, StoreId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Malformed, NotFound
from chalicelib.kernel.times import zone_named
from chalicelib.network import programmes, resolution, store
from chalicelib.network.access import clients
from chalicelib.network.caching import Remembered
from chalicelib.network.connections import store as connection_store
from chalicelib.network.connections.rotation import decide_rotation
from chalicelib.network.identifiers import Identifier, IdentifierKind, identifier
from chalicelib.network.model import (
    Client,
    Connection,
    KeyUse,
    Retailer,
    RetailerStatus,
    Store,
)
from chalicelib.runtime import vault

IDENTIFIERS_PER_STORE_MAX = 200  # A department store has that many terminals; nobody has more.
HOOK_CHARACTERS_MAX = 200

_connections: Remembered[str, tuple[Connection, ...]] = Remembered(entries_max=1)
_connection_by_hook: Remembered[str, dict[str, Connection]] = Remembered(entries_max=1)
_retailers: Remembered[str, dict[RetailerId, Retailer]] = Remembered(entries_max=1)
_store_ids: Remembered[Identifier, frozenset[StoreId]] = Remembered(entries_max=20_000)
_stores: Remembered[StoreId, Store | None] = Remembered(entries_max=5_000)


def forget() -> None:
    """Remember nothing, so that the next question reads. For tests and local stacks."""
    for remembered in (_connections, _connection_by_hook, _retailers, _store_ids, _stores):
        remembered.forget()
    connection_store.forget()


def list_connections(*, now: datetime) -> tuple[Connection, ...]:
    """Every connection, in order of id, without keys."""
    return _connections.recall(
        "all",
        lambda: tuple(one.connection for one in connection_store.list_connections(now=now)),
        now=now,
    )


def find_connection_by_hook(hook: str, *, now: datetime) -> Connection | None:
    """The connection whose hook path ends in `hook`, without keys.

    Hooks are secrets, so they are compared by their keyed hash: how long the answer takes says
    nothing about how much of a guess was right.
    """
    by_hash = _connection_by_hook.recall(
        "all",
        lambda: {_hook_hash(one.hook): one for one in list_connections(now=now) if one.hook},
        now=now,
    )
    return by_hash.get(_hook_hash(hook)) if len(hook) <= HOOK_CHARACTERS_MAX else None


def _hook_hash(hook: str) -> str:
    return vault.lookup_key("hook", hook)


def get_connection(connection_id: ConnectionId, *, now: datetime) -> Connection:
    """The connection called `connection_id`, without keys. :raises NotFound: there is none."""
    for connection in list_connections(now=now):
        if connection.connection_id == connection_id:
            return connection
    raise NotFound("there is no such connection")


def with_keys(connection: Connection) -> Connection:
    """`connection` with its keys: asked for once per process, when somebody first needs them.

    :raises TryAgain: Secrets Manager does not give them now.
    """
    return connection_store.with_keys(connection)


def record_connection(connection: Connection, *, now: datetime) -> None:
    """Write `connection` as it is given, its keys included.

    :raises programmes.UnknownProgramme: its programme does not exist.
    :raises TryAgain: somebody else changed it meanwhile.
    """
    programmes.get_programme(connection.programme)
    before = connection_store.find_connection(connection.connection_id, now=now)
    connection_store.record_connection(connection, after_version=before.version if before else 0)
    forget()


def stop_telling(connection_id: ConnectionId, *, now: datetime) -> None:
    """Tell this bank of no more receipts: it answered that it no longer listens.

    An operator starts again with `resume_telling`.
    """
    standing = connection_store.find_connection(connection_id, now=now)
    if standing is None or standing.connection.told_until is not None:
        return
    stopped = replace(standing.connection, told_until=now)
    connection_store.record_connection(stopped, after_version=standing.version)
    forget()


def resume_telling(connection_id: ConnectionId, *, now: datetime) -> None:
    """Tell this bank of receipts again: somebody saw to it that it listens.

    :raises NotFound: there is no such connection. :raises TryAgain: it changed meanwhile.
    """
    standing = connection_store.find_connection(connection_id, now=now)
    if standing is None:
        raise NotFound("there is no such connection")
    resumed = replace(standing.connection, told_until=None)
    if resumed != standing.connection:
        connection_store.record_connection(resumed, after_version=standing.version)
        forget()


def rotate_key(
    connection_id: ConnectionId,
    use: KeyUse,
    new_value: Personal[str],
    *,
    old_valid_until: datetime,
    now: datetime,
) -> Connection:
    """Make `new_value` the key of `use`; the one it replaces stays valid until `old_valid_until`.

    At most two of a use are kept, so a second rotation within the period ends the oldest at once.
    Rotating to the value that is in use changes nothing.

    :raises NotFound: there is no such connection. :raises TryAgain: it changed meanwhile.
    """
    before = connection_store.find_connection(connection_id, now=now)
    if before is None:
        raise NotFound("there is no such connection")
    held = with_keys(before.connection)
    keys = decide_rotation(held.keys, use, new_value, old_valid_until=old_valid_until, now=now)
    rotated = replace(held, keys=keys)
    if rotated != held:
        connection_store.record_connection(rotated, after_version=before.version)
        forget()
    return rotated


def list_retailers(*, now: datetime) -> tuple[Retailer, ...]:
    """Every retailer, in order of id: live, in test, and ended."""
    return tuple(_retailer_by_id(now=now).values())


def get_retailer(retailer_id: RetailerId, *, now: datetime) -> Retailer:
    """The retailer called `retailer_id`. :raises NotFound: there is none."""
    retailer = _retailer_by_id(now=now).get(retailer_id)
    if retailer is None:
        raise NotFound("there is no such retailer")
    return retailer


def list_group(retailer_id: RetailerId, *, now: datetime) -> tuple[RetailerId, ...]:
    """`retailer_id` and, after it, the other retailers of its group."""
    by_id = _retailer_by_id(now=now)
    group = by_id[retailer_id].group if retailer_id in by_id else ""
    others = (one.retailer_id for one in by_id.values() if group and one.group == group)
    return tuple(dict.fromkeys((retailer_id, *others)))


def record_retailer(retailer: Retailer) -> None:
    """Write `retailer` as it is given."""
    store.record_retailer(retailer)
    forget()


def _retailer_by_id(*, now: datetime) -> dict[RetailerId, Retailer]:
    return _retailers.recall(
        "all",
        lambda: {one.retailer_id: one for one in store.list_retailers(now=now)},
        now=now,
    )


def get_store(store_id: StoreId, *, now: datetime) -> Store:
    """The store called `store_id`. :raises NotFound: there is none."""
    found = _find_stores([store_id], now=now)
    if not found:
        raise NotFound("there is no such store")
    return found[0]


def list_stores(retailer_id: RetailerId, *, now: datetime) -> tuple[Store, ...]:
    """The retailer's stores (at most 5,000), in order of id; read afresh."""
    return store.list_stores(retailer_id, now=now)


def record_store(new: Store, identifiers: Sequence[Identifier], *, now: datetime) -> None:
    """Write `new`, findable by `identifiers` and by its own reference, and by nothing else.

    :raises NotFound: its retailer does not exist. :raises UnknownZone: its zone does not.
    :raises store.TooManyStores: an identifier names 50 stores already.
    """
    get_retailer(new.retailer_id, now=now)
    zone_named(new.zone)
    named = [one for one in identifiers if one.kind is not IdentifierKind.STORE_REFERENCE]
    if reference := _reference_of(new.retailer_id, new.reference):
        named.append(reference)
    if len(named) > IDENTIFIERS_PER_STORE_MAX:
        raise Malformed("the store has too many identifiers", field="identifiers")
    store.record_store(new, tuple(dict.fromkeys(named)), now=now)
    forget()


def list_identifiers(store_id: StoreId, *, now: datetime) -> tuple[Identifier, ...]:
    """What a store was said to be found by, its own reference among them."""
    return store.list_identifiers(store_id, now=now)


def find_stores(merchant: Sequence[Identifier], *, now: datetime) -> tuple[Store, ...]:
    """The stores that `merchant` can mean, of retailers that take part, in order of id.

    Empty means that the merchant is not in the network and nothing may be kept of the payment.
    """
    asked = resolution.worth_asking(merchant)
    meant = resolution.resolve(merchant, _find_store_ids(asked, now=now))
    return tuple(
        found
        for found in _find_stores(sorted(meant), now=now)
        if _takes_part(found.retailer_id, now=now)
    )


def find_store_for_till(
    retailer_id: RetailerId,
    *,
    reference: str | None = None,
    identifiers: Sequence[Identifier] = (),
    now: datetime,
) -> Store | None:
    """The one store of `retailer_id` that its till means, or None: unknown, or not one alone.

    The retailer's own store number decides where it is known; else the identifiers have to point
    to one store of this retailer.
    """
    if not _takes_part(retailer_id, now=now):
        return None
    own = _reference_of(retailer_id, reference)
    evidence = ((own,), tuple(one for one in identifiers if one != own))
    for named in evidence:
        asked = [one for one in named if one is not None]
        found = [one for one in find_stores(asked, now=now) if one.retailer_id == retailer_id]
        if len(found) == 1:
            return found[0]
    return None


def _reference_of(retailer_id: RetailerId, reference: str | None) -> Identifier | None:
    """A store number as an identifier. Every retailer has a store 1, so its id is part of it."""
    tidied = (reference or "").strip()
    return identifier(IdentifierKind.STORE_REFERENCE, f"{retailer_id}/{tidied}" if tidied else "")


def _takes_part(retailer_id: RetailerId, *, now: datetime) -> bool:
    retailer = _retailer_by_id(now=now).get(retailer_id)
    return retailer is not None and retailer.status is not RetailerStatus.ENDED


def _find_store_ids(
    identifiers: Sequence[Identifier], *, now: datetime
) -> dict[Identifier, frozenset[StoreId]]:
    known = _store_ids.known(identifiers, now=now)
    unknown = [one for one in identifiers if one not in known]
    for one, store_ids in store.find_store_ids(unknown, now=now).items():
        _store_ids.keep(one, store_ids, now=now)
        known[one] = store_ids
    return known


def _find_stores(store_ids: Sequence[StoreId], *, now: datetime) -> list[Store]:
    known = _stores.known(store_ids, now=now)
    unknown = [store_id for store_id in store_ids if store_id not in known]
    read = store.find_stores(unknown, now=now)
    for store_id in unknown:
        known[store_id] = read.get(store_id)
        _stores.keep(store_id, known[store_id], now=now)
    return [found for store_id in store_ids if (found := known[store_id]) is not None]


def record_client(client: Client, *, secret_hash: str) -> None:
    """Write a machine client with one secret (`access.clients.hash_secret`)."""
    clients.record_client(client, secret_hash=secret_hash)
