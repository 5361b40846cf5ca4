"""Adding and changing who takes part, as the operator's commands do it: nothing is overwritten."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.banks import http
from chalicelib.kernel.ids import ConnectionId, RetailerId, StoreId
from chalicelib.kernel.refusals import Conflicting, NotAllowed, NotFound
from chalicelib.network import service as network
from chalicelib.network.access import clients
from chalicelib.network.identifiers import Identifier, IdentifierKind, identifier
from chalicelib.network.model import (
    Client,
    ClientKind,
    Connection,
    KeyUse,
    Provider,
    Retailer,
    Store,
)
from chalicelib.network.places import place_told
from infra import new_keys
from infra.template.stages import RETAILER

WITHOUT_HOOK = (Provider.FLUX_V1, Provider.FLUX_V2)  # They call the API's own paths, with a token.

PROVED_BY_KEY = (Provider.STANDARD, Provider.STARLING, Provider.FIDEL)  # By a signature.


class ThereIsOne(Conflicting):
    """Something of that id is there already. It is changed by another command, never replaced."""

    code = "there_is_one"


class UnknownIdentifier(NotAllowed):
    """An identifier is not of the form `kind=value`, or of no kind that there is."""

    code = "unknown_identifier"


class UnusableName(NotAllowed):
    """An id that could be no part of a queue's name, or a name that nobody could read."""

    code = "unusable_name"


class UnknownPlace(NotAllowed):
    """Where a store is said to stand is no place on earth."""

    code = "unknown_place"


_STORE_ID = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,79}")  # What SQS takes.


def add_connection(new: Connection, *, now: datetime) -> None:
    """Write a connection with its keys.

    :raises ThereIsOne: there is one of that id. :raises UnusableKey: a key has not the form that
        its provider's signatures need.
    :raises UnsafeDestination: a URL of it could not be called.
    :raises NotFound: its programme or one of its sources does not exist.
    """
    if any(one.connection_id == new.connection_id for one in network.list_connections(now=now)):
        raise ThereIsOne("there is a connection of that id")
    _check_urls(new)
    for source in new.sources:
        network.get_connection(source, now=now)
    for key in new.keys:
        new_keys.checked(key.value.reveal(), new, key.use)
    network.record_connection(new, now=now)


def change_connection(
    connection_id: ConnectionId, changes: Mapping[str, Any], *, now: datetime
) -> Connection:
    """Change fields of a connection. :raises NotFound: there is none, or nothing to change.

    :raises UnsafeDestination: a URL of it could not be called.
    """
    if not changes:
        raise NotFound("nothing was given to change")
    changed = replace(network.get_connection(connection_id, now=now), **changes)
    _check_urls(changed)
    network.record_connection(changed, now=now)
    return changed


def _check_urls(connection: Connection) -> None:
    urls = (
        connection.api_url,
        connection.auth_url,
        connection.told_at_url,
        connection.notices_at_url,
        connection.notice_image_url,
    )
    for url in urls:
        if url:
            http.check_url(url)


def missing_keys(connection: Connection) -> Mapping[KeyUse, str]:
    """The uses for which `connection` has no key and will need one, with what fails until then."""
    held = {key.use for key in connection.keys}
    missing = {}
    if connection.provider in PROVED_BY_KEY and KeyUse.VERIFY not in held:
        missing[KeyUse.VERIFY] = "what its bank sends is refused"
    if connection.told_at_url and connection.provider is Provider.STANDARD:
        missing[KeyUse.SIGN] = "its bank cannot be told of receipts"
    return {use: without for use, without in missing.items() if use not in held}


def add_retailer(retailer: Retailer, *, now: datetime) -> None:
    """Write a retailer.

    :raises UnusableName: its id fits no queue's name, or it has no name. :raises ThereIsOne: there
        is one of that id.
    """
    if not RETAILER.fullmatch(retailer.retailer_id):
        raise UnusableName(
            "a retailer's id is 1 to 30 of a-z, 0-9, _ and -, and begins with no mark"
        )
    _refuse_no_name(retailer.name)
    if any(one.retailer_id == retailer.retailer_id for one in network.list_retailers(now=now)):
        raise ThereIsOne("there is a retailer of that id")
    network.record_retailer(retailer)


def change_retailer(
    retailer_id: RetailerId, changes: Mapping[str, Any], *, now: datetime
) -> Retailer:
    """Change fields of a retailer. :raises NotFound: there is none, or nothing to change."""
    if not changes:
        raise NotFound("nothing was given to change")
    changed = replace(network.get_retailer(retailer_id, now=now), **changes)
    _refuse_no_name(changed.name)
    network.record_retailer(changed)
    return changed


def add_store(store: Store, named: Sequence[Identifier], *, now: datetime) -> None:
    """Write a store, findable by `named`.

    :raises ThereIsOne: there is one of that id, or the retailer calls another by that reference:
        its tills could name neither.
    :raises UnusableName: its id fits no queue's name, or it has no name.
    :raises NotFound: its retailer does not exist. :raises UnknownZone: its zone does not.
    """
    if not _STORE_ID.fullmatch(store.store_id):
        raise UnusableName(
            "a store's id is 1 to 80 letters, digits, _ and -, and begins with no mark"
        )
    _refuse_no_name(store.name)
    if _find_store(store.store_id, now=now) is not None:
        raise ThereIsOne("there is a store of that id")
    network.get_retailer(store.retailer_id, now=now)
    _refuse_taken_reference(store, now=now)
    network.record_store(store, named, now=now)


def change_store(
    store_id: StoreId,
    changes: Mapping[str, Any],
    named: Sequence[Identifier],
    *,
    now: datetime,
) -> tuple[Identifier, ...]:
    """Change fields of a store; returns the identifiers by which it is found then.

    Those are `named` and its own reference; without any of `named`, those that it had.

    :raises NotFound: there is none, or nothing to change. :raises ThereIsOne: the retailer calls
        another by that reference.
    """
    if not changes and not named:
        raise NotFound("nothing was given to change")
    before = network.get_store(store_id, now=now)
    changed = replace(before, **changes)
    _refuse_no_name(changed.name)
    if changed.reference != before.reference:
        _refuse_taken_reference(changed, now=now)
    kept = named or network.list_identifiers(store_id, now=now)
    network.record_store(changed, kept, now=now)
    return network.list_identifiers(store_id, now=now)


def sharing(store_id: StoreId, *, now: datetime) -> Mapping[Identifier, tuple[Store, ...]]:
    """The store's MIDs that other stores are found by too: they mean none of them alone."""
    found = {
        one: tuple(s for s in network.find_stores([one], now=now) if s.store_id != store_id)
        for one in network.list_identifiers(store_id, now=now)
        if one.kind is IdentifierKind.MID
    }
    return {one: others for one, others in found.items() if others}


def _refuse_no_name(name: str) -> None:
    if not name.strip():
        raise UnusableName("a name is empty")


def _refuse_taken_reference(store: Store, *, now: datetime) -> None:
    for other in network.list_stores(store.retailer_id, now=now):
        if other.reference == store.reference and other.store_id != store.store_id:
            raise ThereIsOne("the retailer calls another store by that reference")


def _find_store(store_id: StoreId, *, now: datetime) -> Store | None:
    try:
        return network.get_store(store_id, now=now)
    except NotFound:
        return None


def identifiers(said: Sequence[str]) -> list[Identifier]:
    """Each `kind=value` (`mid=MT0012`) as an identifier. :raises UnknownIdentifier: one is none."""
    kinds = {k.value: k for k in IdentifierKind if k is not IdentifierKind.PLACE}
    found = []
    for text in said:
        kind, _, value = text.partition("=")
        one = identifier(kinds[kind], value) if kind in kinds else None
        if one is None:
            raise UnknownIdentifier(f"an identifier is KIND=VALUE, of {', '.join(kinds)}")
        found.append(one)
    return found


def standing(place: str) -> dict[str, Any]:
    """`53.7974,-1.5438` (degrees north and east) as fields of a store.

    :raises UnknownPlace: it is no place on earth.
    """
    north, _, east = place.partition(",")
    if place_told(north, east) is None:
        raise UnknownPlace("a place is two numbers, degrees north and east: 53.7974,-1.5438")
    return {"latitude": float(north), "longitude": float(east)}


def add_client(
    kind: ClientKind, owner: str, client_id: str, secret: str, *, now: datetime
) -> Client:
    """Write a machine client with every scope of its kind, and its first secret.

    :raises ThereIsOne: there is one of that id. :raises NotFound: its bank's connection or its
        retailer does not exist.
    """
    if clients.find_client(client_id, now=now) is not None:
        raise ThereIsOne("there is a client of that id")
    if kind is ClientKind.BANK:
        network.get_connection(ConnectionId(owner), now=now)
    if kind is ClientKind.RETAILER:
        network.get_retailer(RetailerId(owner), now=now)
    client = Client(client_id, kind, owner, clients.SCOPES_BY_KIND[kind])
    network.record_client(client, secret_hash=clients.hash_secret(client_id, secret))
    return client
