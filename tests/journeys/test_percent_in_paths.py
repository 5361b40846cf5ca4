"""Names that a path cannot hold as they are: the path's escapes stand for them, and once only."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.members import service as members
from chalicelib.network.model import Provider
from chalicelib.runtime import queues
from infra.local.serving import LoopbackServer, Reply, Request
from tests.makers.api import Said, call
from tests.makers.events import event
from tests.makers.http_api import ask_http_api
from tests.makers.journeys import NOON, PAID, TILL, open_town, send_receipts, till_receipt, token
from tests.makers.members import account, user
from tests.makers.outside import ask, run_worker, work
from tests.makers.signed_hooks import signed

STANDARD = PAID[Provider.STANDARD]
BANK = STANDARD.connection_id
TERMS = {"terms": {"version": "2026-01"}}
ODD_NAMES = [("a%40b", "a@b"), ("a%2Fb", "a/b"), ("a+b", "a+b"), ("a%3Ab", "a:b"), ("%2540", "%40")]


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))


def as_bank(method: str, path: str, body: object = None) -> Said:
    """The bank asks, over the REST API."""
    headers = {"Authorization": f"Bearer {token(f'client-{BANK}')}"}
    raw = b"" if body is None else json.dumps(body).encode()
    return ask(method, path, headers=headers, body=raw)


@pytest.mark.parametrize("name", ["a@b-4458620", "a/b", "100%", "%40", "a:b+c"])
def test_the_link_that_a_bank_is_told_leads_to_the_receipt(name: str) -> None:
    told: list[dict[str, Any]] = []

    def hear(request: Request) -> Reply:
        told.append(request.json())
        return Reply(204)

    with LoopbackServer(hear) as bank:
        open_town(bank.url, providers=(Provider.STANDARD,))
        paid = json.loads(event("standard_payment_authorised"))
        signed(Provider.STANDARD, paid | {"data": paid["data"] | {"id": name}}).send()
        send_receipts(till_receipt(STANDARD))
        work()
        run_worker(queues.DELIVERIES)

    (one,) = told
    said = as_bank("GET", urlsplit(one["data"]["link"]).path)
    assert (said.status, said.body["transaction"]) == (200, name)


@pytest.mark.parametrize(("written", "name"), ODD_NAMES)
def test_a_user_is_who_payments_name(written: str, name: str) -> None:
    said = as_bank("PUT", f"/v1/members/{written}", TERMS)

    assert said.status == 201
    assert members.get_member(user(name, BANK), now=NOON).member_id == said.body["member_id"]
    assert as_bank("GET", f"/v1/members/{written}").body == said.body


@pytest.mark.parametrize(("written", "name"), ODD_NAMES)
def test_an_account_is_the_one_that_payments_name(written: str, name: str) -> None:
    said = as_bank("PUT", f"/auth/accounts/{written}", {})

    assert said.status == 201
    assert members.get_member(account(name, BANK), now=NOON).member_id == said.body["member_id"]
    assert as_bank("DELETE", f"/auth/accounts/{written}").status == 204


def test_a_token_for_one_user_reaches_a_user_of_an_odd_name() -> None:
    as_bank("PUT", "/v1/members/bob%40bank", TERMS)
    narrowed = token(f"client-{BANK}", "user:bob@bank")

    assert call("GET", "/v1/members/bob%40bank", token=narrowed).status == 200


@pytest.mark.parametrize(
    ("written", "reference"),
    [("A%20B", "A B"), ("A%2FB", "A/B"), ("caf%C3%A9", "café"), ("A%2540", "A%40")],
)
def test_a_new_version_goes_to_the_receipt_of_that_name(written: str, reference: str) -> None:
    said = send_receipts(
        till_receipt(STANDARD, reference), path=f"/v1/receipts/{written}", method="PUT"
    )

    assert said.status == 202


@pytest.mark.parametrize(("written", "reference"), [("A%20B", "A B"), ("A%2540", "A%40")])
def test_the_gateway_of_hooks_has_decoded_already(written: str, reference: str) -> None:
    said = ask_http_api(
        "PUT",
        f"/v1/receipts/{written}",
        headers={"Authorization": f"Bearer {token(TILL)}"},
        body=json.dumps(till_receipt(STANDARD, reference)).encode(),
    )

    assert said.status == 202


@pytest.mark.parametrize(
    ("written", "status", "code"),
    [
        ("100%", 400, "malformed"),
        ("%zz", 400, "malformed"),
        ("caf%E9", 400, "not_utf8"),
        ("gu%00", 422, "malformed"),
        ("4111%2D1111%201111%2D1111", 422, "card_number"),
    ],
)
def test_refuses_what_stands_for_no_name(written: str, status: int, code: str) -> None:
    by_gateway = as_bank("PUT", f"/v1/members/{written}", TERMS)
    by_chalice = call("PUT", f"/v1/members/{written}", token=token(f"client-{BANK}"), body=TERMS)

    assert (by_gateway.status, by_gateway.body["code"]) == (status, code)
    assert (by_gateway.body["field"], by_chalice.body) == ("user", by_gateway.body)


def test_who_may_not_ask_hears_nothing_of_escapes() -> None:
    assert call("GET", "/v1/members/100%").status == 401
