"""What happened to a purchase, as its bank reads it: every version with its cause, in any order."""

from itertools import permutations
from typing import Any

import pytest

from chalicelib.network.model import Provider
from tests.makers.api import Said
from tests.makers.journeys import PAID, as_bank, open_town, send_receipts, till_receipt
from tests.makers.outside import work
from tests.makers.signed_hooks import changed, signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))


def history(transaction: str = PAYER.transaction) -> Said:
    return as_bank(Provider.STANDARD, "GET", f"/v1/transactions/{transaction}/receipt/history")


def receipt() -> dict[str, Any]:
    said = as_bank(Provider.STANDARD, "GET", f"/v1/transactions/{PAYER.transaction}/receipt")
    assert said.status == 200
    body: dict[str, Any] = said.body
    return body


def tell(name: str, kind: str, minor: int, **more: Any) -> None:
    """The bank tells `kind` of the payment, under the event's `name`."""
    change = {"type": kind, "data.amount.minor": minor}
    change |= {f"data.{field}": value for field, value in more.items()}
    sent = signed(Provider.STANDARD, changed(Provider.STANDARD, change), message_id=name)
    assert sent.send().status == 200
    work()


def clear() -> None:
    tell("evt-cleared", "payment.cleared", 2230)


def sell_with_tip() -> None:
    tip = [{"kind": "tip", "amount_minor": 100, "description": "Tip"}]
    tender = {"kind": "card", "amount_minor": 2230, "auth_code": PAYER.auth_code}
    send_receipts(
        till_receipt(PAYER)
        | {"version": 2, "total_minor": 2230, "charges": tip, "tenders": [tender]}
    )
    work()


def give_back() -> None:
    line = {"kind": "return", "description": "Flat white", "amount_minor": 300, "quantity": "1"}
    body = {
        "reference": "B-1",
        "kind": "return",
        "store": "0042",
        "issued_at": "2026-11-20T11:50:00Z",
        "currency": "GBP",
        "total_minor": 300,
        "refers_to": "R-1",
        "lines": [line],
        "tenders": [{"kind": "card", "amount_minor": 300}],
    }
    send_receipts(body)
    work()


def refund() -> None:
    tell("evt-refund", "payment.refunded", 300, id="ob-refund-1", refers_to=PAYER.transaction)


@pytest.mark.requirement("RCP-14")
def test_tells_every_version_with_its_cause() -> None:
    send_receipts(till_receipt(PAYER))
    assert signed(Provider.STANDARD).send().status == 200
    work()

    for step in (clear, sell_with_tip, give_back, refund):
        step()

    said = history()
    told = [(one["version"], one["cause"], one["words"]) for one in said.body["changes"]]
    assert (said.status, said.body["version"], said.body["transaction"]) == (
        200,
        5,
        PAYER.transaction,
    )
    assert told == [
        (1, "joined", "The receipt R-1 was found."),
        (2, "cleared", "The bank cleared 22.30 GBP."),
        (3, "corrected", "The shop sent version 2 of the receipt."),
        (4, "returned", "The shop took goods back for 3.00 GBP (receipt B-1)."),
        (5, "refunded", "The bank refunded 3.00 GBP."),
    ]
    assert {one["at"] for one in said.body["changes"]} == {"2026-11-20T12:00:00Z"}
    assert said.body["changes"][4]["amount"] == {"minor": 300, "currency": "GBP", "text": "3.00"}


STEPS = (clear, sell_with_tip, give_back, refund)


@pytest.mark.requirement("RCP-09")
@pytest.mark.requirement("RCP-14")
@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_a_tip_a_clearing_a_return_and_a_refund_end_alike_in_any_order(
    order: tuple[int, ...],
) -> None:
    """And each of them told twice; the bank is told of every version."""
    send_receipts(till_receipt(PAYER))
    assert signed(Provider.STANDARD).send().status == 200
    work()

    for place in order:
        STEPS[place]()
        STEPS[place]()

    body = receipt()
    lines = [line["returnable_quantity"] for line in body["receipt"]["lines"]]
    assert (body["status"], body["version"], body.get("flags")) == ("cleared", 5, None)
    assert (body["receipt"]["total"]["minor"], body["refunded"]["minor"]) == (2230, 300)
    assert lines == ["1", "1"]
    assert sorted(one["cause"] for one in history().body["changes"]) == [
        "cleared",
        "corrected",
        "joined",
        "refunded",
        "returned",
    ]


def test_says_why_there_is_no_history() -> None:
    said = history("never-heard-of")

    assert (said.status, said.body["code"]) == (404, "NOT_SUPPORTED")
