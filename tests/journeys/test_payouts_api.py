"""Banks say where their members are paid, and nothing of it is ever shown again."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.network import service as network
from chalicelib.payouts.destinations import service as destinations
from chalicelib.runtime import aws, clock, settings
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.network import BANK, OTHER_BANK, make_connection
from tests.makers.paying import (
    GIVEN_AT,
    SOON,
    make_key,
    make_member,
    make_payee,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

EVENTS = Path(__file__).parents[2] / "events"
DESTINATION = "/v1/members/ada/payout-destination"
HOOK = f"/hooks/payouts/{BANK}"
OTHER = {"holder": "Ada Wren", "iban": "GB33 BUKB 2020 1555 5555 55"}


def event(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return body


@pytest.fixture(autouse=True)
def banks(embedded_aws: None) -> None:
    clock.use(lambda: SOON)
    for connection_id in (BANK, OTHER_BANK):
        network.record_connection(make_connection(connection_id), now=GIVEN_AT)
        make_client(connection_id, connection_id)


def put(body: object, bank: str = BANK) -> Said:
    return call("PUT", DESTINATION, token=token_of(bank), body=body)


def stored_of_people(sk: str) -> list[dict[str, Any]]:
    found = aws.client("dynamodb").scan(TableName=settings.table("people"))["Items"]
    return [item for item in found if item["sk"]["S"] == sk]


@pytest.mark.requirement("LOY-04")
def test_a_bank_names_an_account_and_only_its_last_digits_are_ever_shown() -> None:
    make_key()
    make_member()

    said = put(event("payout_destination_put"))
    read = call("GET", DESTINATION, token=token_of(BANK))

    expected = {
        "last_four": "5678",
        "changed_at": "2026-12-02T04:35:00Z",
        "usable_from": "2026-12-02T04:35:00Z",
    }
    assert (said.status, said.body) == (200, expected)
    assert (read.status, read.body) == (200, expected)


def test_the_same_account_again_changes_nothing_and_another_waits_a_day() -> None:
    make_key()
    make_member()
    first = put(event("payout_destination_put"))
    clock.use(lambda: SOON + timedelta(hours=1))

    again = put(event("payout_destination_put"))
    other = put(OTHER)

    assert again.body == first.body
    assert other.body == {
        "last_four": "5555",
        "changed_at": "2026-12-02T05:35:00Z",
        "usable_from": "2026-12-03T05:35:00Z",
    }


@pytest.mark.requirement("LOY-04")
def test_another_account_waits_a_day_though_the_one_before_was_removed_first() -> None:
    make_key()
    make_member()
    put(event("payout_destination_put"))
    call("DELETE", DESTINATION, token=token_of(BANK))
    clock.use(lambda: SOON + timedelta(hours=1))
    call("DELETE", DESTINATION, token=token_of(BANK))

    other = put(OTHER)

    assert other.body == {
        "last_four": "5555",
        "changed_at": "2026-12-02T05:35:00Z",
        "usable_from": "2026-12-03T05:35:00Z",
    }


@pytest.mark.parametrize("is_new", [False, True], ids=["in use", "waiting"])
def test_an_account_that_is_named_again_after_its_removal_is_as_it_was(is_new: bool) -> None:
    make_key()
    make_member()
    first = put(event("payout_destination_put"))
    standing = put(OTHER) if is_new else first
    clock.use(lambda: SOON + timedelta(hours=1))
    call("DELETE", DESTINATION, token=token_of(BANK))
    gone = call("GET", DESTINATION, token=token_of(BANK))

    again = put(OTHER if is_new else event("payout_destination_put"))

    assert gone.status == 404
    assert again.body == standing.body


def test_thirty_days_after_its_removal_nothing_is_known_of_an_account() -> None:
    make_key()
    make_member()
    put(event("payout_destination_put"))
    call("DELETE", DESTINATION, token=token_of(BANK))
    removed = stored_of_people("removed")
    clock.use(lambda: SOON + timedelta(days=30))

    other = put(OTHER)

    assert [set(item) for item in removed] == [{"pk", "sk", "expires_at", "sealed"}]
    assert other.body["usable_from"] == "2027-01-01T04:35:00Z"


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"holder": "Ada Wren"}, 422, "unusable_destination", "sort_code"),
        (
            {"holder": "Ada", "sort_code": "1020", "account_number": "12345678"},
            422,
            "unusable_destination",
            "sort_code",
        ),
        (
            {"holder": "Ada", "sort_code": "102030", "account_number": "123456789"},
            422,
            "unusable_destination",
            "account_number",
        ),
        (
            {"holder": "Ada", "sort_code": "102030", "account_number": "١٢٣٤٥٦٧٨"},
            422,
            "unusable_destination",
            "account_number",
        ),
        (
            {"holder": "Ada", "iban": "GB33 BUKB 2020 1555 5555 56"},
            422,
            "unusable_destination",
            "iban",
        ),
        (
            {"holder": "Ada", "iban": "GB33BUKB20201555555555", "sort_code": "102030"},
            422,
            "malformed",
            "iban",
        ),
        (
            {"holder": " ", "sort_code": "102030", "account_number": "12345678"},
            422,
            "unusable_destination",
            "holder",
        ),
        (
            {"holder": "4111 1111 1111 1111", "iban": "GB33BUKB20201555555555"},
            422,
            "card_number",
            None,
        ),
        ({"holder": 7, "iban": "GB33BUKB20201555555555"}, 422, "shape", "holder"),
    ],
)
def test_refuses_what_is_no_account_and_keeps_nothing(
    body: object, status: int, code: str, field: str | None
) -> None:
    make_key()
    member = make_member()

    said = put(body)

    assert (said.status, said.body["code"]) == (status, code)
    assert field is None or said.body["field"] == field
    assert destinations.find_held(member.member_id, now=SOON) is None


def test_takes_an_iban_whose_digits_could_be_a_cards() -> None:
    """Twenty digits in groups of four hold sixteen that pass Luhn now and then."""
    make_key()
    make_member()

    said = put({"holder": "Ada Wren", "iban": "DE89 3704 0044 0532 0130 00"})

    assert (said.status, said.body["last_four"]) == (200, "3000")


def test_refuses_a_number_that_the_published_tables_rule_out() -> None:
    make_key()
    make_member()
    weights = "102000 102999 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1\n"
    destinations.record_modulus_table(weights, "")

    wrong = put({"holder": "Ada", "sort_code": "102030", "account_number": "12345678"})
    wrong_iban = put({"holder": "Ada", "iban": "GB83BUKB10203012345678"})
    right = put({"holder": "Ada", "sort_code": "102030", "account_number": "12345679"})

    assert (wrong.status, wrong.body["code"]) == (422, "modulus_check")
    assert (wrong_iban.status, wrong_iban.body["code"]) == (422, "modulus_check")
    assert right.status == 200


def test_takes_no_account_before_the_operator_has_set_up_payouts() -> None:
    make_member()

    said = put(event("payout_destination_put"))

    assert (said.status, said.body["code"]) == (422, "payouts_not_set_up")


def test_removes_an_account_at_once_and_again() -> None:
    make_key()
    member = make_member()
    put(event("payout_destination_put"))

    first = call("DELETE", DESTINATION, token=token_of(BANK))
    again = call("DELETE", DESTINATION, token=token_of(BANK))

    assert [first.status, again.status] == [204, 204]
    assert call("GET", DESTINATION, token=token_of(BANK)).status == 404
    assert destinations.find_held(member.member_id, now=SOON) is None


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_a_bank_reaches_its_own_members_accounts_only(method: str) -> None:
    make_key()
    member = make_payee()
    body = event("payout_destination_put") if method == "PUT" else None

    said = call(method, DESTINATION, token=token_of(OTHER_BANK), body=body)

    assert said.status == 404
    assert destinations.find_held(member.member_id, now=SOON) is not None


def test_the_scope_for_members_does_not_reach_their_accounts() -> None:
    make_key()
    make_member()
    token = token_of(BANK, "members:write members:read")

    said = call("PUT", DESTINATION, token=token, body=event("payout_destination_put"))

    assert (said.status, said.body["code"]) == (403, "not_permitted")


def test_no_answer_and_no_log_holds_an_account_number(caplog: pytest.LogCaptureFixture) -> None:
    make_key()
    make_member()
    said = [
        put(event("payout_destination_put")),
        put({"holder": "Ada", "iban": "GB33BUKB20201555555550"}),
        call("GET", DESTINATION, token=token_of(BANK)),
        call("GET", "/v1/members/ada", token=token_of(BANK)),
    ]

    answers = json.dumps([one.body for one in said])
    kept = str(aws.client("dynamodb").scan(TableName=settings.table("people"))["Items"])

    for secret in ("12345678", "102030", "10-20-30", "GB33BUKB20201555555550"):
        assert secret not in answers + caplog.text + kept
