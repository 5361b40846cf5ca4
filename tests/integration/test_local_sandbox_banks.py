"""The sandbox banks keep their own documented rules."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from standardwebhooks.webhooks import Webhook

from infra.local.calling import Answered, call, call_form, call_json
from infra.local.clockwork import SteppableClock
from infra.local.sandbox_endpoint import SandboxEndpoint
from infra.local.sandbox_monzo import SandboxMonzo
from infra.local.sandbox_starling import SandboxStarling

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BACK = "https://api.counterfoil.test/connect/monzo/callback"
RECEIPT = {
    "transaction_id": "tx_1",
    "external_id": "cf_1",
    "total": 640,
    "currency": "GBP",
    "items": [
        {
            "description": "Flat white",
            "amount": 340,
            "currency": "GBP",
            "sub_items": [
                {"description": "Coffee", "amount": 300, "currency": "GBP"},
                {"description": "Oat milk", "amount": 40, "currency": "GBP"},
            ],
        },
        {"description": "Seeded roll", "amount": 300, "currency": "GBP", "quantity": 1},
    ],
    "payments": [{"type": "card", "amount": 640, "currency": "GBP", "last_four": "4242"}],
}


@pytest.fixture
def clock() -> SteppableClock:
    return SteppableClock(NOON)


@pytest.fixture
def monzo(clock: SteppableClock) -> Iterator[SandboxMonzo]:
    bank = SandboxMonzo(now=clock.now, clients={"client_1": "shh"})
    bank.open_account("user_1", "acc_1")
    bank.open_account("user_2", "acc_2")
    bank.enter({"id": "tx_1", "user_id": "user_1", "amount": -640})
    bank.enter({"id": "tx_2", "user_id": "user_2", "amount": -640})
    yield bank
    bank.stop()


def _connect(bank: SandboxMonzo, user: str = "user_1") -> dict[str, Any]:
    page = f"{bank.url}/?client_id=client_1&redirect_uri={BACK}&response_type=code&state=s1"
    back = call("GET", f"{page}&login={user}").headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    return _grant(bank, grant_type="authorization_code", redirect_uri=BACK, code=code)


def _grant(bank: SandboxMonzo, **fields: str) -> dict[str, Any]:
    form = {"client_id": "client_1", "client_secret": "shh"} | fields
    answer = call_form("POST", f"{bank.url}/oauth2/token", form)
    return {"status": answer.status} | answer.json()


def _put(bank: SandboxMonzo, token: str, receipt: dict[str, Any]) -> Answered:
    headers = {"Authorization": f"Bearer {token}"}
    return call_json("PUT", f"{bank.url}/transaction-receipts", receipt, headers=headers)


def _approved(bank: SandboxMonzo) -> str:
    token: str = _connect(bank)["access_token"]
    bank.approve("user_1")
    return token


def test_monzo_gives_each_authorisation_code_away_once(monzo: SandboxMonzo) -> None:
    page = f"{monzo.url}/?client_id=client_1&redirect_uri={BACK}&response_type=code&state=s1"
    back = call("GET", f"{page}&login=user_1").headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]

    first = _grant(monzo, grant_type="authorization_code", redirect_uri=BACK, code=code)
    second = _grant(monzo, grant_type="authorization_code", redirect_uri=BACK, code=code)

    assert back.startswith(f"{BACK}?code=")
    assert (first["status"], first["user_id"], first["expires_in"]) == (200, "user_1", 21_600)
    assert (second["status"], second["code"]) == (401, "unauthorized.bad_authorization_code")


def test_monzo_refresh_tokens_are_single_use_and_end_the_old_access_token(
    monzo: SandboxMonzo,
) -> None:
    granted = _connect(monzo)
    monzo.approve("user_1")

    fresh = _grant(monzo, grant_type="refresh_token", refresh_token=granted["refresh_token"])
    again = _grant(monzo, grant_type="refresh_token", refresh_token=granted["refresh_token"])

    assert (fresh["status"], again["status"]) == (200, 401)
    assert _put(monzo, granted["access_token"], RECEIPT).status == 401
    assert _put(monzo, fresh["access_token"], RECEIPT).status == 200


def test_monzo_access_tokens_end_after_six_hours(
    monzo: SandboxMonzo, clock: SteppableClock
) -> None:
    token = _approved(monzo)
    clock.step_to(NOON + timedelta(hours=6))

    assert _put(monzo, token, RECEIPT).status == 401
    assert monzo.books.receipts == {}


def test_monzo_shows_nothing_until_the_user_approved_in_the_app(monzo: SandboxMonzo) -> None:
    token = _connect(monzo)["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    before = call("GET", f"{monzo.url}/ping/whoami", headers=headers)
    monzo.approve("user_1")
    after = call("GET", f"{monzo.url}/ping/whoami", headers=headers)

    assert (before.status, after.status) == (403, 200)
    assert after.json()["user_id"] == "user_1"


def test_monzo_updates_the_receipt_of_the_same_external_id(monzo: SandboxMonzo) -> None:
    token = _approved(monzo)

    first = _put(monzo, token, RECEIPT).json()
    second = _put(monzo, token, RECEIPT | {"merchant": {"name": "Bean & Leaf"}}).json()

    assert first == second
    assert monzo.books.receipt_puts == {"cf_1": 2}
    assert monzo.books.receipts["cf_1"]["merchant"] == {"name": "Bean & Leaf"}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"total": 641}, "total: is the sum of items and taxes"),
        ({"total": 6.4}, "total: is a whole number of minor units"),
        ({"items": []}, "items: is required"),
        ({"external_id": " "}, "external_id: is required"),
        (
            {"payments": [{"type": "card", "amount": 600, "currency": "GBP"}]},
            "payments: sum to the total",
        ),
        (
            {"payments": [{"type": "iou", "amount": 640, "currency": "GBP"}]},
            "payments[0].type: is card, cash or gift_card",
        ),
        (
            {"items": [RECEIPT["items"][0] | {"amount": 640}]},  # type: ignore[index]
            "items[0].sub_items: sum to their item",
        ),
        (
            {
                "items": [
                    {
                        "description": "Meal",
                        "amount": 640,
                        "currency": "GBP",
                        "sub_items": [RECEIPT["items"][0] | {"amount": 640}],  # type: ignore[index]
                    }
                ]
            },
            "items[0].sub_items[0].sub_items: nest one level only",
        ),
    ],
)
def test_monzo_refuses_a_receipt_that_breaks_a_documented_rule(
    monzo: SandboxMonzo, change: dict[str, Any], broken: str
) -> None:
    answer = _put(monzo, _approved(monzo), RECEIPT | change)

    assert answer.status == 400
    assert monzo.books.refused == [broken]
    assert monzo.books.receipts == {}


def test_monzo_refuses_a_receipt_for_somebody_elses_transaction(monzo: SandboxMonzo) -> None:
    answer = _put(monzo, _approved(monzo), RECEIPT | {"transaction_id": "tx_2"})

    assert answer.status == 403
    assert monzo.books.receipts == {}


def test_monzo_misbehaves_as_told_and_then_behaves(monzo: SandboxMonzo) -> None:
    token = _approved(monzo)
    monzo.moods.misbehave(429, retry_after="30")
    monzo.moods.misbehave(500, times=2)

    answers = [_put(monzo, token, RECEIPT) for _ in range(4)]

    assert [answer.status for answer in answers] == [429, 500, 500, 200]
    assert answers[0].headers["retry-after"] == "30"


STARLING_RECEIPT = {
    "totalAmount": 6.40,
    "currencyCode": "GBP",
    "items": [
        {"description": "Flat white", "quantity": 1, "amount": 3.40},
        {"description": "Seeded roll", "quantity": 1, "amount": 3.00},
    ],
}


@pytest.fixture
def starling() -> Iterator[SandboxStarling]:
    bank = SandboxStarling(api_token="api-token")
    bank.enter({"feedItemUid": "item-1", "accountUid": "acc-1", "categoryUid": "cat-1"})
    yield bank
    bank.stop()


def _put_starling(bank: SandboxStarling, receipt: dict[str, Any], item: str = "item-1") -> Answered:
    url = f"{bank.url}/api/v2/feed/account/acc-1/category/cat-1/{item}/receipt"
    return call_json("PUT", url, receipt, headers={"Authorization": "Bearer api-token"})


def test_starling_updates_a_receipt_by_its_uid_and_doubles_it_without(
    starling: SandboxStarling,
) -> None:
    uid = _put_starling(starling, STARLING_RECEIPT).json()["receiptUid"]
    updated = _put_starling(starling, STARLING_RECEIPT | {"receiptUid": uid}).json()
    doubled = _put_starling(starling, STARLING_RECEIPT).json()

    assert updated == {"receiptUid": uid}
    assert doubled["receiptUid"] != uid
    assert len(starling.books.receipts["item-1"]) == 2
    assert starling.books.receipt_puts == {"item-1": 3}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"totalAmount": 6.41}, "totalAmount: is the sum of the items"),
        ({"totalAmount": 6.401}, "totalAmount: is no finer than the currency's minor unit"),
        ({"totalAmount": "6.40"}, "totalAmount: is a decimal number"),
        (
            {"items": [{"description": "Apples", "quantity": 0.4, "amount": 6.4}]},
            "items[0].quantity: is a whole number",
        ),
    ],
)
def test_starling_refuses_a_receipt_it_could_not_show(
    starling: SandboxStarling, change: dict[str, Any], broken: str
) -> None:
    answer = _put_starling(starling, STARLING_RECEIPT | change)

    assert answer.status == 400
    assert starling.books.refused == [broken]
    assert starling.books.receipt_puts == {}


def test_starling_knows_no_receipts_for_items_of_another_account(
    starling: SandboxStarling,
) -> None:
    assert _put_starling(starling, STARLING_RECEIPT, item="item-2").status == 404


def test_starling_signs_its_hooks_with_the_key_its_portal_shows(starling: SandboxStarling) -> None:
    body = b'{"webhookType":"FEED_ITEM"}'
    key = serialization.load_der_public_key(base64.b64decode(starling.public_key))

    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(starling.sign(body)), body, padding.PKCS1v15(), hashes.SHA512())


SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def endpoint(clock: SteppableClock) -> Iterator[SandboxEndpoint]:
    bank = SandboxEndpoint(now=clock.now, secrets={"standard": SECRET})
    yield bank
    bank.stop()


def _tell_standard(bank: SandboxEndpoint, *, at: datetime, secret: str = SECRET) -> int:
    body = json.dumps({"type": "receipt.matched"})
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": "v1,AAAA " + Webhook(secret).sign("msg_1", at, body),
    }
    url = f"{bank.url}/told/standard"
    return call("POST", url, body=body.encode(), headers=headers).status


def test_endpoint_believes_one_good_signature_among_several(endpoint: SandboxEndpoint) -> None:
    assert _tell_standard(endpoint, at=NOON) == 204
    assert [(told.message_id, told.body) for told in endpoint.books.told] == [
        ("msg_1", {"type": "receipt.matched"})
    ]


def test_endpoint_believes_no_other_secret_and_no_old_timestamp(
    endpoint: SandboxEndpoint,
) -> None:
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()

    assert _tell_standard(endpoint, at=NOON, secret=other) == 401
    assert _tell_standard(endpoint, at=NOON - timedelta(seconds=301)) == 401
    assert endpoint.books.told == []
    assert endpoint.books.unverified == [
        "no Standard Webhooks signature fits",
        "the timestamp is out of tolerance",
    ]


def test_monzo_shows_a_feed_item_with_its_title_and_picture_and_no_other(
    monzo: SandboxMonzo,
) -> None:
    headers = {"Authorization": f"Bearer {_approved(monzo)}"}
    item = {
        "account_id": "acc_1",
        "type": "basic",
        "params[title]": "2 stamps earned",
        "params[image_url]": "https://images.counterfoil.test/stamp.png",
    }
    spoilt = [
        {**item, "account_id": "acc_2"},
        {**item, "type": "fancy"},
        {**item, "params[title]": ""},
        {name: text for name, text in item.items() if name != "params[image_url]"},
    ]

    answers = [
        call_form("POST", f"{monzo.url}/feed", form, headers=headers).status
        for form in (item, *spoilt)
    ]

    assert answers == [200, 400, 400, 400, 400]
    assert monzo.books.feed == [item]
