"""The local stack as JSON: what `build/local.json` says to a client."""

from typing import Any

from chalicelib.network.identifiers import Identifier
from chalicelib.network.model import Connection, Provider
from infra.local.sandbox_senders import FLUX_PATHS
from infra.local.sandbox_till import Login
from infra.local.setup import Setting, identifiers_of, store_id_of
from infra.local.town import Person, Town


def describe(town: Town, setting: Setting, *, base_url: str) -> dict[str, Any]:
    """Everything a client needs to send as these banks and tills do. Secrets are in clear text."""
    return {
        "base_url": base_url,
        "sandbox_bank_url": setting.bank.url,
        "connections": [_connection(one, setting) for one in setting.connections.values()],
        "oauth_clients": [
            _client(login)
            for login in (*setting.bank_logins.values(), *setting.till_logins.values())
        ],
        "members": [_member(person, setting) for person in town.people if person.is_member],
        "stores": [
            {
                "id": store_id_of(brand, shop),
                "reference": shop.reference,
                "retailer": brand.retailer_id,
                "name": shop.name,
                "zone": shop.zone,
                "currency": shop.currency,
                "identifiers": [_identifier(one) for one in identifiers_of(shop)],
            }
            for brand, shop in town.shops
        ],
        "tills": [
            {
                "store": shop.reference,
                "till": till.name,
                "seconds_ahead": till.ahead.total_seconds(),
                "prints": till.prints.value,
            }
            for _, shop in town.shops
            for till in shop.tills
        ],
    }


def _connection(connection: Connection, setting: Setting) -> dict[str, Any]:
    line = setting.lines[connection.provider]
    private_key = setting.bank.starling.private_key
    return {
        "id": connection.connection_id,
        "provider": connection.provider.value,
        "hook_url": line.hook_url + FLUX_PATHS.get(connection.provider, ""),
        "registered_url": connection.registered_url,
        "api_url": connection.api_url,
        "told_at_url": connection.told_at_url,
        "keys": [
            {"use": key.use.value, "value": key.value.reveal(), "valid_until": None}
            for key in connection.keys
        ],
        "secret": line.secret,
        "private_key": private_key if connection.provider is Provider.STARLING else "",
        "oauth_client": setting.bank_logins[connection.provider].client_id,
    }


def _client(login: Login) -> dict[str, Any]:
    return {
        "client_id": login.client_id,
        "client_secret": login.client_secret,
        "kind": login.kind,
        "subject": login.subject,
        "scopes": list(login.scopes),
    }


def _member(person: Person, setting: Setting) -> dict[str, Any]:
    return {
        "user": person.user,
        "connection": setting.connections[person.provider].connection_id,
        "links": {
            "accounts": [person.account],
            "category": person.category,
            "cards": [
                {
                    "token": person.card_token,
                    "last_four": person.card_digits,
                    "last_four_kind": "card",
                    "scheme": person.scheme,
                }
            ],
        },
    }


def _identifier(one: Identifier) -> dict[str, str]:
    return {"kind": one.kind.value, "value": one.value}
