"""Banks switch their members on and off over HTTP; everybody sees the coverage."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.cards import KnownDigits, LastFour, LastFourKind
from chalicelib.members import service as members
from chalicelib.members.model import Holder
from chalicelib.network import service as network
from chalicelib.network.model import RetailerStatus
from chalicelib.runtime import aws, clock, queues, rows
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.members import account, user
from tests.makers.network import (
    BAKERY,
    BANK,
    CINEMA,
    OTHER_BANK,
    make_connection,
    make_retailer,
    make_store,
)

pytestmark = pytest.mark.stores

EVENTS = Path(__file__).parents[2] / "events"
PAN = "4111 1111 1111 1111"


def event(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return body


@pytest.fixture(autouse=True)
def banks(embedded_aws: None, now: datetime) -> None:
    clock.use(lambda: now)
    for connection_id in (BANK, OTHER_BANK):
        network.record_connection(make_connection(connection_id), now=now)
        make_client(connection_id, connection_id)


def put(body: object, name: str = "ada", bank: str = BANK) -> Said:
    return call("PUT", f"/v1/members/{name}", token=token_of(bank), body=body)


def stored() -> list[object]:
    scan = aws.client("dynamodb").scan
    return [
        item
        for table in ("wallets", "people")
        for item in scan(TableName=rows.settings.table(table))["Items"]
    ]


@pytest.mark.requirement("LNK-01")
@pytest.mark.requirement("LNK-03")
def test_a_bank_switches_a_member_on(now: datetime) -> None:
    said = put(event("member_put"))

    member = members.get_member(user("ada"), now=now)
    assert said.status == 201
    assert said.body == {
        "member_id": member.member_id,
        "status": "active",
        "programme": "FLUX",
        "terms": {
            "version": "2026-01",
            "channel": "bank_app",
            "accepted_at": "2026-11-20T11:59:00Z",
        },
        "services": {"receipts": True, "stamps": True, "offers": False},
        "accounts": 1,
        "cards": 3,
        "activated_at": "2026-11-20T12:00:00Z",
    }
    assert [card.scheme for card in member.cards] == ["visa", "mastercard", "visa"]
    assert members.find_holder(BANK, card_ref="card_harbour_1", now=now) == Holder(
        member.member_id,
        now,
        KnownDigits(
            (
                LastFour("4321", LastFourKind.CARD),
                LastFour("9087", LastFourKind.DEVICE),
                LastFour("5512", LastFourKind.ACCOUNT),
            )
        ),
    )


def test_the_same_request_again_is_a_success_that_changes_nothing() -> None:
    first = put(event("member_put"))
    before = stored()

    again = put(event("member_put"))

    assert (again.status, again.body) == (200, first.body)
    assert stored() == before
    seen = call("GET", "/v1/members/ada", token=token_of(BANK))
    assert (seen.status, seen.body) == (200, first.body)


@pytest.mark.requirement("LNK-05")
@pytest.mark.parametrize("terms", [None, {"version": "2025-01"}])
def test_no_member_without_the_current_terms(terms: object) -> None:
    said = put({"terms": terms, "accounts": [{"id": "acc"}]})

    assert (said.status, said.body["code"]) == (412, "terms_not_accepted")
    assert said.body["detail"] == "terms 2026-01 have to be accepted first"
    assert stored() == []


def test_says_of_terms_of_tomorrow_that_they_are_yet_to_be_accepted() -> None:
    terms = {"version": "2026-01", "accepted_at": "2026-11-21T12:00:00Z"}

    said = put({"terms": terms, "accounts": [{"id": "acc"}]})

    assert (said.status, said.body["code"]) == (412, "terms_not_accepted")
    assert said.body["field"] == "terms.accepted_at"
    assert said.body["detail"] == "the terms are yet to be accepted"


@pytest.mark.parametrize(
    ("changed", "status", "code", "field"),
    [
        ({"cards": [{"last_four": "12345"}]}, 422, "shape", "cards[0].last_four"),
        ({"cards": [{"scheme": PAN}]}, 422, "card_number", "cards[0].scheme"),
        ({"accounts": [{"id": ""}]}, 422, "malformed", "accounts[0].id"),
        ({"accounts": [{"id": "a"}, {"id": "a b"}]}, 422, "malformed", "accounts[1].id"),
        ({"accounts": [{"id": "😀"}]}, 422, "malformed", "accounts[0].id"),
        ({"accounts": [{"id": "a\n"}]}, 422, "malformed", "accounts[0].id"),
        ({"accounts": [{"id": PAN.replace(" ", "-")}]}, 422, "card_number", "accounts[0].id"),
        ({"cards": [{}, {"token": {"value": "é"}}]}, 422, "malformed", "cards[1].token.value"),
        ({"accounts": [{"id": "a"}, {"id": "a"}]}, 422, "malformed", "accounts"),
        ({"accounts": [{"id": str(n)} for n in range(21)]}, 422, "shape", "accounts"),
        (
            {"cards": [{"token": {"value": "t", "connection": OTHER_BANK}}]},
            404,
            "not_found",
            "cards[0].token.connection",
        ),
        ({"email": "no address"}, 422, "shape", "email"),
    ],
)
@pytest.mark.requirement("SEC-05")
def test_refuses_what_breaks_a_rule_and_stores_nothing(
    changed: dict[str, object], status: int, code: str, field: str
) -> None:
    said = put({**event("member_put"), **changed})

    assert (said.status, said.body["code"], said.body.get("field")) == (status, code, field)
    assert "4111" not in repr(said)
    assert stored() == []


@pytest.mark.requirement("SEC-05")
def test_refuses_a_card_number_for_a_user() -> None:
    said = put(event("member_put"), name="4111111111111111")

    assert (said.status, said.body["code"]) == (422, "card_number")
    assert "4111" not in repr(said)
    assert stored() == []


@pytest.mark.requirement("RCP-13")
def test_a_member_changes_extras_but_cannot_stop_receipts_alone() -> None:
    put(event("member_put"))

    def patch(body: object) -> Said:
        return call("PATCH", "/v1/members/ada/preferences", token=token_of(BANK), body=body)

    changed = patch(event("member_preferences_patch"))
    refused = patch({"receipts": False, "stamps": True})
    misspelt = patch({"offer": False})

    assert changed.body["services"] == {"receipts": True, "stamps": False, "offers": True}
    assert (refused.status, refused.body["code"]) == (409, "receipts_are_the_service")
    assert "DELETE /v1/members/{user}" in refused.body["detail"]
    assert (misspelt.status, misspelt.body["code"]) == (422, "shape")
    assert "`offer`" in misspelt.body["detail"]
    seen = call("GET", "/v1/members/ada", token=token_of(BANK)).body
    assert seen["services"] == {"receipts": True, "stamps": False, "offers": True}


@pytest.mark.requirement("RCP-13")
@pytest.mark.requirement("LNK-04")
def test_switching_off_ends_everything_and_coming_back_is_somebody_new() -> None:
    first = put(event("member_put")).body["member_id"]

    off = call("DELETE", "/v1/members/ada", token=token_of(BANK))
    again = call("DELETE", "/v1/members/ada", token=token_of(BANK))
    seen = call("GET", "/v1/members/ada", token=token_of(BANK))
    second = put(event("member_put"))

    assert (off.status, off.body, again.status, seen.status) == (204, "", 404, 404)
    assert second.status == 201
    assert second.body["member_id"] != first
    sent = aws.client("sqs").receive_message(QueueUrl=queues.url(queues.PAYMENTS))["Messages"]
    assert [json.loads(message["Body"])["member_id"] for message in sent] == [first]


@pytest.mark.requirement("RCP-03")
def test_a_bank_reaches_its_own_members_only() -> None:
    put(event("member_put"))
    before = stored()
    other = token_of(OTHER_BANK)

    answers = [
        call("GET", "/v1/members/ada", token=other).status,
        call("DELETE", "/v1/members/ada", token=other).status,
        call("PATCH", "/v1/members/ada/preferences", token=other, body={}).status,
        call("DELETE", "/auth/accounts/acc_harbour_1", token=other).status,
    ]

    assert answers == [404, 404, 404, 404]
    assert stored() == before


def test_a_token_for_one_user_reaches_that_user_only() -> None:
    put(event("member_put"))
    put(event("member_put") | {"accounts": [], "cards": []}, name="bob")
    narrowed = token_of(BANK, "user:ada")

    assert call("GET", "/v1/members/ada", token=narrowed).status == 200
    assert call("GET", "/v1/members/bob", token=narrowed).status == 404
    flux = call("PUT", "/auth/accounts/acc", token=narrowed, body=event("flux_account_put"))
    assert flux.status == 403


@pytest.mark.parametrize("account_id", ["a%20b", "%F0%9F%98%80"])
def test_switches_no_account_on_that_no_payment_can_name(account_id: str) -> None:
    said = call("PUT", f"/auth/accounts/{account_id}", token=token_of(BANK), body={})

    assert (said.status, said.body["code"], said.body["field"]) == (422, "malformed", "account_id")
    assert said.body["detail"] == "the id has not 1 to 200 visible ASCII characters"
    assert stored() == []


def test_switches_an_account_on_as_flux_did(now: datetime) -> None:
    def put_account() -> Said:
        body = event("flux_account_put")
        return call("PUT", "/auth/accounts/acc-9", token=token_of(BANK), body=body)

    first, again = put_account(), put_account()

    assert (first.status, again.status) == (201, 200)
    member = members.get_member(account("acc-9"), now=now)
    assert first.body["member_id"] == again.body["member_id"] == member.member_id
    assert first.body["terms"]["channel"] == "flux"
    found = members.find_holder(BANK, account_ref="acc-9", user_ref="anyone", now=now)
    assert found == Holder(member.member_id, now)
    assert call("DELETE", "/auth/accounts/acc-9", token=token_of(BANK)).status == 204


@pytest.mark.requirement("RCP-18")
def test_everybody_may_see_which_shops_give_receipts(now: datetime) -> None:
    network.record_retailer(make_retailer(BAKERY))
    network.record_retailer(make_retailer(CINEMA, RetailerStatus.TEST))
    network.record_retailer(make_retailer("gone", RetailerStatus.ENDED))
    network.record_store(make_store("wharf"), [], now=now)

    said = call("GET", "/v1/retailers")
    shops = call("GET", f"/v1/retailers/{BAKERY}/stores")

    assert said.body == {
        "retailers": [
            {
                "id": BAKERY,
                "name": "Crumb & Kettle",
                "channels": ["in_store"],
                "services": ["receipts"],
            }
        ]
    }
    assert shops.body == {
        "stores": [{"id": "wharf", "name": "Crumb & Kettle Wharf Lane", "channel": "in_store"}]
    }
    assert call("GET", f"/v1/retailers/{CINEMA}/stores").status == 404
