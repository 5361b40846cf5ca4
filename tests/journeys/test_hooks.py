"""Every provider's own message, signed for real, becomes a receipt in the bank's app."""

import base64
import json
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from chalicelib.banks import jws
from chalicelib.kernel.ids import ConnectionId, payment_id_of
from chalicelib.network.model import Provider
from chalicelib.runtime import queues
from tests.makers.bank_server import BankServer, Heard
from tests.makers.banks import whsec
from tests.makers.events import event
from tests.makers.journeys import (
    NOON,
    PAID,
    Paid,
    as_bank,
    flux_sale,
    open_town,
    send_receipts,
    till_receipt,
)
from tests.makers.outside import Counted, ask, run_worker, stored_rows, waiting_on, work
from tests.makers.signed_hooks import EACH, changed, signed

pytestmark = pytest.mark.stores

SENT = {Provider.FLUX_V1: 2, Provider.FLUX_V2: 2}  # The sample arrays hold two.


def delivered(bank: BankServer) -> Heard:
    """What the bank hears of the one delivery that waits."""
    ran = run_worker(queues.DELIVERIES)
    assert (len(ran.bodies), ran.failed) == (1, ())
    (heard,) = bank.heard
    return heard


def external_id(provider: Provider) -> str:
    """Our name of the purchase at its bank."""
    paid = PAID[provider]
    return "cf-" + payment_id_of(ConnectionId(paid.connection_id), paid.transaction)


@EACH
@pytest.mark.parametrize("in_base64", [False, True], ids=["text", "base64"])
def test_answers_each_providers_message_and_queues_each_event_once(
    bank: BankServer, provider: Provider, in_base64: bool
) -> None:
    open_town(bank.url, providers=(provider,))

    said = signed(provider).send(in_base64=in_base64)

    assert (said.status, said.body) == (200, {"taken": SENT.get(provider, 1)})
    assert waiting_on(queues.PAYMENTS) == SENT.get(provider, 1)
    assert waiting_on(queues.RECEIPTS) == 0


@EACH
@pytest.mark.parametrize("till", ["native", "flux"])
@pytest.mark.parametrize("first", ["payment", "receipt"])
@pytest.mark.requirement("RCP-01")
@pytest.mark.requirement("RCP-10")
def test_the_receipt_is_read_and_delivered_whichever_side_comes_first(
    bank: BankServer, provider: Provider, till: str, first: str
) -> None:
    open_town(bank.url, providers=(provider,))
    paid = PAID[provider]

    def pay() -> None:
        assert signed(provider).send().status == 200

    def sell() -> None:
        path, body = "/v1/receipts", [till_receipt(paid)]
        if till == "flux":
            path, body = "/merchant", [flux_sale(paid)]
        said = send_receipts(body, path=path)
        assert (said.status, said.body["taken"], said.body["refused"]) == (202, 1, [])

    for step in (pay, sell) if first == "payment" else (sell, pay):
        step()
        work()

    read = as_bank(provider, "GET", f"/v1/transactions/{paid.transaction}/receipt")
    assert (read.status, read.body["version"]) == (200, 1)
    assert _bought(read.body["receipt"]["lines"]) == _expected_lines(paid)
    assert read.body["receipt"]["total"]["minor"] == paid.minor
    _check_delivered(delivered(bank), provider)
    assert waiting_on(queues.DELIVERIES) == 0


def _bought(lines: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [(one["description"], one["quantity"], one["amount"]["minor"]) for one in lines]


def _expected_lines(paid: Paid) -> list[tuple[str, str, int]]:
    return [("Flat white", "2", 600), ("Rye loaf", "1", paid.minor - 600)]


def _check_delivered(heard: Heard, provider: Provider) -> None:
    """The exact request of each provider's own format, with its signature verified."""
    paid, body = PAID[provider], json.loads(heard.body)
    loaf = paid.minor - 600
    match provider:
        case Provider.MONZO:
            assert (heard.method, heard.target) == ("PUT", "/transaction-receipts")
            assert heard.headers["authorization"] == "Bearer access-1"
            assert body == {
                "transaction_id": paid.transaction,
                "external_id": external_id(provider),
                "total": paid.minor,
                "currency": "GBP",
                "items": [
                    {
                        "description": "Flat white",
                        "amount": 600,
                        "currency": "GBP",
                        "quantity": 2,
                    },
                    {"description": "Rye loaf", "amount": loaf, "currency": "GBP", "quantity": 1},
                ],
                "merchant": {
                    "name": "Crumb & Kettle",
                    "online": False,
                    "store_name": "Crumb & Kettle Wharf Lane",
                },
                "payments": [{"type": "card", "amount": paid.minor, "currency": "GBP"}],
            }
        case Provider.STARLING:
            category = "c4a7e2d9-0b35-4a61-8d0f-91b2c3d4e5f6"
            feed = f"/api/v2/feed/account/{paid.account}/category/{category}"
            assert (heard.method, heard.target) == ("PUT", f"{feed}/{paid.transaction}/receipt")
            assert heard.headers["authorization"] == "Bearer starling-api-key"
            assert (body["totalAmount"], body["currencyCode"]) == (45.10, "GBP")
            assert [(one["quantity"], one["amount"]) for one in body["items"]] == [
                (2, 6.00),
                (1, 39.10),
            ]
        case Provider.FLUX_V1 | Provider.FLUX_V2:
            assert (heard.method, heard.target) == ("POST", "/receipts")
            _verify_jws(heard)
            assert body["bankTransactionId"] == paid.transaction
            assert body["total"] == {"amount": paid.minor, "currency": "GBP"}
            assert [one["amount"]["amount"] for one in body["items"]] == [600, loaf]
        case Provider.FIDEL | Provider.STANDARD:
            assert (heard.method, heard.target) == ("POST", "/receipts")
            # The library judges the timestamp by the machine's clock, so the check of the
            # signature is made at the time that was signed.
            _verify_standard(heard, whsec(2))
            assert (body["type"], body["data"]["version"]) == ("receipt.matched", 1)
            assert body["data"]["transaction"] == paid.transaction
            assert _bought(body["data"]["receipt"]["lines"]) == _expected_lines(paid)


def _verify_jws(heard: Heard) -> None:
    """As a Flux bank does: the key by its `kid` from what we publish."""

    signature = heard.headers["x-jws-signature"]
    protected = signature.partition("..")[0]
    header = json.loads(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))
    published = ask("GET", "/auth/.well-known/jwks.json").body["keys"]
    (key,) = [one for one in published if one["kid"] == header["kid"]]
    jws.verify_detached(signature, heard.body, key)


def _verify_standard(heard: Heard, secret: str) -> None:
    stamp = int(heard.headers["webhook-timestamp"])
    assert stamp == int(NOON.timestamp())
    expected = Webhook(secret).sign(heard.headers["webhook-id"], NOON, heard.body.decode())
    assert expected in heard.headers["webhook-signature"].split(" ")


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        (Provider.FLUX_V1, "/receipts/v2/external?transactionId=fx1-7f3a0c&userId=usr-aster-104"),
        (Provider.FLUX_V2, "/receipts/external/fx2-51b8"),
    ],
    ids=["v1", "v2"],
)
def test_flux_banks_read_the_receipt_at_fluxs_own_addresses(
    bank: BankServer, provider: Provider, path: str
) -> None:
    open_town(bank.url, providers=(provider,))
    before = as_bank(provider, "GET", path)
    signed(provider).send()
    send_receipts(till_receipt(PAID[provider]))
    work()

    after = as_bank(provider, "GET", path)

    assert (before.status, before.body["code"]) == (404, "NOT_SUPPORTED")
    assert after.status == 200
    total = after.body["totalAmount"] if "v2/" in path else after.body["total"]["amount"]
    assert total == PAID[provider].minor


@EACH
def test_the_same_message_again_is_taken_and_changes_nothing(
    bank: BankServer, provider: Provider
) -> None:
    open_town(bank.url, providers=(provider,))
    send_receipts(till_receipt(PAID[provider]))
    signed(provider).send()
    work()
    before, told = stored_rows(), delivered(bank)

    again = signed(provider).send()
    work()

    assert (again.status, again.body) == (200, {"taken": SENT.get(provider, 1)})
    assert stored_rows() == before
    assert waiting_on(queues.DELIVERIES) == 0
    assert bank.heard == [told]


def test_settlement_of_a_starling_item_with_another_amount_is_a_version(bank: BankServer) -> None:
    open_town(bank.url, providers=(Provider.STARLING,))
    paid = PAID[Provider.STARLING]
    send_receipts(till_receipt(paid))
    signed(Provider.STARLING).send()
    work()
    run_worker(queues.DELIVERIES)

    settled = signed(Provider.STARLING, event("starling_feed_item_settled")).send()
    work()

    assert settled.status == 200
    read = as_bank(Provider.STARLING, "GET", f"/v1/transactions/{paid.transaction}/receipt")
    assert (read.body["version"], read.body["status"]) == (2, "cleared")
    assert run_worker(queues.DELIVERIES).failed == ()
    assert [one.method for one in bank.heard] == ["PUT", "PUT"]


@pytest.mark.parametrize(
    ("provider", "name", "event_name", "status"),
    [
        (Provider.FIDEL, "fidel_transaction_clearing", "transaction.clearing", 200),
        (Provider.FIDEL, "fidel_transaction_refund", "transaction.refund", 200),
        (Provider.STANDARD, "standard_payment_cleared", "", 200),
        (Provider.STANDARD, "standard_payment_refunded", "", 200),
        (Provider.STANDARD, "standard_payment_reversed", "", 200),
        (Provider.STARLING, "starling_feed_item_settled", "", 200),
        (Provider.STARLING, "starling_feed_item_refund", "", 200),
        (Provider.MONZO, "monzo_refund", "", 200),
    ],
)
def test_takes_every_later_event_of_a_payment(
    bank: BankServer, provider: Provider, name: str, event_name: str, status: int
) -> None:
    open_town(bank.url, providers=(provider,))

    said = signed(provider, event(name), event_name=event_name).send()

    assert (said.status, said.body) == (status, {"taken": 1})
    assert waiting_on(queues.PAYMENTS) == 1


@pytest.mark.parametrize(
    ("provider", "name", "reason"),
    [
        (Provider.MONZO, "monzo_transaction_declined", "declined"),
        (Provider.MONZO, "monzo_top_up", "top_up"),
        (Provider.MONZO, "monzo_peer_payment", "peer_payment"),
        (Provider.STARLING, "starling_feed_item_declined", "declined"),
        (Provider.STARLING, "starling_payment_order", "event_type"),
    ],
)
def test_drops_and_counts_what_is_no_card_purchase(
    bank: BankServer, counted: Counted, provider: Provider, name: str, reason: str
) -> None:
    open_town(bank.url, providers=(provider,))

    said = signed(provider, event(name)).send()

    assert (said.status, said.body) == (200, {"taken": 0, "ignored": 1})
    assert counted[f"payments_dropped:{provider.value}:{reason}"] == 1
    assert waiting_on(queues.PAYMENTS) == 0


@pytest.mark.requirement("RCP-12")
def test_a_payment_of_an_account_nobody_switched_on_leaves_nothing(
    bank: BankServer, counted: Counted
) -> None:
    open_town(bank.url, providers=(Provider.STANDARD,))
    before = stored_rows()
    stranger = changed(Provider.STANDARD, {"data.account": "acct-of-a-stranger"})

    said = signed(Provider.STANDARD, stranger).send()
    work()

    assert said.status == 200
    assert counted["payments_dropped:not_a_member"] == 1
    assert stored_rows() == before
