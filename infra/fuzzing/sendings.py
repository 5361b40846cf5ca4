"""The true requests of every operation that takes a body, as banks and tills send them."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.network.model import Provider
from chalicelib.network.programmes import FLUX
from infra.fuzzing.sending import FORM, Sending
from infra.fuzzing.world import NOON, World
from infra.local.bank_messages import message_of
from infra.local.card_payments import Phase, Telling
from infra.local.sandbox_senders import FIDEL_EVENTS, FLUX_PATHS, Line, Outbox
from infra.local.sandbox_till import to_flux

TILL = "retailer-northlight-market"
BANK = "bank-standard"


def sendings(world: World) -> Iterator[Sending]:
    """One or more of each operation."""
    yield from _of_banks(world)
    yield from _of_tills(world)
    yield from _of_members(world)
    login = world.setting.bank_logins[Provider.STANDARD]
    form = {
        "grant_type": "client_credentials",
        "client_id": login.client_id,
        "client_secret": login.client_secret,
        "scope": "receipts:read user:somebody",
    }
    body = urlencode(form).encode()
    url = f"{world.base_url}/auth/oauth/token"
    yield Sending(
        "POST /auth/oauth/token", url, body, lambda _body: {"Content-Type": FORM}, is_json=False
    )


def _of_banks(world: World) -> Iterator[Sending]:
    for provider, errand in world.errands.items():
        line = world.setting.lines[provider]
        for phase in Phase:
            name = f"{errand.transaction_id}-{phase.value}"
            telling = Telling(name, errand.payment, phase, NOON, refund_minor=340)
            if provider in FLUX_PATHS:
                yield from _array(line, telling) if phase is Phase.AUTHORISED else ()
            else:
                yield _hook(line, telling)


def _array(line: Line, telling: Telling) -> Iterator[Sending]:
    path = FLUX_PATHS[line.provider]
    body = json.dumps([message_of(telling)] * 2).encode()
    token = line.token() if line.token else ""
    yield Sending(f"POST {path}", line.hook_url + path, body, partial(_bearing, token))


def _hook(line: Line, telling: Telling) -> Sending:
    url = line.hook_url
    if line.provider is Provider.FIDEL:
        url += f"?event={FIDEL_EVENTS[telling.phase]}"
    body = json.dumps(message_of(telling)).encode()
    return Sending("POST /hooks/{hook}", url, body, partial(_signed, line, telling))


def _signed(line: Line, telling: Telling, body: bytes) -> Mapping[str, str]:
    return Outbox(now=lambda: NOON).headers_of(line, telling, body, line.sign)


def _bearing(token: str, _body: bytes) -> Mapping[str, str]:
    return {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}


def _of_tills(world: World) -> Iterator[Sending]:
    headers = partial(_bearing, world.tokens[TILL])
    receipts = [errand.receipt for errand in world.errands.values()]
    first = receipts[0]
    bodies: list[tuple[str, str, Any]] = [
        ("POST /merchant", "/merchant", [to_flux(one) for one in receipts[:2]]),
        ("POST /v1/receipts", "/v1/receipts", receipts),
        ("POST /v1/receipts", "/v1/receipts", first | {"reference": "E-new"}),
        ("POST /v1/receipts", "/v1/receipts", _return_of(first)),
        (
            "PUT /v1/receipts/{reference}",
            f"/v1/receipts/{quote(first['reference'], safe='')}",
            first | {"version": 2, "notes": ["Corrected"]},
        ),
    ]
    for operation, path, value in bodies:
        yield Sending(operation, world.base_url + path, json.dumps(value).encode(), headers)


def _return_of(receipt: Mapping[str, Any]) -> dict[str, Any]:
    line = receipt["lines"][0]
    refers_to = {"receipt": receipt["reference"], "line_id": "1"}
    amount = line["amount_minor"]
    return {
        **receipt,
        "reference": "E-return",
        "kind": "return",
        "total_minor": amount,
        "lines": [{**line, "kind": "return", "refers_to": refers_to}],
        "refers_to": receipt["reference"],
        "tenders": [{"kind": "card", "amount_minor": amount}],
    }


def _of_members(world: World) -> Iterator[Sending]:
    person = world.errands[Provider.STANDARD].payment.person
    member = {
        "terms": {"version": FLUX.terms_version, "channel": "bank_app"},
        "accounts": [{"id": person.account, "last_four": person.card_digits}],
        "cards": [
            {
                "last_four": person.card_digits,
                "last_four_kind": "card",
                "scheme": person.scheme,
                "token": {"value": person.card_token},
            }
        ],
        "email": "hazel@example.org",
    }
    users = f"{world.base_url}/v1/members/{quote(person.user, safe='')}"
    monzo = world.errands[Provider.MONZO].payment.person
    tickets = f"{world.base_url}/connect/monzo/tickets"
    account = f"{world.base_url}/auth/accounts/account-of-nobody"
    preferences = {"receipts": True, "stamps": True, "offers": False}
    for operation, url, value, client in (
        ("PUT /v1/members/{user}", users, member, BANK),
        (
            "PATCH /v1/members/{user}/preferences",
            f"{users}/preferences",
            preferences,
            BANK,
        ),
        ("PUT /auth/accounts/{account_id}", account, {"email": "a@example.org"}, "bank-flux-v1"),
        ("POST /connect/{connection}/tickets", tickets, {"user": monzo.user}, "bank-monzo"),
    ):
        headers = partial(_bearing, world.tokens[client])
        yield Sending(operation, url, json.dumps(value).encode(), headers)
