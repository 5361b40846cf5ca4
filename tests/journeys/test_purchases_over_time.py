"""What becomes of purchases later: returns, histories, cards that come and go, shops not ours."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.runtime import queues
from tests.makers.api import Said
from tests.makers.journeys import (
    NOON,
    PAID,
    as_bank,
    connection_of,
    open_town,
    send_receipts,
    till_receipt,
    token,
)
from tests.makers.outside import (
    Counted,
    ask,
    everything_stored,
    stored_rows,
    waiting_on,
    work,
)
from tests.makers.signed_hooks import change_in, changed, signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
TERMS = {"version": "2026-01", "channel": "bank_app"}


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))


def read(provider: Provider = Provider.STANDARD, transaction: str = PAYER.transaction) -> Said:
    return as_bank(provider, "GET", f"/v1/transactions/{transaction}/receipt")


def give_back(reference: str, quantity: int) -> None:
    """The till takes `quantity` flat whites back, at £3.00 each."""
    body = {
        "reference": reference,
        "kind": "return",
        "store": "0042",
        "issued_at": "2026-11-20T11:50:00Z",
        "currency": "GBP",
        "total_minor": 300 * quantity,
        "refers_to": "R-1",
        "lines": [
            {
                "kind": "return",
                "description": "Flat white",
                "amount_minor": 300 * quantity,
                "quantity": str(quantity),
                "refers_to": {"receipt": "R-1", "line_id": "1"},
            }
        ],
        "tenders": [{"kind": "card", "amount_minor": 300 * quantity}],
    }
    assert send_receipts(body).status == 202
    work()


def coffees(said: Said) -> tuple[str, str]:
    """How many flat whites may still be brought back, and how many were."""
    line = said.body["receipt"]["lines"][0]
    return line["returnable_quantity"], line["returned_quantity"]


@pytest.mark.requirement("RCP-09")
def test_a_return_of_one_of_two_leaves_one_and_a_second_of_two_is_flagged(town: None) -> None:
    signed(Provider.STANDARD).send()
    send_receipts(till_receipt(PAYER))
    work()
    sold = read()

    give_back("RET-1", 1)
    once = read()
    give_back("RET-1", 1)
    repeated = read()
    give_back("RET-2", 2)
    over = read()

    assert (coffees(sold), sold.body.get("flags", [])) == (("2", "0"), [])
    assert (coffees(once), once.body.get("flags", [])) == (("1", "1"), [])
    assert repeated.body == once.body
    assert (coffees(over), over.body["flags"]) == (("1", "1"), ["over_return"])
    assert [one.body["version"] for one in (sold, once, over)] == [1, 2, 3]
    assert waiting_on(queues.DELIVERIES) == 0  # This bank reads; nobody is told.


@pytest.mark.requirement("RCP-17")
def test_a_member_sees_every_product_bought_and_nobody_elses(town: None) -> None:
    signed(Provider.STANDARD).send()
    send_receipts(till_receipt(PAYER))
    work()

    own = as_bank(Provider.STANDARD, "GET", "/v1/me/purchases", f"user:{PAYER.user}")
    other = as_bank(Provider.STANDARD, "GET", "/v1/me/purchases", "user:somebody-else")
    nobody = as_bank(Provider.STANDARD, "GET", "/v1/me/purchases")

    bought = {
        "currency": "GBP",
        "retailer": "Crumb & Kettle",
        "bought_at": "2026-11-20T11:41:06Z",
        "transaction": PAYER.transaction,
    }
    assert own.body == {
        "products": [
            {"description": "Flat white", "quantity": "2", "amount_minor": 600, **bought},
            {"description": "Rye loaf", "quantity": "1", "amount_minor": 1530, **bought},
        ]
    }
    assert (other.status, nobody.status) == (404, 403)


def put_member(cards: list[dict[str, Any]]) -> Said:
    bearer = token("client-standard")
    body = {"terms": TERMS, "accounts": [{"id": PAYER.account}], "cards": cards}
    return ask(
        "PUT",
        f"/v1/members/{PAYER.user}",
        headers={"Authorization": f"Bearer {bearer}"},
        body=json.dumps(body).encode(),
    )


@pytest.mark.requirement("LNK-06")
@pytest.mark.requirement("LNK-07")
@pytest.mark.requirement("LNK-08")
def test_a_cards_purchases_count_from_when_it_is_added_until_it_is_removed(
    embedded_aws: None, counted: Counted
) -> None:
    open_town(providers=(Provider.STANDARD,))
    fidel = connection_of(Provider.FIDEL)
    network.record_connection(fidel, now=NOON)
    bank = connection_of(Provider.STANDARD)
    network.record_connection(replace(bank, sources=(fidel.connection_id,)), now=NOON)
    at = {"datetime": "2026-11-20T13:01:00"}  # In Paris; a minute after the card is added.
    card = {"token": {"value": "card-token-7d20", "connection": "fidel"}}

    signed(Provider.FIDEL, changed(Provider.FIDEL, {**at, "id": "unknown-card"})).send()
    work()
    added = put_member([card])
    signed(Provider.FIDEL, changed(Provider.FIDEL, {**at, "id": "linked"})).send()
    work()
    while_linked = _payments()
    removed = put_member([])
    signed(Provider.FIDEL, changed(Provider.FIDEL, {**at, "id": "removed"})).send()
    work()

    assert (added.status, added.body["cards"]) == (200, 1)
    assert (removed.status, removed.body["cards"]) == (200, 0)
    assert (while_linked, _payments()) == (1, 1)
    assert counted["payments_dropped:not_a_member"] == 2
    number = put_member([{"token": {"value": "4111111111111111", "connection": "fidel"}}])
    assert (number.status, number.body["code"]) == (422, "card_number")


def _payments() -> int:
    """How many payments are recorded."""
    return sum("'payment#" in row for row in stored_rows("people"))


@pytest.mark.requirement("RCP-15")
@pytest.mark.requirement("RCP-02")
def test_of_a_hundred_payments_only_those_at_our_shops_leave_a_trace(
    embedded_aws: None, counted: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    open_town(providers=(Provider.FLUX_V1,))
    sample = changed(Provider.FLUX_V1, {})[0]
    entries = [deepcopy(sample) for _ in range(100)]
    for index, entry in enumerate(entries):
        ours = index in (7, 41, 99)
        change_in(
            entry,
            {
                "id": f"tx-{index}",
                "merchantId": "MID-BL-0042" if ours else f"FOREIGN{index}",
                "merchantName": "Bean & Leaf" if ours else f"ELSEWHERE {index} LTD",
                "narratives": [],
            },
        )

    said = signed(Provider.FLUX_V1, entries).send()
    work()

    assert said.body == {"taken": 100}
    assert _payments() == 3
    assert counted["payments_dropped:not_in_network"] == 97
    logged = "".join(repr(record.__dict__) for record in caplog.records)
    for trace in ("FOREIGN", "ELSEWHERE"):
        assert trace not in everything_stored() + logged


@pytest.mark.requirement("RCP-14")
def test_no_route_changes_what_a_bank_said_and_another_amount_is_a_version(town: None) -> None:
    send_receipts(till_receipt(PAYER))
    signed(Provider.STANDARD).send()
    work()

    cleared = changed(Provider.STANDARD, {"type": "payment.cleared", "data.amount.minor": 2180})
    signed(Provider.STANDARD, cleared, message_id="msg-2").send()
    work()

    assert (read().body["version"], read().body["status"]) == (2, "cleared")
    described = ask("GET", "/openapi.json").body["paths"]
    writing = {
        path.removeprefix("/v1/transactions/{transaction}")
        for path, methods in described.items()
        if "transactions" in path and list(methods) != ["get"]
    }
    # These say which receipt is the transaction's, or that it earned nothing, and nothing of the
    # transaction itself.
    assert writing == {"/match/not-mine", "/match/this-is-mine", "/rewards/claims"}
