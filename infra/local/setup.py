"""Setting up the local stack: who takes part, with keys and secrets made on the spot."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from chalicelib.kernel.ids import ConnectionId, RetailerId, StoreId
from chalicelib.kernel.personal import Personal
from chalicelib.network import service as network
from chalicelib.network.access import clients, keys
from chalicelib.network.identifiers import Identifier, IdentifierKind, identifier
from chalicelib.network.model import (
    Client,
    ClientKind,
    Connection,
    ConnectionKey,
    KeyUse,
    Provider,
    Retailer,
    Store,
)
from chalicelib.network.signing import rsa
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails.model import PayingAccount, PayingSecrets, Rail
from infra.local.sandbox_bank import MONZO_CLIENT, TOLD_BY_JWS, SandboxBank
from infra.local.sandbox_senders import FLUX_PATHS, Line
from infra.local.sandbox_till import Login
from infra.local.town import Brand, Shop, Town
from infra.new_keys import SECRET_BYTES, whsec

RECEIPTS_WITHIN_LIVE_SECONDS = 30
KEY_BYTES = 32
PAID_IN = ("GBP", "EUR")
ADDRESSES = {"Europe/London": "N1 9XX", "Europe/Dublin": "D01 X000", "Europe/Paris": "75006"}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a client of the local stack needs: by provider and retailer, lines, logins and keys."""

    bank: SandboxBank
    connections: dict[Provider, Connection]
    lines: dict[Provider, Line]
    bank_logins: dict[Provider, Login]
    till_logins: dict[str, Login]


def set_up(
    town: Town, *, base_url: str, now: Callable[[], datetime], learns: bool = False
) -> Setting:
    """Start the sandbox bank and write connections, clients, retailers and stores.

    `learns` lets the bank take receipts for payments that it never booked itself.
    """
    keys.ensure_signing_key(rsa.new_private_pem, now=now())
    bank = SandboxBank(now=now, learns=learns)
    bank.endpoint.jwks_url = f"{base_url}/auth/.well-known/jwks.json"
    fidel_secret = secrets.token_urlsafe(32)
    standard_secret = whsec(secrets.token_bytes(SECRET_BYTES))
    inbound = {Provider.FIDEL: fidel_secret, Provider.STANDARD: standard_secret}
    connections = {
        provider: _connection(provider, bank, base_url, inbound) for provider in Provider
    }
    destinations.make_envelope_key(partial(secrets.token_bytes, KEY_BYTES), now=now())
    for connection in connections.values():
        network.record_connection(connection, now=now())
        _record_paying(connection, bank, now=now())
    for brand in town.brands:
        _record_brand(brand, now=now())
    bank_logins = {
        provider: _record_client(ClientKind.BANK, connection.connection_id, base_url, now)
        for provider, connection in connections.items()
    }
    return Setting(
        bank=bank,
        connections=connections,
        lines={
            provider: _line(connections[provider], bank, base_url, inbound, login)
            for provider, login in bank_logins.items()
        },
        bank_logins=bank_logins,
        till_logins={
            brand.retailer_id: _record_client(ClientKind.RETAILER, brand.retailer_id, base_url, now)
            for brand in town.brands
        },
    )


def _connection(
    provider: Provider, bank: SandboxBank, base_url: str, inbound: dict[Provider, str]
) -> Connection:
    hook = secrets.token_urlsafe(24)
    hook_url = f"{base_url}/hooks/{hook}"
    held = [
        (KeyUse.VERIFY, inbound.get(provider)),
        (KeyUse.SIGN, bank.webhook_secrets.get(provider)),
    ]
    api_url = auth_url = client_id = ""
    match provider:
        case Provider.MONZO:
            api_url, auth_url, client_id = bank.url, f"{bank.url}/", MONZO_CLIENT
            held.append((KeyUse.CLIENT, bank.monzo_secret))
        case Provider.STARLING:
            api_url = bank.url
            held += [(KeyUse.VERIFY, bank.starling.public_key), (KeyUse.API, bank.starling_token)]
    return Connection(
        connection_id=ConnectionId(provider.value.replace("_", "-")),
        programme="FLUX",
        provider=provider,
        name=f"Sandbox {provider.value}",
        hook="" if provider in FLUX_PATHS else hook,
        registered_url=_registered_url(provider, hook_url),
        api_url=api_url,
        auth_url=auth_url,
        told_at_url=bank.told_at_url(provider),
        notices_at_url=bank.told_at_url(provider) if provider in TOLD_BY_JWS else "",
        notice_image_url=f"{bank.url}/stamp.png" if provider is Provider.MONZO else "",
        client_id=client_id,
        keys=tuple(ConnectionKey(use, Personal(value)) for use, value in held if value),
    )


def _record_paying(connection: Connection, bank: SandboxBank, *, now: datetime) -> None:
    """Let the sandbox bank pay cashback to the connection's members, in every currency of town."""
    held = PayingSecrets(client_secret=Personal(bank.payments_token))
    for currency in PAID_IN:
        account = PayingAccount(connection.connection_id, currency, Rail.SANDBOX, api_url=bank.url)
        paying.record_account(account, held, now=now)


def _registered_url(provider: Provider, hook_url: str) -> str:
    """The URL as registered with the provider; Fidel's has one per event. Flux's is the API's."""
    if provider in FLUX_PATHS:
        return ""
    return hook_url + "?event={event}" if provider is Provider.FIDEL else hook_url


def _line(
    connection: Connection,
    bank: SandboxBank,
    base_url: str,
    inbound: dict[Provider, str],
    login: Login,
) -> Line:
    provider = connection.provider
    in_arrays = provider in FLUX_PATHS
    return Line(
        provider=provider,
        hook_url=base_url if in_arrays else f"{base_url}/hooks/{connection.hook}",
        registered_url=connection.registered_url,
        secret=inbound.get(provider, ""),
        sign=bank.starling.sign if provider is Provider.STARLING else None,
        token=login.token if in_arrays else None,
    )


def _record_client(
    kind: ClientKind, subject: str, base_url: str, now: Callable[[], datetime]
) -> Login:
    client_id = f"{kind.value}-{subject}"
    secret = secrets.token_urlsafe(32)
    client = Client(client_id, kind, subject, clients.SCOPES_BY_KIND[kind])
    network.record_client(client, secret_hash=clients.hash_secret(client_id, secret))
    return Login(base_url, client_id, secret, now, kind.value, subject, client.scopes)


def _record_brand(brand: Brand, *, now: datetime) -> None:
    retailer_id = RetailerId(brand.retailer_id)
    network.record_retailer(
        Retailer(retailer_id, brand.name, vat_number="GB 999 9999 73", return_days=30)
    )
    for shop in brand.shops:
        network.record_store(_store(brand, shop), identifiers_of(shop), now=now)


def store_id_of(brand: Brand, shop: Shop) -> StoreId:
    """The platform's id of the shop."""
    return StoreId(f"{brand.retailer_id}-{shop.reference}")


def _store(brand: Brand, shop: Shop) -> Store:
    within = brand.every.total_seconds() * 1.5 if brand.every else RECEIPTS_WITHIN_LIVE_SECONDS
    return Store(
        store_id=store_id_of(brand, shop),
        retailer_id=RetailerId(brand.retailer_id),
        reference=shop.reference,
        name=shop.name,
        zone=shop.zone,
        address=shop.name.removeprefix(brand.name).strip(),
        postcode=ADDRESSES[shop.zone],
        receipts_within_seconds=int(within),
        tills=tuple(till.name for till in shop.tills),
    )


def identifiers_of(shop: Shop) -> list[Identifier]:
    """Every name by which banks and tills know the shop, as the network keeps it."""
    named = (
        (IdentifierKind.MID, shop.mid),
        (IdentifierKind.TID, shop.tid),
        (IdentifierKind.MONZO_MERCHANT, shop.monzo_merchant),
        (IdentifierKind.MONZO_GROUP, shop.monzo_group),
        (IdentifierKind.FIDEL_LOCATION, shop.fidel_location),
        (IdentifierKind.STARLING_COUNTERPARTY, shop.starling_uid),
        (IdentifierKind.NARRATIVE, shop.narrative),
    )
    return [found for kind, value in named if (found := identifier(kind, value)) is not None]
