"""A member pays by phone: two sure matches teach its digits, the third is found by them alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.kernel.times import to_text
from chalicelib.network.model import Provider
from chalicelib.purchases.wording import CLUES
from tests.makers.journeys import PAID, as_bank, open_town, send_receipts, till_receipt
from tests.makers.outside import work
from tests.makers.signed_hooks import changed, signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
AT = datetime.fromisoformat("2026-11-20T11:41:07Z")
PHONE, ANOTHER_PHONE = "9087", "5566"


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))


def pay(name: str, at: datetime, card: dict[str, str] | None) -> None:
    """The bank tells of a payment, and of the card's own digits or of nothing."""
    said = {"data.id": name, "data.made_at": to_text(at), "data.card": card}
    body = changed(Provider.STANDARD, said | {"timestamp": to_text(at)})
    signed(Provider.STANDARD, body, message_id=f"msg-{name}").send()
    work()


def print_receipt(name: str, at: datetime, four: str, code: str | None = None) -> dict[str, Any]:
    tender = {"kind": "card", "amount_minor": PAYER.minor}
    tender |= {"last_four": four, "last_four_kind": "device"}
    if code is not None:
        tender["auth_code"] = code
    return till_receipt(
        replace(PAYER, issued_at=to_text(at)), name, tenders=[tender], issued_at=to_text(at)
    )


def send(*receipts: dict[str, Any]) -> None:
    send_receipts(list(receipts))
    work()


def match_of(name: str) -> Any:
    return as_bank(Provider.STANDARD, "GET", f"/v1/transactions/{name}/match").body


def pays_twice_at_a_quiet_hour() -> None:
    """The auth code makes it sure; the bank's digits are the plastic card's."""
    for hours, code in ((2, "C55D10"), (1, "C55D11")):
        at = AT - timedelta(hours=hours)
        send(print_receipt(f"R-{hours}", at, PHONE, code))
        card = {"last_four": "4321", "last_four_kind": "card", "auth_code": code}
        pay(f"quiet-{hours}", at, card)
        assert match_of(f"quiet-{hours}")["state"] == "matched"


def pays_at_a_busy_hour() -> None:
    """Two receipts of the sum, and of the card the bank says nothing."""
    mine = print_receipt("R-mine", AT + timedelta(seconds=20), PHONE)
    anothers = print_receipt("R-anothers", AT - timedelta(seconds=20), ANOTHER_PHONE)
    send(mine, anothers)
    pay("busy", AT, None)


@pytest.mark.requirement("RCP-11")
def test_finds_the_third_receipt_by_the_digits_of_the_phone() -> None:
    pays_twice_at_a_quiet_hour()

    pays_at_a_busy_hour()

    match = match_of("busy")
    assert (match["state"], match["reason"]) == ("matched", "card_facts_agree")
    shown = as_bank(Provider.STANDARD, "GET", "/v1/transactions/busy/receipt").body
    assert shown["receipt"]["reference"] == "R-mine"
    said = {one["what"]: (one["stand"], one["words"]) for one in match["evidence"]}
    assert said["digits_of_device"] == (
        "agrees",
        f"The bank and the till agree on {CLUES['digits_of_device']}.",
    )
    assert "last_four" not in said


def test_tells_the_two_receipts_apart_by_nothing_else() -> None:
    pays_at_a_busy_hour()

    match = match_of("busy")
    assert (match["state"], match["reason"], match["rivals"]) == (
        "waiting",
        "several_receipts",
        2,
    )
