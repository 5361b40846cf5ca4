"""Telling banks of receipts, against real servers on loopback: the exact request, every answer."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from chalicelib.banks import flux_receipts, jws, signatures, standard_receipts
from chalicelib.banks.http import AccessRefused
from chalicelib.banks.monzo_receipts import NoAccessToken
from chalicelib.banks.providers import adapter_for
from chalicelib.banks.standard_receipts import NoSigningKey
from chalicelib.banks.starling_receipts import NoApiKey, NoFeedItemAddress
from chalicelib.banks.telling import BankRefused, EndpointGone, Note, NoteKind, ReceiptNote, Told
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Rejected, TryAgain
from chalicelib.network.model import Connection, KeyUse, Provider
from chalicelib.receipts import canonical
from chalicelib.receipts.rendering import to_public
from chalicelib.runtime import wire
from tests.makers.bank_server import BankServer, bank_server
from tests.makers.banks import (
    NOON,
    RETAILER,
    STORE,
    connection,
    event_json,
    key,
    note,
    receipt,
    rsa_pem,
    whsec,
    withdrawn,
)

WITHDRAWN = withdrawn()
OK = (200, {}, b"")


def bank_of(provider: Provider, url: str) -> Connection:
    keys = {
        Provider.STARLING: (key(KeyUse.API, "starling-token"),),
        Provider.STANDARD: (key(KeyUse.SIGN, whsec(1)), key(KeyUse.SIGN, whsec(2))),
    }.get(provider, ())
    told_at = provider in (Provider.STANDARD, Provider.FLUX_V1, Provider.FLUX_V2)
    fields = {"told_at_url": f"{url}/receipts"} if told_at else {"api_url": url}
    return connection(provider, *keys, **fields)


def tell(provider: Provider, told: Note, bank: BankServer) -> Told:
    adapter = adapter_for(provider, signing_key=Personal(rsa_pem()))
    assert adapter.tell is not None
    return adapter.tell(told, bank_of(provider, bank.url), now=NOON)


def decoded(raw: bytes) -> Any:
    return json.loads(raw, parse_float=Decimal)


def test_puts_a_receipt_on_a_monzo_transaction() -> None:
    with bank_server((200, {}, b'{"receipt_id":"receipt_1"}')) as bank:
        assert tell(Provider.MONZO, note(), bank) == Told()
    (heard,) = bank.heard
    assert (heard.method, heard.target) == ("PUT", "/transaction-receipts")
    assert heard.headers["authorization"] == "Bearer member-token"
    assert heard.headers["content-type"] == "application/json"
    assert decoded(heard.body) == event_json("monzo_receipt_put")


@pytest.mark.requirement("RCP-10")
def test_the_same_monzo_receipt_twice_is_the_same_request() -> None:
    with bank_server() as bank:
        tell(Provider.MONZO, note(), bank)
        tell(Provider.MONZO, note(), bank)
    first, second = bank.heard
    assert first == second


def test_takes_a_withdrawn_receipt_off_a_monzo_transaction() -> None:
    with bank_server((200, {}, b"{}")) as bank:
        tell(Provider.MONZO, replace(WITHDRAWN, external_id="cf/7 7"), bank)
    (heard,) = bank.heard
    assert (heard.method, heard.target, heard.body) == (
        "DELETE",
        "/transaction-receipts?external_id=cf%2F7%207",
        b"",
    )


def test_a_monzo_receipt_that_is_already_gone_is_withdrawn() -> None:
    with bank_server((404, {}, b"")) as bank:
        assert tell(Provider.MONZO, WITHDRAWN, bank) == Told()


def test_monzo_asks_for_a_fresh_token() -> None:
    with bank_server((401, {}, b"")) as bank, pytest.raises(AccessRefused):
        tell(Provider.MONZO, note(), bank)


def test_monzo_hears_nothing_without_the_members_token() -> None:
    with bank_server() as bank, pytest.raises(NoAccessToken) as refusal:
        tell(Provider.MONZO, note(access_token=None), bank)
    assert (refusal.value.code, bank.heard) == ("no_access_token", [])


def test_monzo_gets_taxes_on_top_where_prices_exclude_them() -> None:
    made = receipt(
        lines=(canonical.Line("1", "Desk", 10_000),),
        discounts=(),
        charges=(),
        rounding_minor=0,
        taxes=(canonical.Tax(2_000, description="VAT 20%"),),
        tax_included=False,
        total_minor=12_000,
        change_minor=0,
        tenders=(canonical.Tender(canonical.TenderKind.GIFT_CARD, 12_000),),
    )
    with bank_server() as bank:
        tell(Provider.MONZO, note(receipt=made), bank)
    sent = decoded(bank.heard[0].body)
    assert (sent["total"], sent["items"][0]["amount"]) == (12_000, 10_000)
    assert sent["taxes"] == [
        {
            "description": "VAT 20%",
            "amount": 2_000,
            "currency": "GBP",
            "tax_number": "GB123456782",
        }
    ]
    assert sent["payments"] == [
        {
            "type": "gift_card",
            "amount": 12_000,
            "currency": "GBP",
            "gift_card_type": "Gift card",
        }
    ]


def test_puts_a_receipt_on_a_starling_feed_item_and_keeps_its_name() -> None:
    with bank_server((200, {}, b'{"receiptUid":"uid-1"}')) as bank:
        assert tell(Provider.STARLING, note(), bank) == Told("uid-1")
    (heard,) = bank.heard
    assert (heard.method, heard.target) == (
        "PUT",
        "/api/v2/feed/account/acc-77/category/cat-77/tx-77/receipt",
    )
    assert heard.headers["authorization"] == "Bearer starling-token"
    assert decoded(heard.body) == event_json("starling_receipt_put")
    assert b'"totalAmount":17.45' in heard.body  # a number with its exact digits


def test_sends_starlings_own_name_back_with_an_update() -> None:
    with bank_server((200, {}, b"")) as bank:
        told = tell(Provider.STARLING, note(NoteKind.UPDATED, told_reference="uid-1"), bank)
    assert told == Told("uid-1")  # an answer without a body keeps the name we had
    sent = decoded(bank.heard[0].body)
    assert sent == {**event_json("starling_receipt_put"), "receiptUid": "uid-1"}


def test_overwrites_a_withdrawn_starling_receipt_with_nothing_of_it_left() -> None:
    with bank_server() as bank:
        tell(Provider.STARLING, replace(WITHDRAWN, told_reference="uid-1"), bank)
    (heard,) = bank.heard
    assert heard.method == "PUT"
    assert decoded(heard.body) == event_json("starling_receipt_withdrawn")


@pytest.mark.parametrize(
    "missing", [{"account_ref": None}, {"told_through": ()}], ids=["account", "category"]
)
def test_starling_hears_nothing_without_the_address_of_the_feed_item(
    missing: dict[str, Any],
) -> None:
    with bank_server() as bank, pytest.raises(NoFeedItemAddress) as refusal:
        tell(Provider.STARLING, note(**missing), bank)
    assert (refusal.value.code, bank.heard) == ("no_feed_item_address", [])


def test_starling_hears_nothing_without_a_key() -> None:
    with bank_server() as bank:
        silent = connection(Provider.STARLING, api_url=bank.url)
        with pytest.raises(NoApiKey):
            adapter_for(Provider.STARLING).tell(note(), silent, now=NOON)  # type: ignore[misc]
    assert bank.heard == []


@pytest.mark.parametrize("uid", [b"", b"{", b"[]", b'{"receiptUid":7}', b'{"receiptUid":""}'])
def test_takes_a_starling_success_without_a_usable_name(uid: bytes) -> None:
    with bank_server((200, {}, uid)) as bank:
        assert tell(Provider.STARLING, note(), bank) == Told()


@pytest.mark.parametrize("provider", [Provider.FLUX_V1, Provider.FLUX_V2])
def test_pushes_a_signed_flux_receipt(provider: Provider) -> None:
    with bank_server((202, {}, b"")) as bank:
        assert tell(provider, note(), bank) == Told()
    (heard,) = bank.heard
    assert (heard.method, heard.target) == ("POST", "/receipts")
    assert decoded(heard.body) == event_json("flux_receipt_webhook")
    public = jws.public_jwk(rsa_pem())
    jws.verify_detached(heard.headers["x-jws-signature"], heard.body, public)


def test_pushes_a_withdrawn_flux_receipt_with_nothing_of_it_left() -> None:
    with bank_server() as bank:
        tell(Provider.FLUX_V2, WITHDRAWN, bank)
    assert decoded(bank.heard[0].body) == event_json("flux_receipt_withdrawn")


def test_shows_the_first_flux_shape_to_those_who_read_it() -> None:
    shown = decoded(flux_receipts.encode(flux_receipts.render_v1(note())))
    assert shown == event_json("flux_receipt_v1")


def expected_standard(name: str) -> Any:
    """The file, its receipt as our API shows it now."""
    expected = event_json(name)
    if "receipt" in expected["data"]:
        shown = to_public(receipt(), retailer=RETAILER, store=STORE)
        expected["data"]["receipt"] = decoded(wire.to_json(shown))
    return expected


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (NoteKind.MATCHED, "standard_receipt_matched"),
        (NoteKind.UPDATED, "standard_receipt_updated"),
        (NoteKind.WITHDRAWN, "standard_receipt_withdrawn"),
    ],
)
def test_posts_a_standard_event_signed_with_every_key(kind: NoteKind, name: str) -> None:
    told = withdrawn(version=1) if kind is NoteKind.WITHDRAWN else note(kind)
    with bank_server((204, {}, b"")) as bank:
        assert tell(Provider.STANDARD, told, bank) == Told()
    (heard,) = bank.heard
    assert (heard.method, heard.target) == ("POST", "/receipts")
    assert decoded(heard.body) == expected_standard(name)
    assert heard.headers["webhook-id"] == standard_receipts.message_id_of(told)
    assert heard.headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert len(heard.headers["webhook-signature"].split(" ")) == 2
    for secret in (whsec(1), whsec(2)):
        signatures.verify_standard([secret], headers=heard.headers, body=heard.body, now=NOON)


def test_another_library_verifies_a_standard_event_as_it_arrives() -> None:
    now = datetime.now(UTC)  # the library reads the clock itself
    with bank_server() as bank:
        adapter = adapter_for(Provider.STANDARD)
        adapter.tell(note(), bank_of(Provider.STANDARD, bank.url), now=now)  # type: ignore[misc]
    (heard,) = bank.heard
    for secret in (whsec(1), whsec(2)):
        assert Webhook(secret).verify(heard.body, heard.headers)["type"] == "receipt.matched"


def test_names_each_version_of_a_receipt_once() -> None:
    first = standard_receipts.message_id_of(note())
    assert first == standard_receipts.message_id_of(note(at=NOON))
    others = [note(version=2), note(NoteKind.UPDATED), note(external_id="other")]
    assert len({first, *(standard_receipts.message_id_of(other) for other in others)}) == 4
    assert "." not in first


def test_sends_a_link_instead_of_a_receipt_that_is_too_long() -> None:
    line = receipt().lines[0]
    made = receipt(lines=tuple(replace(line, line_id=str(n)) for n in range(200)))
    with bank_server() as bank:
        tell(Provider.STANDARD, note(receipt=made, transaction_id="tx/7"), bank)
    (heard,) = bank.heard
    assert len(heard.body) < 20_000
    data = decoded(heard.body)["data"]
    assert "receipt" not in data
    assert data["link"] == "https://api.counterfoil.test/v1/transactions/tx%2F7/receipt"


def test_nothing_is_sent_unsigned() -> None:
    with bank_server() as bank:
        unsigned = connection(Provider.STANDARD, told_at_url=bank.url)
        with pytest.raises(NoSigningKey) as refusal:
            adapter_for(Provider.STANDARD).tell(note(), unsigned, now=NOON)  # type: ignore[misc]
    assert (refusal.value.code, bank.heard) == ("no_signing_key", [])


@pytest.mark.parametrize("provider", [Provider.STANDARD, Provider.FLUX_V2])
def test_a_bank_without_a_url_reads_receipts_itself(provider: Provider) -> None:
    adapter = adapter_for(provider, signing_key=Personal(rsa_pem()))
    assert adapter.tell(note(), connection(provider), now=NOON) == Told()  # type: ignore[misc]


TOLD = [Provider.MONZO, Provider.STARLING, Provider.FLUX_V2, Provider.STANDARD]


@pytest.mark.requirement("RCP-10")
@pytest.mark.parametrize("provider", TOLD)
@pytest.mark.parametrize(
    ("status", "ending"),
    [(500, TryAgain), (429, TryAgain), (410, EndpointGone), (422, BankRefused)],
)
def test_every_answer_has_its_ending(
    provider: Provider, status: int, ending: type[Exception]
) -> None:
    answer = (status, {"Retry-After": "30"}, b"no")
    with bank_server(answer) as bank, pytest.raises(ending) as ended:
        tell(provider, note(), bank)
    assert len(bank.heard) == 1
    if isinstance(ended.value, TryAgain):
        assert ended.value.after_seconds == 30


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize("provider", TOLD)
def test_no_secret_stands_in_a_refusal(provider: Provider) -> None:
    with bank_server((400, {}, b"member-token")) as bank, pytest.raises(Rejected) as refusal:
        tell(provider, note(), bank)
    assert refusal.value.detail == "the bank answered 400"


SHAPES: list[Callable[[ReceiptNote], Any]] = [flux_receipts.render_v1, flux_receipts.render_v2]


@pytest.mark.parametrize("render", SHAPES)
def test_a_flux_receipt_without_card_facts_leaves_them_out(
    render: Callable[[ReceiptNote], Any],
) -> None:
    cash = (canonical.Tender(canonical.TenderKind.CASH, 2000),)
    shown = flux_receipts.encode(render(note(receipt=receipt(tenders=cash))))
    assert b"lastFour" not in shown
    assert b"authCode" not in shown
