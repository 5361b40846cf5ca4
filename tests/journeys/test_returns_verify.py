"""A till asks what of a receipt may still come back: the same answer for anybody's receipt."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.network import service as network
from chalicelib.network.model import ClientKind, Provider
from chalicelib.runtime import clock, queues
from tests.makers.api import Said, make_client
from tests.makers.events import event
from tests.makers.journeys import (
    NOON,
    PAID,
    TILL,
    open_town,
    send_receipts,
    till_receipt,
    token,
)
from tests.makers.network import BAKERY, CINEMA, make_retailer, make_store, mid
from tests.makers.outside import Counted, ask, work
from tests.makers.signed_hooks import signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
BARCODE = {"symbology": "code_128", "value": "0042-1001-77"}
ALL = (queues.RECEIPTS, queues.GATHER, queues.PAYMENTS, queues.RECEIPTS, queues.GATHER)


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))


def verify(code: str, *, client: str = TILL) -> Said:
    headers = {"Authorization": f"Bearer {token(client)}"}
    body = json.dumps({"code": code}).encode()
    return ask("POST", "/v1/returns/verify", headers=headers, body=body)


def sell(**more: Any) -> None:
    """The receipt of the member's payment, or of a stranger's where nobody pays."""
    send_receipts(till_receipt(PAYER, "R-1", barcode=BARCODE, return_reference="RET-1", **more))
    work(*ALL)


def give_back(reference: str, quantity: int, refers_to: str = "R-1") -> None:
    line = {
        "kind": "return",
        "description": "Flat white",
        "amount_minor": 300 * quantity,
        "quantity": str(quantity),
    }
    body = {
        "reference": reference,
        "kind": "return",
        "store": "0042",
        "issued_at": "2026-11-20T11:50:00Z",
        "currency": "GBP",
        "total_minor": 300 * quantity,
        "refers_to": refers_to,
        "lines": [line],
        "tenders": [{"kind": "card", "amount_minor": 300 * quantity, "last_four": "4321"}],
    }
    assert send_receipts(body).status == 202
    work(*ALL)


def pay() -> None:
    assert signed(Provider.STANDARD).send().status == 200
    work(*ALL)


@pytest.mark.requirement("RCP-09")
def test_says_the_same_of_a_members_and_of_a_strangers_receipt() -> None:
    sell()
    give_back("B-1", 1)
    strangers = verify("0042-1001-77")

    pay()
    members = verify("0042-1001-77")

    assert members.status == strangers.status == 200
    assert members.body == strangers.body == json.loads(event("returns_verified"))


@pytest.mark.parametrize("is_member", [True, False])
def test_finds_a_receipt_by_whatever_is_printed_on_it(*, is_member: bool) -> None:
    if is_member:
        pay()
    sell()

    said = [verify(code) for code in ("R-1", "RET-1", "0042-1001-77", " RET-1 ")]

    assert [(one.status, one.body["reference"]) for one in said] == [(200, "R-1")] * 4
    assert [line["remaining"] for line in said[0].body["lines"]] == ["2", "1"]
    assert all(one.body == said[0].body for one in said)


def test_takes_the_sample_of_a_question() -> None:
    sell()
    headers = {"Authorization": f"Bearer {token(TILL)}"}

    said = ask("POST", "/v1/returns/verify", headers=headers, body=event("returns_verify"))

    assert said.status == 200


@pytest.mark.parametrize("is_member", [True, False])
def test_a_return_named_by_a_scanned_code_counts(*, is_member: bool) -> None:
    sell()
    if is_member:
        pay()
    give_back("B-1", 1, refers_to="0042-1001-77")
    give_back("B-1", 1, refers_to="0042-1001-77")
    give_back("B-2", 2, refers_to="R-1")

    said = verify("RET-1")

    assert [line["remaining"] for line in said.body["lines"]] == ["1", "1"]
    assert said.body["flags"] == ["over_return"]


def test_says_nothing_of_card_or_buyer() -> None:
    pay()
    sell()

    said = verify("R-1")

    text = json.dumps(said.body)
    assert "last_four" not in text
    assert "auth" not in text
    assert set(said.body["tenders"][0]) == {"kind", "amount_minor"}
    assert not any(word in text for word in (PAYER.user, PAYER.account, "4321", "C55D10"))


def test_remembers_a_members_receipt_for_its_return_and_forgets_a_strangers() -> None:
    pay()
    sell()
    send_receipts(till_receipt(PAYER, "R-2", issued_at="2026-11-20T10:00:00Z"))
    work(*ALL)
    before = [verify(code).status for code in ("R-1", "RET-1", "R-2")]

    clock.use(lambda: NOON + timedelta(days=20))
    token.cache_clear()
    after = [verify(code).status for code in ("R-1", "RET-1", "R-2")]
    token.cache_clear()

    assert before == [200, 200, 200]
    assert after == [200, 200, 404]


def test_another_retailers_receipt_is_as_unknown_as_none(counted: Counted) -> None:
    sell()
    network.record_retailer(make_retailer(CINEMA))
    network.record_store(make_store("screen-1", CINEMA), [mid("30003")], now=NOON)
    make_client("till-of-cinema", CINEMA, ClientKind.RETAILER)

    others = verify("R-1", client="till-of-cinema")
    nothing = verify("R-99")

    assert (others.status, nothing.status) == (404, 404)
    assert others.body == nothing.body
    assert others.body["code"] == "not_found"
    assert counted[f"returns_verified:unknown:{CINEMA}"] == 1
    assert counted[f"returns_verified:unknown:{BAKERY}"] == 1


def test_a_code_that_two_receipts_have_names_none_unless_it_is_the_reference_of_one() -> None:
    sell()
    later = {"barcode": BARCODE, "issued_at": "2026-11-20T10:00:00Z", "return_reference": "R-1"}
    send_receipts(till_receipt(PAYER, "R-2", **later))
    work(*ALL)

    said = [verify(code) for code in ("R-1", "R-2", "0042-1001-77")]

    assert [one.status for one in said] == [200, 200, 404]
    assert [one.body["reference"] for one in said[:2]] == ["R-1", "R-2"]


def test_receipts_of_one_second_are_told_apart_by_their_codes() -> None:
    sell()
    send_receipts(till_receipt(PAYER, "R-2"))
    work(*ALL)

    said = [verify(code) for code in ("RET-1", "R-2")]

    assert [(one.status, one.body.get("reference")) for one in said] == [(200, "R-1"), (200, "R-2")]


@pytest.mark.parametrize("is_member", [True, False])
def test_of_a_voided_sale_nothing_comes_back(*, is_member: bool) -> None:
    sell()
    if is_member:
        pay()
    void = {"kind": "void", "version": 2, "total_minor": 0, "lines": [], "tenders": []}
    send_receipts(till_receipt(PAYER, "R-1") | void)
    work(*ALL)

    assert verify("R-1").status == 404


def test_refuses_what_names_no_code() -> None:
    headers = {"Authorization": f"Bearer {token(TILL)}"}
    bodies = (b"{}", b'{"code": ""}', b'{"code": 7}', b"[]")

    said = [ask("POST", "/v1/returns/verify", headers=headers, body=body) for body in bodies]

    assert [one.status for one in said] == [422] * 4
    assert verify("  ").status == 404


def test_a_bank_may_not_ask_and_nobody_without_a_token() -> None:
    bank = {"Authorization": f"Bearer {token('client-' + PAYER.connection_id)}"}
    body = b'{"code": "R-1"}'

    assert ask("POST", "/v1/returns/verify", headers=bank, body=body).status == 403
    assert ask("POST", "/v1/returns/verify", headers={}, body=body).status == 401
