"""The town of the bench: one retailer's stores, one bank on Standard Webhooks, and its members."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

from chalice.local import LambdaContext
from standardwebhooks.webhooks import Webhook

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.kernel.ids import ConnectionId, MemberId, RetailerId, StoreId, encode_id
from chalicelib.kernel.personal import Personal
from chalicelib.members import service as members
from chalicelib.members.activation import Activation, GivenAccount, GivenCard
from chalicelib.members.model import Fresh, LinkKind, Reference, TermsAcceptance
from chalicelib.network import service as network
from chalicelib.network.access import clients, keys
from chalicelib.network.identifiers import Identifier, IdentifierKind
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
from infra.bench.shift import STARTS, Sale
from infra.bench.stage import NOTICES_PATH, RECEIPTS_PATH
from infra.new_keys import SECRET_BYTES, whsec

BANK = ConnectionId("bench-bank")
RETAILER = RetailerId("bench-retailer")
HOOK = "hook-of-the-bench"
TILL_CLIENT = "bench-till"


@dataclass(frozen=True, slots=True)
class Town:
    """What senders need: the bank's webhook secret and the till's client secret."""

    webhook_secret: str
    client_secret: str


def build_town(
    random: Random, *, stores: int, member_count: int, within_seconds: int, bank_url: str
) -> Town:
    """Record everything and switch every member on before the shift starts."""
    before = STARTS - timedelta(days=1)
    secret = whsec(random.randbytes(SECRET_BYTES))
    connection = Connection(
        connection_id=BANK,
        programme="FLUX",
        provider=Provider.STANDARD,
        name="Bank of the bench",
        hook=HOOK,
        told_at_url=bank_url + RECEIPTS_PATH,
        notices_at_url=bank_url + NOTICES_PATH,
        keys=(
            ConnectionKey(KeyUse.VERIFY, Personal(secret)),
            ConnectionKey(KeyUse.SIGN, Personal(whsec(random.randbytes(SECRET_BYTES)))),
        ),
    )
    keys.ensure_signing_key(rsa.new_private_pem, now=before)
    network.record_connection(connection, now=before)
    network.record_retailer(Retailer(RETAILER, "Retailer of the bench"))
    for number in range(stores):
        mid = Identifier(IdentifierKind.MID, mid_of(number))
        network.record_store(_store(number, within_seconds), [mid], now=before)
    for number in range(member_count):
        _switch_on(number, connection, random, now=before)
    return Town(secret, _record_till(random))


def mid_of(store: int) -> str:
    """The acquirer's name of the store."""
    return f"MID-BENCH-{store:04d}"


def payment_webhook(
    town: Town, sale: Sale, *, kind: str, at: datetime, with_card_facts: bool = True
) -> dict[str, Any]:
    """The bank's signed webhook of `sale`, as API Gateway hands it over."""
    data: dict[str, Any] = {
        "id": f"pay-{sale.number:08d}",
        "account": f"account-{sale.member}",
        "made_at": sale.paid_at.isoformat(),
        "amount": {"minor": sale.total_minor, "currency": "GBP"},
        "merchant": {"mid": mid_of(sale.store), "narrative": f"BENCH SHOP {sale.store}"},
    }
    if with_card_facts:
        card = {"last_four": sale.last_four, "last_four_kind": "card", "auth_code": sale.auth_code}
        data["card"] = {key: value for key, value in card.items() if value}
    # A repeat has the same body; only its headers are of now.
    envelope = {"type": f"payment.{kind}", "timestamp": sale.paid_at.isoformat(), "data": data}
    text = json.dumps(envelope, separators=(",", ":"))
    name = f"evt-{sale.number}-{kind}"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(town.webhook_secret).sign(name, at, text),
    }
    return _gateway_event("/hooks/{hook}", {"hook": HOOK}, headers, text)


def token_request(town: Town) -> dict[str, Any]:
    """The till asks for an access token."""
    form = {
        "grant_type": "client_credentials",
        "client_id": TILL_CLIENT,
        "client_secret": town.client_secret,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return _gateway_event("/auth/oauth/token", {}, headers, urlencode(form))


def till_post(token: str, receipts: list[dict[str, Any]]) -> dict[str, Any]:
    """A till's post of `receipts`, as API Gateway hands it over."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    text = json.dumps(receipts, separators=(",", ":"))
    return _gateway_event("/v1/receipts", {}, headers, text)


def lambda_context(name: str) -> LambdaContext:
    """What Lambda hands to a function beside the event."""
    return LambdaContext(name, 512, max_runtime_ms=60_000)


def _gateway_event(
    route: str, parameters: Mapping[str, str], headers: Mapping[str, str], body: str
) -> dict[str, Any]:
    """The payload format 1.0 of API Gateway's HTTP APIs, which its REST APIs have too."""
    path = route.format(**parameters)
    return {
        "resource": route,
        "path": path,
        "httpMethod": "POST",
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": dict(parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route,
            "httpMethod": "POST",
            "path": path,
            "stage": "$default",
            "identity": {"sourceIp": "203.0.113.7"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def _store(number: int, within_seconds: int) -> Store:
    return Store(
        store_id=StoreId(f"bench-store-{number:04d}"),
        retailer_id=RETAILER,
        reference=f"{number:04d}",
        name=f"Shop {number}",
        zone="Europe/London",
        receipts_within_seconds=within_seconds,
    )


def _switch_on(number: int, connection: Connection, random: Random, *, now: datetime) -> None:
    activation = Activation(
        connection,
        Reference(LinkKind.USER, BANK, f"user-{number}"),
        TermsAcceptance("2026-01", now, "bank_app"),
        (GivenAccount(Reference(LinkKind.ACCOUNT, BANK, f"account-{number}")),),
        (GivenCard(last_four=LastFour(f"{number:04d}", LastFourKind.CARD)),),
    )
    fresh = Fresh(MemberId(encode_id(random.randbytes(16))), random.randbytes(16))
    members.activate(activation, fresh=fresh, now=now)


def _record_till(random: Random) -> str:
    client = Client(
        TILL_CLIENT,
        ClientKind.RETAILER,
        RETAILER,
        clients.SCOPES_BY_KIND[ClientKind.RETAILER],
    )
    secret = random.randbytes(24).hex()
    network.record_client(client, secret_hash=clients.hash_secret(TILL_CLIENT, secret))
    return secret
